/**
 * A start from snapshot and journal tail, after kill -9 and after an orderly stop, of a twin of many actors. An actor is a
 * router or a link (and one per tenant); interfaces are rows inside a router and count as such. With `lab` 1 every router
 * has answered before and its whole state is restored; with `lab` 0 the inventory is declared only and its devices never
 * answer (they refuse), which is all that can be had beyond the size of the laboratory, and is said so by `interfaces` 0.
 */
import { join } from "node:path"
import type { Case } from "#bench/case.ts"
import { round } from "#bench/statistics.ts"
import { rssMiB } from "#lab/drive/child.ts"
import { choosePorts, startEngine, temporaryDataDir, type Engine } from "#lab/drive/engine.ts"
import { startLab, type Lab } from "#lab/drive/lab.ts"
import { allSeen, withPollSeconds } from "#lab/drive/scene.ts"
import { openViewer, type Viewer } from "#lab/drive/viewer.ts"

export const coldstart: Case = {
  name: "coldstart",
  about: "seconds from the start command to the first frame, and RSS, from snapshot and journal tail",
  tier: "emulator (ours)",
  full: { routers: 4_500, lab: 1, pollSeconds: 60, snapshotSeconds: 20, tailSeconds: 15, seed: 1 },
  small: { routers: 24, lab: 1, pollSeconds: 1, snapshotSeconds: 1, tailSeconds: 1, seed: 1 },
  run: async (parameters, report) => {
    const {
      routers,
      lab: hasLab,
      pollSeconds,
      snapshotSeconds,
      tailSeconds,
      seed,
    } = parameters as Readonly<
      Record<"routers" | "lab" | "pollSeconds" | "snapshotSeconds" | "tailSeconds" | "seed", number>
    >
    const data = await temporaryDataDir()
    const ports = await choosePorts()
    const env = {
      HELIOGRAPH_POLL_SECONDS: String(pollSeconds),
      HELIOGRAPH_SNAPSHOT_SECONDS: String(snapshotSeconds),
    }
    const options = { dataDir: join(data.path, "engine"), ports, env }
    let engine: Engine | undefined
    let lab: Lab | undefined
    try {
      if (hasLab === 1)
        lab = await startLab({
          routers,
          seed,
          trap: `127.0.0.1:${ports.trap}`,
          syslog: `127.0.0.1:${ports.syslog}`,
          stateFile: join(data.path, "lab.json"),
        })
      engine = await startEngine(options)
      const importedMs = Date.now()
      const document = lab === undefined ? declared(routers) : await lab.importDocument()
      await engine.importDocument(withPollSeconds(document, pollSeconds))
      const viewer = await openViewer(engine.url, await engine.signIn())
      await viewer.until(() => viewer.nodes() === routers, 120_000)
      report(`imported in ${round((Date.now() - importedMs) / 1000)} s`)
      if (lab !== undefined) await viewer.until(() => allSeen(viewer), 120_000 + pollSeconds * 6_000)
      const links = viewer.state.links.id.length
      await viewer.close()
      // A snapshot that has all of it, and then a tail.
      await saved(engine)
      await wait(snapshotSeconds * 1.5 + tailSeconds)
      const snapshotBytes = await saved(engine)

      const afterKill = await timed(engine, "SIGKILL", options, routers)
      engine = afterKill.engine
      report(`after kill -9: ${words(afterKill)}`)
      const afterStop = await timed(engine, "SIGTERM", options, routers)
      engine = afterStop.engine
      report(`after an orderly stop of ${afterStop.stopS} s: ${words(afterStop)}`)
      return {
        figures: {
          actors: routers + links + 1,
          routers,
          links,
          link_interfaces: lab === undefined ? 0 : 2 * links,
          snapshot_bytes: snapshotBytes,
          kill_start_to_healthy_s: afterKill.healthyS,
          kill_start_to_first_frame_s: afterKill.frameS,
          kill_rss_mib: afterKill.rss,
          stop_s: afterStop.stopS,
          stop_start_to_healthy_s: afterStop.healthyS,
          stop_start_to_first_frame_s: afterStop.frameS,
          stop_rss_mib: afterStop.rss,
        },
        outcome: { routers, links },
      }
    } finally {
      await engine?.child.stop()
      await lab?.stop()
      await data.remove()
    }
  },
}

interface Timed {
  readonly engine: Engine
  readonly stopS: number
  readonly healthyS: number
  readonly frameS: number
  /** MiB, with the first frame sent. */
  readonly rss: number
}

const timed = async (
  before: Engine,
  signal: NodeJS.Signals,
  options: Parameters<typeof startEngine>[0],
  routers: number,
): Promise<Timed> => {
  const endedMs = performance.now()
  await before.child.stop(signal)
  const startedMs = performance.now()
  const engine = await startEngine(options)
  const elapsedS = (): number => round((performance.now() - startedMs) / 1000, 2)
  const healthyS = elapsedS()
  const viewer: Viewer = await openViewer(engine.url, await engine.signIn())
  const frameS = elapsedS()
  const rss = round(rssMiB(engine.child.pid) ?? Number.NaN)
  if (viewer.nodes() !== routers) throw new Error(`the first frame shows ${viewer.nodes()} of ${routers} routers`)
  await viewer.close()
  return { engine, stopS: round((startedMs - endedMs) / 1000, 2), healthyS, frameS, rss }
}

/** With the engine's own line about the time that its tenants took. */
const words = ({ engine, healthyS, frameS, rss }: Timed): string =>
  `healthy after ${healthyS} s, first frame after ${frameS} s, RSS ${rss} MiB;` +
  `${engine.child.lines.find((line) => line.includes(" tenant, ")) ?? ""}`

/** Bytes of the newest one, once there is one. */
const saved = async (engine: Engine): Promise<number> => {
  const cookie = await engine.signIn()
  for (const untilMs = Date.now() + 120_000; Date.now() < untilMs; await wait(0.3)) {
    const bytes = valueOf(await engine.metrics(cookie), "heliograph_snapshot_bytes")
    if (bytes > 0) return bytes
  }
  throw new Error("no snapshot was saved")
}

const valueOf = (metrics: ReadonlyMap<string, number>, name: string): number =>
  [...metrics].reduce((sum, [key, value]) => (key.startsWith(`${name}{`) ? sum + value : sum), 0)

const SITE_ROUTERS = 100
/** Links per router, as in the laboratory's ISP and in what operators have. */
const LINKS_PER_ROUTER = 1.5

/** An inventory without a network: addresses of this machine on which nothing listens. */
const declared = (routers: number): Record<string, unknown> => {
  const name = (n: number): string => `r${String(n).padStart(5, "0")}`
  const link = (n: number): Record<string, unknown> => {
    const from = n % routers
    const to = (from + 1 + Math.floor(n / routers)) % routers
    return {
      a: { device: name(from), interface: `ether${n}a` },
      b: { device: name(to), interface: `ether${n}b` },
      capacityBps: 1e10,
    }
  }
  return {
    sites: Array.from({ length: Math.ceil(routers / SITE_ROUTERS) }, (_, n) => ({
      id: `s${n}`,
      name: `Site ${n}`,
      latitude: -30 + (n % 40) / 2,
      longitude: -60 + Math.floor(n / 40) / 2,
    })),
    devices: Array.from({ length: routers }, (_, n) => ({
      name: name(n),
      address: `127.${240 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`,
      site: `s${Math.floor(n / SITE_ROUTERS)}`,
      roles: ["core"],
      snmp: { version: "2c", community: "nobody", port: 9 },
      ping: false,
    })),
    links: Array.from({ length: Math.floor(routers * LINKS_PER_ROUTER) }, (_, n) => link(n)),
  }
}

const wait = (seconds: number): Promise<void> => new Promise((wake) => setTimeout(wake, seconds * 1_000))
