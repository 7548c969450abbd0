/** Rules and silences that random histories of the small ring are judged by: each kind of condition, short stretches. */
import type { EntityKey } from "#protocol/id.ts"
import type { Silence } from "#protocol/maintenance.ts"
import type { Rule } from "#protocol/rule.ts"
import { checkRule } from "#twin/alert/check.ts"
import { over, text } from "#twin/alert/rule.fixture.ts"
import type { AckInput, Input, RulesInput, SilencesInput } from "#twin/input.ts"
import { idOf, T0 } from "#twin/inventory.fixture.ts"

/** As an operator's own, checked. */
export const ruleOf = (id: string, condition: unknown, more: object = {}): Rule => {
  const checked = checkRule(text(id, condition, more))
  if (!checked.ok) throw new Error(JSON.stringify(checked.mistakes))
  return checked.rule
}

export const rulesInput = (rules: readonly Rule[], atMs = T0, rev = 1): RulesInput => ({
  kind: "rules",
  atMs,
  rev,
  rules,
})

export const silencesInput = (silences: readonly Silence[], atMs: number, rev = 1): SilencesInput => ({
  kind: "silences",
  atMs,
  rev,
  silences,
})

export const silenceOf = (id: string, fromMs: number, toMs: number, more: Partial<Silence> = {}): Silence => ({
  id,
  kind: "maintenance",
  reason: `works ${id}`,
  scope: {},
  sparesCritical: false,
  times: [[fromMs, toMs]],
  ...more,
})

export const ackInput = (
  device: string,
  rule: string,
  atMs: number,
  untilMs: number | null,
  entity = "",
): AckInput => ({ kind: "ack", atMs, device: idOf(device), rule, entity: entity as EntityKey, by: "ana", untilMs })

export const POOL: readonly Rule[] = [
  ruleOf("down", { type: "consecutive", metric: "interface.oper_up", operator: "==", threshold_num: 0, count: 1 }),
  ruleOf(
    "down-long",
    { type: "state_not_in", metric: "interface.oper_up", good_values: [true], lookback_seconds: 20 },
    { for_seconds: 5, recover_seconds: 15, severity: { by_role: { core: "critical" } } },
  ),
  ruleOf("flaps", { type: "flap", metric: "interface.oper_up", transitions: 2, lookback_seconds: 60 }),
  ruleOf("absent", { type: "absent", metric: "device.uptime_seconds", seconds: 45 }, { cooldown_seconds: 60 }),
  ruleOf("silent", { type: "consecutive", metric: "device.up", operator: "==", threshold_num: 0, count: 2 }),
  ruleOf("busy", over("interface.utilization_pct", 1, 30, "avg")),
  ruleOf("sent", {
    type: "rate_of_change",
    metric: "interface.tx_bytes_total",
    operator: ">",
    threshold_num: 1,
    lookback_seconds: 60,
  }),
  ruleOf("ospf", { type: "state_not_in", metric: "ospf.neighbor.state", good_values: ["full"], lookback_seconds: 10 }),
  ruleOf("rebooted", { type: "event", event_type: "device.rebooted", count: 1, lookback_seconds: 60 }),
  ruleOf(
    "changed",
    {
      type: "event",
      event_type: "interface.oper.changed",
      match: { new: "down" },
      count: 1,
      lookback_seconds: 30,
    },
    { scope: { by_entity_type: ["interface"] } },
  ),
  ruleOf("sessions", {
    type: "baseline",
    metric: "pppoe.sessions.active",
    operator: "<",
    factor: 0.5,
    baseline_seconds: 60,
  }),
  ruleOf("r1-down", over("interface.oper_up", 1, 30, "last", "<"), {
    name: "down",
    scope: { by_device_ids: ["id-r1"] },
  }),
]

/** One of the changes that people make, out of two numbers. */
export const changeOf = (
  what: "rules" | "silences" | "ack",
  name: string,
  port: string,
  number: number,
  atMs: number,
): Input => {
  const chosen = POOL.filter((_, index) => ((number >> index) & 1) === 1)
  if (what === "rules") return rulesInput(number % 11 === 0 ? [] : chosen, atMs, number)
  if (what === "ack") {
    const rule = POOL[number % POOL.length] as Rule
    const entity = number % 2 === 0 ? `if:${port}` : ""
    return ackInput(name, rule.id, atMs, number % 3 === 0 ? null : atMs + (number % 90_000), entity)
  }
  const silence = (index: number): Silence =>
    silenceOf(`s${index}`, atMs + (number % 7) * 5_000 - 10_000, atMs + (number % 5) * 20_000 + index * 1_000, {
      kind: index === 1 ? "mute" : "maintenance",
      scope: index === 2 ? { by_device_ids: [idOf(name)], by_entity_ids: [`if:${port}`] } : {},
      sparesCritical: number % 2 === 0,
      ...(index === 1 ? { rule: "down" } : {}),
    })
  return silencesInput([0, 1, 2].slice(0, number % 4).map(silence), atMs, number)
}
