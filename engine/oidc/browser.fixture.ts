/** An engine that signs people in by the test issuer, over real HTTP and a real database, and a browser that walks through it. */
import { after, before } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { makeDoors } from "#engine/access/doors.ts"
import { testDeps } from "#engine/api/deps.fixture.ts"
import { makeHttp } from "#engine/http/server.ts"
import { silentLog } from "#engine/log.ts"
import { makeMetrics } from "#engine/metrics/registry.ts"
import { CLIENT_ID, CLIENT_SECRET, makeIssuer, type Issuer } from "#engine/oidc/issuer.fixture.ts"
import { makeOidc } from "#engine/oidc/oidc.ts"
import type { OidcSettings } from "#engine/oidc/settings.ts"
import { makePeople } from "#engine/people/people.ts"
import { composeResolve, cookieResolve } from "#engine/people/resolve.ts"
import { authenticate } from "#engine/people/sign-in.ts"
import { endFamiliesOf } from "#engine/programs/families.ts"
import { keysUpTo } from "#engine/programs/keys.ts"
import { makeLastUsed } from "#engine/programs/last-used.ts"
import { makePrograms } from "#engine/programs/programs.ts"
import { bearerResolve } from "#engine/programs/resolve.ts"
import type { TestDatabase } from "#engine/storage/database.fixture.ts"
import { listTenants } from "#engine/storage/tenants.ts"
import { openVault } from "#engine/storage/vault.ts"
import { makeFakeTwin } from "#engine/stream/fake-twin.fixture.ts"
import { makeStream } from "#engine/stream/stream.ts"
import type { TenantId } from "#protocol/id.ts"
import { QuotaExceeded } from "#engine/api/problems.ts"

export const PUBLIC_URL = "https://noc.example"

export interface Site {
  url: string
  issuer: Issuer
  tenant: TenantId
  slug: string
  /** Lines of warn and above, as one text. */
  readonly log: string[]
  readonly clock: { aheadMs: number }
  /** Users that the tenant may still have. */
  readonly room: { users: number }
}

/** One for all tests of the calling `describe`; `settings` bends how the relying party is configured. */
export const useSite = (it: TestDatabase, settings: Partial<OidcSettings> | null = {}): Site => {
  const site: Site = {
    url: "",
    issuer: {} as Issuer,
    tenant: "" as TenantId,
    slug: "",
    log: [],
    clock: { aheadMs: 0 },
    room: { users: 1_000 },
  }
  const scope = Scope.makeUnsafe()
  before(async () => {
    site.issuer = await makeIssuer()
    site.tenant = await it.newTenant()
    site.slug = (await Effect.runPromise(listTenants(it.db))).find(({ id }) => id === site.tenant)!.slug
    const common = { issuer: site.issuer.url, tenant: { slug: site.slug } }
    const oidc = settings === null ? null : { ...SETTINGS, ...common, ...settings }
    site.url = await Effect.runPromise(Scope.provide(serve(it, site, oidc), scope))
  })
  after(async () => {
    await Effect.runPromise(Scope.close(scope, Exit.void))
    await site.issuer.stop()
  })
  return site
}

const SETTINGS: Omit<OidcSettings, "issuer" | "tenant"> = {
  name: "Test issuer",
  clientId: CLIENT_ID,
  clientSecret: Redacted.make(CLIENT_SECRET),
  redirectUri: `${PUBLIC_URL}/oidc/callback`,
  roleClaim: "groups",
  roleMap: new Map([
    ["noc-team", ["noc"]],
    ["admins", ["tenant_admin"]],
    ["many", ["engineer", "auditor"]],
    ["watchers", ["watch"]],
  ]),
}

const serve = (it: TestDatabase, site: Site, settings: OidcSettings | null) =>
  Effect.gen(function* () {
    const nowMs = (): number => Date.now() + site.clock.aheadMs
    const isSuspended = (): boolean => false
    const resolve = composeResolve({
      cookie: cookieResolve(it.db, nowMs, isSuspended),
      bearer: bearerResolve({ db: it.db, lastUsed: makeLastUsed(it.db), isSuspended, nowMs }),
    })
    const doors = makeDoors(resolve, nowMs)
    const say = (message: string, fields?: object): void => void site.log.push(`${message} ${JSON.stringify(fields)}`)
    const log = { ...silentLog, warn: say, error: say }
    const oidcName = settings?.name ?? null
    const { accounts, people, environment } = makePeople({
      db: it.db,
      vault: yield* openVault(it.db, { dataDir: it.dataDir }),
      doors,
      metrics: makeMetrics(),
      log,
      nowMs,
      sessionHours: 12,
      oidcName,
      isSuspended,
      admitUser: async () => {
        if (site.room.users <= 0) throw new QuotaExceeded({ quota: "max_users", limit: 1, used: 1, retryAfterS: null })
      },
      endPrograms: endFamiliesOf,
    })
    const programs = makePrograms({
      db: it.db,
      doors,
      log,
      admitKey: keysUpTo(100, nowMs),
      authenticate: (attempt, issue) => authenticate(environment, attempt, issue),
      oidcName,
      nowMs,
    })
    const fake = makeFakeTwin("a", 3, 1)
    const twin = { ...fake, tenant: { ...fake.tenant, id: site.tenant, slug: site.slug } }
    const twins = { byTenant: () => twin, all: () => [twin] }
    const metrics = makeMetrics()
    const stream = yield* makeStream({ doors, twins, metrics, log, publicUrl: PUBLIC_URL, viewersMax: 10, nowMs })
    const { url } = yield* makeHttp({
      host: "127.0.0.1",
      port: 0,
      api: testDeps({
        doors,
        accounts,
        people,
        programs,
        oidcName,
        twins,
        log,
        publicUrl: PUBLIC_URL,
        nowMs,
      }),
      metrics,
      metricsToken: null,
      staticDir: null,
      basemapPath: () => null,
      oidc:
        settings === null ? null : makeOidc({ settings, people: environment, log, publicUrl: PUBLIC_URL, https: true }),
      stream,
      ready: () => true,
    }).pipe(Effect.map(({ port }) => ({ url: `http://127.0.0.1:${port}` })))
    return url
  })

export interface Browser {
  readonly cookies: Map<string, string>
  /** Never follows a redirect by itself. */
  readonly get: (url: string) => Promise<Response>
  /** From /oidc/start to the address that the issuer sends the browser back to. */
  readonly toCallback: () => Promise<URL>
  /** The whole way; the Location of the last answer. */
  readonly signIn: () => Promise<string | null>
  readonly session: () => Promise<{ readonly status: number; readonly body: SessionBody }>
}
interface SessionBody {
  readonly user: { readonly id: string; readonly name: string }
  readonly roles: readonly string[]
  readonly permissions: readonly string[]
  readonly secondFactor: { readonly enabled: boolean; readonly required: boolean }
}

/** What the browser knows as PUBLIC_URL is the engine under test. */
export const makeBrowser = (site: Site): Browser => {
  const cookies = new Map<string, string>()
  const get = async (address: string): Promise<Response> => {
    const ours = address.startsWith(PUBLIC_URL) || address.startsWith("/")
    const url = ours ? site.url + address.replace(PUBLIC_URL, "") : address
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ")
    const response = await fetch(url, { redirect: "manual", headers: ours && cookie !== "" ? { cookie } : {} })
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
      if (/Max-Age=0/.test(line)) cookies.delete(name!)
      else cookies.set(name!, value!)
    }
    return response
  }
  const toCallback = async (): Promise<URL> => {
    const away = (await get("/oidc/start")).headers.get("location")!
    return new URL((await get(away)).headers.get("location")!)
  }
  return {
    cookies,
    get,
    toCallback,
    signIn: async () => (await get((await toCallback()).href)).headers.get("location"),
    session: async () => {
      const response = await get("/api/v1/session")
      return { status: response.status, body: (await response.json()) as SessionBody }
    },
  }
}
