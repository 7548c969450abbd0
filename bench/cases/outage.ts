/**
 * A site of 200 devices loses its power (PRODUCT.md I7): the lab cuts it, the engine hears traps and finds the rest out by
 * polling, over sockets. Told as an operator sees it: how long until the incident names the site, how many incidents, how
 * many symptoms it explains, and of how many alerts somebody is told one by one, when all of them have come.
 */
import type { Case, Parameters, Result } from "#bench/case.ts"
import { round } from "#bench/statistics.ts"
import { withScene, type Scene } from "#lab/drive/scene.ts"
import { personOf } from "#lab/drive/onboard.ts"
import type { AlertView } from "#protocol/alert.ts"
import type { IncidentRow, IncidentView } from "#protocol/incident.ts"
import type { EventView } from "#protocol/view.ts"

export const outage: Case = {
  name: "outage",
  about: "a site of 200 devices loses power: ms to its cause, incidents, symptoms explained, alerts told one by one",
  tier: "emulator (ours)",
  full: { routers: 320, site: 200, pollSeconds: 10, absentSeconds: 300, seed: 1 },
  small: { routers: 36, site: 16, pollSeconds: 1, absentSeconds: 5, seed: 1 },
  run: async (parameters, report) => {
    const { routers, site, pollSeconds, seed } = parameters as Record<
      "routers" | "site" | "pollSeconds" | "seed",
      number
    >
    return withScene({ routers, bigSite: site, seed, pollSeconds, push: true }, (scene) =>
      blackout(scene, parameters, report),
    )
  },
}

/** The shipped rule for devices that nobody pings: it must know for a while that nobody does. */
const RULE = "device-no-contact"
/** Polls in a row that are in vain before it fires, and some for deadlines and retries. */
const POLLS_TO_FIRE = 8
const MARGIN_MS = 30_000
/** How often, and how far apart, it is asked whether all is well before the cut. */
const CALM_TRIES = 60
const CALM_MS = 2_000

const blackout = async (scene: Scene, parameters: Parameters, report: (line: string) => void): Promise<Result> => {
  const { pollSeconds = 10, absentSeconds = 300 } = parameters
  const { viewer, lab } = scene
  await shorten(scene, absentSeconds)
  const { routers } = await lab.truth()
  const site = routers.find((one) => one.site.startsWith("metro-"))?.site ?? "?"
  const dead = new Set(routers.filter((one) => one.site === site).map(({ name }) => name))
  // Rules watch, neighbours are learned, and everything has been read twice since.
  await pause(absentSeconds * 1000 + 3 * pollSeconds * 1000)
  // A busy machine loses polls while everything starts: what that opened is over first.
  for (let left = CALM_TRIES; left > 0 && (await openIncidents(scene)).length > 0; left--) await pause(CALM_MS)
  const before = new Set((await openIncidents(scene)).map(({ id }) => id))
  const from = viewer.told().length
  const faultMs = await lab.fault("isolate", site)
  const endMs = faultMs + POLLS_TO_FIRE * pollSeconds * 1000 + MARGIN_MS
  const told = (): readonly EventView[] => viewer.told().slice(from)
  let openMs: number | null = null
  let causeMs: number | null = null
  for (let seen = 0; causeMs === null && Date.now() < endMs;) {
    const arrived = await viewer
      .until(() => told().slice(seen).some(isOfIncident), Math.max(1, endMs - Date.now()))
      .catch(() => null)
    if (arrived === null) break
    seen = told().length
    const fresh = (await openIncidents(scene)).filter(({ id }) => !before.has(id))
    if (fresh.length > 0) openMs ??= arrived - faultMs
    if (fresh.some((row) => names(row, site))) causeMs = Date.now() - faultMs
  }
  report(`${dead.size} devices of ${site}: incident ${openMs ?? "none"} ms, its power named ${causeMs ?? "never"} ms`)
  const complete = (): boolean => firedOn(told(), RULE).size >= dead.size
  await viewer.until(complete, Math.max(1, endMs - Date.now())).catch(() => null)
  await pause(2_000)
  return graded(scene, { site, dead, before, told: told(), openMs, causeMs }, report)
}

interface Seen {
  readonly site: string
  readonly dead: ReadonlySet<string>
  readonly before: ReadonlySet<string>
  readonly told: readonly EventView[]
  readonly openMs: number | null
  readonly causeMs: number | null
}

const graded = async (scene: Scene, seen: Seen, report: (line: string) => void): Promise<Result> => {
  const fresh = (await openIncidents(scene)).filter(({ id }) => !seen.before.has(id))
  const named = fresh.find((row) => names(row, seen.site))
  const views = await Promise.all(fresh.map(({ id }) => ask<IncidentView>(scene, `/incidents/${id}`)))
  const symptoms = views.flatMap((one) => one.symptoms)
  const whole = views.find(({ id }) => id === named?.id)
  for (const { title, alerts, suppressed, symptoms: own } of views)
    report(`${title}: ${alerts} alerts, ${suppressed} of them suppressed, ${own.length} symptoms`)
  const alerts = (await alertsOf(scene)).filter(({ severity, state }) => severity !== "info" && state !== "pending")
  const open = alerts.filter(({ heldBack }) => heldBack === null)
  for (const { deviceName, summary } of open) report(`told: ${deviceName}: ${summary}`)
  const held = alerts.flatMap(({ heldBack }) => (heldBack === null ? [] : [heldBack.reason]))
  const silent = new Set(alerts.filter(({ rule }) => rule === RULE).map(({ deviceName }) => deviceName))
  return {
    figures: {
      devices: seen.dead.size,
      incident_ms: seen.openMs,
      cause_ms: seen.causeMs,
      incidents: fresh.length,
      named_site_power: Number(named !== undefined && named.cause?.members.length === 1),
      confidence: named?.cause === null || named === undefined ? null : round(named.cause.confidence, 3),
      devices_with_alert: silent.size,
      symptoms: symptoms.length,
      symptoms_unexplained: symptoms.filter(({ explainedBy }) => explainedBy === null).length,
      alerts_firing: alerts.length,
      alerts_told: open.length,
      /** Somebody was told of them, if only for a moment: before a cause was known there was nothing to hold them back. */
      alerts_told_ever: new Set(seen.told.flatMap(tellsAlert)).size,
      held_without_cause_and_evidence: held.filter((why) => !HELD.test(why)).length,
      devices_hit: whole?.impact.devices.length ?? 0,
    },
    outcome: [seen.dead.size, fresh.length, named !== undefined],
  }
}

/** Incident, cause with its confidence, and evidence. */
const HELD = /^incident \d+-\d+: explained by .+ \(\d+ %\), for .+/

const isOfIncident = ({ type }: EventView): boolean => type.startsWith("incident.")
const tellsAlert = ({ type, severity, subject, entity, old }: EventView): readonly string[] =>
  type === "alert.firing" && severity !== "indeterminate" ? [`${subject} ${entity} ${old}`] : []
const firedOn = (events: readonly EventView[], rule: string): ReadonlySet<string> =>
  new Set(events.flatMap(({ type, old, subject }) => (type.startsWith("alert.") && old === rule ? [subject] : [])))

const names = ({ cause }: IncidentRow, site: string): boolean =>
  cause?.members.some(({ fault, id }) => fault === "site-power" && id === site) === true

const ask = async <A>({ engine, cookie }: Scene, path: string): Promise<A> =>
  (await personOf(engine.url, cookie).call("GET", path)) as A

/** Those whose alarms last: what came back of an earlier one counts as what it is, open. */
const openIncidents = async (scene: Scene): Promise<readonly IncidentRow[]> =>
  (await ask<{ items: readonly IncidentRow[] }>(scene, "/incidents?limit=100&state=open")).items.filter(
    ({ state }) => state === "open",
  )

const alertsOf = async (scene: Scene): Promise<readonly AlertView[]> => {
  const all: AlertView[] = []
  for (let after = ""; ;) {
    const page = await ask<{ items: readonly AlertView[]; next: string | null }>(scene, `/alerts?limit=500${after}`)
    all.push(...page.items)
    if (page.next === null) return all
    after = `&after=${encodeURIComponent(page.next)}`
  }
}

interface RuleRow {
  readonly rule: Readonly<Record<string, unknown>> & {
    readonly condition: { readonly conditions: ReadonlyArray<Readonly<Record<string, unknown>>> }
  }
}

/** A run that cannot wait five minutes lets the shipped rule wait less, and changes nothing else of it. */
const shorten = async (scene: Scene, seconds: number): Promise<void> => {
  const person = personOf(scene.engine.url, scene.cookie)
  const { rule } = (await person.call("GET", `/alert-rules/${RULE}`)) as RuleRow
  const { condition } = rule
  const conditions = condition.conditions.map((one) => (one["type"] === "absent" ? { ...one, seconds } : one))
  await person.call("PUT", `/alert-rules/${RULE}`, { ...rule, condition: { ...condition, conditions } })
}

const pause = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms))
