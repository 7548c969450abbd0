/** Watches a running scene for some seconds: what was polled, what was late or lost, and what it cost. */
import type { Case } from "#bench/case.ts"
import { cpuSeconds, rssMiB } from "#lab/drive/child.ts"
import { withScene, type Scene } from "#lab/drive/scene.ts"
import { quantile, round } from "#bench/statistics.ts"

/** A case that watches a fleet of the lab's at a given pace: parameters routers, pollSeconds, seconds, seed. */
export const runPace: Case["run"] = async (parameters, report) => {
  const { routers, pollSeconds, seconds, seed } = parameters as Record<
    "routers" | "pollSeconds" | "seconds" | "seed",
    number
  >
  return withScene({ routers, seed, pollSeconds, push: true }, async (scene) => ({
    figures: await watchPace(scene, seconds, report),
    outcome: { routers: scene.viewer.nodes(), links: scene.viewer.state.links.id.length },
  }))
}

export type Pace = Readonly<Record<string, number | null>>

export const watchPace = async (
  { engine, lab, viewer, cookie }: Scene,
  seconds: number,
  report: (line: string) => void,
): Promise<Pace> => {
  const before = await engine.metrics(cookie)
  const cpu = [cpuSeconds(engine.child.pid), cpuSeconds(lab.child.pid)]
  const framesBefore = viewer.deltaAgesMs().length
  const bytesBefore = viewer.bytes()
  const started = performance.now()
  const elapsedS = (): number => (performance.now() - started) / 1000
  while (elapsedS() < seconds) {
    await new Promise((wake) => setTimeout(wake, Math.min(10, seconds - elapsedS()) * 1000))
    report(
      `${Math.round(elapsedS())} s, ${viewer.frames()} frames, RSS ${round(rssMiB(engine.child.pid) ?? Number.NaN)} MiB`,
    )
  }
  const wallS = elapsedS()
  const after = await engine.metrics(cookie)
  const grown = (name: string): number => total(after, name) - total(before, name)
  const share = (pid: number, from: number | null | undefined): number | null => {
    const now = cpuSeconds(pid)
    return now === null || from === null || from === undefined ? null : round(((now - from) / wallS) * 100)
  }
  const ages = viewer.deltaAgesMs().slice(framesBefore)
  return {
    sustained_samples_per_s: round(grown("heliograph_samples_total") / wallS),
    polls: grown("heliograph_polls_total"),
    polls_failed: grown("heliograph_polls_failed_total"),
    polls_late: grown("heliograph_polls_late_total"),
    inputs_refused: grown("heliograph_inputs_refused_total"),
    engine_cpu_pct_of_a_core: share(engine.child.pid, cpu[0]),
    lab_cpu_pct_of_a_core: share(lab.child.pid, cpu[1]),
    engine_rss_mib: round(rssMiB(engine.child.pid) ?? Number.NaN),
    event_loop_p99_ms: round(
      (after.get('heliograph_event_loop_delay_seconds{quantile="0.99"}') ?? Number.NaN) * 1000,
      2,
    ),
    device_to_frame_p50_ms: round(quantile(ages, 0.5)),
    device_to_frame_p99_ms: round(quantile(ages, 0.99)),
    ws_bytes_per_s: round((viewer.bytes() - bytesBefore) / wallS),
  }
}

/** Sum over all label sets of one metric. */
const total = (metrics: ReadonlyMap<string, number>, name: string): number => {
  let sum = 0
  for (const [key, value] of metrics) if (key === name || key.startsWith(`${name}{`)) sum += value
  return sum
}
