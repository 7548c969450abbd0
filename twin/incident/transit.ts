/**
 * Incidents and services: an outage of a transit stands in the incident whose cause is at that provider, which is then called
 * by it; where nobody has named one (the provider's devices are not ours to see), it opens one of its own, whose cause is the
 * provider. And each incident names the services that are ill where it shows.
 */
import type { CauseMember, EvidenceView } from "#protocol/incident.ts"
import { say } from "#protocol/phrase.ts"
import type { ServiceCondition } from "#protocol/service.ts"
import { serviceKey } from "#protocol/id.ts"
import { impactOf, sessionsBefore } from "#twin/incident/impact.ts"
import type { Sitting } from "#twin/incident/sitting.ts"
import { isOpen, note, opened, put, raised } from "#twin/incident/sitting.ts"
import type { CauseState, Incident, Symptom } from "#twin/incident/state.ts"
import type { ServicePlan, TransitPlan } from "#twin/service/plan.ts"
import { planOf } from "#twin/service/watch.ts"
import { losses } from "#twin/whatif/loss.ts"
import { applyFaults } from "#twin/whatif/fault.ts"
import { lossModelOf } from "#twin/whatif/twin-model.ts"
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

/** A verdict that is the provider's, or that was and has its incident still. */
export const hasTransitNews = (world: World): boolean =>
  illOf(world).some(({ condition }) => condition.transit?.verdict === "out" || condition.transit?.verdict === "beyond")

export const serviceNewsTaken = (sitting: Sitting): void => {
  const ill = illOf(sitting.world)
  for (const one of ill) {
    const { transit } = one.plan
    const verdict = one.condition.transit?.verdict
    if (transit !== null && (verdict === "out" || verdict === "beyond")) transitTaken(sitting, one, transit)
  }
  for (const incident of sitting.incidents.values()) {
    if (!isOpen(incident)) continue
    ended(sitting, incident, ill)
    named(sitting, sitting.incidents.get(incident.id) ?? incident, ill)
  }
}

/** What an incident is called whose cause is at a provider that is out. */
export const titled = ({ transit }: Pick<Incident, "transit">, cause: string): string =>
  transit === undefined ? cause : say("service.transit.out.cause", { provider: transit, cause: lowered(cause) })

const lowered = (title: string): string => title.slice(0, 1).toLowerCase() + title.slice(1)

const transitTaken = (sitting: Sitting, ill: Ill, transit: TransitPlan): void => {
  const { condition, plan } = ill
  const key = `provider:${plan.service.id}`
  const open = [...sitting.incidents.values()].filter(isOpen)
  const own = open.find(({ causes }) => causes.some((cause) => cause.key === key))
  if (own !== undefined) return
  const theirs = elementsOf(sitting.world, transit)
  const caused = open.find(({ causes: [cause] }) => cause !== undefined && cause.keys.some((one) => theirs.has(one)))
  const isOut = condition.transit?.verdict === "out"
  if (caused !== undefined) {
    if (!isOut || caused.transit !== undefined) return
    const next = { ...caused, transit: transit.provider, title: titled({ transit: transit.provider }, caused.title) }
    sitting.updated.add(caused.id)
    raised(sitting, note(sitting, next, "cause", condition.words), "critical")
    return
  }
  const entity = serviceKey(plan.service.id)
  const unknown = open.find(
    ({ causes, symptoms }) => causes.length === 0 && symptoms.some((one) => one.entity === entity),
  )
  const incident = unknown ?? opened(sitting, condition.words, isOut ? "critical" : "warn", condition.sinceMs)
  if (incident !== null) blamed(sitting, incident, ill, transit, key)
}

const blamed = (sitting: Sitting, incident: Incident, ill: Ill, transit: TransitPlan, key: string): void => {
  const { condition } = ill
  const { world, cells } = sitting
  const cause: CauseState = {
    key,
    keys: [key],
    members: [memberOf(world, transit)],
    confidence: condition.transit?.confidence ?? 0,
    rank: "primary",
    because: becauseOf(condition),
    evidence: condition.reasons.map(evidenceOf),
    sinceMs: condition.sinceMs,
    weight: condition.reasons.filter(({ isFault }) => isFault).length,
  }
  const symptom = symptomOf(world, ill)
  const symptoms = symptom === null ? incident.symptoms : [...incident.symptoms, { ...symptom, explainedBy: key }]
  const next = { ...incident, title: condition.words, causes: [cause, ...incident.causes], symptoms }
  const impact = {
    ...impactOf(world, cells, world.desk.sessions, next, null, null),
    ...customersOf(sitting, condition),
  }
  sitting.updated.add(incident.id)
  const sure = `${Math.round(cause.confidence * 100)} %`
  note(sitting, { ...next, impact, impactDue: false }, "cause", `cause: ${condition.words} (${sure}). ${cause.because}`)
}

/** Reasons that a cause tells in its own line; its evidence has all of them. */
const BECAUSE_MAX = 6

const becauseOf = ({ reasons }: ServiceCondition): string =>
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
    !ill.some(
      ({ plan, condition }) =>
        serviceKey(plan.service.id) === entity &&
        (condition.transit?.verdict === "out" || condition.transit?.verdict === "beyond"),
    )
  if (!incident.symptoms.some(isOver)) return
  const symptoms = incident.symptoms.map((one) => (isOver(one) ? { ...one, endedMs: sitting.nowMs } : one))
  put(sitting, { ...incident, symptoms })
}

/** Customers who have no way out without all of the transits that are out: by the session counts of before. */
const customersOf = ({ world, cells }: Sitting, { sinceMs }: ServiceCondition) => {
  const links = illOf(world).flatMap(({ plan, condition }) =>
    condition.transit?.verdict === "out" ? (plan.transit?.attachments ?? []).map(({ link }) => link) : [],
  )
  let oldestMs = Number.POSITIVE_INFINITY
  let all = 0
  const counts = world.topology.inventory.devices.map(({ id }) => {
    const before = sessionsBefore(world.desk.sessions, id, sinceMs)
    if (before === null) return Number.NaN
    oldestMs = Math.min(oldestMs, before[0])
    all += before[1]
    return before[1]
  })
  if (links.length === 0 || !Number.isFinite(oldestMs)) return {}
  const before = { nodes: new Set<number>(), links: new Set(links), sessionsOf: (slot: number) => counts[slot] ?? NaN }
  const model = lossModelOf(world, cells, { before })
  const { customers } = losses(
    model,
    applyFaults(
      model,
      links.map((link) => ({ kind: "link", link }) as const),
    ),
  )
  if (customers.count === null || customers.quality === "unknown") return {}
  return {
    subscribers: { count: customers.count, quality: customers.quality, atMs: oldestMs },
    subscribersPart: all === 0 ? null : Math.min(1, customers.count / all),
  }
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
