/**
 * What-if against reality: before each fault the engine is asked what would be (POST /what-if, with the routing table of
 * every router), then real routers live through it, and when they have converged their own routing tables are compared:
 * next hops of OSPF with equal costs, who is reached, and over which upstream the world is. The costs are those that the
 * engine has read from the routers; nothing of the lab's configuration reaches it.
 */
import type { Case, Parameters, Result } from "#bench/case.ts"
import { FRR_ISP, ISP_ASN, type FrrLink } from "#lab/frr/isp.ts"
import { sameTable, type RoutingTable } from "#lab/frr/routes.ts"
import { isAllWell, SETTLE_MS, withFrrScene, type FrrScene } from "#lab/frr/scene.ts"
import { whyNot } from "#lab/frr/shell.ts"

export const whatifFrr: Case = {
  name: "whatif-frr",
  about: "next hops, reachability and exits that what-if foresees, and how many of them real routers then have",
  tier: "real daemons",
  full: { links: 18, routers: 4, several: 2, drains: 2, pollSeconds: 5 },
  small: { links: 1, routers: 0, several: 0, drains: 0, pollSeconds: 2 },
  run: async (parameters, report) => {
    const why = await whyNot()
    if (why === null)
      return withFrrScene(parameters["pollSeconds"] ?? 5, (scene) => foreseeAll(scene, parameters, report))
    report(`not run: ${why}`)
    return { figures: { next_hops_said: null, next_hops_equal: null, mismatches: null }, outcome: { skipped: why } }
  },
}

type Pair = readonly [a: string, b: string]
interface Drill {
  readonly name: string
  readonly cut: readonly Pair[]
  readonly kill: readonly string[]
  readonly drain: readonly Pair[]
}

const NOTHING = { cut: [], kill: [], drain: [] } as const
const pairOf = ({ a, b }: FrrLink): Pair => [a.router, b.router]
const KILLED = ["c3", "b1", "a2", "c1"]
/** Several at once, so that somebody is cut off. */
const SEVERAL: ReadonlyArray<readonly Pair[]> = [
  [
    ["a1", "c1"],
    ["a1", "a2"],
  ],
  [
    ["b1", "c1"],
    ["b1", "c2"],
    ["b1", "b2"],
  ],
]
const DRAINED: readonly Pair[] = [
  ["c1", "c2"],
  ["b2", "c3"],
]
/** MaxLinkMetric (RFC 6987 s2): what a drained link costs. */
const DRAINED_COST = 65_535

const drillsOf = (parameters: Parameters): readonly Drill[] => [
  ...FRR_ISP.links
    .slice(0, parameters["links"])
    .map((link) => ({ ...NOTHING, name: `cut ${pairOf(link).join(" - ")}`, cut: [pairOf(link)] })),
  ...KILLED.slice(0, parameters["routers"]).map((router) => ({ ...NOTHING, name: `kill ${router}`, kill: [router] })),
  ...SEVERAL.slice(0, parameters["several"]).map((cut) => ({
    ...NOTHING,
    name: `cut ${cut.map((pair) => pair.join(" - ")).join(", ")}`,
    cut,
  })),
  ...DRAINED.slice(0, parameters["drains"]).map((pair) => ({
    ...NOTHING,
    name: `cost ${DRAINED_COST} on ${pair.join(" - ")}`,
    drain: [pair],
  })),
]

const OURS = FRR_ISP.routers.filter(({ asn }) => asn === ISP_ASN)
const isCore = (name: string): boolean => OURS.some((one) => one.name === name && one.roles.includes("core"))

interface Tally {
  said: number
  equal: number
  reachSaid: number
  reachEqual: number
  exitSaid: number
  exitEqual: number
  readonly mismatches: string[]
  readonly exitsElse: string[]
}

const newTally = (): Tally => ({
  said: 0,
  equal: 0,
  reachSaid: 0,
  reachEqual: 0,
  exitSaid: 0,
  exitEqual: 0,
  mismatches: [],
  exitsElse: [],
})

const foreseeAll = async (scene: FrrScene, parameters: Parameters, report: (line: string) => void): Promise<Result> => {
  const tally = newTally()
  const drills = drillsOf(parameters)
  for (const drill of drills) {
    const before = { ...tally, mismatches: tally.mismatches.length, exitsElse: tally.exitsElse.length }
    const alive = OURS.map(({ name }) => name).filter((name) => !drill.kill.includes(name))
    const foreseen = new Map<string, Answer>()
    const wellMs = Date.now()
    for (const router of alive) foreseen.set(router, await foresee(scene, drill, router, wellMs))
    await breakAll(scene, drill)
    await lived(scene, drill, foreseen, tally)
    report(
      `${drill.name}: next hops ${tally.equal - before.equal} of ${tally.said - before.said} equal, ` +
        `reached ${tally.reachEqual - before.reachEqual} of ${tally.reachSaid - before.reachSaid}, ` +
        `exits ${tally.exitEqual - before.exitEqual} of ${tally.exitSaid - before.exitSaid}`,
    )
    for (const line of tally.mismatches.slice(before.mismatches)) report(`  MISMATCH ${line}`)
    for (const line of tally.exitsElse.slice(before.exitsElse)) report(`  another exit: ${line}`)
    await mendAll(scene, drill)
  }
  const { said, equal, reachSaid, reachEqual, exitSaid, exitEqual, mismatches, exitsElse } = tally
  return {
    figures: {
      faults: drills.length,
      next_hops_said: said,
      next_hops_equal: equal,
      reach_said: reachSaid,
      reach_equal: reachEqual,
      exits_said: exitSaid,
      exits_equal: exitEqual,
      mismatches: mismatches.length,
    },
    outcome: { said, mismatches, exitsElse },
  }
}

// -- what is said beforehand -------------------------------------------------------------------------------------------

interface Named {
  readonly id: string
  readonly name: string
}
interface Way {
  readonly to: Named
  readonly next: ReadonlyArray<{ readonly device: Named }>
}
interface Answer {
  readonly atMs: number
  readonly failed: { readonly unknown: readonly unknown[] }
  readonly unreachable: readonly Named[]
  readonly routes?: { readonly to: readonly Way[]; readonly exit: Way | null }
  readonly assumptions: readonly string[]
}

/**
 * The engine keeps a moment for some time: one of before all was well is no answer, nor is one without the routers' costs,
 * which are asked every five minutes: a busy machine that loses the first answer gets the next one.
 */
const FRESH_WITHIN_MS = 330_000

const foresee = async (scene: FrrScene, drill: Drill, router: string, wellMs: number): Promise<Answer> => {
  const { viewer, engine, cookie } = scene
  const linkId = ([a, b]: Pair): string => viewer.state.links.id[viewer.linkSlot(a, b) ?? -1] ?? "?"
  const deviceId = (name: string): string => viewer.state.nodes.id[viewer.state.nodes.name.indexOf(name)] ?? "?"
  const body = {
    faults: [
      ...drill.cut.map((pair) => ({ kind: "link", link: linkId(pair) })),
      ...drill.drain.map((pair) => ({ kind: "drain", link: linkId(pair) })),
      ...drill.kill.map((name) => ({ kind: "router", device: deviceId(name) })),
    ],
    routesOf: deviceId(router),
  }
  const askedMs = Date.now()
  for (;;) {
    const response = await fetch(`${engine.url}/api/v1/what-if`, {
      method: "POST",
      headers: { cookie, "content-type": "application/json", origin: engine.url },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`POST /what-if: ${response.status} ${await response.text()}`)
    const answer = (await response.json()) as Answer
    if (answer.failed.unknown.length > 0) throw new Error(`the engine does not know ${JSON.stringify(body.faults)}`)
    const doubts = answer.assumptions.filter((text) =>
      /OSPF cost|sessions? (?:is|are) (?:known|down)|tell no iBGP/.test(text),
    )
    if (doubts.length === 0 && answer.atMs >= wellMs) return answer
    if (Date.now() - askedMs > FRESH_WITHIN_MS) throw new Error(`not ready to be asked: ${doubts.join("; ")}`)
    await pause(250)
  }
}

// -- what is then --------------------------------------------------------------------------------------------------------

const breakAll = async ({ network }: FrrScene, { cut, kill, drain }: Drill): Promise<void> => {
  for (const [a, b] of cut) await network.cut(a, b)
  for (const router of kill) await network.kill(router)
  for (const [a, b] of drain) await network.cost(a, b, DRAINED_COST)
}

const mendAll = async ({ network, viewer }: FrrScene, { cut, kill, drain }: Drill): Promise<void> => {
  for (const [a, b] of cut) await network.mend(a, b)
  for (const router of kill) await network.revive(router)
  for (const [a, b] of drain) await network.cost(a, b, null)
  await network.settled(SETTLE_MS)
  await viewer.until(() => isAllWell(viewer), SETTLE_MS)
}

/**
 * What the routers have when they have come to rest. On a busy machine they may rest on the way: what differs is looked at
 * until CONVERGED_WITHIN_MS, because what is said wrongly stays wrong.
 */
const lived = async (
  scene: FrrScene,
  drill: Drill,
  foreseen: ReadonlyMap<string, Answer>,
  tally: Tally,
): Promise<void> => {
  const untilMs = Date.now() + CONVERGED_WITHIN_MS
  for (;;) {
    const tables = await converged(scene, drill.kill.length > 0, untilMs)
    const found = compare(drill, foreseen, tables)
    if (found.mismatches.length > 0 && Date.now() < untilMs) continue
    for (const key of ["said", "equal", "reachSaid", "reachEqual", "exitSaid", "exitEqual"] as const)
      tally[key] += found[key]
    tally.mismatches.push(...found.mismatches)
    tally.exitsElse.push(...found.exitsElse)
    return
  }
}

/** Tables that stay the same for so many readings, a second apart, are taken to be final. */
const SAME_READINGS = 4
/** A dead router's sessions end with their hold time of 9 s: no table is final before. */
const HOLD_MS = 14_000
const CONVERGED_WITHIN_MS = 60_000

const converged = async ({ network }: FrrScene, isHeld: boolean, untilMs: number): Promise<readonly RoutingTable[]> => {
  const fromMs = Date.now()
  const notBeforeMs = fromMs + (isHeld ? HOLD_MS : 0)
  let last = await network.tables()
  for (let same = 0; same < SAME_READINGS || Date.now() < notBeforeMs;) {
    if (Date.now() > untilMs + HOLD_MS) throw new Error("the routers do not come to rest")
    await pause(1_000)
    const next = await network.tables()
    const isSame = next.length === last.length && next.every((table, i) => sameTable(table, last[i] as RoutingTable))
    same = isSame ? same + 1 : 0
    last = next
  }
  return last
}

const compare = (drill: Drill, foreseen: ReadonlyMap<string, Answer>, tables: readonly RoutingTable[]): Tally => {
  const tally = newTally()
  const names = (next: Way["next"]): readonly string[] => [...new Set(next.map(({ device }) => device.name))].toSorted()
  const words = (next: readonly string[] | undefined): string => (next === undefined ? "no way" : next.join("+"))
  for (const [router, { routes, unreachable }] of foreseen) {
    const table = tables.find((one) => one.router === router)
    if (table === undefined || routes === undefined) throw new Error(`no routing table of ${router}`)
    for (const { name } of OURS) {
      if (name === router) continue
      const way = routes.to.find(({ to }) => to.name === name)
      const said = words(way === undefined ? undefined : names(way.next))
      const is = words(table.ospf[name])
      tally.said++
      if (said === is) tally.equal++
      else tally.mismatches.push(`${drill.name}: ${router} to ${name}: said ${said}, is ${is}`)
    }
    const exit = routes.exit === null ? "none" : `${routes.exit.to.name} by ${words(names(routes.exit.next))}`
    const isExit = table.exit === null ? "none" : `${table.exit.upstream} by ${words(table.exit.next)}`
    tally.exitSaid++
    if (exit === isExit) tally.exitEqual++
    else tally.exitsElse.push(`${drill.name}: ${router}: said ${exit}, is ${isExit}`)
    // Every answer says who is unreachable; that of each router is held against what the core's tables know of it.
    tally.reachSaid++
    const isLost = unreachable.some(({ name }) => name === router)
    const isSeen = isCore(router) || tables.some((one) => isCore(one.router) && one.ospf[router] !== undefined)
    if (isLost !== isSeen) tally.reachEqual++
    else tally.mismatches.push(`${drill.name}: ${router} is ${isSeen ? "" : "not "}reached`)
  }
  return tally
}

const pause = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms))
