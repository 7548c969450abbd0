/**
 * Real routers break and the engine says why: a cable is cut, a port is shut, a router, an upstream and a route reflector
 * lose power. For each the time from the fault to the incident, and to the incident that names its cause, as a signed-in
 * operator gets both (the stream's event, then GET /incidents); whether the name was still right, and alone, when all
 * symptoms were in; and into how many incidents the storm of traps was folded. One fault follows the other as soon as all is
 * well, while the incidents of those before still recover.
 */
import type { Case, Parameters, Result } from "#bench/case.ts"
import { quantile, round } from "#bench/statistics.ts"
import { FRR_ISP, portsOf } from "#lab/frr/isp.ts"
import { isAllWell, SETTLE_MS, withFrrScene, type FrrScene } from "#lab/frr/scene.ts"
import { whyNot } from "#lab/frr/shell.ts"
import type { CauseMember, IncidentRow } from "#protocol/incident.ts"

const DRILLS = ["link", "shut", "router", "upstream", "reflector"] as const
type Drill = (typeof DRILLS)[number]

export const incidents: Case = {
  name: "incidents",
  about: "real routers: ms from a fault to its incident and to its cause; causes named right; incidents per fault",
  tier: "real daemons",
  full: { links: 10, shuts: 3, routers: 5, upstreams: 2, reflectors: 2, pollSeconds: 10 },
  small: { links: 1, shuts: 0, routers: 0, upstreams: 0, reflectors: 0, pollSeconds: 2 },
  run: async (parameters, report) => {
    const why = await whyNot()
    if (why === null)
      return withFrrScene(parameters["pollSeconds"] ?? 10, (scene) => drillAll(scene, parameters, report))
    report(`not run: ${why}`)
    const names = DRILLS.flatMap((drill) => Object.keys(figuresOf(drill, [])))
    return { figures: Object.fromEntries(names.map((name) => [name, null])), outcome: { skipped: why } }
  },
}

/** Every element breaks once: of a second time an incident that is still open knows the cause beforehand. */
const CUT: ReadonlyArray<readonly [string, string]> = [
  ["c1", "c2"],
  ["c4", "c3"],
  ["b1", "c1"],
  ["a2", "c2"],
  ["c3", "c1"],
  ["b2", "c4"],
  ["a1", "a2"],
  ["a4", "c4"],
  ["b1", "b2"],
  ["a3", "c3"],
]
const SHUT: ReadonlyArray<readonly [string, string]> = [
  ["c2", "c3"],
  ["c4", "c1"],
  ["b1", "c2"],
  ["a1", "c1"],
  ["b2", "c3"],
]
const named = (accept: (router: (typeof FRR_ISP.routers)[number]) => boolean): readonly string[] =>
  FRR_ISP.routers.filter(accept).map(({ name }) => name)
const VICTIMS: Readonly<Record<Exclude<Drill, "link" | "shut">, readonly string[]>> = {
  router: named(({ roles, isReflector }) => !isReflector && !roles.includes("upstream")),
  upstream: named(({ roles }) => roles.includes("upstream")),
  reflector: named(({ isReflector }) => isReflector),
}

/** A port goes dark at once and OSPF with it; BGP gives a peer up after its hold time. By then all has been told. */
const ALL_TOLD_MS: Readonly<Record<Drill, number>> = {
  link: 15_000,
  shut: 15_000,
  router: 30_000,
  upstream: 30_000,
  reflector: 30_000,
}
const NAMED_WITHIN_MS = 60_000

const victimsOf = (drill: Drill): number =>
  drill === "link" ? CUT.length : drill === "shut" ? SHUT.length : VICTIMS[drill].length

interface Drilled {
  readonly openMs: number | null
  readonly causeMs: number | null
  readonly confidence: number | null
  /** Named right, alone, when all symptoms were in. */
  readonly right: boolean
  readonly incidents: number
  readonly titles: readonly string[]
  /** Routing and port events meanwhile, and the notifications that were received for them. */
  readonly events: number
  readonly traps: number
}

const drillAll = async (scene: FrrScene, parameters: Parameters, report: (line: string) => void): Promise<Result> => {
  const figures: Record<string, number | null> = {}
  const outcome: unknown[] = []
  for (const drill of DRILLS) {
    const all: Drilled[] = []
    for (let turn = 0; turn < Math.min(parameters[`${drill}s`] ?? 0, victimsOf(drill)); turn++) {
      const [name, drilled] = await drillOnce(scene, drill, turn)
      const { openMs, causeMs, confidence, right, incidents: count, events, traps, titles } = drilled
      report(
        `${drill} ${name}: incident ${openMs ?? "none"} ms, cause ${causeMs ?? "none"} ms (${confidence?.toFixed(3) ?? "-"}), ` +
          `${right ? "right" : "NOT right"} in the end (${titles.join("; ")}), ${count} incidents of ${traps} traps, ${events} events`,
      )
      all.push(drilled)
    }
    if (all.length === 0) continue
    Object.assign(figures, figuresOf(drill, all))
    outcome.push(
      drill,
      all.map(({ right }) => right),
    )
  }
  return { figures, outcome }
}

const figuresOf = (drill: Drill, all: readonly Drilled[]): Readonly<Record<string, number>> => {
  const p = (of: (one: Drilled) => number | null, q: number): number =>
    round(
      quantile(
        all.map((one) => of(one) ?? NAMED_WITHIN_MS),
        q,
      ),
      0,
    )
  return {
    [`${drill}_incident_p50_ms`]: p(({ openMs }) => openMs, 0.5),
    [`${drill}_cause_p50_ms`]: p(({ causeMs }) => causeMs, 0.5),
    [`${drill}_cause_p95_ms`]: p(({ causeMs }) => causeMs, 0.95),
    [`${drill}_cause_named`]: all.filter(({ causeMs }) => causeMs !== null).length,
    [`${drill}_right`]: all.filter(({ right }) => right).length,
    [`${drill}_of`]: all.length,
    [`${drill}_incidents_max`]: Math.max(0, ...all.map(({ incidents: count }) => count)),
    [`${drill}_traps`]: all.reduce((sum, { traps }) => sum + traps, 0),
    [`${drill}_events`]: all.reduce((sum, { events }) => sum + events, 0),
  }
}

const drillOnce = async (scene: FrrScene, drill: Drill, turn: number): Promise<readonly [string, Drilled]> => {
  const { network } = scene
  await pause(((turn * 0.618_034) % 1) * 2_000)
  if (drill === "link" || drill === "shut") {
    const [a, b] = pick(drill === "link" ? CUT : SHUT, turn)
    const breakIt = (): Promise<number> => network[drill === "link" ? "cut" : "shut"](a, b)
    const drilled = await watch(scene, drill, breakIt, drill === "link" ? linkOf(scene, a, b) : portOf(scene, a, b))
    await network.mend(a, b)
    await recovered(scene)
    return [`${a} - ${b}`, drilled]
  }
  const router = pick(VICTIMS[drill], turn)
  const drilled = await watch(scene, drill, () => network.kill(router), { kind: "device", id: deviceOf(scene, router) })
  await network.revive(router)
  await recovered(scene)
  return [router, drilled]
}

/** Mended in the network, and shown as well; incidents of before may still be open, as their alerts have time to recover. */
const recovered = async (scene: FrrScene): Promise<void> => {
  await scene.network.settled(SETTLE_MS)
  await scene.viewer.until(() => isAllWell(scene.viewer), SETTLE_MS)
}

/** What has to be named. */
type Culprit = Pick<CauseMember, "kind" | "id" | "entity">

const linkOf = ({ viewer }: FrrScene, a: string, b: string): Culprit => ({
  kind: "link",
  id: viewer.state.links.id[viewer.linkSlot(a, b) ?? -1] ?? "?",
})
const portOf = (scene: FrrScene, a: string, b: string): Culprit => {
  const own = portsOf(FRR_ISP, a).find(({ far }) => far.router === b)?.own
  return { kind: "interface", id: deviceOf(scene, a), entity: `if:${own?.interface}` }
}
const deviceOf = ({ viewer }: FrrScene, name: string): string => {
  const { nodes } = viewer.state
  return nodes.id[nodes.name.indexOf(name)] ?? "?"
}

const watch = async (
  scene: FrrScene,
  drill: Drill,
  breakIt: () => Promise<number>,
  culprit: Culprit,
): Promise<Drilled> => {
  const { viewer } = scene
  const before = new Map((await openIncidents(scene)).map((row) => [row.id, saidBy(row)]))
  // One that was open, and names another cause since, was corrected by this fault: that is how an operator learns of it.
  const fresh = async (): Promise<readonly IncidentRow[]> =>
    (await openIncidents(scene)).filter((row) => before.get(row.id) !== saidBy(row))
  const trapsBefore = await trapsOf(scene)
  const from = viewer.told().length
  const faultMs = await breakIt()
  let openMs: number | null = null
  let causeMs: number | null = null
  let seen = from
  const endMs = Date.now() + NAMED_WITHIN_MS
  while (causeMs === null && Date.now() < endMs) {
    const news = (): boolean =>
      viewer
        .told()
        .slice(seen)
        .some(({ type }) => type.startsWith("incident."))
    const arrived = await viewer.until(news, Math.max(1, endMs - Date.now())).catch(() => null)
    if (arrived === null) break
    seen = viewer.told().length
    const rows = await fresh()
    if (rows.length > 0) openMs ??= arrived - faultMs
    if (rows.some((row) => names(row, culprit))) causeMs = Date.now() - faultMs
  }
  await pause(Math.max(0, faultMs + ALL_TOLD_MS[drill] - Date.now()))
  const last = await fresh()
  return {
    openMs,
    causeMs,
    confidence: last.find((row) => names(row, culprit))?.cause?.confidence ?? null,
    right: last.length === 1 && names(last[0] as IncidentRow, culprit),
    incidents: last.length,
    titles: last.map(({ title }) => title),
    events: viewer
      .told()
      .slice(from)
      .filter(({ type }) => !type.startsWith("alert.") && !type.startsWith("incident.")).length,
    traps: (await trapsOf(scene)) - trapsBefore,
  }
}

const saidBy = ({ cause }: IncidentRow): string =>
  cause?.members.map(({ fault, id, entity }) => `${fault} ${id} ${entity}`).join() ?? ""

/** Class-aware: where several would look the same the title says so. */
const names = ({ cause }: IncidentRow, culprit: Culprit): boolean =>
  cause?.members.some(
    ({ kind, id, entity }) => kind === culprit.kind && id === culprit.id && entity === culprit.entity,
  ) === true

/** Notifications that the engine has received, as its metrics count them. */
const trapsOf = async ({ engine, cookie }: FrrScene): Promise<number> =>
  (await engine.metrics(cookie)).get('heliograph_traps_total{outcome="submitted"}') ?? 0

/** Those whose alarms last: what recovers belongs to a fault before. */
const openIncidents = async ({ engine, cookie }: FrrScene): Promise<readonly IncidentRow[]> => {
  const response = await fetch(`${engine.url}/api/v1/incidents?limit=100&state=open`, { headers: { cookie } })
  if (!response.ok) throw new Error(`GET /incidents: ${response.status} ${await response.text()}`)
  const { items } = (await response.json()) as { items: readonly IncidentRow[] }
  return items.filter(({ state }) => state === "open")
}

const pick = <T>(all: readonly T[], turn: number): T => all[turn % all.length] as T
const pause = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms))
