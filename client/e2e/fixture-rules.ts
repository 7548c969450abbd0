/** The fixture's rules, a few of the engine's mistakes in them, and dry runs of none of them. Tests only. */
import type { FixtureNetwork } from "#client/e2e/fixture-network.ts"
import { METRICS } from "#protocol/metric.ts"
import type { AlertRule, DryRun, RuleMistake } from "#protocol/rest-generated.ts"
import type { Rule } from "#protocol/rule.ts"

const rule = (id: string, name: string, part: Partial<Rule> & Pick<Rule, "condition">): Rule => ({
  id,
  rule_schema_version: "1",
  name,
  enabled: true,
  severity: "warn",
  scope: {},
  for_seconds: 0,
  recover_seconds: 60,
  cooldown_seconds: 300,
  annotations: {
    summary_template: `{{device}}: ${name}`,
    description: "Mean of ten minutes.",
    runbook_url: `docs/runbooks/${id}.md`,
  },
  ...part,
})

export const FIXTURE_RULES: readonly Rule[] = [
  rule("cpu-high", "CPU busy", {
    severity: { by_role: { core: "critical", default: "warn" } },
    condition: {
      type: "threshold",
      metric: "device.cpu_pct",
      operator: ">",
      threshold_num: 85,
      aggregation: "avg",
      lookback_seconds: 600,
    },
    recover: {
      type: "threshold",
      metric: "device.cpu_pct",
      operator: "<",
      threshold_num: 75,
      aggregation: "avg",
      lookback_seconds: 600,
    },
  }),
  rule("congestion", "Congestion", {
    severity: "critical",
    scope: { by_roles: ["core", "edge"] },
    condition: {
      type: "composite",
      op: "and",
      conditions: [
        {
          type: "threshold",
          metric: "interface.utilization_pct",
          operator: ">",
          threshold_num: 85,
          aggregation: "avg",
          lookback_seconds: 300,
        },
        {
          type: "threshold",
          metric: "probe.ping.rtt_ms",
          operator: ">",
          threshold_num: 80,
          aggregation: "p95",
          lookback_seconds: 300,
        },
      ],
    },
    for_seconds: 120,
  }),
  rule("ospf-not-full", "OSPF neighbour not Full", {
    severity: "critical",
    condition: { type: "state_not_in", metric: "ospf.neighbor.state", good_values: ["full"], lookback_seconds: 60 },
  }),
  rule("device-unreachable", "Device unreachable", {
    severity: "critical",
    condition: { type: "consecutive", metric: "probe.ping.loss_pct", operator: "==", threshold_num: 100, count: 3 },
  }),
  rule("interface-flap", "Interface flaps", {
    condition: { type: "flap", metric: "interface.oper_up", transitions: 4, lookback_seconds: 600 },
  }),
  rule("optical-rx-low", "Optical power low", {
    severity: "info",
    condition: {
      type: "threshold",
      metric: "optical.rx_power_dbm",
      operator: "<",
      threshold_num: -24,
      aggregation: "max",
      lookback_seconds: 300,
    },
  }),
  rule("device-rebooted", "Device rebooted", {
    severity: "info",
    condition: { type: "event", event_type: "device.rebooted", count: 1, lookback_seconds: 600 },
  }),
  rule("pppoe-drop", "PPPoE sessions dropped", {
    enabled: false,
    severity: "critical",
    condition: { type: "baseline", metric: "pppoe.sessions.active", operator: "<", factor: 0.7, baseline_seconds: 600 },
  }),
]

/** A few of the engine's mistakes, with its paths: enough to see them at their place. */
export const mistakesOf = (given: unknown): readonly RuleMistake[] => {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    return [{ path: "", problem: "must be a rule {...}" }]
  const json = given as Readonly<Record<string, unknown>>
  const found: RuleMistake[] = []
  if (!/^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/.test(String(json["id"] ?? "")))
    found.push({ path: "id", problem: "must be lower-case letters, digits, dots, dashes and underscores" })
  if (typeof json["name"] !== "string" || json["name"] === "") found.push({ path: "name", problem: "is missing" })
  const visit = (condition: unknown, path: string) => {
    const one = (condition ?? {}) as Readonly<Record<string, unknown>>
    if (typeof one["type"] !== "string") found.push({ path: `${path}.type`, problem: "is missing" })
    else if (one["type"] === "composite") {
      const list = one["conditions"]
      if (!Array.isArray(list) || list.length === 0)
        found.push({ path: `${path}.conditions`, problem: "must hold at least one condition" })
      else list.forEach((inner, nth) => visit(inner, `${path}.conditions[${nth}]`))
    } else if (one["type"] !== "event" && !METRICS.some(({ name }) => name === one["metric"])) {
      found.push({ path: `${path}.metric`, problem: "is no metric of the registry" })
    } else if (
      one["type"] === "threshold" &&
      typeof one["threshold_num"] !== "number" &&
      one["threshold_ref"] === undefined
    ) {
      found.push({
        path: `${path}.threshold_num`,
        problem: "exactly one of threshold_num and threshold_ref must be given",
      })
    }
  }
  visit(json["condition"], "condition")
  return found
}

export const dryRun = (network: FixtureNetwork, body: Readonly<Record<string, unknown>>): DryRun => {
  const [fromMs, toMs] = [Number(body["fromMs"]), Number(body["toMs"])]
  const rules = body["rules"] as readonly AlertRule[]
  const span = toMs - fromMs
  return {
    fromMs,
    toMs,
    inputs: Math.round(span / 250),
    tookMs: 812,
    rules: rules.map((one) => ({
      id: String(one["id"]),
      fired: 14,
      told: 11,
      alerts: Array.from({ length: 14 }, (_, nth) => {
        const slot = (nth * 5) % network.nodes.id.length
        const begin = fromMs + span * ((nth * 0.137) % 0.9)
        return {
          device: network.nodes.id[slot] as string,
          deviceName: network.nodes.name[slot] as string,
          entity: nth % 3 === 0 ? "" : `if:sfp28-${(nth % 3) + 1}`,
          fromMs: begin,
          toMs: nth === 13 ? null : begin + span * (0.01 + (nth % 4) * 0.025),
          severity: (["critical", "warn", "info"] as const)[nth % 3] ?? "warn",
          summary: `${network.nodes.name[slot]}: ${String(one["name"])}`,
        }
      }),
    })),
  }
}
