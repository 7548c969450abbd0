/** A twin with rules for tests: inputs in, told alerts out, and what it has to say of them. */
import type { AlertName } from "#protocol/alert.ts"
import type { EntityKey } from "#protocol/id.ts"
import type { Inventory } from "#protocol/inventory.ts"
import type { Silence } from "#protocol/maintenance.ts"
import type { Rule } from "#protocol/rule.ts"
import { checkRule } from "#twin/alert/check.ts"
import { text } from "#twin/alert/rule.fixture.ts"
import type { AckInput, Input, RulesInput, SilencesInput } from "#twin/input.ts"
import { idOf, T0 } from "#twin/inventory.fixture.ts"
import { alertViews, explainAlert, receiptOfAlert } from "#twin/judge/alert-view.ts"
import type { Network } from "#twin/network.fixture.ts"
import { network } from "#twin/network.fixture.ts"

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

export interface JudgedNetwork extends Network {
  /** `10 alert.firing cpu` of every alert event so far: seconds after T0, type, rule. */
  readonly told: string[]
  readonly alerts: () => readonly string[]
  readonly explain: (name: AlertName) => ReturnType<typeof explainAlert>
  readonly receipt: (name: AlertName) => ReturnType<typeof receiptOfAlert>
}

export const judgedNetwork = (start: Inventory, rules: readonly Rule[]): JudgedNetwork => {
  const plain = network(start)
  const { world, cells } = plain
  const told: string[] = []
  const apply = (...inputs: readonly Input[]) => {
    const result = plain.apply(...inputs)
    for (const { atMs, type, old } of result.events)
      if (type.startsWith("alert.")) told.push(`${(atMs - T0) / 1000} ${type} ${old}`)
    return result
  }
  apply(rulesInput(rules))
  return {
    ...plain,
    apply,
    told,
    alerts: () =>
      alertViews(world, cells).map(
        ({ deviceName, rule, entity, state, heldBack }) =>
          `${deviceName} ${rule} ${entity === "" ? "-" : entity} ${state}${heldBack === null ? "" : ` ${heldBack.by}`}`,
      ),
    explain: (name) => explainAlert(world, cells, name),
    receipt: (name) => receiptOfAlert(world, cells, name),
  }
}
