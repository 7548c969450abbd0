/**
 * Rules, alerts and maintenance over real HTTP on a real database, with a judgement in memory of each of two tenants: for
 * tests of what people do to them. The clock is the test's own.
 */
import { after, before } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { useInventoryServer, type InventoryServer } from "#engine/api/inventory.fixture.ts"
import { silentLog } from "#engine/log.ts"
import { testJudgement, type TestJudgement } from "#engine/rules/judgement.fixture.ts"
import { makeJudging, type Judging } from "#engine/rules/judging.ts"
import type { TenantId } from "#protocol/id.ts"

export interface RulesServer extends InventoryServer {
  readonly judgement: (tenant: TenantId) => TestJudgement
  /** The twin is being rebuilt: nobody finds its judgement. */
  readonly rebuilding: (tenant: TenantId, is: boolean) => void
  readonly judging: Judging
  readonly clock: { ms: number }
  /** Ids of the devices of tenant A: r1 stands at pop-1, r2 at pop-2. */
  readonly devices: { readonly r1: string; readonly r2: string }
  /** Everything that the audit of tenant A holds of these, oldest first. */
  readonly acts: () => Promise<ReadonlyArray<{ readonly action: string; readonly object_id: string }>>
}

/** A Saturday at noon in São Paulo. */
export const NOW_MS = Date.UTC(2026, 10, 21, 15)

export const useRulesServer = (): RulesServer => {
  const judgements = new Map<TenantId, TestJudgement>()
  const away = new Set<TenantId>()
  const scope = Scope.makeUnsafe()
  const clock = { ms: NOW_MS }
  const more = { clock } as { -readonly [K in keyof Omit<RulesServer, keyof InventoryServer>]: RulesServer[K] }
  const server = useInventoryServer({
    api: async ({ it, quotas, a, b }) => {
      const of = (tenant: TenantId) => (away.has(tenant) ? null : (judgements.get(tenant) ?? null))
      const appUrl = (): string => it.database.appUrl
      const nowMs = (): number => clock.ms
      const judging = makeJudging({
        db: it.db,
        quotas,
        log: silentLog,
        judgements: { of, incidents: () => null },
        appUrl,
        nowMs,
      })
      more.judging = judging
      for (const id of [a, b]) {
        judgements.set(id, testJudgement())
        const tenant = { id, slug: id, name: id, demo: false }
        await Effect.runPromise(Scope.provide(judging.follow(tenant), scope))
      }
      return { ...judging.api, nowMs: () => clock.ms }
    },
  })
  more.judgement = (tenant) => judgements.get(tenant)!
  more.rebuilding = (tenant, is) => void (is ? away.add(tenant) : away.delete(tenant))
  before(async () => {
    const admin = server.as({ tenant: server.a, userId: "builder" })
    const made: Record<string, string> = {}
    for (const [name, site] of [
      ["r1", "pop-1"],
      ["r2", "pop-2"],
    ] as const) {
      await server.ask(admin, "PUT", `/sites/${site}`, { name: site, latitude: 1, longitude: 2 })
      const device = { name, address: "192.0.2.1", site, roles: ["core"], pollSeconds: 30, pingSeconds: null }
      made[name] = (await server.ask(admin, "POST", "/devices", device)).body.id
    }
    Object.assign(more, { devices: made })
  })
  more.acts = () =>
    Effect.runPromise(
      server.it.db.tenant(server.a)(async (tx) => {
        const { rows } = await tx.query<{ action: string; object_id: string }>(
          `select action, object_id from audit_entry where tenant_id = $1 and action ~ '^(rule|alert|maintenance)\\.'
           order by seq`,
          [server.a],
        )
        return rows
      }),
    )
  after(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  return new Proxy(server as RulesServer, {
    get: (_, key) => Reflect.get(Object.hasOwn(more, key) ? more : server, key) as unknown,
  })
}
