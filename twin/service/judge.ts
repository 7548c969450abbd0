/**
 * How one declared service does now, with its reasons: a pure reading of the cells. Of members that no group holds, one that
 * is gone weakens the service and all of them together take it down; a group says itself what it needs. A transit is judged
 * by its eBGP, our own network and the public targets (transit.ts), whatever else was declared for it.
 */
import { say } from "#protocol/phrase.ts"
import type { ServiceCondition, ServiceHealth, ServiceReason } from "#protocol/service.ts"
import { SERVICE_REASONS_MAX } from "#protocol/service.ts"
import type { ServicePlan, ServicesPlan, TransitPlan } from "#twin/service/plan.ts"
import { transitFinding } from "#twin/service/transit.ts"
import type { Reading, Unit } from "#twin/service/unit.ts"
import { deviceUnit, groupUnit, linkUnit } from "#twin/service/unit.ts"
import type { Met, Public } from "#twin/service/upstream.ts"
import { insideOf, metAt, publicTargets } from "#twin/service/upstream.ts"

export type Judgement = Pick<ServiceCondition, "health" | "words" | "reasons" | "transit">

/** Of these services of the plan, by index. What all transits share is read once. */
export const judgeServices = (
  reading: Reading,
  plan: ServicesPlan,
  wanted: readonly number[],
): ReadonlyMap<number, Judgement> => {
  const isTransit = wanted.some((index) => plan.services[index]!.transit !== null)
  const met = new Map<number, Met>()
  if (isTransit) for (const index of plan.transits) met.set(index, metAt(reading, plan.services[index]!.transit!))
  const targets = isTransit ? publicTargets(reading, plan) : null
  const working = [...met.values()].filter(({ ebgp }) => ebgp === "up" || ebgp === "part").length
  return new Map(
    wanted.map((index) => {
      const service = plan.services[index]!
      const here = met.get(index)
      return [
        index,
        service.transit === null || here === undefined || targets === null
          ? judged(reading, service)
          : judgedTransit(service, service.transit, here, targets, working),
      ]
    }),
  )
}

const NOTHING: ServiceReason = { text: say("service.why.nothing"), isFault: false, kind: "", id: "" }

const judged = (reading: Reading, plan: ServicePlan): Judgement => {
  const { service, devices, links, groups, needs } = plan
  const countsSessions = service.kind === "pppoe"
  const loose = [
    ...devices.map((slot) => deviceUnit(reading, slot, needs.get(slot) ?? [], countsSessions)),
    ...links.map((link) => linkUnit(reading, link)),
  ]
  const grouped = groups.map((group) => groupUnit(reading, group))
  const health = healthOf(loose, grouped)
  const reasons = [...grouped, ...loose].map((unit) => unit.reason)
  return {
    health,
    words: wordsOf(service.name, health),
    reasons: reasons.length === 0 ? [NOTHING] : shown(reasons),
    transit: null,
  }
}

export const healthOf = (loose: readonly Unit[], groups: readonly Unit[]): ServiceHealth => {
  const all = [...loose, ...groups]
  const has = (units: readonly Unit[], state: Unit["state"]): boolean => units.some((unit) => unit.state === state)
  if (!all.some(({ state }) => state !== "unknown")) return "unknown"
  if (has(groups, "down")) return "down"
  if (groups.length === 0 && all.every(({ state }) => state === "down")) return "down"
  return has(all, "down") || has(all, "weak") ? "degraded" : "up"
}

const wordsOf = (service: string, health: ServiceHealth): string => {
  switch (health) {
    case "up":
      return say("service.up", { service })
    case "degraded":
      return say("service.degraded", { service })
    case "down":
      return say("service.down", { service })
    case "unknown":
      return ""
  }
}

/** Faults first; of what is well a sentence only where there is one. */
const shown = (reasons: readonly ServiceReason[]): readonly ServiceReason[] =>
  [
    ...reasons.filter(({ isFault }) => isFault),
    ...reasons.filter(({ isFault, text }) => !isFault && text !== ""),
  ].slice(0, SERVICE_REASONS_MAX)

const judgedTransit = (
  { service }: ServicePlan,
  { provider, attachments }: TransitPlan,
  met: Met,
  targets: Public,
  working: number,
): Judgement => {
  const { health, verdict, confidence } = transitFinding(met.ebgp, insideOf(met, targets), targets.targets, working)
  const reasons = attachments.length === 0 ? [NOTHING] : [...met.reasons, ...targets.reasons]
  const transit = verdict === null ? null : { verdict, confidence }
  return { health, words: transitWords(service.name, provider, health, verdict), reasons: shown(reasons), transit }
}

const transitWords = (
  service: string,
  provider: string,
  health: ServiceHealth,
  verdict: NonNullable<ServiceCondition["transit"]>["verdict"] | null,
): string => {
  switch (verdict) {
    case "out":
      return say("service.transit.out", { provider })
    case "session":
      return say("service.transit.session", { provider })
    case "beyond":
      return say("service.transit.beyond", { provider })
    case "inside":
      return health === "down" ? say("service.transit.inside", { service }) : wordsOf(service, health)
    case null:
      return wordsOf(service, health)
  }
}
