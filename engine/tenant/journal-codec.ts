/**
 * Bytes of a journal batch. Inputs are packed as arrays of positions (the journal is most of what this system writes);
 * the first byte is the version. Reading checks every field: a damaged row must stop a replay with its reason, not
 * become a strange network.
 */
import * as Data from "effect/Data"
import { packStored, unpackStored } from "#protocol/codec.ts"
import { deviceId, entityKey } from "#protocol/id.ts"
import type { EntityKind } from "#protocol/id.ts"
import type { CauseMember, FaultType, Verdict } from "#protocol/incident.ts"
import { FAULT_TYPES } from "#protocol/incident.ts"
import type { Inventory } from "#protocol/inventory.ts"
import type { Silence } from "#protocol/maintenance.ts"
import type { TextFact } from "#protocol/metric.ts"
import type { Rule } from "#protocol/rule.ts"
import type { Source } from "#protocol/view.ts"
import type { IncidentAct } from "#twin/incident/act.ts"
import { REFUSALS } from "#twin/incident/question.ts"
import type {
  AckInput,
  IncidentInput,
  Input,
  PollInput,
  ProbedInput,
  Sequenced,
  SyslogInput,
  TrapInput,
  UnreachableInput,
} from "#twin/input.ts"

export const JOURNAL_VERSION = 1

/** The bytes are not a journal batch that this build can read. */
export class JournalUnreadable extends Data.TaggedError("JournalUnreadable")<{ readonly detail: string }> {
  override get message(): string {
    return this.detail
  }
}

/** Position of a kind in a row. Append only. */
const KINDS = [
  "tick",
  "poll",
  "unreachable",
  "trap",
  "syslog",
  "topology",
  "quota",
  "certificate",
  "rules",
  "silences",
  "ack",
  "incident",
  "probed",
] as const

/** Packs consecutive inputs; an empty batch or a gap in seq is a defect and throws. */
export const encodeBatch = (batch: readonly Sequenced[]): Uint8Array => {
  const first = batch[0]?.seq
  if (first === undefined || batch.some((entry, index) => entry.seq !== first + index))
    throw new RangeError("a journal batch holds at least one input, and its seq has no gaps")
  const body = packStored([first, batch.map((entry) => rowOf(entry.input))])
  const bytes = new Uint8Array(1 + body.length)
  bytes[0] = JOURNAL_VERSION
  bytes.set(body, 1)
  return bytes
}

/** The inverse of encodeBatch. Throws JournalUnreadable and nothing else. */
export const decodeBatch = (bytes: Uint8Array): readonly Sequenced[] => {
  if (bytes[0] !== JOURNAL_VERSION)
    return unreadable(
      `journal version ${bytes[0] ?? "none"}: this build reads ${JOURNAL_VERSION}; use a newer Heliograph`,
    )
  let body: unknown
  try {
    body = unpackStored(bytes.subarray(1))
  } catch {
    return unreadable("the bytes of a journal batch are damaged; restore the journal from a backup")
  }
  const [first, rows] = list(body, 2, "batch")
  const seq = whole(first, "seq")
  return list(rows, null, "rows").map((row, index) => ({ seq: seq + index, input: inputOf(list(row, null, "row")) }))
}

const rowOf = (input: Input): readonly unknown[] => {
  const kind = KINDS.indexOf(input.kind)
  switch (input.kind) {
    case "tick":
      return [kind, input.atMs]
    case "poll": {
      const { device, source, startedMs, atMs, entities, entity, metric, value, texts, complete } = input
      const rows = texts.map((row) => [row.entity, row.fact, row.text])
      return [kind, atMs, device, source, startedMs, entities, entity, metric, value, rows, complete]
    }
    case "unreachable":
      return [kind, input.atMs, input.device, input.source, input.reason, input.detail]
    case "trap": {
      const { atMs, device, trap, oid, ifIndex, ifName, adminUp, remote, raw, state } = input
      return [kind, atMs, device, trap, oid, ifIndex, ifName, adminUp, remote, raw, state ?? null]
    }
    case "syslog": {
      const { atMs, device, severity, topics, message, event, count, firstMs, raw, eventOnly } = input
      const row = [kind, atMs, device, severity, topics, message, event, count]
      if (firstMs === undefined && raw === undefined && eventOnly === undefined) return row
      return [...row, firstMs ?? null, raw ?? null, eventOnly === true]
    }
    case "topology":
      return [kind, input.atMs, input.rev, input.inventory]
    case "quota":
      return [kind, input.atMs, input.quota, input.limit, input.times]
    case "certificate":
      return [kind, input.atMs, input.names, input.endsOn, input.days]
    case "rules":
      return [kind, input.atMs, input.rev, input.rules]
    case "silences":
      return [kind, input.atMs, input.rev, input.silences]
    case "ack":
      return [kind, input.atMs, input.device, input.rule, input.entity, input.by, input.untilMs]
    case "incident":
      return [kind, input.atMs, input.incident, input.by, input.act]
    case "probed": {
      const { atMs, incident, question, device, source, startedMs, outcome, rttMs } = input
      return [kind, atMs, incident, question, device, source, startedMs, outcome, rttMs]
    }
  }
}

const inputOf = (row: readonly unknown[]): Input => {
  const atMs = whole(row[1], "atMs")
  switch (KINDS[whole(row[0], "kind")]) {
    case "tick":
      return { kind: "tick", atMs }
    case "poll":
      return pollOf(row, atMs)
    case "unreachable":
      return {
        kind: "unreachable",
        device: deviceId(text(row[2], "device")),
        source: text(row[3], "source") as Source,
        atMs,
        reason: text(row[4], "reason") as UnreachableInput["reason"],
        detail: text(row[5], "detail"),
      }
    case "trap":
      return trapOf(row, atMs)
    case "syslog":
      return syslogOf(row, atMs)
    case "topology":
      return { kind: "topology", atMs, rev: whole(row[2], "rev"), inventory: inventoryOf(row[3]) }
    case "quota": {
      const [, , quota, limit, times] = row
      return {
        kind: "quota",
        atMs,
        quota: text(quota, "quota"),
        limit: whole(limit, "limit"),
        times: whole(times, "times"),
      }
    }
    case "certificate": {
      const [, , names, endsOn, days] = row
      return {
        kind: "certificate",
        atMs,
        names: text(names, "names"),
        endsOn: text(endsOn, "endsOn"),
        days: whole(days, "days"),
      }
    }
    case "rules":
      return { kind: "rules", atMs, rev: whole(row[2], "rev"), rules: plainList(row[3], "rules") as unknown as Rule[] }
    case "silences":
      return { kind: "silences", atMs, rev: whole(row[2], "rev"), silences: silencesOf(row[3]) }
    case "ack":
      return ackOf(row, atMs)
    case "incident":
      return incidentOf(row, atMs)
    case "probed":
      return probedOf(row, atMs)
    default:
      return unreadable(`input kind ${String(row[0])} is unknown to this build; use a newer Heliograph`)
  }
}

const pollOf = (row: readonly unknown[], atMs: number): PollInput => {
  const [, , device, source, startedMs, entities, entity, metric, value, rows, complete] = row
  if (!(entity instanceof Uint16Array && metric instanceof Uint16Array && value instanceof Float64Array))
    return unreadable("a poll's columns are not typed arrays")
  if (entity.length !== value.length || metric.length !== value.length)
    return unreadable("a poll's columns differ in length")
  const keys = texts(entities, "entities").map(entityKey)
  if (entity.some((index) => index >= keys.length)) return unreadable("a poll's sample names no entity")
  return {
    kind: "poll",
    device: deviceId(text(device, "device")),
    source: text(source, "source") as Source,
    startedMs: whole(startedMs, "startedMs"),
    atMs,
    entities: keys,
    entity,
    metric,
    value,
    texts: list(rows, null, "texts").map((item) => {
      const [key, fact, words] = list(item, 3, "text")
      return { entity: entityKey(text(key, "entity")), fact: text(fact, "fact") as TextFact, text: text(words, "text") }
    }),
    complete: texts(complete, "complete") as EntityKind[],
  }
}

/** Rows of before a line could be kept whole end with `count`. */
const syslogOf = (row: readonly unknown[], atMs: number): SyslogInput => {
  const [, , device, severity, topics, message, event, count, firstMs = null, raw = null, eventOnly = false] = row
  return {
    kind: "syslog",
    device: deviceId(text(device, "device")),
    atMs,
    severity: whole(severity, "severity"),
    topics: texts(topics, "topics"),
    message: text(message, "message"),
    event: event === null ? null : (plain(event, "event") as unknown as SyslogInput["event"]),
    count: whole(count, "count"),
    ...(firstMs === null ? {} : { firstMs: whole(firstMs, "firstMs") }),
    ...(raw === null ? {} : { raw: text(raw, "raw") }),
    ...(eventOnly === true ? { eventOnly } : {}),
  }
}

const trapOf = (row: readonly unknown[], atMs: number): TrapInput => {
  // Rows of before the state was kept end with `raw`.
  const [, , device, trap, oid, ifIndex, ifName, adminUp, remote, raw, state = null] = row
  return {
    kind: "trap",
    device: deviceId(text(device, "device")),
    atMs,
    trap: text(trap, "trap") as TrapInput["trap"],
    oid: text(oid, "oid"),
    ifIndex: ifIndex === null ? null : whole(ifIndex, "ifIndex"),
    ifName: ifName === null ? null : text(ifName, "ifName"),
    adminUp: adminUp === null ? null : adminUp === true,
    remote: remote === null ? null : text(remote, "remote"),
    raw: text(raw, "raw"),
    state: state === null ? null : text(state, "state"),
  }
}

const ackOf = ([, , device, rule, entity, by, untilMs]: readonly unknown[], atMs: number): AckInput => ({
  kind: "ack",
  atMs,
  device: deviceId(text(device, "device")),
  rule: text(rule, "rule"),
  entity: entityKey(text(entity, "entity")),
  by: text(by, "by"),
  untilMs: untilMs === null ? null : whole(untilMs, "untilMs"),
})

const probedOf = (row: readonly unknown[], atMs: number): ProbedInput => {
  const [, , incident, question, device, source, startedMs, outcome, rttMs] = row
  const known = OUTCOMES.find((one) => one === outcome)
  return {
    kind: "probed",
    atMs,
    incident: text(incident, "incident"),
    question: whole(question, "question"),
    device: deviceId(text(device, "device")),
    source: text(source, "source") as Source,
    startedMs: whole(startedMs, "startedMs"),
    outcome: known ?? wrong("outcome"),
    rttMs: rttMs === null ? null : typeof rttMs === "number" ? rttMs : wrong("rttMs"),
  }
}

const OUTCOMES: ReadonlyArray<ProbedInput["outcome"]> = ["answered", "silent", ...REFUSALS]

const incidentOf = ([, , incident, by, act]: readonly unknown[], atMs: number): IncidentInput => ({
  kind: "incident",
  atMs,
  incident: text(incident, "incident"),
  by: text(by, "by"),
  act: actOf(plain(act, "act")),
})

const actOf = ({ act, untilMs, user, text: words, note, members, ...more }: Record<string, unknown>): IncidentAct => {
  switch (act) {
    case "ack":
      return { act, untilMs: whole(untilMs, "untilMs") }
    case "unack":
      return { act }
    case "assign":
      return { act, user: user === null ? null : text(user, "user") }
    case "note":
      return { act, text: text(words, "text") }
    case "escalate":
    case "close":
      return { act, note: text(note, "note") }
    case "unlearn":
      return { act, fault: FAULT_TYPES.find((one) => one === more["fault"]) ?? wrong("fault") }
    case "confirm":
      return {
        act,
        note: text(note, "note"),
        members: plainList(members, "members") as unknown as CauseMember[],
        ...(more["verdict"] === undefined ? {} : { verdict: verdictOf(more["verdict"]) }),
        ...(more["replaces"] === undefined ? {} : { replaces: verdictOf(more["replaces"]) }),
      }
    default:
      return wrong("act")
  }
}

const verdictOf = (value: unknown): Verdict => {
  const { fault, confidence, isRight } = plain(value, "verdict")
  if (typeof isRight !== "boolean") return wrong("isRight")
  return {
    fault:
      fault === null
        ? null
        : (FAULT_TYPES as readonly unknown[]).includes(fault)
          ? (fault as FaultType)
          : wrong("fault"),
    confidence: confidence === null ? null : share(confidence),
    isRight,
  }
}

const share = (value: unknown): number =>
  typeof value === "number" && value >= 0 && value <= 1 ? value : wrong("confidence")

/** Was checked when it was imported; here only its shape is. */
const inventoryOf = (value: unknown): Inventory => {
  const { sites, devices, links } = plain(value, "inventory")
  for (const part of [sites, devices, links]) for (const item of list(part, null, "inventory")) plain(item, "inventory")
  return value as Inventory
}

const unreadable = (detail: string): never => {
  throw new JournalUnreadable({ detail })
}
const wrong = (what: string): never => unreadable(`${what} of a journal row is damaged; restore it from a backup`)

const silencesOf = (value: unknown): readonly Silence[] => {
  const silences = plainList(value, "silences")
  for (const { scope, times } of silences) {
    plain(scope, "silences")
    for (const time of list(times, null, "silences")) list(time, 2, "silences").forEach((ms) => whole(ms, "silences"))
  }
  return silences as unknown as readonly Silence[]
}

const plainList = (value: unknown, what: string): ReadonlyArray<Record<string, unknown>> =>
  list(value, null, what).map((item) => plain(item, what))

const list = (value: unknown, length: number | null, what: string): readonly unknown[] =>
  Array.isArray(value) && (length === null || value.length === length) ? value : wrong(what)
const whole = (value: unknown, what: string): number => (Number.isSafeInteger(value) ? (value as number) : wrong(what))
const text = (value: unknown, what: string): string => (typeof value === "string" ? value : wrong(what))
const texts = (value: unknown, what: string): readonly string[] =>
  list(value, null, what).map((item) => text(item, what))
const plain = (value: unknown, what: string): Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : wrong(what)
