/** Whom the issuer's claims make here: roles at every sign-in, who is refused, and who still enters by a password. */
import assert from "node:assert/strict"
import { beforeEach, describe, test } from "node:test"
import * as Effect from "effect/Effect"
import { makeBrowser, PUBLIC_URL, useSite } from "#engine/oidc/browser.fixture.ts"
import { asTenant, auditOf } from "#engine/programs/programs.fixture.ts"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { createUser } from "#engine/storage/users.ts"

describe("accounts by the issuer", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()
  const site = useSite(it)
  let nth = 0
  let sub = ""
  beforeEach(() => {
    site.issuer.straighten()
    site.log.length = 0
    site.room.users = 1_000
    sub = `sub-${nth++}`
  })
  const personIs = (groups: unknown, more: Record<string, unknown> = {}): void => {
    site.issuer.bend.person = { sub, preferred_username: `name of ${sub}`, groups, ...more }
  }
  const sql = <Row extends Record<string, unknown>>(text: string, values: readonly unknown[] = []) =>
    asTenant<Row>(it, site.tenant, text, values)
  const newActs = async (since: number) => (await auditOf(it, site.tenant)).slice(since).map((row) => row.action)
  const acts = async (): Promise<number> => (await auditOf(it, site.tenant)).length

  test("[S5] roles are mapped from the claim: text, list, one value to several roles, unknown values ignored", async () => {
    const cases: ReadonlyArray<readonly [unknown, readonly string[]]> = [
      ["noc-team", ["noc"]],
      [["noc-team"], ["noc"]],
      [["many"], ["auditor", "engineer"]],
      [
        ["other", "many", "noc-team", 7, null],
        ["auditor", "engineer", "noc"],
      ],
    ]
    for (const [groups, roles] of cases) {
      sub = `sub-${nth++}`
      personIs(groups)
      const browser = makeBrowser(site)
      assert.equal(await browser.signIn(), "/", JSON.stringify(groups))
      assert.deepEqual((await browser.session()).body.roles, roles)
    }
  })

  test("[S5] whoever has no mapped role is refused and gets no account", async () => {
    const before = await acts()
    for (const groups of [
      [],
      "",
      ["other"],
      undefined,
      null,
      7,
      { noc: "noc-team" },
      [["noc-team"]],
      "NOC-TEAM",
      "constructor",
    ]) {
      personIs(groups)
      const browser = makeBrowser(site)
      assert.equal(await browser.signIn(), "/?signin=refused", JSON.stringify(groups))
      assert.equal(browser.cookies.size, 0)
    }
    // Mapped to a role of the tenant's own that it does not have.
    personIs(["watchers"])
    assert.equal(await makeBrowser(site).signIn(), "/?signin=refused")
    assert.equal(await acts(), before)
    assert.match(site.log.join("\n"), /"why":"no-role".*[^]*"why":"unknown-role"/)
  })

  test("[S5] a tenant's own role counts once the tenant has it", async () => {
    await sql("insert into tenant_role (tenant_id, name, permissions) values ($1, 'watch', $2)", [["network.read"]])
    personIs(["watchers"])
    const browser = makeBrowser(site)
    assert.equal(await browser.signIn(), "/")
    assert.deepEqual((await browser.session()).body.permissions, ["network.read"])
    await sql("delete from tenant_role where tenant_id = $1 and name = 'watch'")
  })

  test("[S5] roles change with the claim at the next sign-in, for sessions that are open too, with one row in the audit", async () => {
    personIs(["admins"])
    const first = makeBrowser(site)
    await first.signIn()
    assert.ok((await first.session()).body.permissions.includes("users.manage"))
    const since = await acts()
    personIs(["noc-team"])
    await makeBrowser(site).signIn()
    assert.ok(!(await first.session()).body.permissions.includes("users.manage"))
    assert.deepEqual(await newActs(since), ["user.update", "session.create"])
    const [row] = (await auditOf(it, site.tenant)).slice(since)
    assert.deepEqual([row!.before, row!.after], [{ roles: ["tenant_admin"] }, { roles: ["noc"] }])
  })

  test("[S5] whoever lost every mapped role loses sessions and rights at the next try, and gets them back by a role", async () => {
    personIs(["noc-team"])
    const open = makeBrowser(site)
    await open.signIn()
    assert.equal((await open.session()).status, 200)
    const since = await acts()
    personIs([])
    for (let nthTry = 0; nthTry < 2; nthTry++) assert.equal(await makeBrowser(site).signIn(), "/?signin=refused")
    assert.equal((await open.session()).status, 401)
    assert.deepEqual(await newActs(since), ["user.update"])
    personIs(["many"])
    const back = makeBrowser(site)
    assert.equal(await back.signIn(), "/")
    assert.deepEqual((await back.session()).body.roles, ["auditor", "engineer"])
  })

  test("[S5] the subject is the person: a new name is the same account, a taken name never opens somebody else's", async () => {
    const local = await Effect.runPromise(
      createUser(it.db, site.tenant, { name: "carla", password: "correct horse", roles: ["tenant_admin"] }),
    )
    personIs(["noc-team"], { preferred_username: "carla", email: "carla@isp.example" })
    const browser = makeBrowser(site)
    assert.equal(await browser.signIn(), "/")
    const { user, roles } = (await browser.session()).body
    assert.notEqual(user.id, local.id)
    assert.match(user.name, /^carla \([0-9a-f]{8}\)$/)
    assert.deepEqual(roles, ["noc"])
    personIs(["noc-team"], { preferred_username: "carla of before" })
    const renamed = makeBrowser(site)
    await renamed.signIn()
    assert.equal((await renamed.session()).body.user.id, user.id)
  })

  test("names are what people choose: hostile, empty and endless ones are kept as text, bounded", async () => {
    for (const name of [
      "<img src=x onerror=alert(1)>",
      "",
      "  ",
      "a".repeat(5000),
      "\u0000\ud800",
      "'; drop table app_user; --",
    ]) {
      sub = `sub-${nth++}`
      personIs(["noc-team"], { preferred_username: name })
      const browser = makeBrowser(site)
      assert.equal(await browser.signIn(), "/", JSON.stringify(name.slice(0, 20)))
      const shown = (await browser.session()).body.user.name
      assert.ok(shown.length >= 1 && shown.length <= 200 && !shown.includes("\u0000"))
    }
  })

  test("[S5] a disabled account is refused, and stays disabled", async () => {
    personIs(["noc-team"])
    const browser = makeBrowser(site)
    await browser.signIn()
    const { id } = (await browser.session()).body.user
    await sql("update app_user set disabled = true where tenant_id = $1 and user_id = $2", [id])
    const since = await acts()
    personIs(["admins"])
    assert.equal(await makeBrowser(site).signIn(), "/?signin=refused")
    const [row] = await sql("select disabled, roles from app_user where tenant_id = $1 and user_id = $2", [id])
    assert.deepEqual(row, { disabled: true, roles: ["noc"] })
    assert.deepEqual(await newActs(since), [])
  })

  test("[T5] where the tenant may have no more users a new person is refused, a known one is not", async () => {
    personIs(["noc-team"])
    await makeBrowser(site).signIn()
    site.room.users = 0
    assert.equal(await makeBrowser(site).signIn(), "/")
    sub = `sub-${nth++}`
    personIs(["noc-team"])
    assert.equal(await makeBrowser(site).signIn(), "/?signin=refused")
    assert.match(site.log.join(), /"why":"quota"/)
  })

  test("[S5] two first sign-ins of one person at the same moment make one account", async () => {
    personIs(["noc-team"])
    const browsers = [1, 2, 3, 4].map(() => makeBrowser(site))
    assert.deepEqual(await Promise.all(browsers.map((browser) => browser.signIn())), ["/", "/", "/", "/"])
    const ids = await Promise.all(browsers.map(async (browser) => (await browser.session()).body.user.id))
    assert.equal(new Set(ids).size, 1)
    assert.equal((await sql("select 1 from oidc_link where tenant_id = $1 and subject = $2", [sub])).length, 1)
  })

  test("[S4] a role that demands a second factor is satisfied by the issuer's own sign-in", async () => {
    personIs(["admins"])
    await sql("insert into tenant_role (tenant_id, name, second_factor_required) values ($1, 'tenant_admin', true)")
    const browser = makeBrowser(site)
    await browser.signIn()
    assert.equal((await browser.session()).body.secondFactor.required, false)
    assert.equal((await browser.get("/api/v1/keys")).status, 200)
    await sql("delete from tenant_role where tenant_id = $1 and name = 'tenant_admin'")
  })

  test("[S5] break glass: while the issuer is down an administrator enters by password, and it is on record as that", async () => {
    const person = (name: string, role: string) =>
      Effect.runPromise(createUser(it.db, site.tenant, { name, password: "correct horse", roles: [role] }))
    const root = await person("root", "tenant_admin")
    await person("bob", "noc")
    const post = (path: string, user: string, password = "correct horse") =>
      fetch(site.url + path, {
        method: "POST",
        headers: { "content-type": "application/json", origin: PUBLIC_URL },
        body: JSON.stringify({ user, password, tenant: site.slug }),
      })
    await site.issuer.stop()
    try {
      const since = await acts()
      const entered = await post("/api/v1/session", "root")
      assert.equal(entered.status, 204)
      const program = await post("/api/v1/tokens", "root")
      assert.equal(program.status, 200)
      const rows = (await auditOf(it, site.tenant)).slice(since)
      assert.deepEqual(
        rows.map((row) => [row.action, row.actor_id]),
        [
          ["session.break-glass", root.id],
          ["session.break-glass", root.id],
        ],
      )
      for (const path of ["/api/v1/session", "/api/v1/tokens"]) {
        const refused = await post(path, "bob")
        assert.equal(refused.status, 401)
        assert.match(((await refused.json()) as { detail: string }).detail, /Sign in with Test issuer/)
        const wrong = await post(path, "bob", "wrong horse")
        assert.equal(((await wrong.json()) as { detail?: string }).detail, undefined, "a stranger learns who exists")
      }
      assert.equal((await newActs(since)).length, 2)
    } finally {
      await site.issuer.start()
    }
  })
})

describe("the tenant by a claim", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()
  const site = useSite(it, { tenant: { claim: "isp" } })

  test("[S5] the claim names the tenant; an unknown or missing one is refused", async () => {
    for (const isp of [undefined, "", "no-such", 7, ["x"], "' or true --"]) {
      site.issuer.bend.person = { sub: "sub-1", groups: ["noc-team"], isp }
      assert.equal(await makeBrowser(site).signIn(), "/?signin=refused", JSON.stringify(isp))
    }
    site.issuer.bend.person = { sub: "sub-1", groups: ["noc-team"], isp: site.slug }
    assert.equal(await makeBrowser(site).signIn(), "/")
    const links = await asTenant(it, site.tenant, "select subject from oidc_link where tenant_id = $1")
    assert.deepEqual(links, [{ subject: "sub-1" }])
  })
})

describe("without OIDC", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()
  const site = useSite(it, null)

  test("there are no such routes, and everybody signs in by password", async () => {
    for (const path of ["/oidc/start", "/oidc/callback"]) assert.equal((await fetch(site.url + path)).status, 404)
    const ways = (await (await fetch(`${site.url}/api/v1/session/ways`)).json()) as object
    assert.deepEqual(ways, { password: true, oidc: null })
  })
})
