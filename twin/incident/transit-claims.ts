/**
 * What an outage of transit explains, beyond what root cause sees: the alerts of that very service, and the subscribers of
 * concentrators that have no way out without the transits that are out. These belong to the outage's incident, also
 * where they came before its verdict and opened one of their own.
 */
import { alertNameOf } from "#protocol/alert.ts"
import { serviceKey } from "#protocol/id.ts"
import { say } from "#protocol/phrase.ts"
import type { Condition } from "#protocol/rule.ts"
import { NEAR_MS } from "#twin/incident/correlate.ts"
import { joined, looseSymptom } from "#twin/incident/placing.ts"
import type { Sitting } from "#twin/incident/sitting.ts"
import { isOpen, note, put, signalled } from "#twin/incident/sitting.ts"
import type { Incident, LooseAlert, Symptom } from "#twin/incident/state.ts"
import { lossesWithout, transitHome } from "#twin/incident/transit.ts"
import { planOf } from "#twin/service/watch.ts"

interface Claim {
  /** Id of the incident. */
  readonly home: string
  readonly isIts: (symptom: Symptom) => boolean
}

/** Gives the incidents of ill transits what is theirs; returns the alerts that go on looking for a place. */
export const transitClaims = (sitting: Sitting, loose: readonly LooseAlert[]): readonly LooseAlert[] => {
  const claims = claimsOf(sitting)
  if (claims.length === 0) return loose
  for (const claim of claims) claimed(sitting, claim)
  return loose.filter((one) => {
    const symptom = looseSymptom(sitting, one)
    const claim = symptom === null ? undefined : claims.find(({ isIts }) => isIts(symptom))
    if (symptom !== null && claim !== undefined) added(sitting, claim.home, [symptom])
    return claim === undefined
  })
}

const claimsOf = (sitting: Sitting): readonly Claim[] => {
  const { services, topology } = sitting.world
  if (services.states.size === 0 || (topology.inventory.services?.length ?? 0) === 0) return []
  const plan = planOf(services, sitting.world)
  const claims: Claim[] = []
  const links: number[] = []
  const nodes = new Set<number>()
  let last: { readonly home: string; readonly sinceMs: number } | null = null
  let firstMs = Number.POSITIVE_INFINITY
  for (const index of plan.transits) {
    const one = plan.services[index]!
    const condition = services.states.get(one.service.id)?.condition
    const verdict = condition?.transit?.verdict
    if (condition === undefined || verdict === undefined || verdict === "inside") continue
    const home = transitHome(sitting, one)?.id
    if (home === undefined) continue
    const entity = serviceKey(one.service.id)
    claims.push({ home, isIts: (symptom) => symptom.entity === entity })
    if (verdict !== "out") continue
    for (const { link, far } of one.transit!.attachments) {
      links.push(link)
      if (far >= 0) nodes.add(far)
    }
    firstMs = Math.min(firstMs, condition.sinceMs)
    if (last === null || condition.sinceMs > last.sinceMs) last = { home, sinceMs: condition.sinceMs }
  }
  if (last !== null) claims.push({ home: last.home, isIts: subscribersOf(sitting, links, nodes, firstMs - NEAR_MS) })
  return claims
}

/** Losses of sessions since then, where no way out is left without these links. The what-if runs when somebody asks. */
const subscribersOf = (
  sitting: Sitting,
  links: readonly number[],
  nodes: ReadonlySet<number>,
  sinceMs: number,
): Claim["isIts"] => {
  const { world } = sitting
  let cut: ReadonlySet<string> | null = null
  const cutOff = (): ReadonlySet<string> => {
    const { offline } = lossesWithout(sitting, { links, nodes, sessionsOf: () => Number.NaN })
    return new Set(offline.map((slot) => world.topology.inventory.devices[slot]?.id ?? ""))
  }
  return (symptom) =>
    symptom.sinceMs >= sinceMs && countsSessions(sitting, symptom.alert) && (cut ??= cutOff()).has(symptom.device)
}

const countsSessions = ({ world }: Sitting, alert: string): boolean => {
  const name = alertNameOf(alert)
  const rule = name === null ? undefined : world.judging.rules.find(({ id }) => id === name.rule)
  return rule !== undefined && reads(rule.condition)
}
const reads = (condition: Condition): boolean =>
  condition.type === "composite"
    ? condition.conditions.some(reads)
    : "metric" in condition && condition.metric === "pppoe.sessions.active"

/** From wherever it stands unexplained. */
const claimed = (sitting: Sitting, { home, isIts }: Claim): void => {
  const goes = (one: Symptom): boolean =>
    one.alert !== "" && one.endedMs === null && one.explainedBy === null && isIts(one)
  for (const other of sitting.incidents.values()) {
    if (!isOpen(other)) continue
    const found = other.symptoms.filter(goes)
    if (found.length === 0) continue
    if (other.id !== home) {
      const rest = { ...other, symptoms: other.symptoms.filter((one) => !goes(one)), impactDue: true }
      handedOver(sitting, rest, found.length, home)
    }
    added(sitting, home, found)
  }
}

/** One that has nothing of its own any more, and no cause, is over: it was a part of the other. */
const handedOver = (sitting: Sitting, rest: Incident, count: number, home: string): void => {
  const whole = sitting.incidents.get(home) as Incident
  const isWholly = rest.causes.length === 0 && rest.symptoms.every(({ endedMs }) => endedMs !== null)
  if (!isWholly) {
    const line = say(count === 1 ? "line.belongs.one" : "line.belongs", { count, incident: home })
    note(sitting, rest, "updated", line)
    return
  }
  signalled(sitting, rest, "ended", say("line.part-of", { incident: home, title: whole.title }))
  put(sitting, note(sitting, whole, "updated", say("line.part", { incident: rest.id })))
}

const added = (sitting: Sitting, home: string, found: readonly Symptom[]): void => {
  const incident = sitting.incidents.get(home) as Incident
  const explainedBy = incident.causes[0]?.key ?? null
  const why = say("held.explained", { cause: incident.title })
  joined(
    sitting,
    incident,
    found.map((one) => ({ ...one, explainedBy, why })),
  )
}
