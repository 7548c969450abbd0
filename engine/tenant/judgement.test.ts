/** The judgement of a running tenant as doors and storage hold it: every change is journaled before it is answered. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { makeManualClock } from "#engine/actors/clock.ts"
import { CHANGES_MAX } from "#engine/tenant/inbox.ts"
import { poll, ring, RULES, SILENCE, START_MS } from "#engine/tenant/network.fixture.ts"
import type { JournalPort } from "#engine/tenant/ports.ts"
import { makeMemoryPorts } from "#engine/tenant/memory-ports.ts"
import { device, replayed, start, stateOf } from "#engine/tenant/runtime.fixture.ts"
import { RuntimeStopped } from "#engine/tenant/runtime.ts"
import { makeStandingTwin } from "#engine/tenant/standing-twin.ts"
import type { Rule } from "#protocol/rule.ts"
import { PACKS } from "#twin/alert/packs/registry.ts"

test("[I4] rules, silences and acknowledgements are inputs: a restart has them, a replay without actors agrees", async (t) => {
  const started = await start(t)
  const { runtime, ports, clock } = started
  const id = device(runtime, 0)
  await runtime.judgement.setRules(7, RULES)
  runtime.submit(poll(id, START_MS, { cpu: 95 }))
  await runtime.flush()
  const [alert] = runtime.judgement.alerts()
  assert.deepEqual([alert?.rule, alert?.state, alert?.deviceName], ["cpu", "firing", "r-00000"])
  const name = { device: id, rule: "cpu", entity: "" }
  assert.equal(await runtime.judgement.acknowledge(name, "ana", START_MS + 60_000), true)
  assert.equal(runtime.judgement.alerts()[0]?.ack?.by, "ana")
  assert.equal(runtime.judgement.receipt(name)?.rule.id, "cpu")
  await runtime.judgement.setSilences(3, [SILENCE])
  assert.equal(runtime.judgement.alerts()[0]?.heldBack?.by, "maintenance")
  const before = runtime.judgement.alerts()
  assert.equal(await stateOf(started), await replayed(ports))
  const again = await start(t, { ports, clock: makeManualClock(clock.nowMs()) })
  assert.deepEqual(again.runtime.judgement.alerts(), before)
  assert.deepEqual(again.runtime.judgement.rules(), { rev: 7, rules: RULES })
  assert.deepEqual(again.runtime.judgement.silences(), { rev: 3, silences: [SILENCE] })
  assert.equal(await again.runtime.judgement.acknowledge(name, "ana", null), true)
  assert.equal(again.runtime.judgement.alerts()[0]?.ack, null)
})

test("[I4] the heartbeat alone fires what is due: nothing is heard, and an absence is noticed", async (t) => {
  const { runtime, clock } = await start(t)
  await runtime.judgement.setRules(1, RULES)
  runtime.submit(poll(device(runtime, 0), START_MS))
  await runtime.flush()
  clock.advanceTo(START_MS + 20_000)
  await runtime.flush()
  const absent = runtime.judgement.alerts().filter(({ rule }) => rule === "absent")
  assert.equal(absent.length, 4, "three have said nothing since they are watched, one since its poll")
  assert.deepEqual(
    absent.map(({ sinceMs }) => sinceMs),
    Array.from({ length: 4 }, () => START_MS + 15_000),
  )
})

test("[I5] only what fires can be acknowledged, and the answer says whether it did", async (t) => {
  const { runtime } = await start(t)
  await runtime.judgement.setRules(1, RULES)
  const id = device(runtime, 0)
  for (const name of [
    { device: id, rule: "cpu", entity: "" },
    { device: id, rule: "none", entity: "" },
    { device: id, rule: "cpu", entity: "if:none" },
    { device: "none", rule: "cpu", entity: "" },
  ])
    assert.equal(await runtime.judgement.acknowledge(name, "ana", START_MS + 1), false)
  assert.equal(runtime.judgement.explain({ device: "none", rule: "cpu", entity: "" }), null)
  const why = runtime.judgement.explain({ device: id, rule: "none", entity: "" })
  assert.deepEqual(why, { found: false, reason: "there is no such rule" })
})

test("[I4] answers wait for the journal; too many changes at once push back, and say what to do", async (t) => {
  const ports = makeMemoryPorts()
  let release = (): void => undefined
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  let shut = false
  const journal: JournalPort = {
    ...ports.journal,
    append: async (batch) => {
      if (shut) await gate
      await ports.journal.append(batch)
    },
  }
  const { runtime } = await start(t, { journal })
  await runtime.flush()
  shut = true
  let answered = false
  const answer = async (): Promise<void> => {
    await runtime.judgement.setRules(1, RULES)
    answered = true
  }
  const change = answer()
  await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual([runtime.judgement.rules().rev, answered], [1, false], "applied, and not yet answered")
  const others = Array.from({ length: CHANGES_MAX.rules }, (_, n) => runtime.judgement.setRules(2 + n, RULES))
  await assert.rejects(runtime.judgement.setRules(99, RULES), /8 changes of this kind \(rules\) wait already/)
  release()
  await Promise.all([change, ...others])
  assert.equal(runtime.judgement.rules().rev, 1 + CHANGES_MAX.rules)
})

test("[I4] the standing twin's judgement outlives its runtimes and refuses changes between two of them", async (t) => {
  const first = await start(t)
  const standing = makeStandingTwin(first.runtime, () => undefined)
  await standing.judgement.setRules(5, RULES)
  standing.detach()
  assert.equal(standing.judgement.rules().rev, 5, "the last state is shown")
  assert.deepEqual(standing.judgement.alerts(), [])
  for (const refused of [
    standing.judgement.setRules(6, RULES),
    standing.judgement.setSilences(6, []),
    standing.judgement.acknowledge({ device: "d", rule: "r", entity: "" }, "ana", null),
  ])
    await assert.rejects(refused, RuntimeStopped)
  await first.close()
  const second = await start(t, { ports: first.ports })
  standing.attach(second.runtime)
  assert.equal(standing.judgement.rules().rev, 5)
  await standing.judgement.setRules(6, [])
  assert.equal(second.runtime.judgement.rules().rev, 6)
})

test("[I16] all shipped rules on a healthy network that is polled for an hour: not one alert", async (t) => {
  const { runtime, clock } = await start(t, { inventory: ring(3) })
  const shipped: readonly Rule[] = PACKS.flatMap(({ rules }) => rules.map(({ rule }) => rule))
  await runtime.judgement.setRules(1, shipped)
  for (let second = 0; second < 3_600; second += 10) {
    const atMs = START_MS + second * 1_000
    clock.advanceTo(atMs)
    for (const n of [0, 1, 2]) runtime.submit(poll(device(runtime, n), atMs, { cpu: 30 + (second % 40) }))
    await runtime.flush()
    assert.deepEqual(
      runtime.judgement.alerts().map(({ rule, entity }) => `${second} ${rule} ${entity}`),
      [],
    )
  }
})
