/** What the poller asks a router for rarely, and what it must not ask for. */
import assert from "node:assert/strict"
import { test } from "node:test"
import * as Effect from "effect/Effect"
import type { Collected } from "#engine/collectors/collector.ts"
import { asked, polling, seen, V7 } from "#engine/collectors/routeros/poller.fixture.ts"
import type { Handler, Peer } from "#engine/collectors/routeros/router.fixture.ts"
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

const HOSTS = "/interface/bridge/host/print"
const hostRow = (last: number): string[] => [
  "!re",
  `=mac-address=02:1A:B0:00:00:0${last}`,
  "=on-interface=wan: x (eth2)",
  "=dynamic=true",
]
/** Asked the first time it answers nothing of its hosts until the test does; after that it answers at once. */
const slowHosts = () => {
  const waiting: Peer[] = []
  const handler: Handler = (words, peer) => {
    if (words[0] !== HOSTS) return false
    if (waiting.push(peer) > 1) {
      peer.reply(...hostRow(1))
      peer.done()
    }
    return true
  }
  return { waiting, handler }
}
const heard = ({ bridge }: Collected): number | null | undefined => bridge && bridge.mac.length

test("[W3] a table of hosts that one poll is too short for comes with a later one, asked for once; polls do not wait for it", async () => {
  const { waiting, handler } = slowHosts()
  await using router = await startRouter(firstOf(handler, V7))
  await polling(router, (poller, forward) =>
    Effect.gen(function* () {
      const first = yield* poller.poll(4_000)
      assert.equal(heard(first), undefined)
      assert.ok(first.complete.includes("interface"), "the rest is told all the same")
      waiting[0]?.reply(...hostRow(1))
      assert.equal(heard(yield* poller.poll(60_000)), undefined, "half a table is none")
      forward(300_000)
      assert.equal(heard(yield* poller.poll(60_000)), undefined)
      waiting[0]?.reply(...hostRow(2))
      waiting[0]?.done()
      const told = yield* poller.poll(60_000)
      assert.equal(heard(told), 2)
      assert.equal(seen(told)["bridge.hosts@"], 2)
      assert.equal(asked(router, HOSTS), 1)
      assert.equal(heard(yield* poller.poll(60_000)), undefined, "it rests")
      forward(300_000)
      assert.equal(heard(yield* poller.poll(60_000)), 1, "and is read again")
    }),
  )
})

test("[W3] a session that ends while hosts are asked for spoils no poll; they are asked for again a minute later", async () => {
  const { handler } = slowHosts()
  await using router = await startRouter(firstOf(handler, V7))
  await polling(router, (poller, forward) =>
    Effect.gen(function* () {
      yield* poller.poll(4_000)
      router.resetAll()
      while (router.open() > 0) yield* Effect.sleep(1)
      // The reset reaches the poller with the poll after, at the latest.
      yield* Effect.ignore(poller.poll(9_000))
      const after = yield* poller.poll(9_000)
      assert.ok(after.complete.includes("interface"))
      assert.equal(asked(router, HOSTS), 1, "not at once")
      forward(61_000)
      assert.equal(heard(yield* poller.poll(60_000)), 1)
      assert.equal(asked(router, HOSTS), 2)
    }),
  )
})

test("[W3] a router without the menu is not asked for it every minute", async () => {
  const refuse: Handler = (words, peer) =>
    words[0] === HOSTS && (peer.reply("!trap", "=message=no such command"), peer.done(), true)
  await using router = await startRouter(firstOf(refuse, V7))
  await polling(router, (poller, forward) =>
    Effect.gen(function* () {
      assert.equal(heard(yield* poller.poll(9_000)), undefined)
      forward(300_000)
      yield* poller.poll(9_000)
      assert.equal(asked(router, HOSTS), 1)
      forward(300_000)
      yield* poller.poll(9_000)
      assert.equal(asked(router, HOSTS), 2)
    }),
  )
})
