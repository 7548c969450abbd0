/** Engine + emulated ISP + signed-in viewer, brought up together and taken down together. */
import { join } from "node:path"
import { choosePorts, startEngine, temporaryDataDir, type Engine } from "#lab/drive/engine.ts"
import { startLab, type Lab } from "#lab/drive/lab.ts"
import { openViewer, type Viewer } from "#lab/drive/viewer.ts"

export interface Scene {
  readonly engine: Engine
  readonly lab: Lab
  readonly cookie: string
  readonly viewer: Viewer
  readonly ports: { readonly http: number; readonly trap: number; readonly syslog: number }
}

export interface SceneOptions {
  readonly routers: number
  readonly bigSite?: number
  readonly seed: number
  readonly pollSeconds: number
  /**
   * False: the lab sends neither traps nor syslog, and no RouterOS session is there to listen on: polls alone. "listen" =
   * only those sessions are there.
   */
  readonly push: boolean | "listen"
  /** True: the services of the emulated ISP are declared, too. */
  readonly services?: boolean
}

/** Everything is up and every router has answered once when `use` runs; everything is gone when this resolves. */
export const withScene = async <A>(options: SceneOptions, use: (scene: Scene) => Promise<A>): Promise<A> => {
  const data = await temporaryDataDir()
  const ports = await choosePorts()
  let lab: Lab | undefined
  let engine: Engine | undefined
  try {
    lab = await startLab({
      routers: options.routers,
      seed: options.seed,
      bigSite: options.bigSite ?? 0,
      trap: `127.0.0.1:${ports.trap}`,
      syslog: `127.0.0.1:${ports.syslog}`,
      stateFile: join(data.path, "lab.json"),
    })
    if (options.push !== true) await lab.setTargets(null, null)
    engine = await startEngine({
      dataDir: join(data.path, "engine"),
      ports,
      env: { HELIOGRAPH_POLL_SECONDS: String(options.pollSeconds) },
    })
    const document = withPollSeconds(await lab.importDocument(), options.pollSeconds)
    const declared = options.services === true ? await lab.services() : {}
    await engine.importDocument({ ...(options.push !== false ? document : withoutRouterOs(document)), ...declared })
    const cookie = await engine.signIn()
    const viewer = await openViewer(engine.url, cookie)
    // However slow the machine is: a big fleet starts in minutes on a busy one.
    await viewer.until(() => allSeen(viewer), 60_000 + options.pollSeconds * 3000 + options.routers * 1000)
    const result = await use({ engine, lab, cookie, viewer, ports })
    await viewer.close()
    return result
  } finally {
    await engine?.child.stop()
    await lab?.stop()
    await data.remove()
  }
}

export const allSeen = (viewer: Viewer): boolean => {
  for (let slot = 0; slot < viewer.nodes(); slot++) if (viewer.nodeSeenS(slot) === 0) return false
  return viewer.nodes() > 0
}

type Document = Record<string, unknown>
const withDevices = (document: Document, change: (device: Document) => Document): Document => ({
  ...document,
  devices: (document["devices"] as readonly Document[]).map(change),
})

export const withPollSeconds = (document: Document, pollSeconds: number): Document =>
  withDevices(document, (device) => ({ ...device, pollSeconds }))

const withoutRouterOs = (document: Document): Document =>
  withDevices(document, (device) => Object.fromEntries(Object.entries(device).filter(([key]) => key !== "routeros")))
