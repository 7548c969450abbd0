/**
 * People over real HTTP, a real stream and a real database, for tests: two tenants with a twin each, a clock that can be
 * set forward, and requests that say which address they come from (as behind a proxy).
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { makeDoors, type Doors } from "#engine/access/doors.ts"
import { testDeps } from "#engine/api/deps.fixture.ts"
import { makeHttp } from "#engine/http/server.ts"
import { silentLog } from "#engine/log.ts"
import { makeMetrics } from "#engine/metrics/registry.ts"
import { makePeople } from "#engine/people/people.ts"
import { composeResolve, cookieResolve } from "#engine/people/resolve.ts"
import { endFamiliesOf } from "#engine/programs/families.ts"
import type { TestDatabase } from "#engine/storage/database.fixture.ts"
import { createUser, type User } from "#engine/storage/users.ts"
import { openVault } from "#engine/storage/vault.ts"
import { makeFakeTwin } from "#engine/stream/fake-twin.fixture.ts"
import { makeStream } from "#engine/stream/stream.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"
import type { TenantId } from "#protocol/id.ts"

export const PASSWORD = "correct horse battery"

/** What a test says of a request. */
export interface Ask {
  readonly cookie?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** The address it comes from; a new one each time when absent, so that limits are met only where a test means them. */
  readonly from?: string
}

export interface Answer {
  readonly status: number
  /** Of a problem; "" = none. */
  readonly type: string
  readonly body: unknown
  readonly headers: Headers
  /** The session cookie that was set; null = none. */
  readonly cookie: string | null
}

export interface PeopleRig {
  readonly a: TenantId
  readonly b: TenantId
  readonly slugOf: (tenant: TenantId) => string
  readonly streamUrl: string
  readonly doors: Doors
  readonly suspended: Set<TenantId>
  readonly call: (method: string, path: string, ask?: Ask) => Promise<Answer>
  /** Signs in and gives back the cookie; fails when it does not. */
  readonly cookieOf: (name: string, more?: Readonly<Record<string, string>>) => Promise<string>
  readonly newUser: (tenant: TenantId, name: string, roles: readonly string[]) => Promise<User>
  readonly audit: (tenant: TenantId) => Promise<ReadonlyArray<Readonly<Record<string, unknown>>>>
  readonly metric: (line: string) => number
  /** Sets the clock forward. */
  readonly advance: (ms: number) => void
  readonly nowMs: () => number
  readonly close: () => Promise<void>
}

const ORIGIN = "http://noc.test"

export const startPeople = async (it: TestDatabase): Promise<PeopleRig> => {
  const { db } = it
  const [a, b] = [await it.newTenant(), await it.newTenant()]
  const slugs = new Map<TenantId, string>()
  for (const row of (await Effect.runPromise(db.engine((tx) => tx.query("select tenant_id, slug from tenant")))).rows)
    slugs.set(row["tenant_id"] as TenantId, row["slug"] as string)
  const slugOf = (tenant: TenantId): string => slugs.get(tenant) ?? ""
  const twinOf = (tenant: TenantId): LiveTwin => {
    const twin = makeFakeTwin(slugOf(tenant), 3, 3)
    return { ...twin, tenant: { ...twin.tenant, id: tenant } }
  }
  const twins = new Map([a, b].map((tenant) => [tenant, twinOf(tenant)]))
  let aheadMs = 0
  const nowMs = (): number => Date.now() + aheadMs
  const suspended = new Set<TenantId>()
  const isSuspended = (tenant: TenantId): boolean => suspended.has(tenant)
  const metrics = makeMetrics()
  const doors = makeDoors(composeResolve({ cookie: cookieResolve(db, nowMs, isSuspended), bearer: null }), nowMs)
  const scope = await Effect.runPromise(Scope.make())
  const port = await Effect.runPromise(
    Scope.provide(
      Effect.gen(function* () {
        const vault = yield* openVault(db, { dataDir: it.dataDir })
        const { accounts, people } = makePeople({
          db,
          vault,
          doors,
          metrics,
          log: silentLog,
          nowMs,
          monotonicMs: () => performance.now() + aheadMs,
          sessionHours: 12,
          oidcName: null,
          isSuspended,
          admitUser: async () => {},
          endPrograms: endFamiliesOf,
        })
        const common = {
          doors,
          metrics,
          log: silentLog,
          publicUrl: ORIGIN,
          nowMs,
          twins: { byTenant: (tenant: TenantId) => twins.get(tenant) ?? null, all: () => [...twins.values()] },
        }
        const stream = yield* makeStream({ ...common, viewersMax: 10 })
        const http = yield* makeHttp({
          host: "127.0.0.1",
          port: 0,
          api: testDeps({ ...common, accounts, people }),
          metrics,
          metricsToken: null,
          staticDir: null,
          basemapPath: () => null,
          stream,
          ready: () => true,
        })
        return http.port
      }),
      scope,
    ),
  )
  let visitors = 0
  const call = async (method: string, path: string, ask: Ask = {}): Promise<Answer> => {
    visitors += 1
    const response = await fetch(`http://127.0.0.1:${port}/api/v1${path}`, {
      method,
      headers: {
        "x-forwarded-for": ask.from ?? `10.${visitors >> 16}.${(visitors >> 8) & 255}.${visitors & 255}`,
        ...(ask.cookie === undefined ? {} : { cookie: ask.cookie }),
        ...(ask.body === undefined ? {} : { "content-type": "application/json" }),
        ...ask.headers,
      },
      ...(ask.body === undefined ? {} : { body: JSON.stringify(ask.body) }),
    })
    const text = await response.text()
    const body: unknown = text === "" ? {} : JSON.parse(text)
    const set = response.headers.getSetCookie()[0]?.split(";")[0] ?? null
    return { status: response.status, type: typeOf(body), body, headers: response.headers, cookie: set }
  }
  return {
    a,
    b,
    slugOf,
    streamUrl: `http://127.0.0.1:${port}/stream`,
    doors,
    suspended,
    call,
    cookieOf: async (name, more = {}) => {
      const answer = await call("POST", "/session", { body: { user: name, password: PASSWORD, ...more } })
      if (answer.cookie === null) throw new Error(`${name} did not get in: ${answer.status} ${answer.type}`)
      return answer.cookie
    },
    newUser: (tenant, name, roles) => Effect.runPromise(createUser(db, tenant, { name, password: PASSWORD, roles })),
    audit: async (tenant) => {
      const read = db.tenant(tenant)((tx) => tx.query("select * from audit_entry order by seq"))
      return (await Effect.runPromise(read)).rows
    },
    metric: (line) =>
      Number(
        metrics
          .render()
          .split("\n")
          .find((one) => one.startsWith(`${line} `))
          ?.slice(line.length + 1) ?? 0,
      ),
    advance: (ms) => (aheadMs += ms),
    nowMs,
    close: () => Effect.runPromise(Scope.close(scope, Exit.void)),
  }
}

const typeOf = (body: unknown): string =>
  typeof body === "object" && body !== null && "type" in body && typeof body.type === "string"
    ? body.type.replace("urn:heliograph:", "")
    : ""
