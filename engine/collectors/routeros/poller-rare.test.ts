/** What the poller asks a router for rarely, and what it must not ask for. */
import assert from "node:assert/strict"
import { test } from "node:test"
import * as Effect from "effect/Effect"
import { asked, polling, seen, V7 } from "#engine/collectors/routeros/poller.fixture.ts"
import type { Handler } from "#engine/collectors/routeros/router.fixture.ts"
import { firstOf, startRouter, tables } from "#engine/collectors/routeros/router.fixture.ts"

test("[S11] queues: drops per second of all together; names are neither asked for nor told", async () => {
  let drops = 3
  const queues: Handler = (words, peer) =>
    words[0] === "/queue/simple/print" &&
    tables({ [words[0]]: [{ ".id": "*1", name: "maria", dropped: `${drops}/4`, disabled: "false" }] })(words, peer)
  await using router = await startRouter(firstOf(queues, V7))
  await polling(router, (poller, forward) =>
    Effect.gen(function* () {
      assert.equal(seen(yield* poller.poll(9_000))["queue.dropped_pps@"], undefined)
      drops += 120
      forward(60_000)
      const input = yield* poller.poll(9_000)
      const rate = seen(input)["queue.dropped_pps@"] as number
      assert.ok(rate > 1.9 && rate <= 2, String(rate))
      assert.ok(!JSON.stringify(input.texts).includes("maria") && !input.entities.some((key) => key.includes("maria")))
    }),
  )
  for (const words of router.seen.filter(([path]) => path?.startsWith("/queue/") === true))
    assert.ok(words.includes("=.proplist=.id,dropped,disabled,invalid"), words.join(" "))
})

test("[C17] the router's clock is compared with ours once a minute; by SNMP where it has that", async () => {
  const clocks: Handler = (words, peer) => {
    const now = new Date(Date.now() + 5_000 - 3 * 3_600_000).toISOString()
    const row = { date: now.slice(0, 10), time: now.slice(11, 19), "gmt-offset": "-03:00" }
    return words[0] === "/system/clock/print" && tables({ [words[0]]: [row] })(words, peer)
  }
  await using router = await startRouter(firstOf(clocks, V7))
  await polling(router, (poller) =>
    Effect.gen(function* () {
      const skew = seen(yield* poller.poll(9_000))["device.clock.skew_seconds@"] as number
      assert.ok(Math.abs(skew - 5) <= 0.6, String(skew))
      assert.equal(seen(yield* poller.poll(9_000))["device.clock.skew_seconds@"], undefined)
    }),
  )
  assert.equal(asked(router, "/system/clock/print"), 1)
})

test("[C1] OSPF costs of RouterOS 6 and 7, every five minutes; settings for all and unused rows tell nothing", async () => {
  const rows = [
    { ".id": "*1", interface: "ether1", cost: "15", dynamic: "true" },
    { ".id": "*2", interface: "all", cost: "9" },
    { ".id": "*3", address: "10.1.1.1%wan: x (eth2)", area: "backbone", cost: "700" },
    { ".id": "*4", interface: "bridge", cost: "65536" },
    { ".id": "*5", interface: "bridge", cost: "5", disabled: "true" },
    { ".id": "*6", interface: "bridge", cost: "5", inactive: "true" },
    { ".id": "*7", interface: "<pppoe-maria>", cost: "5" },
    { ".id": "*8", address: "10.1.9.1", cost: "5" },
  ]
  const costs: Handler = (words, peer) =>
    words[0] === "/routing/ospf/interface/print" && tables({ [words[0]]: rows })(words, peer)
  await using router = await startRouter(firstOf(costs, V7))
  await polling(router, (poller, forward) =>
    Effect.gen(function* () {
      const told = (input: Record<string, number | string>) =>
        Object.entries(input).filter(([key]) => key.startsWith("interface.ospf_cost@"))
      assert.deepEqual(told(seen(yield* poller.poll(9_000))), [
        ["interface.ospf_cost@if:ether1", 15],
        ["interface.ospf_cost@if:wan: x (eth2)", 700],
      ])
      forward(240_000)
      assert.deepEqual(told(seen(yield* poller.poll(9_000))), [])
      forward(60_000)
      assert.equal(told(seen(yield* poller.poll(9_000))).length, 2)
    }),
  )
})
