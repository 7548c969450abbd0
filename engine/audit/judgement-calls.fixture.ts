/** The acts on rules, alerts and maintenance, for the audit's table of routes: what each is called with, and its one row. */
import type { Ask, Prepare } from "#engine/audit/calls.fixture.ts"

export interface Table {
  readonly ask: Ask
  readonly unique: (word: string) => string
  /** Of the twin. */
  readonly nextRound: () => Promise<void>
}

/** Fires at once on every device that nobody heard of for a second. */
const ruleBody = (id: string, severity = "warn"): object => ({
  id,
  rule_schema_version: "1",
  name: id,
  enabled: true,
  severity,
  scope: {},
  condition: { type: "absent", metric: "device.cpu_pct", seconds: 1 },
  for_seconds: 0,
  recover_seconds: 0,
  cooldown_seconds: 0,
  annotations: { summary_template: "silence of {{device}}", runbook_url: "https://example.net/runbook" },
})

const windowBody = (more: object = {}): object => ({
  kind: "maintenance",
  title: "Power",
  note: "",
  scope: {},
  sparesCritical: false,
  startsAtMs: Date.now() - 60_000,
  durationSeconds: 3_600,
  recurrence: { every: "never" },
  timeZone: "America/Sao_Paulo",
  untilMs: null,
  ...more,
})

/** An alert that fires, of a rule of its own; its id. */
export const firingOf =
  ({ ask, unique, nextRound }: Table) =>
  async (severity = "warn"): Promise<string> => {
    const rule = unique("silent")
    await ask("alertRules.put", { params: { id: rule }, body: ruleBody(rule, severity) })
    for (;;) {
      const { items } = (await ask("alerts.list", { query: { rule, state: "firing" } })).body as {
        items: ReadonlyArray<{ id: string }>
      }
      if (items[0] !== undefined) return items[0].id
      await nextRound()
    }
  }

export const judgementCalls = (table: Table) => {
  const { ask, unique } = table
  const firing = firingOf(table)
  const plan = async (more: object = {}): Promise<string> =>
    ((await ask("maintenance.create", { body: windowBody(more) })).body as { window: { id: string } }).window.id
  return {
    "alertRules.put": async () => {
      const id = unique("rule")
      return { params: { id }, body: ruleBody(id), action: /^rule\.create$/ }
    },
    "alertRules.remove": async () => {
      const id = unique("rule")
      await ask("alertRules.put", { params: { id }, body: ruleBody(id) })
      return { params: { id }, action: /^rule\.delete$/ }
    },
    "alertRules.import": async () => ({
      body: { mode: "merge", rules: [ruleBody(unique("rule"))], dryRun: false },
      action: /^rule\.import$/,
    }),
    "alerts.acknowledge": async () => ({ params: { id: await firing() }, body: {}, action: /^alert\.ack$/ }),
    "alerts.withdraw": async () => {
      const id = await firing()
      await ask("alerts.acknowledge", { params: { id }, body: {} })
      return { params: { id }, action: /^alert\.unack$/ }
    },
    "alerts.mute": async () => ({
      params: { id: await firing() },
      body: { minutes: 5, note: "ticket 4711" },
      action: /^alert\.mute$/,
    }),
    "alerts.unmute": async () => {
      const id = await firing()
      await ask("alerts.mute", { params: { id }, body: { minutes: 5, note: "ticket 4711" } })
      return { params: { id }, action: /^alert\.unmute$/ }
    },
    "maintenance.create": async () => ({ body: windowBody(), action: /^maintenance\.create$/ }),
    "maintenance.put": async () => ({
      params: { id: await plan() },
      body: windowBody({ title: "Another" }),
      action: /^maintenance\.update$/,
    }),
    "maintenance.remove": async () => ({ params: { id: await plan() }, action: /^maintenance\.delete$/ }),
    "maintenance.state": async () => ({
      params: { id: await plan({ kind: "change" }) },
      body: { state: "in_progress" },
      action: /^maintenance\.state$/,
    }),
    "maintenance.end": async () => ({ params: { id: await plan() }, action: /^maintenance\.end$/ }),
  } satisfies Readonly<Record<string, Prepare>>
}
