/** [T5] Every quota at N and at N + 1; rates over time; breaches told once a minute and never lost from the count. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import * as Effect from "effect/Effect"
import fc from "fast-check"
import { makeApiRate } from "#engine/quota/api-rate.ts"
import { makeQuotas, TOLD_EVERY_MS, type Breach } from "#engine/quota/quotas.ts"
import { makeRate } from "#engine/quota/rate.ts"
import { nextShare } from "#engine/quota/storage-use.ts"
import { perSecond, stretchProbes } from "#engine/quota/stretch-probes.ts"
import type { Target } from "#engine/collectors/target.ts"
import { PING_SECONDS } from "#engine/probes/plan.ts"
import { deviceId, tenantId } from "#protocol/id.ts"
import { ABSENT, isLimit, QUOTA_NAMES, QUOTAS, TIERS } from "#protocol/quota.ts"

const A = tenantId("00000000-0000-4000-8000-00000000000a")
const B = tenantId("00000000-0000-4000-8000-00000000000b")

const clocked = () => {
  const clock = { ms: 0 }
  return { clock, quotas: makeQuotas(() => clock.ms) }
}

describe("quotas", () => {
  for (const name of QUOTA_NAMES.filter((it) => QUOTAS[it].kind !== "rate"))
    test(`[T5] ${name}: N passes, N + 1 is refused and counted, of this tenant only`, async () => {
      for (const tier of TIERS) {
        const { quotas } = clocked()
        quotas.set(A, tier, {})
        const limit = QUOTAS[name][tier]
        assert.equal(quotas.limit(A, name), limit)
        assert.equal(quotas.refusal(A, name, limit), null)
        const refused = await Effect.runPromise(Effect.flip(quotas.check(A, name, limit + 1)))
        assert.equal(refused._tag, "QuotaPassed")
        assert.deepEqual([refused.quota, refused.limit, refused.wanted], [name, limit, limit + 1])
        const exceeded = (tenant: typeof A) => quotas.used(tenant).find((use) => use.name === name)?.exceeded
        assert.deepEqual([exceeded(A), exceeded(B)], [1, 0])
      }
    })

  for (const name of QUOTA_NAMES.filter((it) => QUOTAS[it].kind === "rate"))
    test(`[T5] ${name}: N at once pass, the next one does not until its time has come`, () => {
      const { clock, quotas } = clocked()
      quotas.set(A, "small", { [name]: 10 })
      for (let one = 0; one < 10; one++) assert.equal(quotas.take(A, name), true, `${one + 1} of 10`)
      assert.equal(quotas.take(A, name), false, "the 11th")
      assert.equal(quotas.take(B, name), true, "another tenant's is its own")
      const row: { readonly perMs?: number } = QUOTAS[name]
      const perMs = row.perMs ?? 0
      assert.ok(Math.abs(quotas.waitMs(A, name) - perMs / 10) < 1e-6)
      clock.ms += perMs / 10 - 1
      assert.equal(quotas.take(A, name), false, "a millisecond early")
      clock.ms += 1
      assert.equal(quotas.take(A, name), true)
      const use = quotas.used(A).find((it) => it.name === name)
      assert.deepEqual([use?.used, use?.exceeded, use?.limit], [11, 2, 10])
    })

  test("[T5] what PRODUCT.md names is enforced or stands among the absent with its reason, never both", () => {
    for (const [name, why] of Object.entries(ABSENT)) {
      assert.ok(!(QUOTA_NAMES as readonly string[]).includes(name), name)
      assert.ok(why.length > 20, name)
    }
    for (const name of QUOTA_NAMES) {
      const { small, medium, large } = QUOTAS[name]
      assert.ok(isLimit(small) && small <= medium && medium <= large, name)
    }
  })

  test("[T5] a breach is told at once, then at most once a minute with all that came between", () => {
    const { clock, quotas } = clocked()
    const told: Breach[] = []
    const stop = quotas.onBreach((breach) => told.push(breach))
    quotas.set(A, "small", { max_links: 5 })
    for (let times = 0; times < 7; times++) quotas.refusal(A, "max_links", 6)
    assert.deepEqual(told, [{ tenant: A, quota: "max_links", limit: 5, times: 1 }])
    clock.ms += TOLD_EVERY_MS - 1
    quotas.refusal(A, "max_links", 6)
    assert.equal(told.length, 1)
    clock.ms += 1
    quotas.refusal(A, "max_links", 6)
    assert.deepEqual(told[1], { tenant: A, quota: "max_links", limit: 5, times: 8 })
    stop()
    clock.ms += TOLD_EVERY_MS
    quotas.refusal(A, "max_links", 6)
    assert.equal(told.length, 2)
    assert.equal(quotas.used(A).find(({ name }) => name === "max_links")?.exceeded, 10)
  })

  test("[T5] a changed limit counts at once, and what was set for a tenant wins over its tier", () => {
    const { quotas } = clocked()
    quotas.set(A, "small", { max_syslog_msgs_per_s: 4 })
    assert.equal(quotas.take(A, "max_syslog_msgs_per_s"), true)
    quotas.set(A, "small", { max_syslog_msgs_per_s: 8 })
    // A quarter was used: three quarters of the new limit are left.
    for (let one = 0; one < 6; one++) assert.equal(quotas.take(A, "max_syslog_msgs_per_s"), true)
    assert.equal(quotas.take(A, "max_syslog_msgs_per_s"), false)
    quotas.set(A, "medium", {})
    assert.equal(quotas.limit(A, "max_syslog_msgs_per_s"), QUOTAS.max_syslog_msgs_per_s.medium)
    quotas.set(A, "medium", { max_syslog_msgs_per_s: 0 })
    assert.equal(quotas.take(A, "max_syslog_msgs_per_s"), false, "0 = none of it")
    assert.equal(quotas.waitMs(A, "max_syslog_msgs_per_s"), Number.POSITIVE_INFINITY)
  })

  test("[T5] property: over any time no rate gives more than limit x time + one period, plus the last amount", () => {
    const asks = fc.array(
      fc.record({ waitMs: fc.integer({ min: 0, max: 900 }), amount: fc.integer({ min: 1, max: 50 }) }),
      {
        maxLength: 200,
      },
    )
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), asks, (limit, list) => {
        const rate = makeRate(limit, 1_000, 0)
        let nowMs = 0
        let taken = 0
        for (const { waitMs, amount } of list) {
          nowMs += waitMs
          if (rate.take(nowMs, amount)) taken += amount
          assert.ok(taken <= (limit * nowMs) / 1_000 + limit + 50, `${taken} in ${nowMs} ms at ${limit}/s`)
        }
      }),
    )
  })
})

describe("a fair share of the API", () => {
  test("[S9] one person alone may use all of the minute; the next request waits, and says how long", () => {
    const { clock, quotas } = clocked()
    quotas.set(A, "small", { max_api_requests_per_min: 60 })
    const rate = makeApiRate(quotas, () => clock.ms)
    for (let one = 0; one < 60; one++) assert.equal(rate.admit(A, "ada"), null, `${one + 1} of 60`)
    const refused = rate.admit(A, "ada")
    assert.deepEqual([refused?.quota, refused?.limit], ["max_api_requests_per_min", 60])
    assert.ok((refused?.retryAfterS ?? 0) >= 1 && (refused?.retryAfterS ?? 0) <= 60)
    assert.equal(rate.admit(B, "ada"), null)
  })

  test("[S9] who floods is held at an even share while a colleague still gets in", () => {
    const { clock, quotas } = clocked()
    quotas.set(A, "small", { max_api_requests_per_min: 100 })
    const rate = makeApiRate(quotas, () => clock.ms)
    assert.equal(rate.admit(A, "bob"), null)
    let flood = 0
    for (let one = 0; one < 1_000; one++) if (rate.admit(A, "mallory") === null) flood++
    assert.ok(flood <= 51, `${flood}`)
    for (let one = 0; one < 40; one++) assert.equal(rate.admit(A, "bob"), null, `bob's ${one + 2}`)
    clock.ms += 60_000
    assert.equal(rate.admit(A, "mallory"), null, "a new minute")
  })
})

describe("storage and probes", () => {
  test("[T5] over the storage quota the retention shrinks until it fits, and grows back", () => {
    let share = 1
    const perShare = 300
    for (let hour = 0; hour < 20 && share * perShare > 100; hour++) share = nextShare(share, share * perShare, 100)
    assert.ok(share * perShare <= 100 && share > 0.2, `${share}`)
    assert.equal(nextShare(0.5, 101, 101), 0.5, "N fits")
    assert.ok(nextShare(0.5, 102, 101) < 0.5, "N + 1 does not")
    for (let hour = 0; hour < 40; hour++) share = nextShare(share, 1, 100)
    assert.equal(share, 1)
  })

  const target = (index: number, seconds: number): Target => ({
    device: deviceId(`d${index}`),
    name: `d${index}`,
    address: "10.0.0.1",
    pollSeconds: 30,
    snmp: null,
    routeros: null,
    ping: { intervalSeconds: seconds as (typeof PING_SECONDS)[number] },
    probes: [{ kind: "tcp", port: 80, intervalSeconds: 30 }],
  })

  test("[T5] property: probes never ask for more packets a second than the quota, and as asked while they fit", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...PING_SECONDS), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 0, max: 80 }),
        (intervals, limit) => {
          const targets = intervals.map((seconds, index) => target(index, seconds))
          const { targets: sent, factor } = stretchProbes(targets, limit)
          assert.ok(perSecond(sent) <= limit)
          assert.equal(sent.length, targets.length)
          if (perSecond(targets) <= limit) assert.deepEqual([sent, factor], [targets, 1])
          else assert.ok(factor > 1)
        },
      ),
    )
  })
})
