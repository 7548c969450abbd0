/**
 * Real routers break and the engine says why: a link is cut, a router, an upstream and a route reflector lose power. For
 * each the time from the fault to the incident, and to the incident that names its cause, as a signed-in operator gets
 * both (the stream's event, then GET /incidents); whether the name was still right when all symptoms were in; and into how
 * many incidents the storm of routing events was folded.
 */
import type { Case, Parameters, Result } from "#bench/case.ts"
import { quantile, round } from "#bench/statistics.ts"
import { FRR_ISP } from "#lab/frr/isp.ts"
import { isAllWell, SETTLE_MS, withFrrScene, type FrrScene } from "#lab/frr/scene.ts"
import { whyNot } from "#lab/frr/shell.ts"
import type { IncidentRow } from "#protocol/incident.ts"

const DRILLS = ["link", "router", "upstream", "reflector"] as const
type Drill = (typeof DRILLS)[number]

export const incidents: Case = {
  name: "incidents",
  about: "real routers: ms from a fault to its incident and to its cause; causes named right; incidents per fault",
  tier: "real daemons",
  full: { repetitions: 10, pollSeconds: 10, drills: 4 },
  small: { repetitions: 1, pollSeconds: 2, drills: 1 },
  run: async (parameters, report) => {
    const why = await whyNot()
    if (why === null)
      return withFrrScene(parameters["pollSeconds"] ?? 10, (scene) => drillAll(scene, parameters, report))
    report(`not run: ${why}`)
    const names = DRILLS.flatMap((drill) => Object.keys(figuresOf(drill, [])))
    return { figures: Object.fromEntries(names.map((name) => [name, null])), outcome: { skipped: why } }
  },
}

const LINKS: ReadonlyArray<readonly [string, string]> = [
  ["c1", "c2"],
  ["c4", "c3"],
  ["b1", "c1"],
  ["a2", "c2"],
  ["c3", "c1"],
]
const named = (accept: (router: (typeof FRR_ISP.routers)[number]) => boolean): readonly string[] =>
  FRR_ISP.routers.filter(accept).map(({ name }) => name)
const VICTIMS: Readonly<Record<Exclude<Drill, "link">, readonly string[]>> = {
  router: named(({ roles, isReflector }) => !isReflector && !roles.includes("upstream")),
  upstream: named(({ roles }) => roles.includes("upstream")),
  reflector: named(({ isReflector }) => isReflector),
}

/** BGP gives a peer up after its hold time; by then all that a fault does has been told. */
const ALL_TOLD_MS = 30_000
const NAMED_WITHIN_MS = 60_000

interface Drilled {
  readonly openMs: number | null
  readonly causeMs: number | null
  readonly confidence: number | null
  /** Named right, alone, when all symptoms were in. */
  readonly right: boolean
  readonly incidents: number
  readonly titles: readonly string[]
  /** Routing and port events meanwhile. */
  readonly events: number
}

const drillAll = async (scene: FrrScene, parameters: Parameters, report: (line: string) => void): Promise<Result> => {
  const figures: Record<string, number | null> = {}
  const outcome: unknown[] = []
  for (const drill of DRILLS.slice(0, parameters["drills"] ?? DRILLS.length)) {
    const all: Drilled[] = []
    for (let turn = 0; turn < (parameters["repetitions"] ?? 1); turn++) {
      const [name, drilled] = await drillOnce(scene, drill, turn)
      const { openMs, causeMs, confidence, right, incidents: count, events, titles } = drilled
      report(
        `${drill} ${name}: incident ${openMs ?? "none"} ms, cause ${causeMs ?? "none"} ms (${confidence ?? "-"}), ` +
          `${right ? "right" : `NOT right (${titles.join("; ")})`} in the end, ${count} incidents of ${events} events`,
      )
      all.push(drilled)
    }
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
    [`${drill}_right`]: all.filter(({ right }) => right).length,
    [`${drill}_of`]: all.length,
    [`${drill}_incidents_max`]: Math.max(0, ...all.map(({ incidents: count }) => count)),
    [`${drill}_events`]: all.reduce((sum, { events }) => sum + events, 0),
  }
}

const drillOnce = async (scene: FrrScene, drill: Drill, turn: number): Promise<readonly [string, Drilled]> => {
  const { network } = scene
  await pause(((turn * 0.618_034) % 1) * 2_000)
  if (drill === "link") {
    const [a, b] = pick(LINKS, turn)
    const id = scene.viewer.state.links.id[scene.viewer.linkSlot(a, b) ?? -1] ?? "?"
    const drilled = await watch(scene, () => network.cut(a, b), id)
    await network.mend(a, b)
    await recovered(scene)
    return [`${a} - ${b}`, drilled]
  }
  const router = pick(VICTIMS[drill], turn)
  const { nodes } = scene.viewer.state
  const drilled = await watch(scene, () => network.kill(router), nodes.id[nodes.name.indexOf(router)] ?? "?")
  await network.revive(router)
  await recovered(scene)
  return [router, drilled]
}

/** Mended in the network, shown as well, and no incident is open any more: the next fault begins from nothing. */
const recovered = async (scene: FrrScene): Promise<void> => {
  await scene.network.settled(SETTLE_MS)
  await scene.viewer.until(() => isAllWell(scene.viewer), SETTLE_MS)
}

const watch = async (scene: FrrScene, breakIt: () => Promise<number>, culprit: string): Promise<Drilled> => {
  const { viewer } = scene
  const before = new Set((await openIncidents(scene)).map(({ id }) => id))
  const from = viewer.told().length
  const fresh = (rows: readonly IncidentRow[]): readonly IncidentRow[] => rows.filter(({ id }) => !before.has(id))
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
    const rows = fresh(await openIncidents(scene))
    if (rows.length > 0) openMs ??= arrived - faultMs
    if (rows.some((row) => names(row, culprit))) causeMs = Date.now() - faultMs
  }
  await pause(Math.max(0, faultMs + ALL_TOLD_MS - Date.now()))
  const last = fresh(await openIncidents(scene))
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
  }
}

const names = ({ cause }: IncidentRow, culprit: string): boolean =>
  cause?.members.some(({ id }) => id === culprit) === true

const openIncidents = async ({ engine, cookie }: FrrScene): Promise<readonly IncidentRow[]> => {
  const response = await fetch(`${engine.url}/api/v1/incidents?limit=100&state=open`, { headers: { cookie } })
  if (!response.ok) throw new Error(`GET /incidents: ${response.status} ${await response.text()}`)
  return ((await response.json()) as { items: readonly IncidentRow[] }).items
}

const pick = <T>(all: readonly T[], turn: number): T => all[turn % all.length] as T
const pause = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms))
