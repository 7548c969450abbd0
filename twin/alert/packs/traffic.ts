/** Packs D and E: how full interfaces are, and what they lose. */
import { all, byRole, level, packRule } from "#twin/alert/packs/pack.ts"
import type { PackRule, RulePack } from "#twin/alert/packs/pack.ts"
import type { MetricName } from "#protocol/metric.ts"

const UTIL = "if:ether1 interface.utilization_pct"

export const utilization: RulePack = {
  id: "utilization",
  name: "D · Utilisation",
  rules: [
    packRule({
      id: "utilization-80",
      name: "Interface busy",
      severity: byRole("warn", "info"),
      condition: level("avg", "interface.utilization_pct", ">", 80, 600),
      recover: level("avg", "interface.utilization_pct", "<", 75, 600),
      summary: "{{entity}} of {{device}} is used to {{value}} %",
      description: "Mean of ten minutes above 80 %.",
      fires: `load 0s..20m every 30s ${UTIL} 88\nexpect firing utilization-80 if:ether1 at 10m`,
      quiet: `load 0s..33m every 10s ${UTIL} 79.6 / 80.3\nexpect never utilization-80`,
    }),
    packRule({
      id: "utilization-95",
      name: "Interface full",
      severity: byRole("critical", "warn"),
      condition: level("avg", "interface.utilization_pct", ">", 95, 300),
      recover: level("avg", "interface.utilization_pct", "<", 90, 300),
      for_seconds: 60,
      summary: "{{entity}} of {{device}} is full: {{value}} %",
      description: "Mean of five minutes above 95 %.",
      fires: `device r1 role core\nload 0s..10m every 30s ${UTIL} 98\nexpect firing utilization-95 if:ether1 at 5m\nexpect severity critical utilization-95`,
      quiet: `load 0s..10m every 30s ${UTIL} 90\nload 10.5m..11m every 30s ${UTIL} 99\nload 11.5m..30m every 30s ${UTIL} 85\nexpect never utilization-95`,
    }),
    packRule({
      id: "congestion",
      name: "Congestion",
      severity: byRole("critical", "warn"),
      condition: all(
        level("avg", "interface.utilization_pct", ">", 85, 300),
        level("p95", "probe.ping.rtt_ms", ">", 80, 300),
      ),
      for_seconds: 120,
      summary: "{{entity}} of {{device}} is congested: full, and the round trip has risen",
      description: "A full interface is a plan; a full interface with long round trips is a queue.",
      fires: `load 0s..10m every 30s ${UTIL} 92\nload 0s..10m every 30s - probe.ping.rtt_ms 140\nexpect firing congestion if:ether1 at 5m`,
      quiet: `load 0s..10m every 30s ${UTIL} 92\nload 0s..10m every 30s - probe.ping.rtt_ms 12\nexpect never congestion`,
    }),
    packRule({
      id: "traffic-collapse",
      name: "Traffic collapsed",
      severity: "info",
      enabled: false,
      condition: { type: "baseline", metric: "interface.rx_bps", operator: "<", factor: 0.2, baseline_seconds: 3600 },
      for_seconds: 300,
      summary: "{{entity}} of {{device}} receives {{value}} bit/s, a fifth of the hour before",
      description: "Off as shipped: links with little traffic swing. Scope it to those that never sleep.",
      fires:
        "load 0s..61m every 1m if:ether1 interface.rx_bps 9e9\nload 62m..80m every 1m if:ether1 interface.rx_bps 1e8\nexpect firing traffic-collapse if:ether1 at 68m",
      quiet: "load 0s..3h every 1m if:ether1 interface.rx_bps 9e9 -> 4e9\nexpect never traffic-collapse",
    }),
  ],
}

/** One rule for each way in which an interface can lose packets. */
const losing = (id: string, name: string, metric: MetricName, limit: number, what: string): PackRule =>
  packRule({
    id,
    name,
    severity: byRole("warn", "info"),
    condition: level("avg", metric, ">", limit, 600),
    recover: level("avg", metric, "<", limit / 2, 600),
    summary: `{{entity}} of {{device}} ${what}: {{value}} a second`,
    description: `Mean of ten minutes above ${limit} a second.`,
    fires: `load 0s..20m every 30s if:ether1 ${metric} ${limit * 4}\nexpect firing ${id} if:ether1 at 10m`,
    quiet: `load 0s..20m every 30s if:ether1 ${metric} 0\nload 20.5m..20.5m every 30s if:ether1 ${metric} ${limit * 10}\nload 21m..40m every 30s if:ether1 ${metric} 0\nexpect never ${id}`,
  })

export const interfaces: RulePack = {
  id: "interfaces",
  name: "E · Interfaces and errors",
  rules: [
    losing("rx-errors", "Errors received", "interface.rx_errors_per_s", 1, "receives broken frames"),
    losing("tx-errors", "Errors sent", "interface.tx_errors_per_s", 1, "fails to send frames"),
    losing("rx-discards", "Discards received", "interface.rx_discards_per_s", 10, "drops what it receives"),
    losing("tx-discards", "Discards sent", "interface.tx_discards_per_s", 10, "drops what it should send"),
    packRule({
      id: "errors-doubled",
      name: "Errors doubled within a week",
      severity: "info",
      enabled: false,
      condition: all(
        {
          type: "baseline",
          metric: "interface.rx_errors_per_s",
          operator: ">",
          factor: 2,
          baseline_seconds: 21_600,
          offset_seconds: 604_800,
        },
        level("avg", "interface.rx_errors_per_s", ">", 0.05, 3600),
      ),
      summary: "{{entity}} of {{device}} has twice the errors of last week at this time",
      description:
        "Off as shipped: it keeps a week of means for each interface (17 KB). Optics and connectors age like this.",
      fires:
        "load 0h..168h every 10m if:ether1 interface.rx_errors_per_s 0.1\nload 169h..178h every 10m if:ether1 interface.rx_errors_per_s 0.5\nexpect firing errors-doubled if:ether1 at 177h",
      quiet: "load 0h..178h every 10m if:ether1 interface.rx_errors_per_s 0.2 -> 0.24\nexpect never errors-doubled",
    }),
    packRule({
      id: "interface-down",
      name: "Interface down",
      severity: byRole("critical", "warn"),
      condition: all(
        level("last", "interface.admin_up", "==", 1, 300),
        { type: "consecutive", metric: "interface.oper_up", operator: "==", threshold_num: 0, count: 2 },
        {
          type: "event",
          event_type: "interface.oper.changed",
          match: { new: "down" },
          count: 1,
          lookback_seconds: 86_400,
        },
      ),
      recover: { type: "consecutive", metric: "interface.oper_up", operator: "==", threshold_num: 1, count: 2 },
      summary: "{{entity}} of {{device}} is down",
      description:
        "It should be up (admin), it was seen to go down within the day, and two readings confirm it. A port that never was up is no fault: it stays silent.",
      fires:
        "load 0s..5m every 30s if:ether1 interface.admin_up up\nload 0s..2m every 30s if:ether1 interface.oper_up up\nload 150s..5m every 30s if:ether1 interface.oper_up down\nevent 150s if:ether1 interface.oper.changed down\nexpect firing interface-down if:ether1 at 181s",
      quiet:
        "load 0s..5m every 30s if:ether1 interface.admin_up down\nload 0s..5m every 30s if:ether1 interface.oper_up down\nevent 1m if:ether1 interface.oper.changed down\nload 0s..5m every 30s if:ether2 interface.admin_up up\nload 0s..5m every 30s if:ether2 interface.oper_up down\nexpect never interface-down",
    }),
    packRule({
      id: "interface-flap",
      name: "Interface flaps",
      severity: byRole("critical", "warn"),
      condition: { type: "flap", metric: "interface.oper_up", transitions: 4, lookback_seconds: 600 },
      summary: "{{entity}} of {{device}} changed {{value}} times in ten minutes",
      description: "Four changes in ten minutes.",
      fires:
        "load 0s..5m every 30s if:ether1 interface.oper_up up / down\nexpect firing interface-flap if:ether1 at 3m",
      quiet:
        "load 0s..5m every 30s if:ether1 interface.oper_up up\nload 330s..6m every 30s if:ether1 interface.oper_up down\nload 390s..20m every 30s if:ether1 interface.oper_up up\nexpect never interface-flap",
    }),
    packRule({
      id: "interface-shut",
      name: "Interface shut",
      severity: "info",
      scope: { by_entity_type: ["interface"] },
      condition: {
        type: "event",
        event_type: "interface.admin.changed",
        match: { new: "down" },
        count: 1,
        lookback_seconds: 600,
      },
      recover_seconds: 0,
      summary: "{{entity}} of {{device}} was shut by hand",
      description: "Somebody did this; it stays for ten minutes so that nobody wonders.",
      fires: "event 1m if:ether1 interface.admin.changed down\nexpect firing interface-shut if:ether1 at 2m",
      quiet: "event 1m if:ether1 interface.admin.changed up\nwait 5m\nexpect never interface-shut",
    }),
  ],
}
