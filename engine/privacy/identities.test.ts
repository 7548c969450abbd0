/** [S11] The sealed store: pseudonyms that cannot be guessed, identities that only an audited reveal opens, and forgetting. */
import assert from "node:assert/strict"
import { before, describe, test } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Actor } from "#engine/audit/act.ts"
import { silentLog } from "#engine/log.ts"
import { destroyKeysBefore, monthOfPseudonym, openMonthKey, pseudonymOf } from "#engine/privacy/pseudonym.ts"
import { NobodyKnown, RevealedTooOften, REVEALS_PER_HOUR } from "#engine/privacy/identities.ts"
import { makeReveal } from "#engine/privacy/reveal.ts"
import { openSubscribers, PRIVATE, type PrivacySettings, type Subscribers } from "#engine/privacy/subscribers.ts"
import { WITHHELD } from "#engine/privacy/subscriber-line.ts"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { openVault, type Vault } from "#engine/storage/vault.ts"
import type { TenantId } from "#protocol/id.ts"

const ADA: Actor = { kind: "user", id: "u1", name: "ada", source: null }
const DAY_MS = 86_400_000
const NOVEMBER = Date.UTC(2026, 10, 21)
const OPEN: PrivacySettings = { subscriberIdentities: true, subscriberDays: 10 }

describe("[S11] subscribers of a tenant that opted in", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()
  let vault: Vault
  before(async () => {
    vault = await Effect.runPromise(openVault(it.db, { dataDir: it.dataDir }))
  })

  /** One life of the engine for one tenant; `settings` and `nowMs` may be changed while it runs. */
  const living = async (
    tenant: TenantId,
    scene: { settings: PrivacySettings; nowMs: number },
    use: (subscribers: Subscribers, settle: () => Promise<void>) => Promise<void>,
  ): Promise<void> => {
    const scope = Scope.makeUnsafe()
    let heard: Array<{ rounds: number; readonly resolve: () => void }> = []
    const settings = Effect.sync(() => {
      for (const one of heard) if (--one.rounds === 0) one.resolve()
      heard = heard.filter(({ rounds }) => rounds > 0)
      return scene.settings
    })
    const options = { db: it.db, vault, tenant, settings, log: silentLog, nowMs: () => scene.nowMs, everyMs: 1 }
    const subscribers = await Effect.runPromise(Scope.provide(openSubscribers(options), scope))
    const settle = async (): Promise<void> => {
      // Two more rounds began: the first of them began and ended after now.
      await new Promise<void>((resolve) => heard.push({ rounds: 2, resolve }))
    }
    try {
      await use(subscribers, settle)
    } finally {
      await Effect.runPromise(Scope.close(scope, Exit.void))
    }
  }
  const reveal = (tenant: TenantId, pseudonym: string, nowMs = NOVEMBER, settings = OPEN) =>
    Effect.runPromise(
      Effect.result(
        makeReveal({ db: it.db, vault, settings: () => Effect.succeed(settings), nowMs: () => nowMs }).reveal(
          tenant,
          ADA,
          {
            pseudonym,
            reason: "ticket 4711",
          },
        ),
      ),
    )
  const acts = (tenant: TenantId) =>
    Effect.runPromise(
      it.db.tenant(tenant)(async (tx) => {
        const { rows } = await tx.query<{ action: string; reason: string; text: string }>(
          "select action, reason, audit_entry::text as text from audit_entry where tenant_id = $1",
          [tenant],
        )
        return rows
      }),
    )
  const stored = (tenant: TenantId) =>
    Effect.runPromise(
      it.db.tenant(tenant)(async (tx) => {
        const { rows } = await tx.query<{ text: string }>(
          "select i::text as text from subscriber_identity i union all select k::text from subscriber_key k",
        )
        return rows.map(({ text }) => text)
      }),
    )

  test("[S11] off by default: nobody is told apart and nothing is stored", async () => {
    const tenant = await it.newTenant()
    await living(tenant, { settings: PRIVATE, nowMs: NOVEMBER }, async (subscribers, settle) => {
      assert.equal(subscribers.naming()("maria"), WITHHELD)
      await settle()
    })
    assert.deepEqual(await stored(tenant), [])
  })

  test("[S11] opted in: one pseudonym per person, sealed; each reveal is one act with its reason", async () => {
    const tenant = await it.newTenant()
    let pseudonym = ""
    await living(tenant, { settings: OPEN, nowMs: NOVEMBER }, async (subscribers) => {
      pseudonym = subscribers.naming()("canary-maria")
      assert.equal(subscribers.naming()("canary-maria"), pseudonym)
      assert.notEqual(subscribers.naming()("canary-mario"), pseudonym)
      assert.match(pseudonym, /^~2611-[0-9a-f]{20}$/)
    })
    const rows = await stored(tenant)
    assert.equal(rows.length, 3)
    for (const form of [
      "canary",
      Buffer.from("canary").toString("hex"),
      Buffer.from("canary").toString("base64url").slice(0, 6),
    ])
      assert.ok(!rows.join().includes(form), form)
    const found = await reveal(tenant, pseudonym)
    assert.deepEqual(found._tag === "Success" && found.success, { identity: "canary-maria", seenMs: NOVEMBER })
    const [act, ...more] = await acts(tenant)
    assert.deepEqual([act?.action, act?.reason, more], ["subscriber.reveal", "ticket 4711", []])
    assert.ok(!act!.text.includes("canary"), "the identity would outlive its days in the audit")
  })

  test("[S11] another tenant gives the same person another name, and cannot reveal ours", async () => {
    const [one, other] = [await it.newTenant(), await it.newTenant()]
    const names: string[] = []
    for (const tenant of [one, other])
      await living(tenant, { settings: OPEN, nowMs: NOVEMBER }, async (subscribers) => {
        names.push(subscribers.naming()("maria"))
      })
    assert.notEqual(names[0], names[1])
    const refused = await reveal(other, names[0]!)
    assert.ok(refused._tag === "Failure" && refused.failure instanceof NobodyKnown)
    assert.deepEqual(await acts(other), [], "what was not revealed is no act")
  })

  test("[S11] the next month has another key; the old one goes with its days, and then nobody can link", async () => {
    const tenant = await it.newTenant()
    const scene = { settings: OPEN, nowMs: NOVEMBER }
    await living(tenant, scene, async (subscribers, settle) => {
      const november = subscribers.naming()("maria")
      await settle()
      scene.nowMs = Date.UTC(2026, 11, 1)
      assert.equal(subscribers.naming()("maria"), WITHHELD, "until December's key is there")
      await settle()
      const december = subscribers.naming()("maria")
      assert.deepEqual([monthOfPseudonym(november), monthOfPseudonym(december)], ["2026-11", "2026-12"])
      await settle()
      assert.equal((await reveal(tenant, november, scene.nowMs))._tag, "Success", "within its days")
      scene.nowMs = NOVEMBER + 11 * DAY_MS
      assert.equal((await reveal(tenant, november, scene.nowMs))._tag, "Failure", "past its days, before it is pruned")
      scene.nowMs = Date.UTC(2026, 11, 12)
      await settle()
      const left = await stored(tenant)
      assert.ok(!left.join().includes("2026-11") && !left.join().includes(november), left.join("\n"))
    })
  })

  test("[S11] a destroyed key shuts what it sealed, also where the identity's row is still there", async () => {
    const tenant = await it.newTenant()
    let pseudonym = ""
    await living(tenant, { settings: OPEN, nowMs: NOVEMBER }, async (subscribers) => {
      pseudonym = subscribers.naming()("maria")
    })
    const keyThen = await Effect.runPromise(it.db.tenant(tenant)((tx) => openMonthKey(tx, vault, tenant, NOVEMBER)))
    assert.equal(pseudonymOf(keyThen, "maria"), pseudonym)
    await Effect.runPromise(it.db.tenant(tenant)((tx) => destroyKeysBefore(tx, tenant, NOVEMBER + 40 * DAY_MS)))
    assert.equal((await reveal(tenant, pseudonym))._tag, "Failure")
    const keyNow = await Effect.runPromise(it.db.tenant(tenant)((tx) => openMonthKey(tx, vault, tenant, NOVEMBER)))
    assert.notEqual(pseudonymOf(keyNow, "maria"), pseudonym, "guessing names leads nowhere without the key")
  })

  test("[S11] opting out names nobody, reveals nobody and forgets everybody", async () => {
    const tenant = await it.newTenant()
    const scene = { settings: OPEN, nowMs: NOVEMBER }
    await living(tenant, scene, async (subscribers, settle) => {
      const pseudonym = subscribers.naming()("maria")
      await settle()
      assert.equal((await reveal(tenant, pseudonym))._tag, "Success")
      assert.equal((await reveal(tenant, pseudonym, NOVEMBER, PRIVATE))._tag, "Failure")
      scene.settings = PRIVATE
      await settle()
      assert.equal(subscribers.naming()("maria"), WITHHELD)
      assert.deepEqual(await stored(tenant), [])
    })
  })

  test("[S11] one person reveals at most so many in an hour", async () => {
    const tenant = await it.newTenant()
    let pseudonym = ""
    await living(tenant, { settings: OPEN, nowMs: Date.now() }, async (subscribers) => {
      pseudonym = subscribers.naming()("maria")
    })
    for (let n = 0; n < REVEALS_PER_HOUR; n++)
      assert.equal((await reveal(tenant, pseudonym, Date.now()))._tag, "Success")
    const refused = await reveal(tenant, pseudonym, Date.now())
    assert.ok(refused._tag === "Failure" && refused.failure instanceof RevealedTooOften)
    assert.equal((await reveal(tenant, pseudonym, Date.now() + 3_600_001))._tag, "Success")
  })
})
