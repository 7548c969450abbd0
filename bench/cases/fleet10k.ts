/**
 * Ten thousand emulated routers polled every 30 s: what the engine costs, and how late a poll begins (from its due time to
 * its start, by the engine's own histogram). Lab and engine share the machine, so the lab's share is told as well.
 */
import type { Case } from "#bench/case.ts"
import { histogramQuantile } from "#bench/histogram.ts"
import { watchPace } from "#bench/pace.ts"
import { round } from "#bench/statistics.ts"
import { cpuSeconds, rssMiB } from "#lab/drive/child.ts"
import { withScene, type Scene } from "#lab/drive/scene.ts"

const LATENESS = "heliograph_poll_lateness_seconds"

export const fleet10k: Case = {
  name: "fleet10k",
  about: "10,000 routers polled every 30 s: CPU share, RSS, samples/s, lateness and event-loop p99",
  tier: "emulator (ours)",
  full: { routers: 10_000, pollSeconds: 30, seconds: 180, seed: 1 },
  small: { routers: 24, pollSeconds: 2, seconds: 5, seed: 1 },
  run: async (parameters, report) => {
    const { routers, pollSeconds, seconds, seed } = parameters as {
      routers: number
      pollSeconds: number
      seconds: number
      seed: number
    }
    const started = performance.now()
    // No traps and no syslog: their confirm-polls would mix into the steady pace.
    return withScene({ routers, seed, pollSeconds, push: false }, async (scene) => {
      const startUpS = round((performance.now() - started) / 1000)
      report(`${scene.viewer.nodes()} routers have answered, ${startUpS} s after the first process was started`)
      const before = await scene.engine.metrics(scene.cookie)
      const intervals = watchIntervals(scene, before, report)
      const pace = await watchPace(scene, seconds, () => undefined)
      const after = await scene.engine.metrics(scene.cookie)
      const slowIntervals = await intervals.stop()
      const ms = (q: number): { atMost: number | null; estimate: number | null } => {
        const { atMost, estimate } = histogramQuantile(before, after, LATENESS, q)
        return { atMost: finite(atMost * 1000), estimate: finite(estimate * 1000) }
      }
      const { atMost, estimate } = ms(0.99)
      return {
        figures: {
          start_to_all_answered_s: startUpS,
          ...pace,
          lateness_p50_ms_estimate: ms(0.5).estimate,
          lateness_p99_ms_estimate: estimate,
          lateness_p99_ms_at_most: atMost,
          intervals_with_polls_over_1_s_late: slowIntervals,
          polls_expected: Math.round((routers * seconds) / pollSeconds),
        },
        outcome: { routers: scene.viewer.nodes(), links: scene.viewer.state.links.id.length },
      }
    })
  },
}

const INTERVAL_MS = 5_000

/** Tells a steady pace from one stall: each interval's lateness, failures and CPU. `stop` gives how many had late polls. */
const watchIntervals = (
  { engine, lab, cookie }: Scene,
  first: ReadonlyMap<string, number>,
  report: (line: string) => void,
): { readonly stop: () => Promise<number> } => {
  const cpu = (): number[] => [cpuSeconds(engine.child.pid) ?? Number.NaN, cpuSeconds(lab.child.pid) ?? Number.NaN]
  const stopping = new AbortController()
  let [before, beforeCpu, slow] = [first, cpu(), 0]
  let fromMs = performance.now()
  const watch = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await new Promise((wake) => setTimeout(wake, INTERVAL_MS))
      const askedMs = performance.now()
      const now = await engine.metrics(cookie)
      const nowMs = performance.now()
      const nowCpu = cpu()
      const late = histogramQuantile(before, now, LATENESS, 0.99).atMost
      const grown = (name: string): number => sumOf(now, name) - sumOf(before, name)
      const [engineShare, labShare] = nowCpu.map((used, at) =>
        Math.round(((used - (beforeCpu[at] ?? 0)) / (nowMs - fromMs)) * 100_000),
      )
      if (late > 1) slow++
      report(
        `${Math.round((nowMs - fromMs) / 100) / 10} s: ${grown("heliograph_polls_total")} polls, ` +
          `${grown("heliograph_polls_failed_total")} failed, 99 % at most ${late * 1000} ms late; engine ${engineShare} %, ` +
          `lab ${labShare} % of a core; /metrics answered in ${Math.round(nowMs - askedMs)} ms; ` +
          `RSS ${Math.round(rssMiB(engine.child.pid) ?? Number.NaN)} MiB`,
      )
      ;[before, beforeCpu, fromMs] = [now, nowCpu, nowMs]
    }
  }
  const watching = watch()
  return {
    stop: async () => {
      stopping.abort()
      await watching
      return slow
    },
  }
}

const sumOf = (metrics: ReadonlyMap<string, number>, name: string): number =>
  [...metrics].reduce((sum, [key, value]) => (key === name || key.startsWith(`${name}{`) ? sum + value : sum), 0)

/** Above the last bound nothing is known: null, and the samples' own count tells how many there were. */
const finite = (value: number): number | null => (Number.isFinite(value) ? round(value, 2) : null)
