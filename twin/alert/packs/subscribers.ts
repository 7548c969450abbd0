/** Pack G: subscribers, by counts and never by name. */
import { all, level, packRule } from "#twin/alert/packs/pack.ts"
import type { RulePack } from "#twin/alert/packs/pack.ts"

const SESSIONS = "- pppoe.sessions.active"

export const subscribers: RulePack = {
  id: "subscribers",
  name: "G · Subscribers",
  rules: [
    packRule({
      id: "pppoe-drop",
      name: "PPPoE sessions dropped",
      severity: [
        {
          when: {
            type: "rate_of_change",
            metric: "pppoe.sessions.active",
            operator: "<",
            threshold_num: -0.5,
            lookback_seconds: 300,
            relative: true,
          },
          sev: "critical",
        },
        {
          when: {
            type: "rate_of_change",
            metric: "pppoe.sessions.active",
            operator: "<",
            threshold_num: -0.2,
            lookback_seconds: 300,
            relative: true,
          },
          sev: "warn",
        },
      ],
      condition: {
        type: "rate_of_change",
        metric: "pppoe.sessions.active",
        operator: "<",
        threshold_num: -0.2,
        lookback_seconds: 300,
        relative: true,
      },
      summary: "{{device}} lost {{percent}} % of its PPPoE sessions within five minutes",
      description: "A fifth gone within five minutes; half gone is critical.",
      fires: `load 0s..10m every 30s ${SESSIONS} 3000\nload 630s..15m every 30s ${SESSIONS} 1200\nexpect firing pppoe-drop - at 11m\nexpect severity critical pppoe-drop`,
      quiet: `load 0s..60m every 30s ${SESSIONS} 3000 -> 2000\nexpect never pppoe-drop`,
    }),
    packRule({
      id: "pppoe-none",
      name: "No PPPoE session left",
      severity: "critical",
      condition: all(
        level("last", "pppoe.sessions.active", "==", 0, 300),
        level("max", "pppoe.sessions.active", ">", 10, 3600),
      ),
      summary: "{{device}} has no PPPoE session left",
      description: "There were more than ten within the hour.",
      fires: `load 0s..10m every 30s ${SESSIONS} 500\nload 630s..15m every 30s ${SESSIONS} 0\nexpect firing pppoe-none - at 11m`,
      quiet: `load 0s..60m every 30s ${SESSIONS} 0\nexpect never pppoe-none`,
    }),
    packRule({
      id: "pppoe-churn",
      name: "PPPoE churn",
      severity: "warn",
      condition: all(
        level("avg", "pppoe.disconnects_per_min", ">", 30, 600),
        level("avg", "pppoe.connects_per_min", ">", 20, 600),
      ),
      summary: "Subscribers of {{device}} come and go: {{value}} a minute",
      description: "Sessions that end and begin again: a flapping access link, or a wrong timeout.",
      fires:
        "load 0s..15m every 1m - pppoe.disconnects_per_min 80\nload 0s..15m every 1m - pppoe.connects_per_min 75\nexpect firing pppoe-churn - at 10m",
      quiet:
        "load 0s..15m every 1m - pppoe.disconnects_per_min 3\nload 0s..15m every 1m - pppoe.connects_per_min 75\nexpect never pppoe-churn",
    }),
    packRule({
      id: "pppoe-auth-failures",
      name: "PPPoE logins refused",
      severity: "warn",
      condition: level("avg", "pppoe.auth_failures_per_min", ">", 20, 600),
      recover: level("avg", "pppoe.auth_failures_per_min", "<", 10, 600),
      summary: "{{device}} refuses {{value}} logins a minute",
      description: "RADIUS refuses, or its data base is away; or somebody guesses.",
      fires: "load 0s..15m every 1m - pppoe.auth_failures_per_min 60\nexpect firing pppoe-auth-failures - at 10m",
      quiet: "load 0s..15m every 1m - pppoe.auth_failures_per_min 4\nexpect never pppoe-auth-failures",
    }),
    packRule({
      id: "radius-down",
      name: "RADIUS down",
      severity: "critical",
      condition: { type: "state_not_in", metric: "radius.up", good_values: [true], lookback_seconds: 60 },
      summary: "{{device}} reaches no RADIUS server",
      description: "Who is connected stays; who disconnects does not come back.",
      fires: "load 0s..5m every 20s - radius.up down\nexpect firing radius-down - at 1m",
      quiet: "load 0s..5m every 20s - radius.up up\nexpect never radius-down",
    }),
    packRule({
      id: "dhcp-drop",
      name: "DHCP leases dropped",
      severity: "warn",
      condition: all(
        { type: "baseline", metric: "dhcp.leases.active", operator: "<", factor: 0.6, baseline_seconds: 3600 },
        level("max", "dhcp.leases.active", ">", 20, 3600),
      ),
      for_seconds: 120,
      summary: "{{device}} has {{value}} DHCP leases, far fewer than in the hour before",
      description: "Below 60 % of the mean of the hour before.",
      fires:
        "load 0s..61m every 1m - dhcp.leases.active 400\nload 62m..70m every 1m - dhcp.leases.active 100\nexpect firing dhcp-drop - at 66m",
      quiet:
        "load 0s..61m every 1m - dhcp.leases.active 8\nload 62m..70m every 1m - dhcp.leases.active 1\nexpect never dhcp-drop",
    }),
    packRule({
      id: "nat-surge",
      name: "NAT sessions surge",
      severity: "warn",
      condition: { type: "baseline", metric: "nat.sessions.active", operator: ">", factor: 3, baseline_seconds: 3600 },
      for_seconds: 120,
      summary: "{{device}} holds {{value}} NAT sessions, three times the hour before",
      description: "An infected subscriber or an attack fills the table for everybody.",
      fires:
        "load 0s..61m every 1m - nat.sessions.active 20000\nload 62m..70m every 1m - nat.sessions.active 150000\nexpect firing nat-surge - at 65m",
      quiet: "load 0s..90m every 1m - nat.sessions.active 20000 -> 40000\nexpect never nat-surge",
    }),
  ],
}
