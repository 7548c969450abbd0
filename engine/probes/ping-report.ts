/**
 * When the pings of a device are told to its twin, and as what: at once when the verdict turns, else once in a while,
 * so that a ping every two seconds does not fill a journal with what did not change. Pure.
 */
import { DEVICE_ENTITY } from "#protocol/id.ts"
import type { DeviceId } from "#protocol/id.ts"
import { metricId } from "#protocol/metric.ts"
import type { MetricName } from "#protocol/metric.ts"
import { figures } from "#engine/probes/ping-window.ts"
import type { PingState } from "#engine/probes/ping-window.ts"
import type { PollInput } from "#twin/input.ts"

/** Bounds of the time between two reports; the twin forgets a verdict after three of the longest (twin/reach.ts). */
export const REPORT_MS_MIN = 10_000
export const REPORT_MS_MAX = 60_000

/** Pings are told about as often as polls are, within bounds. */
export const reportEveryMs = (pollSeconds: number, intervalMs: number): number =>
  Math.min(REPORT_MS_MAX, Math.max(REPORT_MS_MIN, intervalMs, pollSeconds * 1_000))

/** What was told last; null = nothing yet. */
export interface Told {
  readonly up: boolean
  readonly atMs: number
}

/** A verdict that is worth telling now, or null. A clock that was set back tells at once. */
export const worthTelling = (state: PingState, told: Told | null, nowMs: number, everyMs: number): Told | null => {
  if (state.up === null) return null
  const isDue = told === null || told.up !== state.up || nowMs < told.atMs || nowMs - told.atMs >= everyMs - SLACK_MS
  return isDue ? { up: state.up, atMs: nowMs } : null
}

/** A ping that comes a moment early must not put its report off by a whole interval. */
const SLACK_MS = 500

/** `startedMs` = when the newest of the pings left. */
export const pingReport = (device: DeviceId, state: PingState, startedMs: number, atMs: number): PollInput => {
  const { lossPct, rttMs, jitterMs } = figures(state.window) ?? { lossPct: null, rttMs: null, jitterMs: null }
  return probePoll(device, startedMs, atMs, [
    ["device.up", state.up === null ? null : state.up ? 1 : 0],
    ["probe.ping.loss_pct", lossPct],
    ["probe.ping.rtt_ms", rttMs],
    ["probe.ping.jitter_ms", jitterMs],
  ])
}

/** Rows of the device itself; what is null was not measured and is left out. */
export const probePoll = (
  device: DeviceId,
  startedMs: number,
  atMs: number,
  rows: ReadonlyArray<readonly [MetricName, number | null]>,
): PollInput => {
  const measured = rows.filter((row): row is readonly [MetricName, number] => row[1] !== null)
  return {
    kind: "poll",
    device,
    source: "probe",
    startedMs: Math.min(startedMs, atMs),
    atMs,
    entities: [DEVICE_ENTITY],
    entity: new Uint16Array(measured.length),
    metric: Uint16Array.from(measured, ([name]) => metricId(name)),
    value: Float64Array.from(measured, ([, value]) => value),
    texts: [],
    complete: [],
  }
}
