/**
 * kill -9 of the engine under load, and a restart on the same data directory: every link's state, the events and the
 * stored history must be as before, and polling must go on. PostgreSQL is left orphaned on purpose: it is adopted.
 */
import { join } from "node:path"
import type { Case } from "#bench/case.ts"
import { choosePorts, startEngine, temporaryDataDir, type Engine } from "#lab/drive/engine.ts"
import { startLab } from "#lab/drive/lab.ts"
import { allSeen, withPollSeconds } from "#lab/drive/scene.ts"
import { openViewer, type Viewer } from "#lab/drive/viewer.ts"
import { round } from "#bench/statistics.ts"

export const recover: Case = {
  name: "recover",
  about: "state lost by kill -9 of the engine, and seconds to the first poll after its restart",
  tier: "emulator (ours)",
  full: { routers: 300, pollSeconds: 5, warmSeconds: 60, seed: 1 },
  small: { routers: 12, pollSeconds: 1, warmSeconds: 3, seed: 1 },
  run: async (parameters, report) => {
    const { routers, pollSeconds, warmSeconds, seed } = parameters as {
      routers: number
      pollSeconds: number
      warmSeconds: number
      seed: number
    }
    const data = await temporaryDataDir()
    const ports = await choosePorts()
    const lab = await startLab({
      routers,
      seed,
      trap: `127.0.0.1:${ports.trap}`,
      syslog: `127.0.0.1:${ports.syslog}`,
      stateFile: join(data.path, "lab.json"),
    })
    const options = { dataDir: join(data.path, "engine"), ports, env: { HELIOGRAPH_POLL_SECONDS: String(pollSeconds) } }
    let engine: Engine | undefined
    try {
      engine = await startEngine(options)
      await engine.importDocument(withPollSeconds(await lab.importDocument(), pollSeconds))
      const first = await openViewer(engine.url, await engine.signIn())
      await first.until(() => allSeen(first), 60_000)
      const cut = (await lab.truth()).links[0] as { a: string; b: string }
      await lab.fault("cut", cut.a, cut.b)
      const slot = first.linkSlot(cut.a, cut.b) as number
      await first.until(() => first.linkHealth(slot) === "down", pollSeconds * 4000)
      await new Promise((wake) => setTimeout(wake, warmSeconds * 1000))
      const before = await remembered(engine, first)
      report(
        `before: ${before.links.length} links, ${before.events} events, ${before.historyPoints} stored points of one series`,
      )

      const killedMs = Date.now()
      await engine.child.stop("SIGKILL")
      engine = await startEngine(options)
      const healthyMs = Date.now()
      const second = await openViewer(engine.url, await engine.signIn())
      const after = await remembered(engine, second)
      const killedS = Math.floor(killedMs / 1000)
      const firstPollMs = await second.until(() => seenAfter(second, killedS), 60_000)
      const changed = before.links.filter((state, i) => state !== after.links[i]).length
      report(
        `after: ${after.links.length} links, ${changed} with another state, ${after.events} events, ${after.historyPoints} points`,
      )
      await second.close()
      return {
        figures: {
          restart_to_healthy_s: round((healthyMs - killedMs) / 1000, 2),
          kill_to_first_poll_s: round((firstPollMs - killedMs) / 1000, 2),
          links_with_another_state: changed,
          events_lost: Math.max(0, before.events - after.events),
          history_points_lost: Math.max(0, before.historyPoints - after.historyPoints),
        },
        outcome: { links: before.links.length, changed },
      }
    } finally {
      await engine?.child.stop()
      await lab.stop()
      await data.remove()
    }
  },
}

interface Remembered {
  readonly links: readonly string[]
  readonly events: number
  readonly historyPoints: number
}

/** What a person could have noted down before the crash. */
const remembered = async (engine: Engine, viewer: Viewer): Promise<Remembered> => {
  const cookie = await engine.signIn()
  const snap = viewer.state
  const events = (await engine.json("/api/v1/events?limit=500", cookie)) as { items: readonly unknown[] }
  const device = snap.nodes.id[0] as string
  const query = new URLSearchParams({
    device,
    entity: "",
    metric: "device.uptime_seconds",
    from: String(Date.now() - 3_600_000),
    to: String(Date.now()),
    points: "600",
  })
  const history = (await engine.json(`/api/v1/history?${query}`, cookie)) as {
    atMs: readonly number[]
    avg: ReadonlyArray<number | null>
  }
  return {
    links: snap.links.id.map((_, slot) => viewer.linkHealth(slot)),
    events: events.items.length,
    historyPoints: history.avg.filter((value) => value !== null).length,
  }
}

const seenAfter = (viewer: Viewer, second: number): boolean => {
  for (let slot = 0; slot < viewer.nodes(); slot++) if (viewer.nodeSeenS(slot) > second) return true
  return false
}
