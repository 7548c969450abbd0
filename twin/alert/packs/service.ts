/**
 * Declared services (twin/service/): what is down, what is weak, and whose fault a transit's is. The twin says it as an event
 * of the service, on the device of ours that stands for it; each rule stands until another word of the same service.
 */
import type { Condition, Rule, RuleEvent, Scope, TextPattern } from "#protocol/rule.ts"
import { all, packRule } from "#twin/alert/packs/pack.ts"
import type { RulePack } from "#twin/alert/packs/pack.ts"

const scope: Scope = { by_entity_type: ["service"] }
/** So long after one another two words of a service are weighed against each other. */
const WITHIN_S = 10

const event = (event_type: RuleEvent, now?: TextPattern): Condition => ({
  type: "event",
  event_type,
  ...(now === undefined ? {} : { match: { new: now } }),
  count: 1,
  lookback_seconds: WITHIN_S,
})
const any = (...conditions: readonly Condition[]): Condition => ({ type: "composite", op: "or", conditions })

/** Stands from one word of the service to any other. */
const from = (word: Condition, other: Condition): Pick<Rule, "condition" | "recover" | "recover_seconds"> => ({
  condition: all(word, { type: "composite", op: "not", conditions: [other] }),
  recover: other,
  recover_seconds: 0,
})

const UP = event("service.up")
const DEGRADED = event("service.degraded")
const DOWN = event("service.down")
const OUT = event("service.down", "down-out")
const BEYOND = event("service.degraded", "degraded-beyond")
const SESSION = event("service.down", { re2: "^down-(session|inside)$" })
const PLAIN = event("service.down", "down")

export const service: RulePack = {
  id: "service",
  name: "Services",
  rules: [
    packRule({
      id: "transit-out",
      name: "Transit is out",
      severity: "critical",
      scope,
      ...from(OUT, any(UP, DEGRADED, SESSION)),
      summary: "The transit {{entity}} is out: eBGP of {{device}} is down and public targets do not answer",
      description:
        "Our own network is well, no eBGP session of this transit is established, and several sites have lost the public targets that they watch.",
      fires:
        "event 1m service:t service.down down-out\nexpect firing transit-out service:t at 2m\nexpect firing transit-out service:t at 2h\nevent 121m service:t service.up up\nexpect ok transit-out service:t at 122m",
      quiet: "event 1m service:t service.down down-session\nwait 5m\nexpect never transit-out",
    }),
    packRule({
      id: "transit-beyond",
      name: "Upstream degraded beyond us",
      severity: "warn",
      scope,
      ...from(BEYOND, any(UP, DOWN, event("service.degraded", "degraded"))),
      summary: "eBGP of {{entity}} stands, and public targets do not answer from several sites",
      description: "Something beyond our own edges is broken. Who it is cannot be told from here.",
      fires:
        "event 1m service:t service.degraded degraded-beyond\nexpect firing transit-beyond service:t at 2m\nevent 9m service:t service.up up\nexpect ok transit-beyond service:t at 10m",
      quiet: "event 1m service:t service.degraded degraded\nwait 5m\nexpect never transit-beyond",
    }),
    packRule({
      id: "transit-session-down",
      name: "eBGP of a transit is down",
      severity: "warn",
      scope,
      ...from(SESSION, any(UP, DEGRADED, OUT)),
      summary: "No eBGP session of {{entity}} is established",
      description: "Public targets still answer by another way, or nobody watches any, or the fault is our own.",
      fires:
        "event 1m service:t service.down down-session\nexpect firing transit-session-down service:t at 2m\nevent 9m service:t service.down down-out\nexpect ok transit-session-down service:t at 10m",
      quiet: "event 1m service:t service.down down\nwait 5m\nexpect never transit-session-down",
    }),
    packRule({
      id: "service-down",
      name: "Service down",
      severity: "critical",
      scope,
      ...from(PLAIN, any(UP, DEGRADED)),
      summary: "The service {{entity}} is down",
      description: "Nothing of what does its work is left, or a group that it hangs on has less than it needs.",
      fires:
        "event 1m service:dns service.down down\nexpect firing service-down service:dns at 2m\nevent 9m service:dns service.degraded degraded\nexpect ok service-down service:dns at 10m",
      quiet: "event 1m service:dns service.degraded degraded\nwait 5m\nexpect never service-down",
    }),
    packRule({
      id: "service-degraded",
      name: "Service degraded",
      severity: "info",
      scope,
      ...from(event("service.degraded", { re2: "^degraded(-inside)?$" }), any(UP, DOWN, BEYOND)),
      summary: "The service {{entity}} works, and has lost a part of what does its work",
      description: "It goes on with less: a resolver of two, a core router of four, a session of two.",
      fires:
        "event 1m service:dns service.degraded degraded\nexpect firing service-degraded service:dns at 2m\nevent 9m service:dns service.up up\nexpect ok service-degraded service:dns at 10m",
      quiet: "event 1m service:dns service.down down\nwait 5m\nexpect never service-degraded",
    }),
  ],
}
