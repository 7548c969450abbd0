/** Packs A and B: OSPF adjacencies and BGP sessions. */
import { all, byRole, level, packRule } from "#twin/alert/packs/pack.ts"
import type { RulePack } from "#twin/alert/packs/pack.ts"

const OSPF = "ospf:10.0.0.2 ospf.neighbor.state"
const BGP = "bgp:192.0.2.1 bgp.peer.state"

export const ospf: RulePack = {
  id: "ospf",
  name: "A · OSPF",
  rules: [
    packRule({
      id: "ospf-not-full",
      name: "OSPF neighbour not Full",
      severity: byRole("critical", "warn"),
      condition: { type: "state_not_in", metric: "ospf.neighbor.state", good_values: ["full"], lookback_seconds: 60 },
      summary: "OSPF neighbour {{entity}} of {{device}} is not Full",
      description: "On broadcast segments 2way is normal between routers that are neither DR nor BDR: scope those out.",
      fires: `load 0s..1m every 10s ${OSPF} full\nload 70s..4m every 10s ${OSPF} init\nexpect ok ospf-not-full ospf:10.0.0.2 at 2m\nexpect firing ospf-not-full ospf:10.0.0.2 at 131s`,
      quiet: `load 0s..1m every 10s ${OSPF} full\nload 70s..110s every 10s ${OSPF} loading\nload 2m..10m every 10s ${OSPF} full\nexpect never ospf-not-full`,
    }),
    packRule({
      id: "ospf-flap",
      name: "OSPF neighbour flaps",
      severity: byRole("critical", "warn"),
      condition: { type: "flap", metric: "ospf.neighbor.up", transitions: 4, lookback_seconds: 600 },
      summary: "OSPF neighbour {{entity}} of {{device}} changed {{value}} times in ten minutes",
      description: "More than three changes in ten minutes: every one makes all routers compute their paths anew.",
      fires:
        "load 0s..5m every 30s ospf:10.0.0.2 ospf.neighbor.up up / down\nexpect firing ospf-flap ospf:10.0.0.2 at 4m",
      quiet:
        "load 0s..5m every 30s ospf:10.0.0.2 ospf.neighbor.up up\nload 6m..8m every 30s ospf:10.0.0.2 ospf.neighbor.up down\nload 9m..15m every 30s ospf:10.0.0.2 ospf.neighbor.up up\nexpect never ospf-flap",
    }),
    packRule({
      id: "ospf-stuck",
      name: "OSPF neighbour stuck in the exchange of databases",
      severity: "warn",
      condition: all(
        level("min", "ospf.neighbor.state", ">=", 4, 120),
        level("max", "ospf.neighbor.state", "<=", 6, 120),
      ),
      for_seconds: 120,
      summary: "OSPF neighbour {{entity}} of {{device}} is stuck between ExStart and Loading",
      description: "Nearly always two ends with different MTU.",
      fires: `load 0s..10m every 30s ${OSPF} exstart\nexpect firing ospf-stuck ospf:10.0.0.2 at 5m`,
      quiet: `load 0s..1m every 30s ${OSPF} exstart\nload 90s..10m every 30s ${OSPF} full\nexpect never ospf-stuck`,
    }),
    packRule({
      id: "ospf-silent",
      name: "OSPF neighbour no longer reported",
      severity: "warn",
      condition: all(
        { type: "absent", metric: "ospf.neighbor.state", seconds: 300 },
        level("count", "device.uptime_seconds", ">", 0, 300),
      ),
      summary: "{{device}} answers, but has not listed OSPF neighbour {{entity}} for five minutes",
      description: "A neighbour that went away altogether has no state any more; the device itself still answers.",
      fires: `load 0s..20m every 1m - device.uptime_seconds 1000\nload 0s..5m every 1m ${OSPF} full\nexpect firing ospf-silent ospf:10.0.0.2 at 11m`,
      quiet: `load 0s..5m every 1m - device.uptime_seconds 1000\nload 0s..5m every 1m ${OSPF} full\nwait 30m\nexpect never ospf-silent`,
    }),
  ],
}

export const bgp: RulePack = {
  id: "bgp",
  name: "B · BGP",
  rules: [
    packRule({
      id: "bgp-session-down",
      name: "BGP session down",
      severity: byRole("critical", "warn"),
      condition: { type: "state_not_in", metric: "bgp.peer.state", good_values: ["established"], lookback_seconds: 60 },
      summary: "BGP session of {{device}} with {{entity}} is down",
      description: "Not Established for a minute.",
      fires: `load 0s..1m every 10s ${BGP} established\nload 70s..4m every 10s ${BGP} active\nexpect firing bgp-session-down bgp:192.0.2.1 at 131s`,
      quiet: `load 0s..1m every 10s ${BGP} established\nload 70s..110s every 10s ${BGP} openconfirm\nload 2m..6m every 10s ${BGP} established\nexpect never bgp-session-down`,
    }),
    packRule({
      id: "bgp-rr-session-down",
      name: "BGP session down",
      severity: "critical",
      scope: { by_roles: ["rr"] },
      condition: { type: "state_not_in", metric: "bgp.peer.state", good_values: ["established"], lookback_seconds: 30 },
      summary: "Route reflector {{device}} lost its session with {{entity}}",
      description:
        "The variant for route reflectors: half the time, always critical. It outweighs bgp-session-down there.",
      fires: `device rr1 role rr\nload 0s..1m every 10s ${BGP} established\nload 70s..4m every 10s ${BGP} idle\nexpect firing bgp-rr-session-down bgp:192.0.2.1 at 101s\nexpect never bgp-session-down\nexpect severity critical bgp-rr-session-down`,
      quiet: `device r1 role edge\nload 0s..4m every 10s ${BGP} idle\nexpect never bgp-rr-session-down`,
    }),
    packRule({
      id: "bgp-flap",
      name: "BGP session flaps",
      severity: byRole("critical", "warn"),
      condition: { type: "flap", metric: "bgp.peer.up", transitions: 4, lookback_seconds: 900 },
      summary: "BGP session of {{device}} with {{entity}} changed {{value}} times in a quarter of an hour",
      description: "Neighbours may dampen the routes of a session that flaps.",
      fires: "load 0s..10m every 1m bgp:192.0.2.1 bgp.peer.up up / down\nexpect firing bgp-flap bgp:192.0.2.1 at 5m",
      quiet:
        "load 0s..5m every 1m bgp:192.0.2.1 bgp.peer.up up\nload 6m..7m every 1m bgp:192.0.2.1 bgp.peer.up down\nload 8m..40m every 1m bgp:192.0.2.1 bgp.peer.up up\nexpect never bgp-flap",
    }),
    packRule({
      id: "bgp-flaps-counted",
      name: "BGP session was reset between polls",
      severity: "info",
      condition: {
        type: "rate_of_change",
        metric: "bgp.peer.flaps_total",
        operator: ">",
        threshold_num: 0.0033,
        lookback_seconds: 900,
      },
      summary: "BGP session of {{device}} with {{entity}} is reset again and again",
      description:
        "The device's own counter grew by three or more in a quarter of an hour: polls alone can miss short resets.",
      fires:
        "load 0s..20m every 1m bgp:192.0.2.1 bgp.peer.flaps_total 0 -> 20\nexpect firing bgp-flaps-counted bgp:192.0.2.1 at 16m",
      quiet: "load 0s..20m every 1m bgp:192.0.2.1 bgp.peer.flaps_total 7\nexpect never bgp-flaps-counted",
    }),
    packRule({
      id: "bgp-prefix-drop",
      name: "BGP prefixes dropped",
      severity: byRole("critical", "warn"),
      enabled: false,
      condition: {
        type: "baseline",
        metric: "bgp.peer.prefixes_in",
        operator: "<",
        factor: 0.7,
        baseline_seconds: 600,
      },
      summary: "{{entity}} sends {{device}} {{value}} prefixes, fewer than 70 % of ten minutes ago",
      description: "Off as shipped: peers that announce few prefixes swing without anything being wrong.",
      fires:
        "load 0s..15m every 30s bgp:192.0.2.1 bgp.peer.prefixes_in 900000\nload 15.5m..16m every 30s bgp:192.0.2.1 bgp.peer.prefixes_in 400000\nexpect firing bgp-prefix-drop bgp:192.0.2.1 at 16m",
      quiet: "load 0s..30m every 30s bgp:192.0.2.1 bgp.peer.prefixes_in 900000 -> 700000\nexpect never bgp-prefix-drop",
    }),
    packRule({
      id: "bgp-prefix-surge",
      name: "BGP prefixes surge",
      severity: "warn",
      enabled: false,
      condition: {
        type: "baseline",
        metric: "bgp.peer.prefixes_in",
        operator: ">",
        factor: 1.5,
        baseline_seconds: 3600,
      },
      summary: "{{entity}} sends {{device}} {{value}} prefixes, half as many again as in the hour before",
      description: "Off as shipped. A customer or peer that leaks a table looks like this.",
      fires:
        "load 0s..61m every 1m bgp:192.0.2.1 bgp.peer.prefixes_in 100\nload 62m..63m every 1m bgp:192.0.2.1 bgp.peer.prefixes_in 900000\nexpect firing bgp-prefix-surge bgp:192.0.2.1 at 63m",
      quiet: "load 0s..90m every 1m bgp:192.0.2.1 bgp.peer.prefixes_in 100 -> 140\nexpect never bgp-prefix-surge",
    }),
    packRule({
      id: "bgp-no-prefixes",
      name: "BGP session without prefixes",
      severity: byRole("warn", "info"),
      condition: all(level("min", "bgp.peer.state", ">=", 5, 300), level("max", "bgp.peer.prefixes_in", "==", 0, 300)),
      for_seconds: 300,
      summary: "{{entity}} is Established with {{device}} and sends no prefix",
      description: "The session is up and useless: a filter, or a neighbour with nothing to say.",
      fires: `load 0s..15m every 1m ${BGP} established\nload 0s..15m every 1m bgp:192.0.2.1 bgp.peer.prefixes_in 0\nexpect firing bgp-no-prefixes bgp:192.0.2.1 at 8m`,
      quiet: `load 0s..15m every 1m ${BGP} established\nload 0s..15m every 1m bgp:192.0.2.1 bgp.peer.prefixes_in 12\nexpect never bgp-no-prefixes`,
    }),
  ],
}
