/**
 * The API over real HTTP on a real database, with real twins of two tenants and nothing to poll: for tests of what people
 * declare. Who asks is a bearer token that names a principal of the test's own.
 */
import { after, before } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { makeDoors } from "#engine/access/doors.ts"
import type { Principal } from "#engine/access/principal.ts"
import { makeAddressBook } from "#engine/address-book.ts"
import { principalOf } from "#engine/api/accounts.fixture.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { testDeps } from "#engine/api/deps.fixture.ts"
import { storedIdempotency } from "#engine/api/idempotency-store.ts"
import type { Collector } from "#engine/collectors/collector.ts"
import { loadConfig, type Config } from "#engine/config.ts"
import { makeHttp } from "#engine/http/server.ts"
import { makeInventoryApi, type InventoryApi } from "#engine/inventory-api/inventory-api.ts"
import { silentLog } from "#engine/log.ts"
import { makeMetrics } from "#engine/metrics/registry.ts"
import { makeQuotas, type Quotas } from "#engine/quota/quotas.ts"
import { useTestDatabase, type TestDatabase } from "#engine/storage/database.fixture.ts"
import { listEvents } from "#engine/storage/events.ts"
import { openVault, type Vault } from "#engine/storage/vault.ts"
import { openTenant, type TenantServices } from "#engine/tenant-services.ts"
import { makeTenants, type Tenants } from "#engine/tenant/registry.ts"
import { Unavailable } from "#engine/api/ports.ts"
import type { TenantId } from "#protocol/id.ts"

/** A test asks faster than any program should: what it proves is not the rate. */
export const MANY_REQUESTS = { max_api_requests_per_min: 1_000_000_000 } as const

export interface InventoryServer {
  readonly it: TestDatabase
  readonly a: TenantId
  readonly b: TenantId
  readonly services: (tenant: TenantId) => TenantServices
  readonly quotas: Quotas
  readonly tenants: Tenants
  readonly inventory: InventoryApi
  readonly url: string
  /** Makes a principal that asks with the returned token. */
  readonly as: (who: Partial<Principal> & { readonly tenant: TenantId; readonly userId: string }) => string
  readonly ask: (token: string, method: string, path: string, body?: unknown, headers?: object) => Promise<Answer>
}
export interface Answer {
  readonly status: number
  readonly etag: string | null
  readonly text: string
  /** The parsed body; absent members are undefined. */
  readonly body: Body
}

/** What tests look at of any answer. */
export interface Body {
  readonly id: string
  readonly name: string
  readonly type: string
  readonly detail: string
  readonly status: number
  readonly quota: string
  readonly limit: number
  readonly capacityBps: number | null
  readonly pollSeconds: number
  readonly credentials: readonly string[]
  readonly items: ReadonlyArray<{ readonly id: string }>
  readonly counts: { readonly routers: number }
  readonly document: string
  readonly rev: number
  readonly dryRun: boolean
  readonly preview: {
    readonly added: readonly string[]
    readonly updated: readonly string[]
    readonly removed: readonly string[]
  }
  readonly sites: Readonly<Record<string, number>>
  readonly devices: Readonly<Record<string, number>>
  readonly links: Readonly<Record<string, number>>
  readonly errors: ReadonlyArray<{ readonly line: number; readonly path: string; readonly message: string }>
  readonly total: number
}

export interface InventoryServerOptions {
  readonly collectors?: readonly Collector[]
  readonly loopback?: Config["loopbackTargets"]
  /** Hears of every credential that is opened. */
  readonly onOpened?: (device: string, kind: string) => void
  /** What else of the API this test needs. Called when the tenants run. */
  readonly api?: (server: InventoryServer) => Promise<Partial<ApiDeps>>
}

export const useInventoryServer = (options: InventoryServerOptions = {}): InventoryServer => {
  const it = useTestDatabase()
  const scope = Scope.makeUnsafe()
  const principals = new Map<string, Principal>()
  const running = new Map<TenantId, TenantServices>()
  const server = { it, quotas: makeQuotas(() => performance.now()) } as {
    -readonly [K in keyof InventoryServer]: InventoryServer[K]
  }
  const run = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>): Promise<A> =>
    Effect.runPromise(Scope.provide(effect, scope))

  before(async () => {
    const vault = watched(await run(openVault(it.db, { dataDir: it.dataDir })), options.onOpened)
    const tenants = await run(makeTenants({}))
    const probes = { setTenant: () => Effect.void, tool: null, stats: {} as never }
    const environment = {
      config: { ...settings(), loopbackTargets: options.loopback ?? "allow", dataDir: it.dataDir },
      db: it.db,
      vault,
      log: silentLog,
      tenants,
      collectors: options.collectors ?? [],
      book: makeAddressBook(),
      probes,
      quotas: server.quotas,
      retentionMs: () => ({ samples: KEPT_MS, events: KEPT_MS, journal: KEPT_MS }),
    }
    for (const slug of ["a", "b"] as const) {
      const id = await it.newTenant()
      running.set(id, await run(openTenant(environment, { id, slug, name: slug, demo: false })))
      server[slug] = id
      server.quotas.set(id, "large", MANY_REQUESTS)
    }
    server.tenants = tenants
    server.inventory = makeInventoryApi({
      db: it.db,
      changeOf: (tenant) => running.get(tenant)?.change ?? null,
      wrongAddressOf: (tenant) => running.get(tenant)!.wrongAddress(),
      defaultPollSeconds: 30,
      quotas: server.quotas,
    })
    const api = testDeps({
      quotas: server.quotas,
      doors: makeDoors((presented) => Effect.sync(() => principals.get(presented.token) ?? null), Date.now),
      twins: {
        byTenant: (tenant) => running.get(tenant)?.twin ?? null,
        all: () => [...running.values()].map(({ twin }) => twin),
      },
      events: {
        page: (tenant, query) =>
          listEvents(it.db, tenant, query).pipe(Effect.mapError(({ message }) => new Unavailable({ detail: message }))),
      },
      history: { read: () => Effect.succeed(null) },
      probePlans: { of: (tenant) => running.get(tenant)?.probePlans() ?? [] },
      idempotency: storedIdempotency({ db: it.db, vault, nowMs: Date.now }),
      inventory: server.inventory,
      ...(await options.api?.(server)),
    })
    const rest = { metrics: makeMetrics(), metricsToken: null, staticDir: null, basemapPath: () => null }
    const http = await run(
      makeHttp({ host: "127.0.0.1", port: 0, api, ...rest, stream: null, ready: () => true } as never),
    )
    server.url = http.url
  })
  after(() => Effect.runPromise(Scope.close(scope, Exit.void)))

  server.services = (tenant) => running.get(tenant)!
  server.as = ({ tenant, userId, ...rest }) => {
    const session = { id: `s-${userId}`, user: { id: userId, name: userId, tenant }, expiresAtMs: 9e15 }
    principals.set(userId, { ...principalOf(session, rest.roles ?? ["tenant_admin"]), ...rest })
    return userId
  }
  server.ask = async (token, method, path, body, headers = {}) => {
    const response = await fetch(`${server.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    return {
      status: response.status,
      etag: response.headers.get("etag"),
      text,
      body: (text === "" ? {} : JSON.parse(text)) as Body,
    }
  }
  return server
}

const watched = (vault: Vault, onOpened: InventoryServerOptions["onOpened"] = () => undefined): Vault => ({
  tenantKey: async (tx, tenant) => {
    const key = await vault.tenantKey(tx, tenant)
    return {
      ...key,
      open: (device, field, sealed) => {
        onOpened(device, field)
        return key.open(device, field, sealed)
      },
    }
  },
})

/** Longer than any test. */
const KEPT_MS = 86_400_000

const settings = (): Config => {
  const loaded = loadConfig({ env: { HELIOGRAPH_LOOPBACK_TARGETS: "allow" } })
  if (loaded._tag !== "Config") throw new Error("the default settings do not load")
  return loaded.config
}
