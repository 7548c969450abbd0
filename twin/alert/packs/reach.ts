/** Packs C and F: whether devices answer, and how well the way to them is. */
import { all, byRole, level, packRule } from "#twin/alert/packs/pack.ts"
import type { RulePack } from "#twin/alert/packs/pack.ts"

const LOSS = "- probe.ping.loss_pct"
const BACK = { type: "event", event_type: "redundancy.restored", count: 1, lookback_seconds: 60 } as const
const RTT = "- probe.ping.rtt_ms"

export const reach: RulePack = {
  id: "reach",
  name: "C · Reachability",
  rules: [
    packRule({
      id: "device-unreachable",
      name: "Device unreachable",
      severity: byRole("critical", "warn"),
      condition: all(
        { type: "consecutive", metric: "device.up", operator: "==", threshold_num: 0, count: 1 },
        level("last", "probe.ping.loss_pct", ">", 0, 300),
      ),
      recover: { type: "consecutive", metric: "device.up", operator: "==", threshold_num: 1, count: 2 },
      recover_seconds: 0,
      summary: "{{device}} at {{site}} answers no ping",
      description:
        "Three pings in a row were lost: the pinger's own verdict, told at once. Two reports of answers end it.",
      fires: `device r1 role core\nload 0s..20s every 10s ${LOSS} 0\nload 0s..20s every 10s - device.up up\nload 26s..26s every 10s ${LOSS} 30\nload 26s..26s every 10s - device.up down\nexpect ok device-unreachable - at 25s\nexpect firing device-unreachable - at 27s\nexpect severity critical device-unreachable`,
      quiet: `load 0s..5m every 2s ${LOSS} 100 / 0\nload 0s..5m every 2s - device.up up\nload 0s..5m every 30s if:ether1 interface.oper_up down\nexpect never device-unreachable`,
    }),
    packRule({
      id: "device-no-contact",
      name: "No contact with the device",
      severity: byRole("critical", "warn"),
      condition: all(
        { type: "consecutive", metric: "device.up", operator: "==", threshold_num: 0, count: 3 },
        { type: "absent", metric: "probe.ping.loss_pct", seconds: 300 },
      ),
      recover: { type: "consecutive", metric: "device.up", operator: "==", threshold_num: 1, count: 2 },
      recover_seconds: 0,
      summary: "{{device}} at {{site}} answers nothing that it is asked",
      description: "For devices that nobody pings: three attempts of the collectors in a row were in vain.",
      fires:
        "device r1 role core\nload 0s..6m every 30s - device.up up\nload 390s..8m every 30s - device.up down\nexpect ok device-no-contact - at 440s\nexpect firing device-no-contact - at 460s",
      quiet: `load 0s..10m every 30s - device.up down\nload 0s..10m every 10s ${LOSS} 100\nexpect never device-no-contact`,
    }),
    packRule({
      id: "management-plane-down",
      name: "Management plane down",
      severity: "warn",
      condition: all(level("min", "device.up", "==", 1, 300), level("max", "device.api.up", "==", 0, 300)),
      for_seconds: 300,
      summary: "{{device}} answers ping, but its API has been silent for five minutes",
      description: "The device forwards, and cannot be asked or configured.",
      fires:
        "load 0s..15m every 30s - device.up up\nload 0s..15m every 30s - device.api.up down\nexpect firing management-plane-down - at 8m",
      quiet:
        "load 0s..15m every 30s - device.up down\nload 0s..15m every 30s - device.api.up down\nexpect never management-plane-down",
    }),
    packRule({
      id: "snmp-silent",
      name: "SNMP silent",
      severity: "warn",
      condition: all(level("min", "device.up", "==", 1, 300), level("max", "device.snmp.up", "==", 0, 300)),
      for_seconds: 300,
      summary: "{{device}} answers ping, but SNMP has been silent for five minutes",
      description: "An access list, a changed community or user, or an agent that died.",
      fires:
        "load 0s..15m every 30s - device.up up\nload 0s..15m every 30s - device.snmp.up down\nexpect firing snmp-silent - at 8m",
      quiet:
        "load 0s..15m every 30s - device.up up\nload 0s..15m every 30s - device.snmp.up up / down\nexpect never snmp-silent",
    }),
    packRule({
      id: "device-rebooted",
      name: "Device rebooted",
      severity: byRole("warn", "info"),
      condition: { type: "event", event_type: "device.rebooted", count: 1, lookback_seconds: 300 },
      recover_seconds: 0,
      summary: "{{device}} at {{site}} has rebooted",
      description: "Stays for five minutes.",
      fires: "event 1m - device.rebooted\nexpect firing device-rebooted - at 2m\nexpect ok device-rebooted - at 7m",
      quiet: "event 1m - device.version.changed 7.18\nwait 10m\nexpect never device-rebooted",
    }),
    packRule({
      id: "device-reboots-again",
      name: "Device reboots again and again",
      severity: byRole("critical", "warn"),
      condition: { type: "event", event_type: "device.rebooted", count: 3, lookback_seconds: 3600 },
      summary: "{{device}} at {{site}} rebooted {{value}} times within an hour",
      description: "Power, heat, memory, or a crash that repeats.",
      fires:
        "event 1m - device.rebooted\nevent 10m - device.rebooted\nevent 20m - device.rebooted\nexpect firing device-reboots-again - at 21m",
      quiet:
        "event 1m - device.rebooted\nevent 50m - device.rebooted\nevent 80m - device.rebooted\nexpect never device-reboots-again",
    }),
    packRule({
      id: "device-flaps",
      name: "Device comes and goes",
      severity: byRole("critical", "warn"),
      condition: { type: "flap", metric: "device.up", transitions: 4, lookback_seconds: 1800 },
      summary: "{{device}} came and went {{value}} times in half an hour",
      description: "An unstable path or unstable power.",
      fires: "load 0s..20m every 2m - device.up up / down\nexpect firing device-flaps - at 10m",
      quiet:
        "load 0s..10m every 1m - device.up up\nload 11m..12m every 1m - device.up down\nload 13m..60m every 1m - device.up up\nexpect never device-flaps",
    }),
    packRule({
      id: "redundancy-lost",
      name: "Second way lost",
      // No symptom of an outage: nobody is cut off. What caused it has an alert of its own.
      severity: "info",
      condition: all(
        { type: "event", event_type: "redundancy.lost", count: 1, lookback_seconds: 60 },
        { type: "composite", op: "not", conditions: [BACK] },
      ),
      recover: BACK,
      recover_seconds: 0,
      cooldown_seconds: 600,
      summary: "{{device}} at {{site}} hangs on one way alone, though two are planned",
      description: "One more failure takes it away. Ends when it has two ways again.",
      fires:
        "event 1m - redundancy.lost\nexpect firing redundancy-lost - at 2m\nexpect firing redundancy-lost - at 3h\nevent 181m - redundancy.restored\nexpect ok redundancy-lost - at 182m",
      quiet: "event 1m - redundancy.restored\nwait 5m\nexpect never redundancy-lost",
    }),
    packRule({
      id: "telemetry-absent",
      name: "No telemetry",
      severity: "warn",
      condition: { type: "absent", metric: "device.uptime_seconds", seconds: 900 },
      summary: "{{device}} has given no reading for {{value}} s",
      description: "What is not measured cannot be judged: every other rule of this device is blind.",
      fires: "load 0s..5m every 1m - device.uptime_seconds 5000\nwait 25m\nexpect firing telemetry-absent - at 21m",
      quiet: "load 0s..60m every 5m - device.uptime_seconds 5000\nexpect never telemetry-absent",
    }),
  ],
}

export const path: RulePack = {
  id: "path",
  name: "F · Loss and round trip",
  rules: [
    packRule({
      id: "loss-2",
      name: "Packet loss",
      severity: byRole("warn", "info"),
      condition: level("avg", "probe.ping.loss_pct", ">", 2, 300),
      recover: level("avg", "probe.ping.loss_pct", "<", 1, 300),
      summary: "{{value}} % of the pings to {{device}} were lost in five minutes",
      description: "Mean loss above 2 % over five minutes.",
      fires: `load 0s..10m every 10s ${LOSS} 5\nexpect firing loss-2 - at 5m`,
      quiet:
        `load 0s..10m every 10s ${LOSS} 0\nload 10m10s..10m10s every 1s ${LOSS} 20\nload 10m20s..20m every 10s ${LOSS} 0\nexpect never loss-2`
          .replaceAll("10m10s", "610s")
          .replaceAll("10m20s", "620s"),
    }),
    packRule({
      id: "loss-20",
      name: "Heavy packet loss",
      severity: byRole("critical", "warn"),
      condition: level("avg", "probe.ping.loss_pct", ">", 20, 60),
      recover: level("avg", "probe.ping.loss_pct", "<", 10, 120),
      for_seconds: 60,
      summary: "{{value}} % of the pings to {{device}} were lost in a minute",
      description: "Mean loss above 20 % over a minute, for a minute.",
      fires: `device r1 role core\nload 0s..5m every 10s ${LOSS} 40\nexpect firing loss-20 - at 2m\nexpect severity critical loss-20`,
      quiet: `load 0s..20m every 10s ${LOSS} 12\nexpect never loss-20`,
    }),
    packRule({
      id: "rtt-p95",
      name: "Round trip too long",
      severity: byRole("warn", "info"),
      condition: level("p95", "probe.ping.rtt_ms", ">", 150, 600),
      recover: level("p95", "probe.ping.rtt_ms", "<", 120, 600),
      summary: "p95 of the round trip to {{device}} is {{value}} ms",
      description:
        "One limit for the whole tenant; make variants of this name scoped to the sites of a region for its own.",
      fires: `load 0s..15m every 10s ${RTT} 200\nexpect firing rtt-p95 - at 10m`,
      quiet: `load 0s..15m every 10s ${RTT} 30\nload 905s..915s every 10s ${RTT} 900\nload 920s..30m every 10s ${RTT} 30\nexpect never rtt-p95`,
    }),
    packRule({
      id: "rtt-risen",
      name: "Round trip risen",
      severity: "info",
      condition: all(
        { type: "baseline", metric: "probe.ping.rtt_ms", operator: ">", factor: 2, baseline_seconds: 3600 },
        level("avg", "probe.ping.rtt_ms", ">", 20, 300),
      ),
      for_seconds: 300,
      summary: "The round trip to {{device}} is {{value}} ms, twice what it was in the hour before",
      description: "Usually traffic that took another path; below 20 ms nobody minds.",
      fires: `load 0s..60m every 30s ${RTT} 10\nload 61m..75m every 30s ${RTT} 60\nexpect firing rtt-risen - at 69m`,
      quiet: `load 0s..60m every 30s ${RTT} 2\nload 61m..75m every 30s ${RTT} 8\nexpect never rtt-risen`,
    }),
    packRule({
      id: "jitter-high",
      name: "Jitter",
      severity: "info",
      condition: level("avg", "probe.ping.jitter_ms", ">", 30, 600),
      recover: level("avg", "probe.ping.jitter_ms", "<", 20, 600),
      summary: "The round trip to {{device}} jitters by {{value}} ms",
      description: "Voice and video suffer from here on.",
      fires: "load 0s..15m every 10s - probe.ping.jitter_ms 45\nexpect firing jitter-high - at 10m",
      quiet: "load 0s..15m every 10s - probe.ping.jitter_ms 4 / 40\nexpect never jitter-high",
    }),
    packRule({
      id: "tcp-service-down",
      name: "TCP service down",
      severity: byRole("critical", "warn"),
      condition: { type: "consecutive", metric: "probe.tcp.up", operator: "==", threshold_num: 0, count: 3 },
      summary: "The TCP service that is probed on {{device}} does not answer",
      description: "Three probes in a row failed.",
      fires: "load 0s..5m every 30s - probe.tcp.up down\nexpect firing tcp-service-down - at 2m",
      quiet: "load 0s..10m every 30s - probe.tcp.up down / up\nexpect never tcp-service-down",
    }),
    packRule({
      id: "http-service-down",
      name: "HTTP service down",
      severity: byRole("critical", "warn"),
      condition: { type: "consecutive", metric: "probe.http.up", operator: "==", threshold_num: 0, count: 3 },
      summary: "The HTTP service that is probed on {{device}} does not answer as it should",
      description: "Three probes in a row failed.",
      fires: "load 0s..5m every 30s - probe.http.up down\nexpect firing http-service-down - at 2m",
      quiet: "load 0s..10m every 30s - probe.http.up up\nexpect never http-service-down",
    }),
    packRule({
      id: "dns-down",
      name: "DNS does not answer",
      severity: "critical",
      condition: { type: "consecutive", metric: "probe.dns.up", operator: "==", threshold_num: 0, count: 3 },
      summary: "The resolver {{device}} answers no query",
      description: "To a subscriber, no DNS is no internet.",
      fires: "device ns1 role dns\nload 0s..5m every 10s - probe.dns.up down\nexpect firing dns-down - at 30s",
      quiet: "load 0s..10m every 10s - probe.dns.up up / down\nexpect never dns-down",
    }),
    packRule({
      id: "dns-slow",
      name: "DNS slow",
      severity: "warn",
      condition: level("p95", "probe.dns.latency_ms", ">", 200, 300),
      recover: level("p95", "probe.dns.latency_ms", "<", 100, 300),
      summary: "p95 of the answers of {{device}} is {{value}} ms",
      description: "Every page waits for several of these.",
      fires: "load 0s..10m every 10s - probe.dns.latency_ms 350\nexpect firing dns-slow - at 5m",
      quiet: "load 0s..10m every 10s - probe.dns.latency_ms 15\nexpect never dns-slow",
    }),
  ],
}
