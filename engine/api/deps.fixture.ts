/** ApiDeps for tests: what a test does not give fails loudly when it is used. */
import type { ApiDeps } from "#engine/api/deps.ts"
import { silentLog } from "#engine/log.ts"
import { makeQuotas } from "#engine/quota/quotas.ts"

/** A port whose every use names what the test forgot to give. */
export const absent = <T extends object>(name: string): T =>
  new Proxy({} as T, {
    get: (_, key) => {
      throw new Error(`${name}.${String(key)} is used, but this test does not give ${name}`)
    },
  })

export const testDeps = (given: Partial<ApiDeps>): ApiDeps => ({
  doors: absent("doors"),
  accounts: absent("accounts"),
  people: absent("people"),
  programs: absent("programs"),
  audit: absent("audit"),
  tenancy: absent("tenancy"),
  settings: absent("settings"),
  quotas: makeQuotas(() => performance.now()),
  subscribers: absent("subscribers"),
  oidcName: null,
  twins: absent("twins"),
  history: absent("history"),
  events: absent("events"),
  replays: absent("replays"),
  probePlans: absent("probePlans"),
  idempotency: absent("idempotency"),
  inventory: absent("inventory"),
  rules: absent("rules"),
  alerts: absent("alerts"),
  maintenance: absent("maintenance"),
  judgements: absent("judgements"),
  incidents: absent("incidents"),
  whatIf: absent("whatIf"),
  proposals: absent("proposals"),
  structure: absent("structure"),
  log: silentLog,
  version: "0",
  publicUrl: null,
  sessionHours: 12,
  nowMs: Date.now,
  ...given,
})
