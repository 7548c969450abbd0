/** gate.ts: what is counted, what is told, and that no outcome leaves a turn taken. */
import assert from "node:assert/strict"
import { test } from "node:test"
import * as Effect from "effect/Effect"
import { CODE_GUARD, PASSWORD_GUARD } from "#engine/api/account-guard.ts"
import { CHECKS_PER_SOURCE_MAX, PAIR_FREE } from "#engine/api/login-guard.ts"
import { Unavailable } from "#engine/api/ports.ts"
import { WrongCredentials } from "#engine/api/problems.ts"
import { makeGate, type Checked, type Outcome } from "#engine/people/gate.ts"

const RIGHT: Checked<string> = { is: "right", value: "in" }
const WRONG: Checked<string> = { is: "wrong" }
const NEEDED: Checked<string> = { is: "needed" }

const rig = () => {
  const outcomes: Outcome[] = []
  const slowed: string[] = []
  const clock = { ms: 0 }
  const gate = makeGate({
    monotonicMs: () => clock.ms,
    outcome: (outcome) => outcomes.push(outcome),
    slowed: ({ name, source }) => slowed.push(`${name}@${source}`),
  })
  /** "in", or the tag of the refusal. */
  const pass = <E extends { readonly _tag: string }>(check: Effect.Effect<Checked<string>, E>, source = "192.0.2.1") =>
    Effect.runPromise(
      gate.pass({ name: "ana", source }, check).pipe(Effect.catch((error) => Effect.succeed(error._tag as string))),
    )
  return { gate, outcomes, slowed, clock, pass }
}

test("[29] each outcome is told by its word and counted once in the metric", async () => {
  const { outcomes, pass } = rig()
  assert.equal(await pass(Effect.succeed(RIGHT)), "in")
  assert.equal(await pass(Effect.succeed(NEEDED)), "SecondFactorNeeded")
  assert.equal(await pass(Effect.succeed(WRONG)), "WrongCredentials")
  assert.equal(await pass(Effect.fail(new Unavailable({ detail: "away" }))), "Unavailable")
  assert.equal(await pass(Effect.fail(new WrongCredentials({}))), "WrongCredentials")
  assert.deepEqual(outcomes, ["right", "second_factor_needed", "wrong", "unavailable", "refused"])
})

test("[29] a missing code neither counts nor clears what was wrong before; an outage costs nobody an attempt", async () => {
  const { pass } = rig()
  for (let index = 0; index < PAIR_FREE - 1; index++) await pass(Effect.succeed(WRONG))
  for (let index = 0; index < 20; index++) await pass(Effect.succeed(NEEDED))
  for (let index = 0; index < 20; index++) await pass(Effect.fail(new Unavailable({ detail: "away" })))
  assert.equal(await pass(Effect.succeed(WRONG)), "WrongCredentials")
  assert.equal(await pass(Effect.succeed(RIGHT)), "TooManyAttempts")
})

test("[29] the right password clears what its owner mistyped before", async () => {
  const { pass } = rig()
  for (let round = 0; round < 3; round++) {
    for (let index = 0; index < PAIR_FREE - 1; index++)
      assert.equal(await pass(Effect.succeed(WRONG)), "WrongCredentials")
    assert.equal(await pass(Effect.succeed(RIGHT)), "in")
  }
})

test("[29] a check that is interrupted or dies gives its turn back", async () => {
  const { gate, pass } = rig()
  for (let index = 0; index < CHECKS_PER_SOURCE_MAX * 3; index++) {
    const dying = gate.pass({ name: "ana", source: "192.0.2.1" }, Effect.die(new Error("a bug")))
    await assert.rejects(Effect.runPromise(dying))
    const slow = gate.pass({ name: "ana", source: "192.0.2.1" }, Effect.never)
    await assert.rejects(Effect.runPromise(slow, { signal: AbortSignal.timeout(5) }))
  }
  assert.equal(await pass(Effect.succeed(RIGHT)), "in")
})

test("[29] wrong passwords of a crowd slow strangers, tell the tenant once, and leave a known source alone", async () => {
  const { pass, slowed, clock } = rig()
  assert.equal(await pass(Effect.succeed(RIGHT), "198.51.100.1"), "in")
  for (let index = 0; index < PASSWORD_GUARD.free; index++) await pass(Effect.succeed(WRONG), `10.0.0.${index}`)
  assert.deepEqual(slowed, [`ana@10.0.0.${PASSWORD_GUARD.free - 1}`])
  assert.equal(await pass(Effect.succeed(RIGHT), "10.0.1.1"), "TooManyAttempts")
  assert.equal(await pass(Effect.succeed(RIGHT), "198.51.100.1"), "in")
  clock.ms += PASSWORD_GUARD.everyMs
  assert.equal(await pass(Effect.succeed(RIGHT), "10.0.1.1"), "in")
})

test("[29] wrong codes are counted for the person, over all sources; a slowed one is not checked at all", async () => {
  const { gate, outcomes } = rig()
  let checked = 0
  const code = (source: string, found: Checked<string>) =>
    Effect.runPromise(
      gate
        .code(
          "tenant person",
          source,
          Effect.sync(() => (checked++, found)),
        )
        .pipe(Effect.catch((error) => Effect.succeed({ is: error._tag }))),
    )
  for (let index = 0; index < CODE_GUARD.free; index++) assert.equal((await code(`10.0.0.${index}`, WRONG)).is, "wrong")
  assert.equal((await code("10.0.1.1", RIGHT)).is, "TooManyAttempts")
  assert.equal(checked, CODE_GUARD.free)
  assert.deepEqual(outcomes, ["slowed"])
  const others = gate.code("tenant other", "10.0.1.1", Effect.succeed(RIGHT))
  assert.equal((await Effect.runPromise(others)).is, "right")
})
