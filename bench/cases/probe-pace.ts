/**
 * How evenly many addresses are asked [C9]: the pinger's own shards, phases and arguments of fping, started as it starts
 * them, over the loopback. A tenth of the addresses is asked often, the others five times as rarely, as core and access are.
 */
import { loadavg } from "node:os"
import type { Case } from "#bench/case.ts"
import { askShard, type Interval } from "#bench/probe-pace/ask.ts"
import { quantile, round } from "#bench/statistics.ts"
import { findPingTool } from "#engine/probes/ping-tool.ts"
import { shardsOf } from "#engine/probes/pinger.ts"

export const probePace: Case = {
  name: "probe-pace",
  about: "how evenly fping asks many addresses: the error of an interval against its period, by fping's own clock",
  tier: "emulator (ours)",
  full: { addresses: 1_000, oftenMs: 2_000, rarelyMs: 10_000, intervals: 3 },
  small: { addresses: 300, oftenMs: 1_000, rarelyMs: 2_000, intervals: 2 },
  run: async (parameters, report) => {
    const { addresses, oftenMs, rarelyMs, intervals } = parameters as Record<
      "addresses" | "oftenMs" | "rarelyMs" | "intervals",
      number
    >
    const subjects = Array.from({ length: addresses }, (_, n) => ({
      address: `127.77.${n >> 8}.${n & 255}`,
      intervalMs: n % 10 === 0 ? oftenMs : rarelyMs,
    }))
    const shards = [...shardsOf(subjects)].toSorted(([a], [b]) => (a < b ? -1 : 1))
    const { tool, why } = await findPingTool()
    const file = tool?.kind === "fping" ? tool.file : null
    if (file === null) report(`nothing is asked: fping does not work here (${why})`)
    const found =
      file === null ? [] : await Promise.all(shards.map(([, shard]) => askShard({ file, shard, intervals })))
    const asked = found.reduce((sum, one) => sum + one.asked, 0)
    const measured = found.flatMap((one) => one.intervals)
    const load = round(loadavg()[0] ?? 0)
    if (file !== null)
      report(`${shards.length} processes, ${measured.length} intervals of ${asked} pings; load ${load}`)
    const errorMs = (list: readonly Interval[], q: number): number | null =>
      list.length === 0
        ? null
        : round(
            quantile(
              list.map(({ ms, periodMs }) => Math.abs(ms - periodMs)),
              q,
            ),
            2,
          )
    const at = (periodMs: number): readonly Interval[] => measured.filter((one) => one.periodMs === periodMs)
    return {
      figures: {
        addresses,
        processes: shards.length,
        pings: file === null ? null : asked,
        pings_unanswered: file === null ? null : found.reduce((sum, one) => sum + one.unanswered, 0),
        intervals: file === null ? null : measured.length,
        error_ms_p50: errorMs(measured, 0.5),
        error_ms_p99: errorMs(measured, 0.99),
        error_ms_max: errorMs(measured, 1),
        often_error_ms_p99: errorMs(at(oftenMs), 0.99),
        rarely_error_ms_p99: errorMs(at(rarelyMs), 0.99),
        load_average_1_min: load,
      },
      // Who is asked by which process and when in the period, and how often: none of it depends on the machine.
      outcome: { shards: shards.map(([name, shard]) => ({ name, ...shard })), asked: file === null ? null : asked },
    }
  },
}
