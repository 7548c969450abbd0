/** Idempotency keys on the real database: done once, answered the same, kept sealed, and seen by nobody else. */
import assert from "node:assert/strict"
import test, { before, describe } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Cause from "effect/Cause"
import fc from "fast-check"
import { Client } from "pg"
import type { Principal } from "#engine/access/principal.ts"
import { principalOf } from "#engine/api/accounts.fixture.ts"
import { requestHash, withIdempotency, type Idempotency } from "#engine/api/idempotency.ts"
import { KEEP_MS, RUNNING_MS, storedIdempotency } from "#engine/api/idempotency-store.ts"
import { Refused, ServiceUnavailable } from "#engine/api/problems.ts"
import { silentLog } from "#engine/log.ts"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { openVault, type Vault } from "#engine/storage/vault.ts"
import type { TenantId } from "#protocol/id.ts"

describe("Idempotency-Key", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()
  let vault: Vault
  let tenant: TenantId
  let now = 1_700_000_000_000
  let store: Idempotency
  let ana: Principal
  let bob: Principal
  before(async () => {
    vault = await Effect.runPromise(openVault(it.db, { dataDir: it.dataDir }))
    tenant = await it.newTenant()
    store = storedIdempotency({ db: it.db, vault, nowMs: () => now })
    const who = (id: string): Principal =>
      principalOf({ id: `s-${id}`, user: { id, name: id, tenant }, expiresAtMs: 9e15 }, ["tenant_admin"])
    ana = who("ana")
    bob = who("bob")
  })

  const deps = () => ({ idempotency: store, log: silentLog })
  /** The effect counts how often it really ran. */
  const counting = <A, E extends { readonly _tag: string } = never>(answer: () => Effect.Effect<A, E>) => {
    let ran = 0
    return {
      ran: () => ran,
      effect: Effect.suspend(() => {
        ran += 1
        return answer()
      }),
    }
  }
  const run = <A, E extends { readonly _tag: string }>(
    who: Principal,
    key: string | undefined,
    hash: string,
    effect: Effect.Effect<A, E>,
  ) => Effect.runPromiseExit(withIdempotency(deps(), { principal: who }, key, hash, effect))
  const tagOf = (exit: Exit.Exit<unknown, unknown>): string =>
    Exit.isFailure(exit) ? (Cause.squash(exit.cause) as { _tag: string })._tag : "Success"
  const valueOf = (exit: Exit.Exit<unknown, unknown>): unknown =>
    Exit.isSuccess(exit) ? exit.value : assert.fail(tagOf(exit))

  test("[O13] the same key and request is done once and answered the same, also with no body and with any JSON", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uuid(), fc.oneof(fc.jsonValue(), fc.constant(undefined)), async (key, answer) => {
        const once = counting(() => Effect.succeed(answer))
        const hash = requestHash("x", { a: 1 })
        const first = valueOf(await run(ana, key, hash, once.effect))
        const second = valueOf(await run(ana, key, hash, once.effect))
        assert.deepEqual(JSON.stringify([second]), JSON.stringify([first]))
        assert.equal(once.ran(), 1)
      }),
      { numRuns: 25 },
    )
  })

  test("[O13] the key with another request is refused; without a key everything is done every time", async () => {
    const once = counting(() => Effect.succeed(1))
    await run(ana, "k-other", requestHash("x", 1), once.effect)
    assert.equal(tagOf(await run(ana, "k-other", requestHash("x", 2), once.effect)), "Refused")
    assert.equal(tagOf(await run(ana, "k-other", requestHash("y", 1), once.effect)), "Refused")
    assert.equal(once.ran(), 1)
    await run(ana, undefined, "h", once.effect)
    await run(ana, undefined, "h", once.effect)
    assert.equal(once.ran(), 3)
  })

  test("[O13] of many at once with one key exactly one is done; the others wait for nothing and are told", async () => {
    const once = counting(() => Effect.promise(() => new Promise((settle) => setImmediate(() => settle("made")))))
    const exits = await Promise.all(Array.from({ length: 12 }, () => run(ana, "k-race", "h", once.effect)))
    assert.equal(once.ran(), 1)
    const tags = exits.map(tagOf)
    assert.ok(tags.includes("Success"))
    assert.ok(
      tags.every((tag) => tag === "Success" || tag === "Conflict"),
      tags.join(),
    )
    assert.equal(valueOf(await run(ana, "k-race", "h", once.effect)), "made")
    assert.equal(once.ran(), 1)
  })

  test("[O13] what was refused was not done: the same key may try again", async () => {
    let allowed = false
    const once = counting<string, Refused>(() => (allowed ? Effect.succeed("done") : Effect.fail(new Refused({}))))
    assert.equal(tagOf(await run(ana, "k-retry", "h", once.effect)), "Refused")
    allowed = true
    assert.equal(valueOf(await run(ana, "k-retry", "h", once.effect)), "done")
    assert.equal(once.ran(), 2)
  })

  test("[O13] what may have been done is never done again: the database went away, or the engine died in it", async () => {
    const away = counting(() => Effect.fail(new ServiceUnavailable({})))
    assert.equal(tagOf(await run(ana, "k-away", "h", away.effect)), "ServiceUnavailable")
    assert.equal(tagOf(await run(ana, "k-away", "h", away.effect)), "Conflict")
    now += RUNNING_MS + 1
    assert.equal(tagOf(await run(ana, "k-away", "h", away.effect)), "Conflict")
    assert.equal(away.ran(), 1)
    const died = counting(() => Effect.die(new Error("defect")))
    await run(ana, "k-died", "h", died.effect)
    await run(ana, "k-died", "h", died.effect)
    assert.equal(died.ran(), 1)
  })

  test("[O13] after a day the key is free again, and its row is gone", async () => {
    const once = counting(() => Effect.succeed(1))
    await run(ana, "k-day", "h", once.effect)
    now += KEEP_MS + 1
    await run(ana, "k-day", "h", once.effect)
    assert.equal(once.ran(), 2)
    const owner = new Client({ connectionString: it.database.ownerUrl })
    await owner.connect()
    const { rows } = await owner.query("select count(*)::int as n from api_idempotency where expires_ms <= $1", [now])
    await owner.end()
    assert.equal(rows[0].n, 0)
  })

  test("[T2] another person's key is another key, and another tenant's too", async () => {
    const once = counting(() => Effect.succeed("mine"))
    await run(ana, "k-same", "h", once.effect)
    await run(bob, "k-same", "h", once.effect)
    await run({ ...ana, tenant: await it.newTenant() }, "k-same", "h", once.effect)
    assert.equal(once.ran(), 3)
  })

  test("[S4] an answer with a secret is in no column in clear, and opens in no other row", async () => {
    const secret = "hgk_canary-4f1c-shown-once"
    await run(ana, "k-secret", requestHash("keys.create", { password: secret }), Effect.succeed({ key: secret }))
    const owner = new Client({ connectionString: it.database.ownerUrl })
    await owner.connect()
    const { rows } = await owner.query("select * from api_idempotency")
    const bytes = Buffer.concat(
      rows.flatMap((row: object) =>
        Object.values(row).map((cell) => (Buffer.isBuffer(cell) ? cell : Buffer.from(String(cell)))),
      ),
    )
    assert.ok(rows.length > 0)
    assert.ok(!bytes.includes(secret) && !bytes.includes("k-secret"))
    assert.deepEqual(
      valueOf(await run(ana, "k-secret", requestHash("keys.create", { password: secret }), Effect.succeed(0))),
      {
        key: secret,
      },
    )
    await run(bob, "k-secret", "h", Effect.succeed("bob's"))
    await owner.query(
      `update api_idempotency b set sealed = a.sealed from api_idempotency a
       where a.actor_id = 'ana' and b.actor_id = 'bob' and a.key_sha256 = b.key_sha256 and a.tenant_id = b.tenant_id`,
    )
    await owner.end()
    assert.equal(tagOf(await run(bob, "k-secret", "h", Effect.succeed("again"))), "Conflict")
  })
})

test("a request's hash does not depend on the order of members, and does on every value", () => {
  assert.equal(requestHash("x", { a: 1, b: [2] }), requestHash("x", { b: [2], a: 1 }))
  assert.notEqual(requestHash("x", { a: 1 }), requestHash("x", { a: "1" }))
  assert.notEqual(requestHash("x", 1), requestHash("y", 1))
})
