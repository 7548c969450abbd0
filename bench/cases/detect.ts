/**
 * From a cut in the network to the frame that shows it: the lab cuts a core link, a real WebSocket client waits for
 * the link to be `down`. By the trap path (pushes on), and by the poll path (the lab is told to send nothing).
 */
import type { Case, Parameters } from "#bench/case.ts"
import { withScene, type Scene } from "#lab/drive/scene.ts"
import { quantile, round } from "#bench/statistics.ts"

export const detect: Case = {
  name: "detect",
  about: "ms from a link cut to the frame that shows it, by trap and by poll",
  tier: "emulator (ours)",
  full: { routers: 120, cuts: 20, pollSeconds: 10, seed: 1 },
  small: { routers: 12, cuts: 2, pollSeconds: 1, seed: 1 },
  run: async (parameters, report) => {
    const trap = await cutsOf(parameters, true, report)
    const poll = await cutsOf(parameters, false, report)
    return {
      figures: {
        trap_p50_ms: round(quantile(trap.ms, 0.5)),
        trap_p95_ms: round(quantile(trap.ms, 0.95)),
        poll_p50_ms: round(quantile(poll.ms, 0.5)),
        poll_p95_ms: round(quantile(poll.ms, 0.95)),
      },
      outcome: [trap.links, poll.links],
    }
  },
}

const cutsOf = async (
  parameters: Parameters,
  push: boolean,
  report: (line: string) => void,
): Promise<{ ms: number[]; links: string[] }> => {
  const { routers, cuts, pollSeconds, seed } = parameters as {
    routers: number
    cuts: number
    pollSeconds: number
    seed: number
  }
  return withScene({ routers, seed, pollSeconds, push }, async (scene) => {
    const links = await coreLinks(scene)
    const ms: number[] = []
    const named: string[] = []
    for (let i = 0; i < cuts; i++) {
      const { a, b, slot } = links[i % links.length] as { a: string; b: string; slot: number }
      await scene.viewer.until(() => scene.viewer.linkHealth(slot) === "ok", pollSeconds * 4000 + 10_000)
      // Cuts fall anywhere in the polling interval, not in step with it.
      await new Promise((wake) => setTimeout(wake, ((i * 0.618_034) % 1) * Math.min(pollSeconds, 2) * 1000))
      const atMs = await scene.lab.fault("cut", a, b)
      const seenMs = await scene.viewer.until(
        () => scene.viewer.linkHealth(slot) === "down",
        pollSeconds * 4000 + 10_000,
      )
      ms.push(seenMs - atMs)
      named.push(`${a} ${b}`)
      report(`${push ? "trap" : "poll"} path: ${a} - ${b} ${seenMs - atMs} ms`)
      await scene.lab.fault("mend", a, b)
    }
    return { ms, links: named }
  })
}

/** Links between core routers, in the lab's order; any link where the core has none. */
const coreLinks = async (scene: Scene): Promise<ReadonlyArray<{ a: string; b: string; slot: number }>> => {
  const truth = await scene.lab.truth()
  const core = new Set(truth.routers.filter((router) => router.roles.includes("core")).map((router) => router.name))
  const all = truth.links.flatMap(({ a, b }) => {
    const slot = scene.viewer.linkSlot(a, b)
    return slot === undefined ? [] : [{ a, b, slot }]
  })
  const inner = all.filter(({ a, b }) => core.has(a) && core.has(b))
  if (all.length === 0) throw new Error("the twin shows none of the lab's links")
  return inner.length > 0 ? inner : all
}
