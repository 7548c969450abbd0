import assert from "node:assert/strict"
import { test } from "node:test"
import * as Effect from "effect/Effect"
import { deviceId } from "#protocol/id.ts"
import { metricById } from "#protocol/metric.ts"
import type { Poller } from "#engine/collectors/collector.ts"
import { makeRouterOsCollector } from "#engine/collectors/routeros/poller.ts"
import { generate } from "#lab/isp/generate.ts"
import type { Isp } from "#lab/isp/model.ts"
import { Network } from "#lab/isp/network.ts"
import { ApiServer } from "#lab/routeros/server.ts"

const PASSWORD = "s3cret ção"
const drawn = generate({ routers: 30, seed: 8 })
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1))
}

test("[C1] the engine's collector reads the lab's router: light, serial, the neighbours' interfaces; hears a cut", async () => {
  const index = drawn.routers.find((router) => router.roles[0] === "core")!.index
  const as = {
    persona: "routeros7",
    osVersion: "7.18.2",
    routeros: { user: "heliograph", password: PASSWORD },
  } as const
  const isp: Isp = {
    ...drawn,
    routers: drawn.routers.map((router) => (router.index === index ? { ...router, ...as } : router)),
  }
  const now = Date.now()
  const network = new Network(isp, now)
  const server = await ApiServer.listen(network, index, () => now, "127.0.0.1", 0)
  const heard: string[] = []
  const collector = makeRouterOsCollector({
    onChange: () => heard.push("changed"),
    onLog: (_, topics, message) => heard.push(`${topics} ${message}`),
  })
  const target = {
    device: deviceId("d1"),
    name: "r1",
    address: "127.0.0.1",
    pollSeconds: 10,
    snmp: null,
    routeros: { port: server.port, user: "heliograph", password: PASSWORD, tls: false },
  }
  try {
    const program = Effect.gen(function* () {
      const poller: Poller = yield* collector.open(target) ?? assert.fail("no poller")
      const input = yield* poller.poll(9_000)
      const texts = new Map(input.texts.map(({ entity, fact, text }) => [`${fact}@${entity}`, text]))
      assert.equal(texts.get("device.serial@"), isp.routers[index]!.serial)
      // 7.18 names no interface at its neighbours: the subnets of /ip/address do, each its own.
      const facing = [...texts].filter(([key]) => key.startsWith("ospf.neighbor.interface@"))
      assert.ok(facing.length >= 2)
      assert.equal(new Set(facing.map(([, name]) => name)).size, facing.length)
      const metrics = new Set([...input.metric].map((id) => metricById(id)?.name))
      assert.ok(metrics.has("optical.rx_power_dbm") && metrics.has("interface.speed_bps"))

      network.setCut(network.linksOf(index)[0]!, true)
      server.logged({ router: index, atMs: now, topics: "interface,info", message: "x link down" })
      yield* Effect.promise(() => until(() => heard.length >= 2))
      assert.deepEqual(heard.toSorted(), ["changed", "interface,info x link down"])
    })
    await Effect.runPromise(Effect.scoped(program))
  } finally {
    server.close()
  }
})
