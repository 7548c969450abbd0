/** Real routers + engine + signed-in viewer, brought up together and taken down together: drive/scene.ts with real daemons. */
import { join } from "node:path"
import { choosePorts, startEngine, temporaryDataDir, type Engine } from "#lab/drive/engine.ts"
import { allSeen, withPollSeconds } from "#lab/drive/scene.ts"
import { openViewer, type Viewer } from "#lab/drive/viewer.ts"
import { frrImport } from "#lab/frr/import.ts"
import { FRR_ISP, MANAGEMENT } from "#lab/frr/isp.ts"
import type { FrrNetwork } from "#lab/frr/network.ts"
import { bringUp, takeDown } from "#lab/frr/up.ts"

export interface FrrScene {
  readonly network: FrrNetwork
  readonly engine: Engine
  readonly viewer: Viewer
  readonly cookie: string
}

/** Another lab on this machine may be in the middle of a drill; there can be one at a time. */
export const OTHER_LAB_MS = 240_000
/** OSPF and BGP of twelve routers need 15 s on an idle machine with two cores. */
export const SETTLE_MS = 120_000

/** All adjacencies are up and every link is seen up when `use` runs; everything is gone when this resolves. */
export const withFrrScene = async <A>(pollSeconds: number, use: (scene: FrrScene) => Promise<A>): Promise<A> => {
  const data = await temporaryDataDir()
  const stateFile = join(data.path, "frr.json")
  const ports = await choosePorts()
  let network: FrrNetwork | undefined
  let engine: Engine | undefined
  try {
    network = await bringUp({
      stateFile,
      receivers: { trap: `${MANAGEMENT.host}:${ports.trap}`, syslog: `${MANAGEMENT.host}:${ports.syslog}` },
      isTied: true,
      waitMs: OTHER_LAB_MS,
    })
    engine = await startEngine({
      dataDir: join(data.path, "engine"),
      ports,
      env: { HELIOGRAPH_POLL_SECONDS: String(pollSeconds), HELIOGRAPH_LISTEN_HOST: MANAGEMENT.host },
    })
    await network.settled(SETTLE_MS)
    await engine.importDocument(withPollSeconds(frrImport(FRR_ISP, network.state().secrets), pollSeconds))
    const cookie = await engine.signIn()
    const viewer = await openViewer(engine.url, cookie)
    await viewer.until(() => allSeen(viewer) && isAllWell(viewer), 60_000 + pollSeconds * 3000)
    const result = await use({ network, engine, viewer, cookie })
    await viewer.close()
    return result
  } finally {
    await engine?.child.stop()
    if (network !== undefined) await takeDown(stateFile)
    await data.remove()
  }
}

/** Every router and every link is shown as ok. */
export const isAllWell = (viewer: Viewer): boolean => {
  const { nodes, links } = viewer.state
  return (
    nodes.id.every((_, slot) => viewer.nodeHealth(slot) === "ok") &&
    links.id.every((_, slot) => viewer.linkHealth(slot) === "ok")
  )
}
