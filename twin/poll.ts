/**
 * One whole poll taken into a router: device values and texts, interfaces, adjacencies, restarts. Rows that make no sense
 * (unknown or derived metrics, the wrong kind of entity, numbers that are not finite) are refused and counted, never
 * thrown: a device's answers are hostile until proven otherwise.
 */
import { entityKind } from "#protocol/id.ts"
import type { EntityKind } from "#protocol/id.ts"
import { metricById, metricId, TEXT_FACTS } from "#protocol/metric.ts"
import type { TextFact } from "#protocol/metric.ts"
import { pollAdjacencies } from "#twin/adjacency.ts"
import { adjacencyHappening, deviceHappening, interfaceHappening } from "#twin/happening.ts"
import type { Evidence } from "#twin/happening.ts"
import type { PollInput } from "#twin/input.ts"
import { pollInterfaces } from "#twin/interface.ts"
import { attempted, isOutOfOrder, SOURCE_FLAG } from "#twin/reach.ts"
import { foundStarted } from "#twin/reboot.ts"
import type { RouterState, Seen, Turn } from "#twin/router.ts"
import { packOrigin, sourceBit } from "#twin/source.ts"
import { timedBy } from "#twin/span.ts"
import type { Happening } from "#twin/step.ts"
import { DEVICE_LAYOUT, grownTable } from "#twin/values.ts"
import type { ValueTable } from "#twin/values.ts"

/** Events of one poll; a device that flips more entities at once is told once more, as a count. */
export const MAX_EVENTS = 256
const MAX_TEXT = 256
const UPTIME = metricId("device.uptime_seconds")

export const polled = (before: RouterState, poll: PollInput, seen: Seen): Turn => {
  const { unseenMs } = seen
  if (isOutOfOrder(before, poll.source, poll.atMs))
    return { state: { ...before, outOfOrder: before.outOfOrder + 1 }, events: [] }
  const evidence: Evidence = { atMs: poll.atMs, source: poll.source, raw: null }
  const kinds = poll.entities.map(entityKind)
  const device = pollDevice(before.device, poll, kinds)
  const { uptimeSeconds } = device
  const source = before.sources.find((known) => known.source === poll.source)
  const { uptimes, span, kept } = timedBy(source, poll.atMs, uptimeSeconds, unseenMs)
  const attempt = { up: true, uptimeSeconds, unseenMs, ...kept } as const
  const reached = attempted(before, poll.source, poll.atMs, attempt)
  const again = uptimes !== null && span.restarted
  const booted = again ? foundStarted(reached.state, uptimes, seen, evidence) : { state: reached.state, events: [] }
  const answering = booted.state.sources.reduce((bits, s) => (s.up === true ? bits | sourceBit(s.source) : bits), 0)
  const interfaces = pollInterfaces(before.interfaces, poll, {
    kinds,
    span,
    complete: poll.complete.includes("interface"),
    answering,
  })
  const adjacencies = pollAdjacencies(before.adjacencies, poll, { kinds, answering })
  const texts = textsAfter(before.texts, poll)
  const state: RouterState = {
    ...booted.state,
    device: device.table,
    texts,
    interfaces: interfaces.table,
    adjacencies: adjacencies.table,
    refused: before.refused + device.refused + interfaces.refused + adjacencies.refused,
  }
  const events = [
    ...reached.events,
    ...booted.events,
    ...versionEvents(before, state, evidence),
    ...clockEvents(before, state, poll, evidence),
    ...interfaces.changes.map((change) => interfaceHappening(state, change, evidence)),
    ...adjacencies.changes.map((change) => adjacencyHappening(state, change, evidence)),
  ]
  return { state, events: bounded(state, events, evidence) }
}

/** The device's own row; also counts the rows that belong to no entity that this version knows. */
export const pollDevice = (
  before: ValueTable,
  poll: PollInput,
  kinds: ReadonlyArray<EntityKind | null>,
): { readonly table: ValueTable; readonly uptimeSeconds: number | null; readonly refused: number } => {
  const table = grownTable(before, 1, DEVICE_LAYOUT.width)
  const origin = packOrigin(poll.source, false)
  let uptimeSeconds: number | null = null
  let refused = 0
  const put = (metric: number, value: number): void => {
    const column = DEVICE_LAYOUT.columnOf[metric] as number
    if (poll.atMs < (table.atMs[column] as number)) return
    table.value[column] = value
    table.atMs[column] = poll.atMs
    table.origin[column] = origin
  }
  for (let i = 0; i < poll.entity.length; i++) {
    const kind = kinds[poll.entity[i] as number] ?? null
    if (kind !== null && kind !== "device") continue
    const metric = metricById(poll.metric[i] as number)
    const value = poll.value[i] as number
    if (kind === null || metric?.entity !== "device" || metric.derived === true || !Number.isFinite(value)) refused++
    else {
      if (metric.id === UPTIME && value >= 0) uptimeSeconds = value
      put(metric.id, value)
    }
  }
  const flag = SOURCE_FLAG[poll.source]
  if (flag !== undefined) put(metricId(flag), 1)
  return { table, uptimeSeconds, refused }
}

const textsAfter = (before: RouterState["texts"], poll: PollInput): RouterState["texts"] => {
  let texts = before
  for (const { entity, fact, text } of poll.texts) {
    if (entity !== "" || !isDeviceText(fact) || texts[fact] === text) continue
    texts = { ...texts, [fact]: text.slice(0, MAX_TEXT) }
  }
  return texts
}

const DEVICE_TEXTS: readonly string[] = TEXT_FACTS.filter((fact) => fact.startsWith("device."))
const isDeviceText = (fact: TextFact): boolean => DEVICE_TEXTS.includes(fact)

const versionEvents = (before: RouterState, after: RouterState, evidence: Evidence): readonly Happening[] => {
  const old = before.texts["device.os_version"] ?? null
  const now = after.texts["device.os_version"] ?? null
  if (old === null || now === null || old === now) return []
  const what = { type: "device.version.changed", severity: "indeterminate", old, new: now } as const
  return [deviceHappening(after, evidence, what)]
}

/** PRODUCT.md C17: what a device's clock may be off, seconds. */
const MAX_SKEW_SECONDS = 2
const SKEW = metricId("device.clock.skew_seconds")
const SKEW_COLUMN = DEVICE_LAYOUT.columnOf[SKEW] as number

/** When a clock passes the bound, in either direction; one that was never read was never wrong. */
const clockEvents = (
  before: RouterState,
  after: RouterState,
  poll: PollInput,
  evidence: Evidence,
): readonly Happening[] => {
  if (!poll.metric.includes(SKEW)) return []
  const old = skewOf(before.device)
  const now = skewOf(after.device)
  const wasWrong = old !== null && Math.abs(old) > MAX_SKEW_SECONDS
  const isWrong = now !== null && Math.abs(now) > MAX_SKEW_SECONDS
  if (wasWrong === isWrong) return []
  const what = {
    type: "clock.skew.detected",
    severity: isWrong ? "warning" : "cleared",
    old: skewWord(old),
    new: skewWord(now),
  } as const
  return [deviceHappening(after, evidence, what)]
}

const skewOf = ({ rows, value }: ValueTable): number | null => {
  const skew = rows === 0 ? Number.NaN : (value[SKEW_COLUMN] as number)
  return Number.isNaN(skew) ? null : skew
}

/** `+3.1 s`: the device is ahead. */
const skewWord = (skew: number | null): string | null =>
  skew === null ? null : `${skew > 0 ? "+" : ""}${skew.toFixed(1)} s`

const bounded = (state: RouterState, events: readonly Happening[], evidence: Evidence): readonly Happening[] => {
  if (events.length <= MAX_EVENTS) return events
  const left = `${events.length - MAX_EVENTS + 1} more changes in the same poll`
  const what = { type: "monitoring.degraded", severity: "warning", old: null, new: left } as const
  return [...events.slice(0, MAX_EVENTS - 1), deviceHappening(state, evidence, what)]
}
