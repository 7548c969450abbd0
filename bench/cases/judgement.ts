/**
 * What judgement costs a twin: CPU of a poll with all shipped rules and with none, bytes that a router's judgement holds, and
 * how long the longest input is while people change rules, silences and the inventory of a running twin. In process, because
 * a user reaches judgement only behind polls, sockets and a journal, which the other cases measure.
 */
import { loadavg } from "node:os"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import type { Case } from "#bench/case.ts"
import type { Fleet } from "#bench/judgement/fleet.ts"
import { fleetOf, inventoryOf, POLL_MS, ROWS } from "#bench/judgement/fleet.ts"
import { quantile, round } from "#bench/statistics.ts"
import { packStored } from "#protocol/codec.ts"
import type { Rule } from "#protocol/rule.ts"
import { PACKS } from "#twin/alert/packs/registry.ts"
import { hashTwin } from "#twin/hash.ts"
import type { Input } from "#twin/input.ts"

export const judgement: Case = {
  name: "judgement",
  about: "CPU us per poll with and without rules, bytes per router, ms of the longest input while rules change",
  tier: "emulator (ours)",
  full: { routers: 10_000, polls: 40, seed: 1 },
  small: { routers: 40, polls: 6, seed: 1 },
  run: async (parameters, report) => {
    const { routers, polls, seed } = parameters as {
      readonly routers: number
      readonly polls: number
      readonly seed: number
    }
    const load = loadavg().map((n) => round(n))
    report(`${routers} routers, ${ROWS} rows a poll, ${SHIPPED.length} rules; load ${load.join(" ")}`)
    // A tenth is enough for what it costs without rules: nothing is shared between routers.
    const plainBefore = usedBytes()
    const plain = fleetOf(Math.ceil(routers / 10), seed)
    const without = polled(plain, 1, polls)
    const heldBefore = usedBytes()
    const plainBytes = (heldBefore - plainBefore) / plain.cells.routers.length()
    const fleet = fleetOf(routers, seed)
    const unjudged = (usedBytes() - heldBefore) / routers
    fleet.apply({ kind: "rules", atMs: fleet.world.atMs, rev: 1, rules: SHIPPED })
    const withRules = polled(fleet, 1, polls)
    const held = (usedBytes() - heldBefore) / routers
    report(`${round(without.usPerPoll)} us a poll without rules, ${round(withRules.usPerPoll)} us with`)
    const alerts = fleet.cells.tenant.state(0).alerts.lit
    const windows = windowBytes(fleet)
    const stored = storedOf(fleet)
    report(`${round(stored.bytes / 1000)} KB of judgement a router in a snapshot, packed in ${round(stored.us)} us`)
    const changes = changesOf(fleet, routers).map(([name, change], index) => {
      const { changeMs, longestMs } = applied(fleet, change, polls + 1 + index)
      report(
        `${name}: its own input ${round(changeMs)} ms, the longest of the ${POLL_MS / 1000} s after it ${round(longestMs)} ms`,
      )
      return [
        [`${name}InputMs`, round(changeMs)],
        [`${name}LongestMs`, round(longestMs)],
      ] as const
    })
    return {
      figures: {
        usPerPollWithoutRules: round(without.usPerPoll),
        usPerPoll: round(withRules.usPerPoll),
        usPerPollP99: round(withRules.p99Us),
        bytesPerRouterBeforePolls: Math.round(unjudged),
        bytesPerRouter: Math.round(held),
        bytesPerRouterWithoutRules: Math.round(plainBytes),
        windowBytesPerRouter: Math.round(windows / routers),
        storedBytesPerRouter: Math.round(stored.bytes),
        packUsPerRouter: round(stored.us),
        alertsFiring: alerts.critical + alerts.warn + alerts.info,
        ...Object.fromEntries(changes.flat()),
      },
      outcome: [hashTwin(fleet.world, fleet.cells)],
    }
  },
}

const SHIPPED: readonly Rule[] = PACKS.flatMap(({ rules }) => rules.map(({ rule }) => rule))

/** Polls every router so many times; CPU of the later half, when windows are filling and code is warm. */
const polled = (fleet: Fleet, from: number, polls: number): { readonly usPerPoll: number; readonly p99Us: number } => {
  let cpuUs = 0
  let count = 0
  const each: number[] = []
  for (let step = from; step < from + polls; step++) {
    const inputs = fleet.inputs(step)
    const timed = step >= from + polls / 2
    const before = process.threadCpuUsage()
    for (const input of inputs) {
      const begunMs = performance.now()
      fleet.apply(input)
      if (timed) each.push(performance.now() - begunMs)
    }
    const cpu = process.threadCpuUsage(before)
    if (!timed) continue
    cpuUs += cpu.user + cpu.system
    count += inputs.length
  }
  return { usPerPoll: cpuUs / count, p99Us: 1000 * quantile(each, 0.99) }
}

/** What people do to a running twin, each on top of the one before. */
const changesOf = (fleet: Fleet, routers: number): ReadonlyArray<readonly [name: string, change: () => Input]> => {
  const edited = (id: string, by: (rule: Rule) => Rule): (() => Input) => {
    if (!SHIPPED.some((rule) => rule.id === id)) throw new Error(`no shipped rule ${id}`)
    return () => ({
      kind: "rules",
      atMs: fleet.world.atMs,
      rev: fleet.world.seq,
      rules: SHIPPED.map((rule) => (rule.id === id ? by(rule) : rule)),
    })
  }
  const longer = (rule: Rule): Rule => ({
    ...rule,
    condition: {
      ...rule.condition,
      ...("lookback_seconds" in rule.condition ? { lookback_seconds: 1234 } : {}),
    } as Rule["condition"],
  })
  return [
    ["deviceRule", edited("cpu-high", longer)],
    ["interfaceRule", edited("utilization-80", longer)],
    ["threshold", edited("cpu-high", (rule) => ({ ...rule, for_seconds: rule.for_seconds + 60 }))],
    [
      "silence",
      () => ({
        kind: "silences",
        atMs: fleet.world.atMs,
        rev: 1,
        silences: [
          {
            id: "all",
            kind: "maintenance",
            reason: "works everywhere",
            scope: {},
            sparesCritical: false,
            times: [[fleet.world.atMs, fleet.world.atMs + 3_600_000]],
          },
        ],
      }),
    ],
    ["noRules", () => ({ kind: "rules", atMs: fleet.world.atMs, rev: 3, rules: [] })],
    ["allRules", () => ({ kind: "rules", atMs: fleet.world.atMs, rev: 4, rules: SHIPPED })],
    ["topology", () => ({ kind: "topology", atMs: fleet.world.atMs, rev: 2, inventory: inventoryOf(routers) })],
  ]
}

/** The change, and a round of polls after it, each in CPU time of this thread: the machine may be busy with others. */
const applied = (
  fleet: Fleet,
  change: () => Input,
  step: number,
): { readonly changeMs: number; readonly longestMs: number } => {
  const polls = fleet.inputs(step)
  const input = change()
  collect()
  const timed = (one: Input): number => {
    const before = process.threadCpuUsage()
    fleet.apply(one)
    const { user, system } = process.threadCpuUsage(before)
    return (user + system) / 1000
  }
  const changeMs = timed(input)
  return { changeMs, longestMs: polls.reduce((longest, poll) => Math.max(longest, timed(poll)), 0) }
}

const windowBytes = ({ cells }: Fleet): number => {
  let bytes = 0
  for (let slot = 0; slot < cells.routers.length(); slot++)
    for (const { row } of cells.routers.state(slot).judgement?.device.entities ?? []) bytes += row.byteLength
  return bytes
}

/** What a snapshot has to pack of each router's judgement, before it is compressed. */
const storedOf = ({ cells }: Fleet): { readonly bytes: number; readonly us: number } => {
  const before = process.threadCpuUsage()
  let bytes = 0
  for (let slot = 0; slot < cells.routers.length(); slot++)
    bytes += packStored(cells.routers.state(slot).judgement).byteLength
  const { user, system } = process.threadCpuUsage(before)
  return { bytes: bytes / cells.routers.length(), us: (user + system) / cells.routers.length() }
}

const collect = ((): (() => void) => {
  setFlagsFromString("--expose-gc")
  return runInNewContext("gc") as () => void
})()

/** Bytes are counted after a collection, so that garbage is not. */
const usedBytes = (): number => {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
