/**
 * What a branch is told that the past was not: a file of one JSON object per line, written by a person. Devices by name or
 * id, metrics by name, times as an age from the fork (+30s) or a time. Each line becomes the Input that a collector would
 * have made, and passes the journal's own check; nothing of it is ever written anywhere.
 */
import * as Data from "effect/Data"
import { decodeBatch, encodeBatch } from "#engine/tenant/journal-codec.ts"
import { entityKey, entityKind, type DeviceId } from "#protocol/id.ts"
import type { Inventory } from "#protocol/inventory.ts"
import { metricByName } from "#protocol/metric.ts"
import type { DeviceInput, PollInput, TickInput } from "#twin/input.ts"

/** Lines of a file; more is no what-if. */
export const FORK_INPUTS_MAX = 100_000

/** `message` names the line and what is wrong with it. */
export class ForkInputsRefused extends Data.TaggedError("ForkInputsRefused")<{ readonly message: string }> {}

export type ForkInput = DeviceInput | TickInput

/** In the order of time; of one time in the order of lines. Throws ForkInputsRefused. */
export const readForkInputs = (text: string, inventory: Inventory, forkMs: number): readonly ForkInput[] => {
  const lines = text.split("\n").flatMap((line, index) => (line.trim() === "" ? [] : [{ line, index }]))
  if (lines.length > FORK_INPUTS_MAX)
    refuse(`line ${lines[FORK_INPUTS_MAX]!.index + 1}`, `more than ${FORK_INPUTS_MAX} inputs`)
  return forkInputsOf(
    lines.map(({ line, index }) => ({ where: `line ${index + 1}`, value: parsed(line, `line ${index + 1}`) })),
    inventory,
    forkMs,
  )
}

/** What each says as an input; `where` names it in words of a refusal. Throws ForkInputsRefused. */
export const forkInputsOf = (
  given: ReadonlyArray<{ readonly where: string; readonly value: unknown }>,
  inventory: Inventory,
  forkMs: number,
): readonly ForkInput[] => {
  const known = new Map(inventory.devices.flatMap(({ id, name }) => [[name, id] as const, [id, id] as const]))
  const inputs = given.map(({ where, value }): ForkInput => {
    const input = checked(inputOf(objectOf(value, where), known, forkMs, where), where)
    return input.atMs < forkMs ? refuse(where, "its time is before the fork") : input
  })
  return inputs.sort((a, b) => a.atMs - b.atMs)
}

type Line = Readonly<Record<string, unknown>>

const parsed = (line: string, where: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    return refuse(where, "not JSON")
  }
}

const objectOf = (value: unknown, where: string): Line =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Line)
    : refuse(where, "not a JSON object")

const inputOf = (line: Line, known: ReadonlyMap<string, DeviceId>, forkMs: number, where: string): ForkInput => {
  const atMs = timeOf(line["at"], forkMs, where)
  if (line["kind"] === "tick") return { kind: "tick", atMs }
  const named = line["device"]
  const device = typeof named === "string" ? known.get(named) : undefined
  if (device === undefined) return refuse(where, `device ${JSON.stringify(named ?? null)} is none of that moment`)
  switch (line["kind"]) {
    case "poll":
      return pollOf(line, device, atMs, where)
    case "unreachable": {
      const { source = "snmp", reason = "timeout", detail = "" } = line
      return { kind: "unreachable", device, atMs, source, reason, detail } as DeviceInput
    }
    case "trap": {
      const { trap, oid = "", ifIndex = null, ifName = null, adminUp = null, remote = null, state = null } = line
      const [raw, said] = [line["raw"] ?? "", { trap, oid, ifIndex, ifName, adminUp, remote, state }]
      return { kind: "trap", device, atMs, raw, ...said } as DeviceInput
    }
    case "syslog": {
      const { severity = 5, topics = [], message = "", event = null, count = 1 } = line
      return { kind: "syslog", device, atMs, severity, topics, message, event, count } as DeviceInput
    }
    default:
      return refuse(where, `kind must be poll, unreachable, trap, syslog or tick`)
  }
}

/** `samples`: [entity, metric, value] each; the entity "" is the device itself. */
const pollOf = (line: Line, device: DeviceId, atMs: number, where: string): PollInput => {
  const { source = "snmp", samples = [], texts = [], complete = [] } = line
  if (!Array.isArray(samples)) return refuse(where, "samples must be a list")
  const entities: string[] = []
  const rows = samples.map((sample: unknown): readonly [number, number, number] => {
    const [entity, name, value] = Array.isArray(sample) ? (sample as unknown[]) : []
    const metric = typeof name === "string" ? metricByName(name) : null
    if (typeof entity !== "string" || entityKind(entityKey(entity)) === null)
      return refuse(where, `entity ${JSON.stringify(entity ?? null)} is none (if:NAME, ospf:ID, bgp:ADDRESS, or "")`)
    if (metric === null) return refuse(where, `there is no metric ${JSON.stringify(name ?? null)}`)
    if (typeof value !== "number") return refuse(where, `the value of ${metric.name} is no number`)
    if (!entities.includes(entity)) entities.push(entity)
    return [entities.indexOf(entity), metric.id, value]
  })
  return {
    kind: "poll",
    device,
    source,
    startedMs: atMs,
    atMs,
    entities: entities.map(entityKey),
    entity: Uint16Array.from(rows, ([entity]) => entity),
    metric: Uint16Array.from(rows, ([, metric]) => metric),
    value: Float64Array.from(rows, ([, , value]) => value),
    texts,
    complete,
  } as PollInput
}

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000 } as const

const timeOf = (at: unknown, forkMs: number, where: string): number => {
  if (typeof at === "string") {
    const after = /^\+(\d{1,7})([smh])$/.exec(at)
    if (after !== null) return Math.trunc(forkMs) + Number(after[1]) * UNITS[after[2] as keyof typeof UNITS]
    const time = /^\d{4}-\d\d-\d\d/.test(at) ? Date.parse(at) : Number.NaN
    if (!Number.isNaN(time)) return time
  }
  return refuse(where, "at must be an age from the fork (+30s, +5m) or a time (2026-11-21T10:00:00Z)")
}

/** As the journal would check it: through its bytes and back. */
const checked = (input: ForkInput, where: string): ForkInput => {
  try {
    return decodeBatch(encodeBatch([{ seq: 1, input }]))[0]!.input as ForkInput
  } catch (error) {
    const what =
      error instanceof Error ? error.message.replace(/ of a journal row is damaged.*$/, " is missing or wrong") : ""
    return refuse(where, what)
  }
}

const refuse = (where: string, why: string): never => {
  throw new ForkInputsRefused({ message: `${where}: ${why}` })
}
