/** Tokens on a real PostgreSQL: rotation, what a second use does, and how soon a person's disabling counts. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import * as Effect from "effect/Effect"
import fc from "fast-check"
import { ACCESS_MS, endFamiliesOf, FAMILIES_MAX, FAMILY_MS, type Tokens } from "#engine/programs/families.ts"
import { asTenant, auditOf, newPerson, programsOn } from "#engine/programs/programs.fixture.ts"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { newTenantToken } from "#engine/storage/tenant-token.ts"

const run = Effect.runPromise

describe("access and refresh tokens", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()
  const setup = async (roles: readonly string[] = ["noc"]) => {
    const tenant = await it.newTenant()
    const person = await newPerson(it, tenant, roles)
    const parts = programsOn(it)
    const signIn = () => parts.signIn(person)
    const refresh = (token: string) => run(parts.programs.refresh(token, "10.0.0.9"))
    const counts = async () =>
      (
        await asTenant<{ families: number; access: number }>(
          it,
          tenant,
          `select (select count(*)::int from token_family where tenant_id = $1) as families,
                  (select count(*)::int from access_token where tenant_id = $1) as access`,
        )
      )[0]!
    return { ...parts, tenant, person, signIn, refresh, counts, signInAs: parts.signIn }
  }

  test("[S2] an access token is its user for 5 minutes, opaque, and only its hash is kept", async () => {
    const { tenant, person, signIn, admit, resolved, clock } = await setup()
    const tokens = await signIn()
    assert.match(tokens.accessToken, /^hga_[\w-]{22}\.[\w-]{43}$/)
    assert.match(tokens.refreshToken, /^hgr_[\w-]{22}\.[\w-]{43}$/)
    assert.deepEqual([tokens.expiresInS, tokens.refreshExpiresInS], [300, 30 * 86_400])
    const principal = await admit(tokens.accessToken)
    assert.deepEqual(
      [principal!.userId, principal!.tenant, principal!.credential.kind, principal!.secondFactor],
      [person.id, tenant, "accessToken", "ok"],
    )
    assert.ok(principal!.permissions.has("alerts.close") && !principal!.permissions.has("users.manage"))
    const stored = JSON.stringify(
      await asTenant(
        it,
        tenant,
        "select to_jsonb(f)::text as f, to_jsonb(t)::text as t from token_family f join access_token t using (tenant_id, family_id) where tenant_id = $1",
      ),
    )
    for (const token of [tokens.accessToken, tokens.refreshToken])
      assert.ok(!stored.includes(token.split(".")[1]!.slice(0, 8)))
    clock.nowMs += ACCESS_MS - 1
    assert.ok(await resolved(tokens.accessToken))
    clock.nowMs += 1
    assert.equal(await admit(tokens.accessToken), null)
  })

  test("[S2] a refresh token opens no door, and an access token or an API key refreshes nothing", async () => {
    const { tenant, signIn, admit, refresh } = await setup()
    const { accessToken, refreshToken } = await signIn()
    assert.equal(await admit(refreshToken), null)
    for (const other of [accessToken, newTenantToken("hgk_", tenant), "", "hgr_", refreshToken.slice(0, -1)])
      assert.equal(await refresh(other), null)
    assert.ok(await refresh(refreshToken), "strange tokens have ended the family")
  })

  test("[S2] every refresh gives new tokens; the access token before it still works, older ones do not", async () => {
    const { signIn, refresh, resolved, counts, clock } = await setup()
    const chain: Tokens[] = [await signIn()]
    for (let turn = 0; turn < 4; turn++) {
      clock.nowMs += 1_000
      chain.push((await refresh(chain.at(-1)!.refreshToken))!)
    }
    assert.equal(new Set(chain.flatMap((it) => [it.accessToken, it.refreshToken])).size, 10)
    const works = await Promise.all(chain.map(async (it) => (await resolved(it.accessToken)) !== null))
    assert.deepEqual(works, [false, false, false, true, true])
    assert.deepEqual(await counts(), { families: 1, access: 2 })
  })

  test("[S2] an old refresh token, however old, ends the family and its access tokens, with one audit row and a warning", async () => {
    for (const [turns, old] of [
      [1, 0],
      [3, 0],
      [3, 2],
    ] as const) {
      const { tenant, person, signIn, refresh, admit, warnings, forgotten, counts } = await setup()
      const chain: Tokens[] = [await signIn()]
      for (let turn = 0; turn < turns; turn++) chain.push((await refresh(chain.at(-1)!.refreshToken))!)
      const newest = chain.at(-1)!
      assert.ok(await admit(newest.accessToken))
      assert.equal(await refresh(chain[old]!.refreshToken), null)
      assert.equal(await admit(newest.accessToken), null, "the thief's or the victim's access token still works")
      assert.equal(await refresh(newest.refreshToken), null)
      assert.equal(await refresh(chain[old]!.refreshToken), null)
      assert.deepEqual(await counts(), { families: 0, access: 0 })
      const rows = await auditOf(it, tenant)
      assert.deepEqual(
        rows.map((row) => row.action),
        ["token.create", ...Array.from({ length: turns }, () => "token.refresh"), "token.reuse"],
      )
      assert.equal(rows.at(-1)!.actor_kind, "system")
      assert.deepEqual(
        warnings.map((warning) => warning.fields),
        [{ user: person.name, family: rows[0]!.object_id, source: "10.0.0.9" }],
      )
      assert.deepEqual(forgotten, [{ tenant, credentialId: rows[0]!.object_id }])
      const random = [...chain].map((it) => it.refreshToken.split(".")[1]!.slice(0, 8))
      for (const part of random) assert.ok(!JSON.stringify([rows, warnings]).includes(part))
    }
  })

  test("[S2] of refreshes at once with one token exactly one gets tokens, and the family ends", async () => {
    for (const at of [2, 5]) {
      const { tenant, signIn, refresh, admit, counts } = await setup()
      const { refreshToken } = await signIn()
      const outcomes = await Promise.all(Array.from({ length: at }, () => refresh(refreshToken)))
      const won = outcomes.filter((outcome) => outcome !== null)
      assert.equal(won.length, 1)
      assert.equal(await admit(won[0]!.accessToken), null)
      assert.deepEqual(await counts(), { families: 0, access: 0 })
      const actions = (await auditOf(it, tenant)).map((row) => row.action)
      assert.deepEqual(actions, ["token.create", "token.refresh", "token.reuse"])
    }
  })

  test("[S2] property: whatever is presented in whatever order, only the one newest token ever refreshes", async () => {
    const { signIn, refresh } = await setup()
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(7), { minLength: 1, maxLength: 7 }), async (picks) => {
        const issued = [(await signIn()).refreshToken]
        let alive = true
        for (const pick of picks) {
          const token = issued[issued.length - 1 - (pick % issued.length)]!
          const isNewest = token === issued.at(-1)
          const next = await refresh(token)
          assert.equal(next !== null, alive && isNewest)
          alive = alive && isNewest
          if (next !== null) issued.push(next.refreshToken)
        }
      }),
      { numRuns: 25 },
    )
  })

  test("[S2] a disabled person's tokens are refused by the next look-up (the door remembers 1 s), and cannot be refreshed", async () => {
    const { tenant, person, signIn, refresh, admit, clock, doors } = await setup()
    const { accessToken, refreshToken } = await signIn()
    assert.ok(await admit(accessToken))
    await asTenant(it, tenant, "update app_user set disabled = true where tenant_id = $1 and user_id = $2", [person.id])
    clock.nowMs += 1_000
    assert.equal(await admit(accessToken), null)
    assert.equal(await refresh(refreshToken), null)
    await asTenant(it, tenant, "update app_user set disabled = false where tenant_id = $1 and user_id = $2", [
      person.id,
    ])
    assert.ok(await admit(accessToken))
    doors.forget({ userId: person.id })
    await run(it.db.tenant(tenant)((tx) => endFamiliesOf(tx, tenant, person.id)))
    assert.equal(await admit(accessToken), null)
    assert.equal(await refresh(refreshToken), null)
  })

  test("[S4] whose role demands a second factor that is not set up may only set it up, by a token too", async () => {
    const { tenant, signIn, resolved } = await setup()
    const { accessToken } = await signIn()
    await asTenant(
      it,
      tenant,
      "insert into tenant_role (tenant_id, name, second_factor_required) values ($1, 'noc', true)",
    )
    assert.equal((await resolved(accessToken))!.secondFactor, "enrol")
  })

  test("[S2] a family ends 30 days after it opened, however often it was refreshed; its last tokens end with it", async () => {
    const { signIn, refresh, admit, clock } = await setup()
    const startMs = clock.nowMs
    let tokens = await signIn()
    for (const share of [0.25, 0.5, 0.75]) {
      clock.nowMs = startMs + FAMILY_MS * share
      tokens = (await refresh(tokens.refreshToken))!
      assert.equal(tokens.refreshExpiresInS, ((1 - share) * FAMILY_MS) / 1000)
    }
    clock.nowMs = startMs + FAMILY_MS - 60_000
    tokens = (await refresh(tokens.refreshToken))!
    assert.equal(tokens.expiresInS, 60)
    assert.ok(await admit(tokens.accessToken))
    clock.nowMs = startMs + FAMILY_MS
    assert.equal(await admit(tokens.accessToken), null)
    assert.equal(await refresh(tokens.refreshToken), null)
  })

  test("a person's families are bounded: the oldest makes room, others' do not", async () => {
    const { tenant, person, signIn, refresh, clock, signInAs, counts } = await setup()
    const other = await newPerson(it, tenant, ["viewer"])
    const theirs = await signInAs(other)
    const mine: Tokens[] = []
    for (let nth = 0; nth <= FAMILIES_MAX; nth++) {
      clock.nowMs += 1
      mine.push(await signIn())
    }
    assert.equal((await counts()).families, FAMILIES_MAX + 1)
    assert.equal(await refresh(mine[0]!.refreshToken), null)
    assert.ok(await refresh(mine[1]!.refreshToken))
    assert.ok(await refresh(theirs.refreshToken))
    clock.nowMs += FAMILY_MS
    await signIn()
    const left = await asTenant(it, tenant, "select 1 from token_family where tenant_id = $1 and user_id = $2", [
      person.id,
    ])
    assert.equal(left.length, 1, "expired families are not swept")
  })

  test("[S2] revoking by the present or an old token ends the family once; by a strange one nothing", async () => {
    for (const present of [true, false]) {
      const { tenant, signIn, refresh, admit, programs, forgotten } = await setup()
      const first = await signIn()
      const second = (await refresh(first.refreshToken))!
      await admit(second.accessToken)
      const token = present ? second.refreshToken : first.refreshToken
      for (const strange of [newTenantToken("hgr_", tenant), "hgr_x", second.accessToken])
        await run(programs.revoke(strange, null))
      assert.ok(await admit(second.accessToken))
      await run(programs.revoke(token, null))
      await run(programs.revoke(token, null))
      assert.equal(await admit(second.accessToken), null)
      assert.equal(await refresh(second.refreshToken), null)
      assert.equal(forgotten.length, 1)
      const actions = (await auditOf(it, tenant)).map((row) => row.action)
      assert.deepEqual(actions, ["token.create", "token.refresh", "token.revoke"])
    }
  })
})
