/** API keys on a real PostgreSQL: what they may do, how long, who owns them, and what is kept of them. */
import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { describe, test } from "node:test"
import * as Effect from "effect/Effect"
import fc from "fast-check"
import { QuotaExceeded } from "#engine/api/problems.ts"
import { prefixOf, type ApiKey } from "#engine/programs/keys.ts"
import { NoKeyOwner, ScopeTooWide } from "#engine/programs/programs.ts"
import { actorFor, asTenant, auditOf, newPerson, principalFor, programsOn } from "#engine/programs/programs.fixture.ts"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { newTenantToken } from "#engine/storage/tenant-token.ts"
import { uuidv7 } from "#engine/storage/uuidv7.ts"
import { tenantId } from "#protocol/id.ts"
import { PERMISSIONS, ROLE_PERMISSIONS, USER_ROLES, type Permission } from "#protocol/permission.ts"

const run = Effect.runPromise

test("[S3] the prefix opens the key, tells keys apart, and leaves 220 bits unsaid", () => {
  const tenant = tenantId(uuidv7())
  const made = Array.from({ length: 500 }, () => newTenantToken("hgk_", tenant))
  assert.equal(new Set(made.map(prefixOf)).size, 500)
  for (const secret of made) {
    assert.ok(secret.startsWith(prefixOf(secret)))
    assert.equal(secret.length - prefixOf(secret).length, 37)
  }
})

describe("API keys", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()
  const setup = async (roles: readonly string[] = ["tenant_admin"], keysMax = 100) => {
    const tenant = await it.newTenant()
    const person = await newPerson(it, tenant, roles)
    const parts = programsOn(it, { keysMax })
    const make = (scope: readonly Permission[], days: number | null = null) =>
      run(parts.programs.createKey(principalFor(person, roles), actorFor(person), { name: "grafana", scope, days }))
    return { tenant, person, make, ...parts }
  }

  test("[S3] a key opens the door as its owner with its scope; the table holds only its hash and prefix", async () => {
    const { tenant, person, make, admit } = await setup()
    const { key, secret } = await make(["network.read", "audit.read"])
    assert.match(secret, /^hgk_[\w-]{22}\.[\w-]{43}$/)
    const principal = await admit(secret)
    assert.deepEqual([...principal!.permissions], ["audit.read", "network.read"])
    assert.deepEqual(principal!.credential.kind, "apiKey")
    assert.deepEqual([principal!.userId, principal!.tenant, principal!.credential.id], [person.id, tenant, key.id])
    const rows = await asTenant(
      it,
      tenant,
      "select to_jsonb(k)::text as row, key_sha256 from api_key k where tenant_id = $1",
    )
    assert.deepEqual(rows[0]!["key_sha256"], createHash("sha256").update(secret).digest())
    const random = secret.split(".")[1]!
    assert.ok(!String(rows[0]!["row"]).includes(random.slice(0, 10)), "more of the secret is stored than its prefix")
    assert.equal(key.prefix, secret.slice(0, 33))
  })

  test("[S3] any other secret, kind or tenant is nobody", async () => {
    const { tenant, make, admit } = await setup()
    const { secret } = await make(["network.read"])
    const other = await it.newTenant()
    const elsewhere = newTenantToken("hgk_", other).split(".")[0]! + "." + secret.split(".")[1]!
    const strangers = [
      newTenantToken("hgk_", tenant),
      newTenantToken("hga_", tenant),
      newTenantToken("hgk_", tenantId(uuidv7())),
      elsewhere,
      secret.replace("hgk_", "hga_"),
      secret.slice(0, -1),
      `${secret}A`,
      "hgk_",
      "' or 1=1 --",
    ]
    for (const stranger of strangers) assert.equal(await admit(stranger), null, stranger)
    await fc.assert(
      fc.asyncProperty(fc.nat(secret.length - 1), fc.constantFrom("A", "b", "_", "0"), async (at, put) => {
        const changed = secret.slice(0, at) + put + secret.slice(at + 1)
        assert.equal((await admit(changed)) === null, changed !== secret, changed)
      }),
      { numRuns: 60 },
    )
  })

  test("[S3] nobody makes a key that may do what they may not, for every role and permission", async () => {
    const { tenant } = await setup()
    for (const role of USER_ROLES) {
      const person = await newPerson(it, tenant, [role])
      const { programs } = programsOn(it, { keysMax: 1000 })
      for (const permission of PERMISSIONS) {
        const wanted = { name: "k", scope: [permission], days: 1 }
        const made = await run(
          Effect.result(programs.createKey(principalFor(person, [role]), actorFor(person), wanted)),
        )
        const held = ROLE_PERMISSIONS[role].includes(permission)
        assert.equal(made._tag === "Success", held, `${role} ${permission}`)
        if (made._tag === "Failure") assert.deepEqual(made.failure, new ScopeTooWide({ missing: permission }))
      }
    }
  })

  test("[S3] what the owner loses the key loses at once, what the owner gains it never gains", async () => {
    const { tenant, person, make, resolved } = await setup(["tenant_admin"])
    const { secret } = await make(["network.read", "audit.read", "users.manage"])
    const rolesAre = (roles: readonly string[]) =>
      asTenant(it, tenant, "update app_user set roles = $3 where tenant_id = $1 and user_id = $2", [person.id, roles])
    await rolesAre(["viewer"])
    assert.deepEqual([...(await resolved(secret))!.permissions], ["network.read"])
    await rolesAre(["gone-role"])
    assert.deepEqual([...(await resolved(secret))!.permissions], [])
    await asTenant(it, tenant, "insert into tenant_role (tenant_id, name, permissions) values ($1, 'watch', $2)", [
      ["audit.read", "rules.configure", "no.such"],
    ])
    await rolesAre(["watch"])
    assert.deepEqual([...(await resolved(secret))!.permissions], ["audit.read"])
    await rolesAre(["tenant_admin", "platform_admin"])
    assert.deepEqual([...(await resolved(secret))!.permissions], ["users.manage", "audit.read", "network.read"])
  })

  test("[S3] a key ends with its time, its owner's disabling, and its owner", async () => {
    const { tenant, person, make, resolved, clock } = await setup()
    const { key, secret } = await make(["network.read"], 2)
    const { secret: endless } = await make(["network.read"])
    assert.equal(key.expiresMs, clock.nowMs + 2 * 86_400_000)
    clock.nowMs = key.expiresMs! - 1
    assert.ok(await resolved(secret))
    clock.nowMs = key.expiresMs!
    assert.equal(await resolved(secret), null)
    clock.nowMs += 3660 * 86_400_000
    assert.ok(await resolved(endless))
    const disabled = (value: boolean) =>
      asTenant(it, tenant, "update app_user set disabled = $3 where tenant_id = $1 and user_id = $2", [
        person.id,
        value,
      ])
    await disabled(true)
    assert.equal(await resolved(endless), null)
    await disabled(false)
    assert.ok(await resolved(endless))
    await asTenant(it, tenant, "delete from app_user where tenant_id = $1 and user_id = $2", [person.id])
    assert.equal(await resolved(endless), null)
    assert.deepEqual(await asTenant(it, tenant, "select 1 from api_key where tenant_id = $1"), [])
  })

  test("[S3] a revoked key is refused by the very next request, and its streams are told; SQL elsewhere: within 1 s", async () => {
    const { tenant, person, make, admit, programs, forgotten, clock } = await setup()
    const [first, second] = [await make(["network.read"]), await make(["network.read"])]
    assert.ok((await admit(first.secret)) && (await admit(second.secret)))
    assert.equal(await run(programs.revokeKey(tenant, actorFor(person), first.key.id)), true)
    assert.equal(await admit(first.secret), null)
    assert.deepEqual(forgotten, [{ tenant, credentialId: first.key.id }])
    assert.equal(await run(programs.revokeKey(tenant, actorFor(person), first.key.id)), false)
    await asTenant(it, tenant, "delete from api_key where tenant_id = $1")
    clock.nowMs += 1_000
    assert.equal(await admit(second.secret), null)
  })

  test("[T8] a suspended tenant's keys open nothing, and open again when it is taken up", async () => {
    const { tenant, make, resolved, suspended } = await setup()
    const { secret } = await make(["network.read"])
    suspended.add(tenant)
    assert.equal(await resolved(secret), null)
    suspended.clear()
    assert.ok(await resolved(secret))
  })

  test("[S3] a key of another tenant cannot be revoked, nor listed, and a bad id is no key", async () => {
    const mine = await setup()
    const theirs = await setup()
    const { key, secret } = await theirs.make(["network.read"])
    for (const id of [key.id, "not-a-uuid", "", "'; drop table api_key"])
      assert.equal(await run(mine.programs.revokeKey(mine.tenant, actorFor(mine.person), id)), false, id)
    assert.ok(await theirs.resolved(secret))
    assert.deepEqual(await run(mine.programs.keys(mine.tenant, { limit: 10, after: null })), [])
    assert.deepEqual(await auditOf(it, mine.tenant), [])
  })

  test("keys are listed newest first, page by page, without a secret", async () => {
    const { tenant, make, programs, clock } = await setup()
    const made: string[] = []
    for (let nth = 0; nth < 5; nth++) {
      clock.nowMs += 1
      made.unshift((await make(["network.read"])).key.id)
    }
    const pages: string[] = []
    for (let after: string | null = null; ;) {
      const page: readonly ApiKey[] = await run(programs.keys(tenant, { limit: 2, after }))
      pages.push(...page.map((key) => key.id))
      if (page.length < 2) break
      after = page.at(-1)!.id
    }
    assert.deepEqual(pages, made)
  })

  test("[T5] max_api_keys: N keys, not N+1, also when two are made at once; expired ones do not count", async () => {
    const { tenant, make, clock } = await setup(["tenant_admin"], 3)
    await make(["network.read"], 1)
    const outcomes = await Promise.allSettled([1, 2, 3, 4, 5].map(() => make(["network.read"])))
    assert.equal(outcomes.filter((one) => one.status === "fulfilled").length, 2)
    for (const one of outcomes)
      if (one.status === "rejected") {
        const { quota, limit, used } = one.reason as QuotaExceeded
        assert.deepEqual([quota, limit, used], ["max_api_keys", 3, 3])
      }
    const [{ n }] = (await asTenant(it, tenant, "select count(*)::int as n from api_key where tenant_id = $1")) as [
      { n: number },
    ]
    assert.equal(n, 3)
    clock.nowMs += 86_400_000
    await make(["network.read"])
    await assert.rejects(make(["network.read"]), (error) => error instanceof QuotaExceeded)
  })

  test("[S6] making and revoking leave one row each, without the secret; a refusal leaves none", async () => {
    const { tenant, person, make, programs } = await setup(["manager"])
    await assert.rejects(make(["users.manage"]))
    const { key, secret } = await make(["network.read"])
    await run(programs.revokeKey(tenant, actorFor(person), key.id))
    await run(programs.revokeKey(tenant, actorFor(person), key.id))
    const rows = await auditOf(it, tenant)
    assert.deepEqual(
      rows.map((row) => [row.action, row.actor_id, row.object_id]),
      [
        ["key.create", person.id, key.id],
        ["key.revoke", person.id, key.id],
      ],
    )
    assert.deepEqual([rows[0]!.before, rows[1]!.after], [null, null])
    assert.ok(!JSON.stringify(rows).includes(secret.split(".")[1]!.slice(0, 10)))
  })

  test("a platform administrator who looks in by a grant owns no key here; nor does somebody who was removed", async () => {
    const { tenant, programs } = await setup()
    const stranger = { id: uuidv7(), name: "root", tenant }
    const wanted = { name: "k", scope: ["network.read"] as const, days: null }
    const grant = { id: "g", home: tenant, reason: "fault 12", untilMs: Number.MAX_SAFE_INTEGER }
    for (const more of [{ grant }, { grant: null }]) {
      const made = programs.createKey(principalFor(stranger, ["tenant_admin"], more), actorFor(stranger), wanted)
      assert.ok((await run(Effect.flip(made))) instanceof NoKeyOwner)
    }
    assert.deepEqual(await auditOf(it, tenant), [])
  })

  test("[S3] when it was last used is noted without a write, and written together; never backwards", async () => {
    const { tenant, make, resolved, lastUsed, clock, programs } = await setup()
    const { secret } = await make(["network.read"])
    const lastUsedMs = async () => (await run(programs.keys(tenant, { limit: 1, after: null })))[0]!.lastUsedMs
    const xmin = async () =>
      (await asTenant(it, tenant, "select xmin::text from api_key where tenant_id = $1"))[0]!["xmin"]
    const before = await xmin()
    for (let nth = 0; nth < 20; nth++) {
      clock.nowMs += 100
      await resolved(secret)
    }
    assert.equal(await xmin(), before, "a use wrote the row")
    assert.equal(await lastUsedMs(), null)
    await run(lastUsed.flush)
    assert.equal(await lastUsedMs(), clock.nowMs)
    const written = await xmin()
    await run(lastUsed.flush)
    assert.equal(await xmin(), written, "nothing was noted, and it wrote all the same")
    lastUsed.note(tenant, (await run(programs.keys(tenant, { limit: 1, after: null })))[0]!.id, 5)
    await run(lastUsed.flush)
    assert.equal(await lastUsedMs(), clock.nowMs)
    assert.equal((await auditOf(it, tenant)).length, 1, "a use is no act")
  })
})
