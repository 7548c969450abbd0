/**
 * A whole engine in this process (engine/assemble.ts, real database, HTTP, stream) with two tenants whose every string
 * carries its own canary, for tests that look for one tenant's in what the other can see. Ways in are by a session, a key
 * and nothing, for any roles.
 */
import { rmSync } from "node:fs"
import { after, before } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { assemble, type Engine } from "#engine/assemble.ts"
import { SESSION_COOKIE } from "#engine/api/signed-in.ts"
import { openToolStorage } from "#engine/cli/storage.ts"
import { loadConfig, type Config } from "#engine/config.ts"
import { parseImport } from "#engine/import/parse.ts"
import type { RoutedDb } from "#engine/isolation/routed-db.ts"
import { makeLog } from "#engine/log.ts"
import { createKey } from "#engine/programs/keys.ts"
import { makeTempDataDir } from "#engine/storage/database.fixture.ts"
import type { Database } from "#engine/storage/launcher.ts"
import { createSession } from "#engine/storage/sessions.ts"
import { uuidv7 } from "#engine/storage/uuidv7.ts"
import type { TenantId } from "#protocol/id.ts"
import type { Permission } from "#protocol/permission.ts"

export interface OneTenant {
  readonly id: TenantId
  readonly slug: string
  /** Stands in every string of this tenant and nowhere else. */
  readonly canary: string
}

export interface TwoTenants {
  readonly engine: Engine
  readonly url: string
  readonly config: Config
  readonly db: RoutedDb
  readonly database: Database
  readonly a: OneTenant
  readonly b: OneTenant
  /** Every line that the engine logged, as JSON text. */
  readonly logged: readonly string[]
  readonly dataDir: string
}

export const ADMIN_PASSWORD = "correct-horse-of-the-harness"

export const useTwoTenants = (env: Readonly<Record<string, string>> = {}): TwoTenants => {
  const it = {} as { -readonly [K in keyof TwoTenants]: TwoTenants[K] }
  const scope = Scope.makeUnsafe()
  before(async () => {
    it.dataDir = makeTempDataDir()
    Object.assign(it, await Effect.runPromise(Scope.provide(start(it.dataDir, env), scope)))
  })
  after(async () => {
    await Effect.runPromise(Scope.close(scope, Exit.void))
    rmSync(it.dataDir, { recursive: true, force: true })
  })
  return it
}

const start = (dataDir: string, env: Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    const loaded = loadConfig({
      env: {
        HELIOGRAPH_DATA_DIR: dataDir,
        HELIOGRAPH_PORT: "0",
        HELIOGRAPH_TRAP_PORT: "0",
        HELIOGRAPH_SYSLOG_PORT: "0",
        HELIOGRAPH_LISTEN_HOST: "127.0.0.1",
        HELIOGRAPH_LOOPBACK_TARGETS: "allow",
        HELIOGRAPH_ADMIN_PASSWORD: ADMIN_PASSWORD,
        ...env,
      },
    })
    if (loaded._tag !== "Config") throw new Error(loaded.errors.join("\n"))
    const { config } = loaded
    const logged: string[] = []
    const log = makeLog({ level: "debug", format: "json", write: (line) => void logged.push(line) })
    const [a, b] = [named("alfa"), named("bravo")]
    const engine = yield* assemble({ config, log, firstTenant: newTenant(a), progress: () => undefined })
    yield* engine.ensureTenant(newTenant(b))
    for (const tenant of [a, b]) {
      const parsed = parseImport(JSON.stringify(networkOf(tenant.canary)))
      if (!parsed.ok) throw new Error(JSON.stringify(parsed))
      yield* engine.importer.apply(tenant.slug, parsed.document, { dryRun: false, replace: true })
    }
    const { db, database } = yield* openToolStorage(config, () => undefined)
    const ids = new Map(engine.tenants().map(({ twin }) => [twin.tenant.slug, twin.tenant.id]))
    const withId = (tenant: { slug: string; canary: string }) => ({ ...tenant, id: ids.get(tenant.slug)! })
    return { engine, url: engine.url, config, db, database, a: withId(a), b: withId(b), logged }
  })

const named = (canary: string) => ({ slug: `slug-${canary}`, canary: `${canary}-canary` })
const newTenant = ({ slug, canary }: { slug: string; canary: string }) => ({ slug, name: `Net ${canary}`, demo: false })

/** Names that nobody can guess from the other tenant's. Nothing answers at these addresses. */
export const networkOf = (canary: string): unknown => ({
  sites: [
    { id: `site-${canary}`, name: `POP ${canary}`, latitude: -23.5, longitude: -46.6 },
    { id: `site2-${canary}`, name: `POP2 ${canary}`, latitude: -22.5, longitude: -46.6 },
  ],
  devices: ["r1", "r2", "r3"].map((name, index) => ({
    name: `${name}-${canary}`,
    address: `127.0.${canary.startsWith("alfa") ? 10 : 20}.${index + 1}`,
    site: `site-${canary}`,
    roles: ["core"],
    snmp: { community: `community-${canary}` },
    pollSeconds: 3600,
  })),
  links: [
    {
      a: { device: `r1-${canary}`, interface: `e1-${canary}` },
      b: { device: `r2-${canary}`, interface: `e1-${canary}` },
    },
  ],
})

export interface Somebody {
  readonly userId: string
  readonly headers: Readonly<Record<string, string>>
}

/** A person of these roles with a session, or with a key of this scope. */
export const somebody = (
  it: TwoTenants,
  tenant: OneTenant,
  roles: readonly string[],
  scope: readonly Permission[] | null = null,
): Promise<Somebody> =>
  Effect.runPromise(
    Effect.gen(function* () {
      const userId = uuidv7()
      const name = `user-${userId}-${tenant.canary}`
      const nowMs = Date.now()
      const token = yield* it.db.tenant(tenant.id)(async (tx) => {
        await tx.query(
          "insert into app_user (tenant_id, user_id, name, roles, password, created_ms) values ($1, $2, $3, $4, '-', $5)",
          [tenant.id, userId, name, roles, nowMs],
        )
        const session = { userId, source: null, nowMs, expiresAtMs: nowMs + 3_600_000 }
        return (await createSession(tx, tenant.id, session)).token
      })
      if (scope === null) return { userId, headers: { cookie: `${SESSION_COOKIE}=${token}` } }
      const { secret } = yield* createKey(
        it.db,
        tenant.id,
        { kind: "user", id: userId, name, source: null },
        { ownerId: userId, name: `key of ${name}`, scope, expiresMs: null },
        async () => {},
        nowMs,
      )
      return { userId, headers: { authorization: `Bearer ${secret}` } }
    }),
  )

/** One request as a program sends it. */
export const call = (
  it: TwoTenants,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: unknown,
): Promise<Response> =>
  fetch(it.url + path, {
    method,
    redirect: "manual",
    headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
