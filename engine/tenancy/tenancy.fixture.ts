/** The life of tenants over a real database, with a list instead of running twins. */
import * as Effect from "effect/Effect"
import { makeDoors, type Which } from "#engine/access/doors.ts"
import type { Principal } from "#engine/access/principal.ts"
import { silentLog } from "#engine/log.ts"
import type { By } from "#engine/people/by.ts"
import { makeQuotas } from "#engine/quota/quotas.ts"
import type { TestDatabase } from "#engine/storage/database.fixture.ts"
import { createSession, findSession } from "#engine/storage/sessions.ts"
import { sha256 } from "#engine/storage/tenant-token.ts"
import { createUser } from "#engine/storage/users.ts"
import type { Running } from "#engine/tenancy/running.ts"
import { makeSettings } from "#engine/tenancy/settings.ts"
import { makeStandings } from "#engine/tenancy/standings.ts"
import { makeTenancy } from "#engine/tenancy/tenancy.ts"
import type { TenantServices } from "#engine/tenant-services.ts"
import type { TenantId } from "#protocol/id.ts"
import { permissionsOf } from "#protocol/permission.ts"

export const DEFAULTS = { sampleDays: 14, eventDays: 90, journalHours: 24, sessionHours: 12 }

/** One platform administrator with a stored session, in a tenant of their own. */
export const tenancyRig = async (it: TestDatabase) => {
  const home = await it.newTenant()
  const quotas = makeQuotas(() => performance.now())
  const standings = makeStandings(it.db, quotas, DEFAULTS)
  const services = new Map<TenantId, TenantServices>()
  const life: string[] = []
  const running: Running = {
    services,
    start: ({ id, slug }) =>
      Effect.sync(() => {
        if (services.has(id)) return
        services.set(id, {} as TenantServices)
        life.push(`start ${slug}`)
      }),
    stop: (id) => Effect.sync(() => void (services.delete(id) && life.push("stop"))),
  }
  const forgotten: Which[] = []
  const doors = makeDoors(() => Effect.succeed(null), Date.now)
  doors.onForget((which) => forgotten.push(which))
  const tenancy = await Effect.runPromise(
    makeTenancy({
      db: it.db,
      dataDir: it.dataDir,
      standings,
      running,
      quotas,
      doors,
      log: silentLog,
      nowMs: Date.now,
      ownerUrls: () => [it.database.ownerUrl],
      hasOwnDatabase: () => false,
      tenantChanged: () => Effect.void,
    }),
  )
  const settings = makeSettings(it.db, standings, quotas, Date.now)
  const root = await Effect.runPromise(
    createUser(it.db, home, { name: "root", password: "correct horse 9", roles: ["platform_admin"] }),
  )
  const nowMs = Date.now()
  const opened = await Effect.runPromise(
    it.db.tenant(home)((tx) =>
      createSession(tx, home, { userId: root.id, source: "192.0.2.1", nowMs, expiresAtMs: nowMs + 3_600_000 }),
    ),
  )
  const principal: Principal = {
    userId: root.id,
    userName: "root",
    tenant: home,
    roles: ["platform_admin"],
    permissions: new Set(permissionsOf(["platform_admin"])),
    sites: null,
    credential: { kind: "session", id: opened.id, expiresAtMs: opened.expiresAtMs },
    secondFactor: "ok",
    grant: null,
  }
  const by: By = { principal, actor: { kind: "user", id: root.id, name: "root", source: "192.0.2.1" } }
  const acting = { home, actor: by.actor }
  /** `action` of every audit row of a tenant, oldest first. */
  const audit = (tenant: TenantId) =>
    Effect.runPromise(
      it.db.tenant(tenant)(async (tx) => {
        const { rows } = await tx.query<{ action: string; object_name: string; reason: string | null }>(
          "select action, object_name, reason from audit_entry where tenant_id = $1 order by seq",
          [tenant],
        )
        return rows
      }),
    )
  const grantOf = () =>
    Effect.runPromise(
      it.db.tenant(home)(async (tx) => (await findSession(tx, home, sha256(opened.token), Date.now()))?.grant ?? null),
    )
  return { home, quotas, standings, running, life, forgotten, tenancy, settings, by, acting, audit, grantOf }
}
