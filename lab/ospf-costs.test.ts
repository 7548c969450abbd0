/** [C1] [C2] The OSPF costs of the lab's routers, read by the engine's own collectors over real sockets. */
import assert from "node:assert/strict"
import { test } from "node:test"
import * as Effect from "effect/Effect"
import type { Collector } from "#engine/collectors/collector.ts"
import { makeRouterOsCollector } from "#engine/collectors/routeros/poller.ts"
import { makeSnmpCollector } from "#engine/collectors/snmp/collector.ts"
import type { Target } from "#engine/collectors/target.ts"
import { Fleet } from "#lab/fleet.ts"
import { generate } from "#lab/isp/generate.ts"
import type { Isp, Persona, Router } from "#lab/isp/model.ts"
import { Network } from "#lab/isp/network.ts"
import { deviceId } from "#protocol/id.ts"
import { metricId } from "#protocol/metric.ts"

const drawn = generate({ routers: 24, seed: 6 })

/** Cost by interface name, as one poll tells it. */
const polled = (collector: Collector, target: Target): Promise<Record<string, number>> =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const poller = yield* collector.open(target) ?? assert.fail("no poller")
        const poll = yield* poller.poll(9_000)
        const id = metricId("interface.ospf_cost")
        return Object.fromEntries(
          [...poll.metric.entries()].flatMap(([i, one]) =>
            one === id ? [[poll.entities[poll.entity[i]!]!.slice("if:".length), poll.value[i]!]] : [],
          ),
        )
      }),
    ),
  )

const truthOf = (isp: Isp, { ports }: Router): Record<string, number> =>
  Object.fromEntries(
    ports.flatMap((index) => {
      const { wire, name } = isp.ports[index]!
      const link = wire < 0 ? undefined : isp.links[wire]
      return link?.ospf === true ? [[name, link.cost]] : []
    }),
  )

for (const [persona, osVersion] of [
  ["routeros7", "7.18.2"],
  ["routeros6", "6.49.10"],
  ["frr", "8.4.4"],
] as const satisfies ReadonlyArray<readonly [Persona, string]>)
  test(`[C1] [C2] the costs of every core router of the lab, as ${persona}, are the lab's own`, async () => {
    const routers = drawn.routers.map((router): Router => ({
      ...router,
      persona,
      osVersion,
      snmp: { version: "2c", community: "aurora-demo" },
      routeros: persona === "frr" ? null : { user: "heliograph", password: "s3cret" },
    }))
    const isp: Isp = { ...drawn, routers }
    const now = Date.now()
    const network = new Network(isp, now)
    const fleet = await Fleet.start(network, () => now, { net: "127.19", snmpPort: 0, apiPort: 0 })
    try {
      const core = routers.filter(({ roles }) => roles.includes("core"))
      assert.ok(core.length >= 2)
      // A link that is broken has no neighbour: FRR's LSA then names its network only.
      network.setCut(
        isp.links.findIndex(({ kind }) => kind === "core"),
        true,
      )
      network.advance(now + 10_000)
      for (const router of core) {
        const { address, snmpPort, apiPort } = fleet.endpoints[router.index]!
        const target: Target = {
          device: deviceId("d1"),
          name: router.name,
          address,
          pollSeconds: 10,
          snmp: { version: "2c", port: snmpPort, community: "aurora-demo" },
          routeros: { port: apiPort ?? 0, user: "heliograph", password: "s3cret", tls: false },
        }
        const collector = persona === "frr" ? makeSnmpCollector() : makeRouterOsCollector()
        const truth = truthOf(isp, router)
        assert.ok(Object.keys(truth).length >= 2)
        assert.deepEqual(await polled(collector, target), truth, router.name)
      }
    } finally {
      fleet.close()
    }
  })
