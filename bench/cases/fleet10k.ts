/**
 * Ten thousand emulated routers polled every 30 s: what the engine costs, and how late a poll begins (from its due time to
 * its start, by the engine's own histogram). Lab and engine share the machine, so the lab's share is told as well.
 */
import type { Case } from "#bench/case.ts"
import { histogramQuantile } from "#bench/histogram.ts"
import { watchPace } from "#bench/pace.ts"
import { round } from "#bench/statistics.ts"
import { withScene } from "#lab/drive/scene.ts"

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
      const pace = await watchPace(scene, seconds, report)
      const after = await scene.engine.metrics(scene.cookie)
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
          polls_expected: Math.round((routers * seconds) / pollSeconds),
        },
        outcome: { routers: scene.viewer.nodes(), links: scene.viewer.state.links.id.length },
      }
    })
  },
}

/** Above the last bound nothing is known: null, and the samples' own count tells how many there were. */
const finite = (value: number): number | null => (Number.isFinite(value) ? round(value, 2) : null)
