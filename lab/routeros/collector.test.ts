import assert from "node:assert/strict"
import { createSocket } from "node:dgram"
import { once } from "node:events"
import { test } from "node:test"
import * as Effect from "effect/Effect"
import { deviceId } from "#protocol/id.ts"
import { metricById } from "#protocol/metric.ts"
import type { Poller } from "#engine/collectors/collector.ts"
import { makeSyslogStats, syslogListener } from "#engine/collectors/syslog/listener.ts"
import type { Target } from "#engine/collectors/target.ts"
import { makeRouterOsCollector } from "#engine/collectors/routeros/poller.ts"
import { generate } from "#lab/isp/generate.ts"
import type { Isp } from "#lab/isp/model.ts"
import { Network } from "#lab/isp/network.ts"
import { ApiServer } from "#lab/routeros/server.ts"
import { formatLine } from "#lab/syslog/lines.ts"

const PASSWORD = "s3cret ção"
const drawn = generate({ routers: 30, seed: 8 })
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1))
}

/** A core router of the lab with the API, version 7.18.2, and the credential for it. */
const withRouter = async (
  use: (scene: { index: number; isp: Isp; network: Network; server: ApiServer; target: Target }) => Promise<void>,
): Promise<void> => {
  const index = drawn.routers.find((router) => router.roles[0] === "core")!.index
  const as = {
    persona: "routeros7",
    osVersion: "7.18.2",
    routeros: { user: "heliograph", password: PASSWORD },
  } as const
  const routers = drawn.routers.map((router) => (router.index === index ? { ...router, ...as } : router))
  const isp: Isp = { ...drawn, routers }
  const now = Date.now()
  const network = new Network(isp, now)
  const server = await ApiServer.listen(network, index, () => now, "127.0.0.1", 0)
  const routeros = { port: server.port, user: "heliograph", password: PASSWORD, tls: false }
  const target = { device: deviceId("d1"), name: "r1", address: "127.0.0.1", pollSeconds: 10, snmp: null, routeros }
  try {
    await use({ index, isp, network, server, target })
  } finally {
    server.close()
  }
}

test("[C1] the engine's collector reads the lab's router: light, serial, the neighbours' interfaces; hears a cut", () =>
  withRouter(async ({ index, isp, network, server, target }) => {
    const heard: string[] = []
    const collector = makeRouterOsCollector({
      onChange: () => heard.push("changed"),
      onLog: (_, topics, message) => heard.push(`${topics} ${message}`),
    })
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
      server.logged({ router: index, atMs: Date.now(), topics: "interface,info", message: "x link down" })
      yield* Effect.promise(() => until(() => heard.length >= 2))
      assert.deepEqual(heard.toSorted(), ["changed", "interface,info x link down"])
    })
    await Effect.runPromise(Effect.scoped(program))
  }))

test("[C8] a line that the router sends by syslog and shows in its log becomes one input", () =>
  withRouter(async ({ index, isp, server, target }) => {
    const messages: string[] = []
    const stats = makeSyslogStats()
    const program = Effect.gen(function* () {
      const syslog = yield* syslogListener({
        host: "127.0.0.1",
        port: 0,
        resolve: () => target.device,
        sink: { submit: (input) => input.kind === "syslog" && messages.push(input.message) > 0 },
        stats,
      })
      const poller = yield* makeRouterOsCollector({ onLog: syslog.hear }).open(target) ?? assert.fail("no poller")
      yield* poller.poll(9_000)
      const socket = createSocket("udp4")
      const lines = ["ether1 link down", "ether1 link up (speed 10G, full duplex)", "ether2 link down"]
      for (const message of lines) {
        const line = { router: index, atMs: Date.now(), topics: "interface,info", message }
        server.logged(line)
        socket.send(formatLine(line, isp.routers[index]!), syslog.udpPort, "127.0.0.1")
      }
      yield* Effect.promise(() => until(() => stats.received === 2 * lines.length))
      socket.close()
      yield* Effect.promise(() => once(socket, "close"))
      assert.deepEqual([stats.accepted, stats.echoes], [3, 3])
      assert.deepEqual(messages.toSorted(), lines.toSorted())
    })
    await Effect.runPromise(Effect.scoped(program))
  }))
