/** login-guard.ts: guessing gets slow, and nobody can lock anybody else out. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
  CHECKS_MAX,
  CHECKS_PER_SOURCE_MAX,
  DELAY_MS_MAX,
  FORGET_MS,
  makeLoginGuard,
  PAIR_FREE,
  PAIR_SHUT,
} from "#engine/api/login-guard.ts"
import type { LoginGuard } from "#engine/api/login-guard.ts"

const wrong = (guard: LoginGuard, source: string, account: string, nowMs: number): boolean => {
  const admitted = guard.admit(source, account, nowMs)
  if (admitted.ok) admitted.done("wrong")
  return admitted.ok
}

test("[29] after the free attempts one guesser gets at most one attempt a minute in the long run", () => {
  const guard = makeLoginGuard()
  let tried = 0
  const hours = 4
  for (let nowMs = 0; nowMs < hours * 3_600_000; nowMs += 500) if (wrong(guard, "192.0.2.1", "admin", nowMs)) tried++
  assert.ok(tried <= PAIR_FREE + 7 + hours * 60, String(tried))
})

test("[29] from the tenth wrong password on a pair waits a whole minute, and that is told exactly once", () => {
  const guard = makeLoginGuard()
  const told: boolean[] = []
  let nowMs = 0
  for (let tried = 0; tried < PAIR_SHUT + 3; tried++, nowMs += DELAY_MS_MAX) {
    const admitted = guard.admit("192.0.2.1", "admin", nowMs)
    assert.ok(admitted.ok)
    told.push(admitted.done("wrong"))
  }
  assert.deepEqual(
    told.flatMap((yes, index) => (yes ? [index + 1] : [])),
    [PAIR_SHUT],
  )
  const delayed = guard.admit("192.0.2.1", "admin", nowMs - DELAY_MS_MAX)
  assert.ok(!delayed.ok && delayed.retryAfterMs === DELAY_MS_MAX)
})

test("[29] a flood on one account never delays its owner at another source", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ host: fc.integer({ min: 1, max: 200 }), gapMs: fc.nat(2_000) }), { maxLength: 200 }),
      (attempts) => {
        const guard = makeLoginGuard()
        let nowMs = 0
        for (const { host, gapMs } of attempts) wrong(guard, `192.0.2.${host}`, "admin", (nowMs += gapMs))
        const owner = guard.admit("198.51.100.7", "admin", nowMs)
        assert.ok(owner.ok)
        owner.done("right")
      },
    ),
  )
})

test("many accounts from one source are slowed too, and the delay never exceeds its maximum", () => {
  const guard = makeLoginGuard()
  const admitted = Array.from({ length: 200 }, (_, index) => wrong(guard, "192.0.2.1", `user${index}`, 0)).filter(
    Boolean,
  )
  assert.ok(admitted.length <= 20)
  for (let nowMs = 0; nowMs < 3_600_000; nowMs += 1_000) {
    const result = guard.admit("192.0.2.1", "x", nowMs)
    if (result.ok) result.done("wrong")
    else assert.ok(result.retryAfterMs > 0 && result.retryAfterMs <= DELAY_MS_MAX)
  }
})

test("the right password clears the pair; silence is forgotten", () => {
  const guard = makeLoginGuard()
  for (let index = 0; index < PAIR_FREE - 1; index++) wrong(guard, "a", "ana", 0)
  const right = guard.admit("a", "ana", 0)
  assert.ok(right.ok)
  right.done("right")
  for (let index = 0; index < PAIR_FREE; index++) assert.ok(wrong(guard, "a", "ana", 1))
  assert.ok(!wrong(guard, "a", "ana", 2))
  assert.ok(wrong(guard, "a", "ana", 2 + FORGET_MS))
})

test("attempts in parallel cannot slip past the delay, and checks are bounded", () => {
  const guard = makeLoginGuard()
  const open = Array.from({ length: 50 }, (_, index) => guard.admit(`192.0.2.${index}`, "admin", 0)).filter(
    (one) => one.ok,
  )
  assert.equal(open.length, CHECKS_MAX)
  for (const one of open) one.done("unchecked")
  const mine = Array.from({ length: 50 }, () => guard.admit("198.51.100.1", "admin", 0)).filter((one) => one.ok)
  assert.equal(mine.length, CHECKS_PER_SOURCE_MAX)
})

test("an IPv6 /64 and an IPv4-mapped address count as one source", () => {
  const guard = makeLoginGuard()
  for (let index = 0; index < PAIR_FREE; index++) wrong(guard, `2001:db8:1:2::${index}`, "admin", 0)
  assert.ok(!wrong(guard, "2001:db8:1:2:ffff::9", "admin", 0))
  assert.ok(wrong(guard, "2001:db8:1:3::1", "admin", 0))
  for (let index = 0; index < PAIR_FREE; index++) wrong(guard, "::ffff:192.0.2.9", "admin", 0)
  assert.ok(!wrong(guard, "192.0.2.9", "admin", 0))
})
