/**
 * What a newcomer waits for: from `npm start` on an empty data directory to the healthy engine, to the first router that
 * has answered on the map, and to all of them. The bundle may be built before; then a second start on the same data.
 */
import { join } from "node:path"
import type { Case } from "#bench/case.ts"
import { round } from "#bench/statistics.ts"
import { choosePorts, startEngine, temporaryDataDir } from "#lab/drive/engine.ts"
import { allSeen } from "#lab/drive/scene.ts"
import { openViewer, type Viewer } from "#lab/drive/viewer.ts"

export const start: Case = {
  name: "start",
  about: "seconds from the start command to healthy, to the first router on the map, to all routers",
  tier: "emulator (ours)",
  full: { routers: 120, pollSeconds: 10, seed: 1 },
  small: { routers: 12, pollSeconds: 1, seed: 1 },
  run: async (parameters, report) => {
    const { routers, pollSeconds, seed } = parameters as Record<"routers" | "pollSeconds" | "seed", number>
    const data = await temporaryDataDir()
    const options = {
      dataDir: join(data.path, "engine"),
      ports: await choosePorts(),
      command: ["lab/demo.ts", "--routers", String(routers), "--seed", String(seed)],
      env: { HELIOGRAPH_POLL_SECONDS: String(pollSeconds) },
    }
    try {
      const first = await timedStart(options, routers)
      report(`first start: ${JSON.stringify(first)}`)
      const second = await timedStart(options, routers)
      report(`second start: ${JSON.stringify(second)}`)
      return {
        figures: {
          first_healthy_s: first.healthyS,
          first_router_on_map_s: first.firstRouterS,
          first_all_routers_s: first.allRoutersS,
          second_healthy_s: second.healthyS,
        },
        outcome: { routers },
      }
    } finally {
      await data.remove()
    }
  },
}

interface Timed {
  readonly healthyS: number
  readonly firstRouterS: number
  readonly allRoutersS: number
}

const timedStart = async (options: Parameters<typeof startEngine>[0], routers: number): Promise<Timed> => {
  const startedMs = performance.now()
  const elapsedS = (): number => round((performance.now() - startedMs) / 1000, 2)
  const engine = await startEngine(options)
  try {
    const healthyS = elapsedS()
    const viewer = await openViewer(engine.url, await engine.signIn())
    // The demo's inventory comes in once the engine is up; a keyframe tells of it.
    await viewer.until(() => seen(viewer) > 0, 60_000)
    const firstRouterS = elapsedS()
    await viewer.until(() => viewer.nodes() === routers && allSeen(viewer), 120_000)
    const allRoutersS = elapsedS()
    await viewer.close()
    return { healthyS, firstRouterS, allRoutersS }
  } finally {
    await engine.child.stop("SIGINT")
  }
}

const seen = (viewer: Viewer): number => viewer.state.nodes.seenS.reduce((count, s) => count + (s > 0 ? 1 : 0), 0)
