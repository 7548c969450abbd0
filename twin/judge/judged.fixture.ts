/** A twin with rules for tests: inputs in, told alerts out, and what it has to say of them. */
import type { AlertName } from "#protocol/alert.ts"
import type { Inventory } from "#protocol/inventory.ts"
import type { Rule } from "#protocol/rule.ts"
import type { Input } from "#twin/input.ts"
import { T0 } from "#twin/inventory.fixture.ts"
import { alertViews, explainAlert, receiptOfAlert } from "#twin/judge/alert-view.ts"
import { rulesInput } from "#twin/judge/pool.fixture.ts"
import type { Network } from "#twin/network.fixture.ts"
import { network } from "#twin/network.fixture.ts"

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
