/** A judgement in memory for tests of what stands around it: it keeps what it is told and fires what a test makes fire. */
import type { Judgement } from "#engine/tenant/live-twin.ts"
import { alertId, type AlertView } from "#protocol/alert.ts"
import type { EntityKey } from "#protocol/id.ts"
import type { Silence } from "#protocol/maintenance.ts"
import type { Rule } from "#protocol/rule.ts"

export interface TestJudgement extends Judgement {
  alertList: readonly AlertView[]
  /** Rejects what it is told while true. */
  refuses: boolean
  /** How often it was given rules, and silences. */
  readonly told: { rules: number; silences: number }
}

export const testJudgement = (): TestJudgement => {
  let rules: { readonly rev: number; readonly rules: readonly Rule[] } = { rev: 0, rules: [] }
  let silences: { readonly rev: number; readonly silences: readonly Silence[] } = { rev: 0, silences: [] }
  const told = { rules: 0, silences: 0 }
  const it: TestJudgement = {
    alertList: [],
    refuses: false,
    told,
    rules: () => rules,
    setRules: async (rev, given) => {
      if (it.refuses) throw new Error("the inbox is closed")
      told.rules++
      rules = { rev, rules: given }
    },
    silences: () => silences,
    setSilences: async (rev, given) => {
      if (it.refuses) throw new Error("the inbox is closed")
      told.silences++
      silences = { rev, silences: given }
    },
    alerts: () => it.alertList,
    explain: ({ rule }) => ({ found: false, reason: rule === "off" ? "the rule is off" : "there is no such rule" }),
    receipt: () => null,
    acknowledge: async (name, by, untilMs) => {
      if (it.refuses) throw new Error("the inbox is closed")
      const id = alertId(name)
      const fires = it.alertList.some((alert) => alert.id === id)
      const ack = untilMs === null ? null : { by, atMs: 1, untilMs }
      it.alertList = it.alertList.map((alert) => (alert.id === id ? { ...alert, ack } : alert))
      return fires
    },
  }
  return it
}

/** An alert that fires on a device, but for what a test says of it. */
export const alertView = (
  given: Pick<AlertView, "device" | "rule"> & Partial<Omit<AlertView, "id" | "device" | "rule">>,
): AlertView => {
  const entity = given.entity ?? ("" as EntityKey)
  return {
    id: alertId({ device: given.device, rule: given.rule, entity }),
    ruleName: given.rule,
    version: "0".repeat(16),
    deviceName: "r1",
    site: "pop-1",
    entity,
    state: "firing",
    severity: "warn",
    sinceMs: 1_000,
    firedMs: 1_000,
    knownMs: 1_000,
    flapping: false,
    ack: null,
    heldBack: null,
    summary: "it fires",
    runbook: "docs/runbooks/cpu-high.md",
    ...given,
  }
}
