/** account-guard.ts: guessing from everywhere gets slow; who is known is never in the queue. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
  ACCOUNT_FORGET_MS,
  ACCOUNT_RECORDS_MAX,
  CODE_GUARD,
  KNOWN_FOR_MS,
  makeAccountGuard,
  PASSWORD_GUARD,
  type AccountGuard,
} from "#engine/api/account-guard.ts"

const attempt = (guard: AccountGuard, account: string, source: string, nowMs: number): boolean => {
  if (guard.wait(account, source, nowMs) > 0) return false
  guard.failed(account, source, nowMs)
  return true
}

test("[29] whatever the number of sources, strangers get the free guesses and then one per interval", () => {
  for (const options of [PASSWORD_GUARD, CODE_GUARD]) {
    const guard = makeAccountGuard(options)
    let tried = 0
    const hours = 2
    for (let nowMs = 0; nowMs < hours * 3_600_000; nowMs += 250)
      if (attempt(guard, "admin", `10.0.${(nowMs / 250) % 250}.${nowMs % 251}`, nowMs)) tried++
    assert.ok(tried <= options.free + (hours * 3_600_000) / options.everyMs + 1, `${tried}`)
    assert.ok(tried >= options.free, `${tried}`)
  }
})

test("[29] a source that signed in is never delayed, whatever strangers do", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ host: fc.nat(200), gapMs: fc.nat(5_000) }), { maxLength: 300 }), (flood) => {
      const guard = makeAccountGuard(CODE_GUARD)
      let nowMs = 0
      guard.succeeded("ana", "home", nowMs)
      for (const { host, gapMs } of flood) {
        attempt(guard, "ana", `10.0.0.${host}`, (nowMs += gapMs))
        assert.equal(guard.wait("ana", "home", nowMs), 0)
      }
    }),
  )
})

test("[29] a stranger who waits as told has a turn, other accounts are not touched, and names differ by more than case", () => {
  const guard = makeAccountGuard({ free: 3, everyMs: 1_000 })
  for (let index = 0; index < 3; index++) assert.ok(attempt(guard, "Ana", `s${index}`, 0))
  const waitMs = guard.wait("ana", "new", 0)
  assert.equal(waitMs, 1_000)
  assert.equal(guard.wait("ana", "new", waitMs), 0)
  // The turn is taken: the next stranger waits for the next one.
  assert.equal(guard.wait("ana", "other", waitMs), 1_000)
  assert.equal(guard.wait("bob", "new", 0), 0)
})

test("the failure that slows an account is told once; silence and time are forgotten", () => {
  const guard = makeAccountGuard({ free: 3, everyMs: 1_000 })
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((index) => guard.failed("ana", `s${index}`, 0)),
    [false, false, true, false, false],
  )
  assert.ok(guard.wait("ana", "x", 0) > 0)
  assert.equal(guard.wait("ana", "x", ACCOUNT_FORGET_MS), 0)
  guard.succeeded("bob", "home", 0)
  for (let index = 0; index < 3; index++) guard.failed("bob", `s${index}`, KNOWN_FOR_MS)
  assert.ok(guard.wait("bob", "home", KNOWN_FOR_MS) > 0)
})

test("records are bounded: a flood of names forgets the longest unused, and does not grow", () => {
  const guard = makeAccountGuard({ free: 1, everyMs: 1_000 })
  guard.failed("first", "s", 0)
  assert.ok(guard.wait("first", "x", 0) > 0)
  for (let index = 0; index < ACCOUNT_RECORDS_MAX; index++) guard.failed(`name ${index}`, "s", 0)
  assert.equal(guard.wait("first", "x", 0), 0)
  assert.ok(guard.wait(`name ${ACCOUNT_RECORDS_MAX - 1}`, "x", 0) > 0)
})
