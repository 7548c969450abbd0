/**
 * Incidents and services: an outage of a transit stands in the incident whose cause is at that provider, which is then called
 * by it; where nobody has named one (the provider's devices are not ours to see), it opens one of its own, whose cause is the
 * provider. And each incident names the services that are ill where it shows.
 */
import type { CauseMember, EvidenceView } from "#protocol/incident.ts"
import { say } from "#protocol/phrase.ts"
import type { ServiceCondition } from "#protocol/service.ts"
import { serviceKey } from "#protocol/id.ts"
import { impactOf, sessionsBefore, subscribersHit } from "#twin/incident/impact.ts"
import type { Sitting } from "#twin/incident/sitting.ts"
import { isOpen, note, opened, put, raised } from "#twin/incident/sitting.ts"
import type { CauseState, Incident, Symptom } from "#twin/incident/state.ts"
import type { ServicePlan, TransitPlan } from "#twin/service/plan.ts"
import { planOf } from "#twin/service/watch.ts"
import { losses } from "#twin/whatif/loss.ts"
import type { Losses } from "#twin/whatif/loss.ts"
import { applyFaults } from "#twin/whatif/fault.ts"
import { lossModelOf } from "#twin/whatif/twin-model.ts"
import type { Told } from "#twin/whatif/twin-model.ts"
import type { World } from "#twin/round.ts"

/** Services that an incident names. */
const SERVICES_NAMED = 50

interface Ill {
  readonly plan: ServicePlan
  readonly condition: ServiceCondition
}

const illOf = (world: World): readonly Ill[] => {
  const { services } = world
  if (services.states.size === 0) return []
  return planOf(services, world).services.flatMap((plan) => {
    const condition = services.states.get(plan.service.id)?.condition
    return condition?.health === "down" || condition?.health === "degraded" ? [{ plan, condition }] : []
  })
}

/** By the provider's doing, as far as can be told. */
const isTheirs = ({ transit }: ServiceCondition): boolean => transit?.verdict === "out" || transit?.verdict === "beyond"

/** Something is a provider's doing. */
export const hasTransitNews = (world: World): boolean => illOf(world).some(({ condition }) => isTheirs(condition))

/** An incident for each outage of a provider's, and one for all that may be to blame for what is lost beyond us. */
export const transitsTaken = (sitting: Sitting): void => {
  const ill = illOf(sitting.world)
  for (const incident of openOnes(sitting)) ended(sitting, incident, ill)
  const beyond: Blamed[] = []
  for (const { plan, condition } of ill) {
    const { transit } = plan
    const verdict = condition.transit?.verdict
    if (transit === null) continue
    const one: Blamed = { plan, condition, transit, key: providerKey(plan) }
    if (verdict === "out") outTaken(sitting, one)
    if (verdict === "beyond") beyond.push(one)
  }
  if (beyond.length > 0) beyondTaken(sitting, beyond)
}

/** Which services an incident names. */
export const servicesNoted = (sitting: Sitting): void => {
  const ill = illOf(sitting.world)
  for (const incident of sitting.incidents.values()) {
    if (!isOpen(incident)) continue
    named(sitting, incident, ill)
  }
}

/** What an incident is called whose cause is at a provider that is out. */
export const titled = ({ transit }: Pick<Incident, "transit">, cause: string): string =>
  transit === undefined ? cause : say("service.transit.out.cause", { provider: transit, cause: lowered(cause) })

const lowered = (title: string): string => title.slice(0, 1).toLowerCase() + title.slice(1)

/** A transit that is ill by its provider's doing, as far as can be told. */
interface Blamed extends Ill {
  readonly transit: TransitPlan
  /** CauseState.key of an incident that names the provider for want of a better cause. */
  readonly key: string
}
const providerKey = ({ service }: ServicePlan): string => `provider:${service.id}`

const openOnes = ({ incidents }: Sitting): readonly Incident[] => [...incidents.values()].filter(isOpen)
const isOwn = ({ causes }: Incident, key: string): boolean => causes.some(({ keys }) => keys.includes(key))
const isAt = ({ causes: [cause] }: Incident, elements: ReadonlySet<string>): boolean =>
  cause !== undefined && cause.keys.some((one) => elements.has(one))

/** The open incident where an ill transit stands: whose cause is at its provider, else the one that names the provider; null = none. */
export const transitHome = (sitting: Sitting, plan: ServicePlan): Incident | null => {
  const open = openOnes(sitting)
  const theirs = plan.transit === null ? null : elementsOf(sitting.world, plan.transit)
  const key = providerKey(plan)
  const caused = theirs === null ? undefined : open.find((one) => isAt(one, theirs))
  return caused ?? open.find((one) => isOwn(one, key)) ?? null
}

const outTaken = (sitting: Sitting, one: Blamed): void => {
  const { condition, plan, transit, key } = one
  const home = transitHome(sitting, plan)
  if (home !== null && isOwn(home, key)) return lasting(sitting, home, one)
  if (home === null) return blamed(sitting, unknownOf(sitting, plan), [one], key)
  if (home.transit !== undefined) return
  const next = { ...home, transit: transit.provider, title: titled({ transit: transit.provider }, home.title) }
  sitting.updated.add(home.id)
  raised(sitting, note(sitting, next, "cause", condition.words), "critical")
}

/** Whoever it is of those whose eBGP stands: they are the candidates of one cause. */
const beyondTaken = (sitting: Sitting, beyond: readonly Blamed[]): void => {
  const homes = beyond.map(({ plan }) => transitHome(sitting, plan))
  for (const [index, home] of homes.entries())
    if (home !== null && isOwn(home, beyond[index]!.key)) lasting(sitting, home, beyond[index]!)
  const news = beyond.filter((_, index) => homes[index] === null)
  if (news.length === 0) return
  const shared = openOnes(sitting).find((incident) => beyond.some(({ key }) => isOwn(incident, key))) ?? null
  const all = beyond.filter((one) => news.includes(one) || (shared !== null && isOwn(shared, one.key)))
  blamed(sitting, shared ?? unknownOf(sitting, all[0]!.plan), all, shared?.causes[0]?.key ?? all[0]!.key)
}

/** The board (gather of placing.ts) knows nothing of services, and one may be ill again before its incident was over. */
const lasting = (sitting: Sitting, incident: Incident, { plan }: Blamed): void => {
  const entity = serviceKey(plan.service.id)
  const isBack = (one: Symptom): boolean => one.kind === "service" && one.entity === entity && one.endedMs !== null
  if (!incident.symptoms.some(isBack)) return
  put(sitting, {
    ...incident,
    symptoms: incident.symptoms.map((one) => (isBack(one) ? { ...one, endedMs: null } : one)),
  })
}

/** One whose cause nobody knows, and that shows this service. */
const unknownOf = (sitting: Sitting, { service }: ServicePlan): Incident | null => {
  const entity = serviceKey(service.id)
  const shows = ({ symptoms }: Incident): boolean => symptoms.some((one) => one.entity === entity)
  return openOnes(sitting).find((one) => one.causes.length === 0 && shows(one)) ?? null
}

/** The providers are its cause; null = a new incident. */
const blamed = (sitting: Sitting, before: Incident | null, all: readonly Blamed[], key: string): void => {
  const { world, cells } = sitting
  const [{ condition }] = all as readonly [Blamed, ...Blamed[]]
  const title = wordsOf(all)
  const sinceMs = Math.min(...all.map((one) => one.condition.sinceMs))
  const isOut = condition.transit?.verdict === "out"
  const incident = before ?? opened(sitting, title, isOut ? "critical" : "warn", sinceMs)
  if (incident === null) return
  const reasons = reasonsOf(all)
  const sum = all.reduce((total, one) => total + (one.condition.transit?.confidence ?? 0), 0)
  const cause: CauseState = {
    key,
    keys: all.map((one) => one.key),
    members: all.map((one) => memberOf(world, one.transit)),
    confidence: Math.min(1, sum),
    rank: "primary",
    because: becauseOf(reasons),
    evidence: reasons.map(evidenceOf),
    sinceMs,
    weight: reasons.filter(({ isFault }) => isFault).length,
  }
  const shown = new Set(incident.symptoms.filter(({ kind }) => kind === "service").map(({ entity }) => entity))
  const found = all.flatMap((one) => symptomOf(world, one) ?? []).filter(({ entity }) => !shown.has(entity))
  const others = incident.causes.filter((one) => one.key !== key)
  const symptoms = [...incident.symptoms, ...found.map((one) => ({ ...one, explainedBy: key }))]
  const next = { ...incident, title, causes: [cause, ...others], symptoms }
  const impact = {
    ...impactOf(world, cells, world.desk.sessions, next, null, null),
    ...customersOf(sitting, condition),
  }
  sitting.updated.add(incident.id)
  const sure = Math.round(cause.confidence * 100)
  const line = say("line.cause", { title, sure, because: cause.because })
  note(sitting, { ...next, impact, impactDue: false }, "cause", line)
}

const wordsOf = (all: readonly Blamed[]): string =>
  all.length === 1
    ? all[0]!.condition.words
    : say("service.transit.beyond.some", { providers: all.map(({ transit }) => transit.provider).join(", ") })

/** What all of them share is said once. */
const reasonsOf = (all: readonly Blamed[]): ServiceCondition["reasons"] => {
  const byText = new Map(all.flatMap(({ condition }) => condition.reasons.map((one) => [one.text, one] as const)))
  return [...byText.values()].slice(0, REASONS_MAX)
}
const REASONS_MAX = 64

/** Reasons that a cause tells in its own line; its evidence has all of them. */
const BECAUSE_MAX = 6

const becauseOf = (reasons: ServiceCondition["reasons"]): string =>
  say("because.service", {
    parts: reasons
      .filter(({ isFault }) => isFault)
      .slice(0, BECAUSE_MAX)
      .map(({ text }) => text)
      .join("; "),
  })

const evidenceOf = ({ kind, id, text, isFault }: ServiceCondition["reasons"][number]): EvidenceView => ({
  kind: "service",
  standing: isFault ? "for" : "against",
  atMs: null,
  device: kind === "device" ? id : null,
  entity: "",
  text,
})

/** The provider's device where it is in the inventory, else the link to it: what can be shown on a map. */
const memberOf = ({ topology: { inventory } }: World, { provider, attachments: [met] }: TransitPlan): CauseMember => {
  const name = say("service.provider", { provider }).replace(/^the /, "")
  const device = inventory.devices[met?.far ?? -1]
  if (device !== undefined) return { fault: "upstream", kind: "device", id: device.id, name }
  return { fault: "upstream", kind: "link", id: inventory.links[met?.link ?? -1]?.id ?? "", name }
}

/** Keys of causes (CauseState.key) that are at the provider. */
const elementsOf = ({ topology: { inventory } }: World, { attachments }: TransitPlan): ReadonlySet<string> =>
  new Set(
    attachments.flatMap(({ link, far }) => {
      const device = inventory.devices[far]
      const wire = `link:${inventory.links[link]!.id}`
      return device === undefined ? [wire] : [wire, `device:${device.id}`, `site:${device.site}`]
    }),
  )

/** Evidence, so that it lasts as long as the outage whatever rules there are. */
const symptomOf = ({ topology: { inventory } }: World, { plan, condition }: Ill): Symptom | null => {
  const device = inventory.devices[plan.anchor]
  if (device === undefined) return null
  return {
    alert: "",
    kind: "service",
    device: device.id,
    deviceName: device.name,
    site: device.site,
    entity: serviceKey(plan.service.id),
    summary: condition.words,
    severity: null,
    sinceMs: condition.sinceMs,
    endedMs: null,
    explainedBy: null,
    why: null,
  }
}

const ended = (sitting: Sitting, incident: Incident, ill: readonly Ill[]): void => {
  const isOver = ({ kind, endedMs, entity }: Symptom): boolean =>
    kind === "service" &&
    endedMs === null &&
    !ill.some(({ plan, condition }) => serviceKey(plan.service.id) === entity && isTheirs(condition))
  if (!incident.symptoms.some(isOver)) return
  const symptoms = incident.symptoms.map((one) => (isOver(one) ? { ...one, endedMs: sitting.nowMs } : one))
  put(sitting, { ...incident, symptoms })
}

/** Customers who have no way out without all of the transits that are out: by the session counts of before. */
const customersOf = (sitting: Sitting, { sinceMs }: ServiceCondition): Partial<ReturnType<typeof subscribersHit>> => {
  const { world } = sitting
  const links = illOf(world).flatMap(({ plan, condition }) =>
    condition.transit?.verdict === "out" ? (plan.transit?.attachments ?? []).map(({ link }) => link) : [],
  )
  const sessions = sessionsBefore(world.desk.sessions, world.topology, sinceMs)
  if (links.length === 0 || sessions.oldestMs === null) return {}
  const { customers } = lossesWithout(sitting, { links, nodes: new Set(), sessionsOf: sessions.of })
  const hit = subscribersHit(customers, sessions)
  return hit.subscribers === null ? {} : hit
}

/** Who would be cut off, on the network of before, if these links failed; `nodes` = who is down by the same fault. */
export const lossesWithout = (
  { world, cells }: Sitting,
  { links, nodes, sessionsOf }: Pick<Required<Told>["before"], "nodes" | "sessionsOf"> & { links: readonly number[] },
): Losses => {
  const model = lossModelOf(world, cells, { before: { nodes, links: new Set(links), sessionsOf } })
  const faults = links.map((link) => ({ kind: "link", link }) as const)
  return losses(model, applyFaults(model, faults))
}

/** Services that are ill where it shows; one that was stays in the record. */
const named = (sitting: Sitting, incident: Incident, ill: readonly Ill[]): void => {
  if (ill.length === 0) return
  const { impact, causes, symptoms } = incident
  const here = new Set<string>([...impact.devices, ...impact.links])
  for (const { members } of causes) for (const { id } of members) here.add(id)
  for (const { device, endedMs, entity } of symptoms)
    if (endedMs === null) {
      here.add(device)
      here.add(entity)
    }
  const found = ill.filter(
    ({ plan, condition }) =>
      here.has(serviceKey(plan.service.id)) || condition.reasons.some(({ isFault, id }) => isFault && here.has(id)),
  )
  const services = [...new Set([...impact.services, ...found.map(({ plan }) => plan.service.name)])]
  if (services.length === impact.services.length || impact.services.length >= SERVICES_NAMED) return
  put(sitting, { ...incident, impact: { ...impact, services: services.slice(0, SERVICES_NAMED) } })
}
