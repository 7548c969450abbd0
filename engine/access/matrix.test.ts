/**
 * Who may what (PRODUCT.md S1, T2): every role, a custom one, nobody and keys of a narrow scope, at every route, file and
 * stream command of a whole engine, with ids of the own tenant, of the other and of nobody. The expectation comes from
 * the registry of ways in (entries.ts), the routes from the contract; neither can leave a new one out.
 */
import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { request as httpRequest } from "node:http"
import { describe, test, type TestContext } from "node:test"
import { Client } from "pg"
import * as Effect from "effect/Effect"
import { FILES, ROUTES, STREAM_COMMANDS, type RouteName } from "#engine/access/entries.ts"
import { BODIES, NOBODY_ID, QUERIES } from "#engine/access/matrix-bodies.fixture.ts"
import { needs, type Policy } from "#engine/access/policy.ts"
import { diceOf } from "#engine/dice.ts"
import { ALL_ROUTES, pathOf, ROUTES_BY_ID, type Route } from "#engine/isolation/routes-by-id.ts"
import { call, somebody, useTwoTenants, type OneTenant, type Somebody } from "#engine/isolation/two-tenants.fixture.ts"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"
import { uuidv7 } from "#engine/storage/uuidv7.ts"
import { ROLE_PERMISSIONS, USER_ROLES, type Permission } from "#protocol/permission.ts"

// A route without a policy does not compile: neither a missing row nor one of a route that is not.
const { "network.devices": _one, ...oneMissing } = ROUTES
// @ts-expect-error network.devices has no policy
const missing: Readonly<Record<RouteName, Policy>> = oneMissing
// @ts-expect-error there is no such route
const tooMany: Readonly<Record<RouteName, Policy>> = { ...ROUTES, "network.nothing": needs("network.read") }

/** Of tenant A; B's custom role has another name. */
const CUSTOM = "matrix-role"
const CUSTOM_OF_B = "matrix-role-of-b"
const CUSTOM_PERMISSIONS: readonly Permission[] = ["network.read", "audit.read", "apikeys.manage"]
const NARROW: readonly Permission[] = ["network.read"]
/** Calls with foreign ids of the T2 run; MATRIX_FOREIGN_CALLS=10000 is its full size. */
const FOREIGN_CALLS = Number(process.env["MATRIX_FOREIGN_CALLS"] ?? 2_000)
const SEED = Number(process.env["MATRIX_SEED"] ?? 20261121)

interface Asker {
  readonly name: string
  readonly permissions: ReadonlySet<Permission>
  /** A new one each time for acts that end the credential. */
  readonly fresh: () => Promise<Somebody>
  readonly who: Somebody
}

describe("the matrix of ways in", { skip: NO_POSTGRES, timeout: 570_000 }, () => {
  const it = useTwoTenants()

  const asOwner = async <Row>(sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> => {
    const owner = new Client({ connectionString: it.database.ownerUrl })
    await owner.connect()
    const { rows } = await owner.query(sql, [...values])
    await owner.end()
    return rows as Row[]
  }

  const askers = async (tenant: OneTenant): Promise<readonly Asker[]> => {
    await Effect.runPromise(
      it.db.tenant(tenant.id)((tx) =>
        tx.query("insert into tenant_role (tenant_id, name, permissions) values ($1, $2, $3) on conflict do nothing", [
          tenant.id,
          tenant === it.a ? CUSTOM : CUSTOM_OF_B,
          CUSTOM_PERMISSIONS,
        ]),
      ),
    )
    const one = async (
      name: string,
      permissions: readonly Permission[],
      fresh: () => Promise<Somebody>,
    ): Promise<Asker> => ({ name, permissions: new Set(permissions), fresh, who: await fresh() })
    return Promise.all([
      ...USER_ROLES.map((role) => one(role, ROLE_PERMISSIONS[role], () => somebody(it, tenant, [role]))),
      one(CUSTOM, CUSTOM_PERMISSIONS, () => somebody(it, tenant, [tenant === it.a ? CUSTOM : CUSTOM_OF_B])),
      one("a role that was removed", [], () => somebody(it, tenant, ["gone"])),
      one("key of a tenant_admin for reading", NARROW, () => somebody(it, tenant, ["tenant_admin"], NARROW)),
      one("key that outlived its owner's rights", [], () => somebody(it, tenant, ["gone"], NARROW)),
    ])
  }

  interface Ids {
    readonly [kind: string]: string
  }
  const idsOf = async (tenant: OneTenant): Promise<Ids> => {
    const first = async (table: string, column: string): Promise<string> =>
      (
        await asOwner<{ id: string }>(
          `select ${column}::text as id from ${table} where tenant_id = $1 order by 1 limit 1`,
          [tenant.id],
        )
      )[0]?.id ?? NOBODY_ID
    return {
      devices: await first("device", "device_id"),
      links: await first("link", "link_id"),
      sites: await first("site", "site_id"),
      users: await first("app_user", "user_id"),
      keys: await first("api_key", "key_id"),
      roles: tenant === it.a ? CUSTOM : CUSTOM_OF_B,
      tenants: tenant.slug,
    }
  }
  /** `/api/v1/devices/:id/...` takes a device's id. */
  const kindOf = ({ path }: Route): string => path.split("/")[3]!
  const fill = (route: Route, id: string): string => pathOf(route, (param) => (param === "kind" ? "snmp" : id))
  const send = (route: Route, id: string, who: Somebody | null): Promise<Response> =>
    call(it, route.method, `${fill(route, id)}${QUERIES[route.name] ?? ""}`, who?.headers ?? {}, BODIES[route.name])

  /** What came, in the words of the expectation. `denied` = the policy refused, whatever the handler would have said. */
  const outcomeOf = async (response: Response): Promise<string> => {
    const text = await response.text()
    if (response.status === 401 && text.includes("wrong-credentials")) return "let in"
    if (response.status === 401) return "not signed in"
    if (response.status === 403 && /needs the permission|second factor first/.test(text)) return "denied"
    return response.status >= 500 ? `${response.status} ${text.slice(0, 200)}` : "let in"
  }
  const expected = (policy: Policy, asker: Asker | null): string => {
    if (policy.kind === "public") return "let in"
    if (asker === null) return "not signed in"
    return policy.kind === "needs" && !asker.permissions.has(policy.permission) ? "denied" : "let in"
  }

  /** Everything that tenant B has in the database, but for the moments of use that B's own calls leave. */
  const digestOfB = async (): Promise<string> => {
    const hash = createHash("sha256")
    for (const table of ["site", "device", "link", "app_user", "tenant_role", "api_key", "credential", "audit_entry"]) {
      const rows = await asOwner<{ row: string }>(
        `select (to_jsonb(t) - 'last_used_ms')::text as row from ${table} t where tenant_id = $1 order by 1`,
        [it.b.id],
      )
      for (const { row } of rows) hash.update(`${table} ${row}\n`)
    }
    return hash.digest("hex")
  }

  test("[S1] every route that takes a body has one here, and every policy names a route that is", () => {
    const without = ALL_ROUTES.filter(({ method, name }) => /POST|PUT|PATCH/.test(method) && !(name in BODIES))
    assert.deepEqual(
      without.map(({ name }) => name),
      [],
      "add a row to matrix-bodies.fixture.ts",
    )
    assert.deepEqual(ALL_ROUTES.map(({ name }) => name).toSorted(), Object.keys(ROUTES).toSorted())
    assert.ok(missing !== tooMany)
  })

  test("[S1] [T2] every role at every route, with ids of the own tenant, the other and nobody", async (t: TestContext) => {
    await askers(it.b)
    const [roles, own, foreign] = [await askers(it.a), await idsOf(it.a), await idsOf(it.b)]
    const before = await digestOfB()
    const wrong: string[] = []
    const size = { calls: 0, letIn: 0, denied: 0, notSignedIn: 0, notFound: 0 }
    const check = async (route: Route, asker: Asker | null, id: string, whose: string): Promise<void> => {
      const who = asker === null ? null : route.name === "session.remove" ? await asker.fresh() : asker.who
      const response = await send(route, id, who)
      const { status } = response
      const [came, wanted] = [await outcomeOf(response), expected(ROUTES[route.name], asker)]
      size.calls += 1
      if (came === "denied") size.denied += 1
      else if (came === "not signed in") size.notSignedIn += 1
      else if (status === 404) size.notFound += 1
      else size.letIn += 1
      const told = `${asker?.name ?? "nobody"} ${route.method} ${route.path} (${whose}): ${status} ${came}`
      if (came !== wanted) wrong.push(`${told}, expected ${wanted}`)
      else if (wanted === "let in" && whose === "other" && status !== 404 && !isPersonal(route, status))
        wrong.push(`${told}, expected 404`)
      else if (
        wanted === "let in" &&
        whose === "own" &&
        route.method === "GET" &&
        isLiving(route, id) &&
        status !== 200
      )
        wrong.push(`${told}, expected 200`)
    }
    for (const route of ALL_ROUTES) {
      const takesId = route.params.length > 0
      await check(route, null, NOBODY_ID, "nobody's")
      for (const asker of roles) {
        if (takesId && !isNamedByCaller(route)) await check(route, asker, foreign[kindOf(route)] ?? NOBODY_ID, "other")
        // Own things are only read: what the matrix needs must outlive it.
        const id = route.method === "GET" ? (own[kindOf(route)] ?? NOBODY_ID) : NOBODY_ID
        await check(route, asker, id, takesId && route.method !== "GET" ? "nobody's" : "own")
      }
    }
    t.diagnostic(`matrix: ${ALL_ROUTES.length} routes x ${roles.length + 1} askers: ${JSON.stringify(size)}`)
    assert.deepEqual(wrong, [])
    assert.equal(await digestOfB(), before, "something of the other tenant was changed")
  })

  test("[S1] files and the stream: every role, by cookie and by key", async (t) => {
    const upgrade = (headers: Readonly<Record<string, string>>): Promise<number> =>
      new Promise((settle, reject) => {
        const handshake = {
          connection: "Upgrade",
          upgrade: "websocket",
          "sec-websocket-version": "13",
          "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
        }
        httpRequest(`${it.url}/stream`, { headers: { ...headers, ...handshake } })
          .once("upgrade", (response, socket) => {
            socket.destroy()
            settle(response.statusCode ?? 0)
          })
          .once("response", (response) => settle(response.resume().statusCode ?? 0))
          .once("error", reject)
          .end()
      })
    let calls = 0
    const wrong: string[] = []
    for (const [path, policy] of Object.entries(FILES))
      for (const asker of [null, ...(await askers(it.a))]) {
        const headers = asker?.who.headers ?? {}
        const status = path === "/stream" ? await upgrade(headers) : (await call(it, "GET", path, headers)).status
        const came = status === 401 ? "not signed in" : status === 403 ? "denied" : "let in"
        const wanted = expected(policy, asker)
        calls += 1
        if (came !== wanted || status >= 500)
          wrong.push(`${asker?.name ?? "nobody"} ${path}: ${status}, expected ${wanted}`)
      }
    t.diagnostic(`files: ${calls} calls`)
    assert.deepEqual(wrong, [])
    // Who may not open the stream says nothing on it: its commands need what the stream itself needs.
    for (const [command, policy] of Object.entries(STREAM_COMMANDS)) assert.deepEqual(policy, FILES["/stream"], command)
  })

  test(`[T2] ${FOREIGN_CALLS} random calls with foreign ids, every method, by whoever may ask: all 404`, async (t) => {
    const roles = await askers(it.a)
    const tables = { device: "device_id", link: "link_id", app_user: "user_id", api_key: "key_id", site: "site_id" }
    const pool = (
      await asOwner<{ id: string }>(
        Object.entries(tables)
          .map(([table, column]) => `select ${column}::text as id from ${table} where tenant_id = $1`)
          .join(" union all "),
        [it.b.id],
      )
    ).map(({ id }) => id)
    const entries = ROUTES_BY_ID.filter((route) => !isNamedByCaller(route)).map((route) => ({
      route,
      askers: roles.filter(
        (asker) =>
          expected(ROUTES[route.name], asker) === "let in" &&
          !(route.name.startsWith("account.") && "authorization" in asker.who.headers),
      ),
    }))
    for (const entry of entries) assert.ok(entry.askers.length > 0, `nobody may ${entry.route.name}`)
    const before = await digestOfB()
    const dice = diceOf(SEED)
    const pick = <A>(from: readonly A[]): A => from[Math.floor(dice() * from.length)]!
    const counts: Record<string, number> = {}
    const wrong: string[] = []
    let left = FOREIGN_CALLS
    const worker = async (): Promise<void> => {
      while (left > 0) {
        left -= 1
        const entry = pick(entries)
        const [asker, id] = [pick(entry.askers), dice() < 0.25 ? uuidv7() : pick(pool)]
        const response = await send(entry.route, id, asker.who)
        await response.arrayBuffer()
        counts[response.status] = (counts[response.status] ?? 0) + 1
        if (response.status !== 404)
          wrong.push(`${asker.name} ${entry.route.method} ${fill(entry.route, id)}: ${response.status}`)
      }
    }
    await Promise.all(Array.from({ length: 4 }, worker))
    t.diagnostic(`seed ${SEED}, ${entries.length} routes, ${pool.length} foreign ids: ${JSON.stringify(counts)}`)
    assert.deepEqual(wrong.slice(0, 20), [])
    assert.equal(await digestOfB(), before, "something of the other tenant was changed")
  })
})

/** A PUT names what it makes (a site, a role), and tenants are named by the platform's administrator. */
const isNamedByCaller = (route: Route): boolean =>
  ["inventory.putSite", "roles.put", "alertRules.put"].includes(route.name) ||
  route.name.startsWith("structure.put") ||
  route.path.includes("/tenants/")

/** A key has no account of its own: it is told so before any id is looked at. */
const isPersonal = (route: Route, status: number): boolean => route.name.startsWith("account.") && status === 403

/** Whether the own id that the matrix has for this route is one that is. */
const isLiving = (route: Route, id: string): boolean =>
  id !== NOBODY_ID && (route.params.length === 0 ? route.name !== "past.history" : true)
