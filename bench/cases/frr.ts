/**
 * Real routers break, a real viewer waits: a link is shut, a router loses power, a link loses 75 % of its packets. For
 * each the first typed event (when the engine had it), the frame that shows the broken thing, and what never came of
 * all that must be told. Times count from just before the command that breaks it, so they include that command.
 */
import type { Case, Parameters, Result } from "#bench/case.ts"
import { quantile, round } from "#bench/statistics.ts"
import type { EventView } from "#protocol/view.ts"
import { bgpPeers, FRR_ISP, linkBetween, ospfNeighbours, portsOf, routerNamed } from "#lab/frr/isp.ts"
import { isAllWell, SETTLE_MS, withFrrScene, type FrrScene } from "#lab/frr/scene.ts"
import { whyNot } from "#lab/frr/shell.ts"

const DRILLS = ["link", "router", "loss"] as const
type Drill = (typeof DRILLS)[number]

export const frr: Case = {
  name: "frr",
  about: "ms from a fault in real routers to the typed event and to the screen; things missed",
  tier: "real daemons",
  full: { repetitions: 10, pollSeconds: 10 },
  small: { repetitions: 1, pollSeconds: 2 },
  run: async (parameters, report) => {
    const why = await whyNot()
    if (why === null)
      return withFrrScene(parameters["pollSeconds"] ?? 10, (scene) => drillAll(scene, parameters, report))
    report(`not run: ${why}`)
    const names = DRILLS.flatMap((drill) => Object.keys(figuresOf(drill, [])))
    return { figures: Object.fromEntries(names.map((name) => [name, null])), outcome: { skipped: why } }
  },
}

/** Where each drill strikes, in turn. */
const LINKS: ReadonlyArray<readonly [string, string]> = [
  ["c1", "c2"],
  ["c4", "c3"],
  ["b1", "c1"],
  ["a2", "c2"],
  ["c3", "c1"],
]
const ROUTERS = ["c2", "c4", "a1", "b2", "c1"]
const LOSSY: ReadonlyArray<readonly [string, string]> = [
  ["c1", "c3"],
  ["c2", "c3"],
  ["a3", "a4"],
]
/** BGP's hold time and two polls of a slow kind fit; a dead interval at 75 % loss each way is soon missed. */
const SEEN_WITHIN_MS = 60_000

interface Drilled {
  readonly eventMs: number
  /** To the frame that shows the broken thing. */
  readonly screenMs: number
  /** To the last thing that must be told. */
  readonly completeMs: number
  readonly missed: readonly string[]
}

const drillAll = async (scene: FrrScene, parameters: Parameters, report: (line: string) => void): Promise<Result> => {
  const figures: Record<string, number | null> = {}
  const missed: string[] = []
  for (const drill of DRILLS) {
    const all: Drilled[] = []
    for (let i = 0; i < (parameters["repetitions"] ?? 1); i++) {
      const [name, drilled] = await drillOnce(scene, drill, i)
      report(
        `${drill} ${name}: event ${drilled.eventMs} ms, screen ${drilled.screenMs} ms, everything ${drilled.completeMs} ms${drilled.missed.length > 0 ? `, missed ${drilled.missed.join("; ")}` : ""}`,
      )
      all.push(drilled)
      missed.push(...drilled.missed)
    }
    Object.assign(figures, figuresOf(drill, all))
  }
  return { figures, outcome: { routers: FRR_ISP.routers.length, links: FRR_ISP.links.length, missed } }
}

const figuresOf = (drill: Drill, all: readonly Drilled[]): Readonly<Record<string, number>> => {
  const p = (of: (one: Drilled) => number, q: number): number => round(quantile(all.map(of), q), 0)
  return {
    [`${drill}_event_p50_ms`]: p(({ eventMs }) => eventMs, 0.5),
    [`${drill}_event_p95_ms`]: p(({ eventMs }) => eventMs, 0.95),
    [`${drill}_screen_p50_ms`]: p(({ screenMs }) => screenMs, 0.5),
    [`${drill}_screen_p95_ms`]: p(({ screenMs }) => screenMs, 0.95),
    [`${drill}_everything_p95_ms`]: p(({ completeMs }) => completeMs, 0.95),
    [`${drill}_missed`]: all.reduce((sum, { missed }) => sum + missed.length, 0),
  }
}

/** Breaks, watches, mends, and waits until all is well again, in the network and on the screen. */
const drillOnce = async (scene: FrrScene, drill: Drill, turn: number): Promise<readonly [string, Drilled]> => {
  const { network, viewer } = scene
  // Faults fall anywhere in the polling interval, not in step with it.
  await pause(((turn * 0.618_034) % 1) * 2_000)
  if (drill === "router") {
    const router = pick(ROUTERS, turn)
    const drilled = await watch(
      scene,
      () => network.kill(router),
      routerSigns(scene, router),
      () => viewer.nodeHealth(nodeSlot(scene, router)) === "unreachable",
    )
    await network.revive(router)
    await recovered(scene)
    return [router, drilled]
  }
  const [a, b] = pick(drill === "link" ? LINKS : LOSSY, turn)
  const slot = viewer.linkSlot(a, b) ?? -1
  if (drill === "link") {
    const drilled = await watch(
      scene,
      () => network.cut(a, b),
      linkSigns(scene, a, b),
      () => viewer.linkHealth(slot) === "down",
    )
    await network.mend(a, b)
    await recovered(scene)
    return [`${a} - ${b}`, drilled]
  }
  // No port goes down: what the screen shows is that a router at an end is no longer ok.
  const drilled = await watch(
    scene,
    () => network.loss(a, b, 75),
    lossSigns(scene, a, b),
    () => [a, b].some((name) => viewer.nodeHealth(nodeSlot(scene, name)) === "degraded"),
  )
  await network.loss(a, b, 0)
  await recovered(scene)
  return [`${a} - ${b}`, drilled]
}

const recovered = async ({ network, viewer }: FrrScene): Promise<void> => {
  await network.settled(SETTLE_MS)
  await viewer.until(() => isAllWell(viewer), SETTLE_MS)
}

/** Something that must be told of a fault. */
interface Sign {
  readonly name: string
  readonly isIt: (event: EventView) => boolean
}

/** Watches from before the fault on, so that nothing is told unheard while the command still runs. */
const watch = async (
  { viewer }: FrrScene,
  breakIt: () => Promise<number>,
  signs: readonly Sign[],
  isShown: () => boolean,
): Promise<Drilled> => {
  const fromMs = Date.now()
  /** When the engine had the first event of each sign. */
  const first = new Map<string, number>()
  const gather = (): boolean => {
    for (const event of viewer.state.events) {
      if (event.atMs < fromMs) continue
      for (const { name, isIt } of signs) if (!first.has(name) && isIt(event)) first.set(name, event.atMs)
    }
    return first.size === signs.length
  }
  const never = (): number => Number.NaN
  const [faultMs, shownMs] = await Promise.all([
    breakIt(),
    viewer.until(isShown, SEEN_WITHIN_MS).catch(never),
    viewer.until(gather, SEEN_WITHIN_MS).catch(never),
  ])
  const missed = signs.map(({ name }) => name).filter((name) => !first.has(name))
  if (Number.isNaN(shownMs)) missed.push("not shown")
  const since = (atMs: number): number => (Number.isFinite(atMs) ? atMs - faultMs : SEEN_WITHIN_MS)
  return {
    eventMs: since(Math.min(...first.values())),
    screenMs: since(shownMs),
    completeMs: missed.length > 0 ? SEEN_WITHIN_MS : since(Math.max(...first.values())),
    missed,
  }
}

// --- what must be told

const linkSigns = (scene: FrrScene, a: string, b: string): readonly Sign[] => {
  const link = linkBetween(FRR_ISP, a, b)
  const id = scene.viewer.state.links.id[scene.viewer.linkSlot(a, b) ?? -1]
  if (link === undefined) throw new Error(`no link ${a} - ${b}`)
  return [
    { name: `link ${a} - ${b} down`, isIt: (event) => event.type === "link.down" && event.subject === id },
    portDown(scene, link.a.router, link.a.interface),
    portDown(scene, link.b.router, link.b.interface),
    ospfDown(scene, a, b),
    ospfDown(scene, b, a),
  ]
}

/** All neighbours lose the port and the adjacency, all BGP peers the session; the router itself answers no more. */
const routerSigns = (scene: FrrScene, router: string): readonly Sign[] => {
  const device = deviceOf(scene, router)
  const asn = routerNamed(FRR_ISP, router)?.asn
  return [
    {
      name: `${router} unreachable`,
      isIt: ({ type, subject, new: now }) =>
        type === "device.reachable.changed" && subject === device && now === "down",
    },
    ...portsOf(FRR_ISP, router).map(({ far }) => portDown(scene, far.router, far.interface)),
    ...ospfNeighbours(FRR_ISP, router).map((far) => ospfDown(scene, far, router)),
    ...bgpPeers(FRR_ISP, router)
      .filter(({ remoteAsn }) => remoteAsn === asn)
      .map(({ remote }) => bgpDown(scene, remote, router)),
  ]
}

const lossSigns = (scene: FrrScene, a: string, b: string): readonly Sign[] => [
  ospfDown(scene, a, b),
  ospfDown(scene, b, a),
]

const portDown = (scene: FrrScene, router: string, port: string): Sign => {
  const device = deviceOf(scene, router)
  return {
    name: `${router} ${port} down`,
    isIt: ({ type, subject, entity, new: now }) =>
      type === "interface.oper.changed" && subject === device && entity === `if:${port}` && now === "down",
  }
}

const ospfDown = (scene: FrrScene, router: string, neighbour: string): Sign => {
  const device = deviceOf(scene, router)
  const key = `ospf:${routerNamed(FRR_ISP, neighbour)?.loopback ?? "?"}`
  return {
    name: `${router} loses OSPF neighbour ${neighbour}`,
    isIt: ({ type, subject, entity, new: now }) =>
      type === "ospf.neighbor.state.changed" && subject === device && entity === key && now !== "full" && now !== null,
  }
}

const bgpDown = (scene: FrrScene, router: string, peer: string): Sign => {
  const device = deviceOf(scene, router)
  const key = `bgp:${routerNamed(FRR_ISP, peer)?.loopback ?? "?"}`
  return {
    name: `${router} loses BGP peer ${peer}`,
    isIt: ({ type, subject, entity, new: now }) =>
      type === "bgp.peer.state.changed" &&
      subject === device &&
      entity === key &&
      now !== "established" &&
      now !== null,
  }
}

const nodeSlot = ({ viewer }: FrrScene, name: string): number => viewer.state.nodes.name.indexOf(name)
const deviceOf = (scene: FrrScene, name: string): string => scene.viewer.state.nodes.id[nodeSlot(scene, name)] ?? "?"

const pick = <T>(all: readonly T[], turn: number): T => all[turn % all.length] as T

const pause = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms))
