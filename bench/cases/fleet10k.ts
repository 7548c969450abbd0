/**
 * Ten thousand emulated routers polled every 30 s: what the engine costs, and how late a poll begins (from its due time to
 * its start, by the engine's own histogram). Lab and engine share the machine, and the machine may have other work: of
 * every interval with late polls it is told who stalled (blame.ts).
 */
import { blame, loadAverage, starvedSeconds, watchLab, type LabWatch, type Seen } from "#bench/blame.ts"
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
      const lab = await labWatch(scene)
      const intervals = watchIntervals(scene, lab, before, report)
      const pace = await watchPace(scene, seconds, () => undefined)
      const after = await scene.engine.metrics(scene.cookie)
      const { slow, blamed, starved } = await intervals.stop()
      lab.close()
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
          intervals_with_polls_over_1_s_late: slow,
          of_these_the_engines_own: blamed.filter((who) => who.startsWith("the engine")).length,
          engine_waited_for_a_core_pct: starved,
          load_average_1_min: loadAverage(),
          polls_expected: Math.round((routers * seconds) / pollSeconds),
        },
        outcome: { routers: scene.viewer.nodes(), links: scene.viewer.state.links.id.length },
      }
    })
  },
}

const INTERVAL_MS = 5_000

/** One of the lab's routers that speaks v2c. */
const labWatch = async ({ lab }: Scene): Promise<LabWatch> => {
  const document = (await lab.importDocument()) as {
    readonly devices: ReadonlyArray<{
      readonly address: string
      readonly snmp: { readonly port: number; readonly community?: string }
    }>
  }
  const router = document.devices.find(({ snmp }) => snmp.community !== undefined)
  if (router === undefined) throw new Error("the lab has no router that speaks v2c")
  return watchLab(router.address, router.snmp.port, router.snmp.community ?? "")
}

interface Intervals {
  /** How many had polls over a second late, who is to blame for each, and how much of the time the engine got no core, %. */
  readonly stop: () => Promise<{
    readonly slow: number
    readonly blamed: readonly string[]
    readonly starved: number | null
  }>
}

interface Reading {
  readonly atMs: number
  readonly metrics: ReadonlyMap<string, number>
  readonly cpu: readonly [engine: number, lab: number]
  readonly starved: readonly [engine: number | null, lab: number | null]
}

/** Tells a steady pace from one stall: each interval's lateness, failures, CPU, and who held it up. */
const watchIntervals = (
  { engine, lab, cookie }: Scene,
  labAnswers: LabWatch,
  first: ReadonlyMap<string, number>,
  report: (line: string) => void,
): Intervals => {
  const pids = [engine.child.pid, lab.child.pid] as const
  const reading = (metrics: ReadonlyMap<string, number>): Reading => ({
    atMs: performance.now(),
    metrics,
    cpu: [cpuSeconds(pids[0]) ?? Number.NaN, cpuSeconds(pids[1]) ?? Number.NaN],
    starved: [starvedSeconds(pids[0]), starvedSeconds(pids[1])],
  })
  const stopping = new AbortController()
  const begun = reading(first)
  const blamed: string[] = []
  let before = begun
  const watch = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await new Promise((wake) => setTimeout(wake, INTERVAL_MS))
      const now = reading(await engine.metrics(cookie))
      const late = histogramQuantile(before.metrics, now.metrics, LATENESS, 0.99).atMost
      const seen = seenBetween(before, now, labAnswers.slowestMs())
      if (late > 1) blamed.push(blame(seen))
      const rss = Math.round(rssMiB(engine.child.pid) ?? Number.NaN)
      report(`${interval(before, now, late, seen)}; RSS ${rss} MiB${late > 1 ? `; LATE, ${blamed.at(-1)}` : ""}`)
      before = now
    }
  }
  const watching = watch()
  return {
    stop: async () => {
      stopping.abort()
      await watching
      const waited = share(begun.starved[0], before.starved[0], begun, before)
      return { slow: blamed.length, blamed, starved: waited === null ? null : round(waited * 100) }
    },
  }
}

const share = (from: number | null, to: number | null, before: Reading, now: Reading): number | null =>
  from === null || to === null ? null : ((to - from) * 1_000) / (now.atMs - before.atMs)

const seenBetween = (before: Reading, now: Reading, labSlowestMs: number): Seen => ({
  engineStarved: share(before.starved[0], now.starved[0], before, now),
  labStarved: share(before.starved[1], now.starved[1], before, now),
  gc: share(sumOf(before.metrics, GC), sumOf(now.metrics, GC), before, now) ?? 0,
  labSlowestMs,
})

const GC = "heliograph_gc_seconds_total"

/** One line for people. */
const interval = (before: Reading, now: Reading, late: number, seen: Seen): string => {
  const grown = (name: string): number => sumOf(now.metrics, name) - sumOf(before.metrics, name)
  const percent = (of: number | null): string => (of === null ? "?" : `${Math.round(of * 100)}`)
  const cpu = (at: 0 | 1): string => percent(share(before.cpu[at], now.cpu[at], before, now))
  return (
    `${round((now.atMs - before.atMs) / 1000)} s: ${grown("heliograph_polls_total")} polls, ` +
    `${grown("heliograph_polls_failed_total")} failed, 99 % at most ${late * 1000} ms late; ` +
    `engine ${cpu(0)} % of a core (GC ${percent(seen.gc)} %), waited ${percent(seen.engineStarved)} % for one; ` +
    `lab ${cpu(1)} %, waited ${percent(seen.labStarved)} %, slowest answer ${seen.labSlowestMs} ms; load ${loadAverage()}`
  )
}

const sumOf = (metrics: ReadonlyMap<string, number>, name: string): number =>
  [...metrics].reduce((sum, [key, value]) => (key === name || key.startsWith(`${name}{`) ? sum + value : sum), 0)

/** Above the last bound nothing is known: null, and the samples' own count tells how many there were. */
const finite = (value: number): number | null => (Number.isFinite(value) ? round(value, 2) : null)
