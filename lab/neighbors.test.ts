/** What the collector makes of the lab's LLDP and address tables, checked against the emulated wires themselves. */
import assert from "node:assert/strict"
import { test } from "node:test"
import * as Effect from "effect/Effect"
import { makeRouterOsCollector } from "#engine/collectors/routeros/poller.ts"
import { makeSnmpCollector } from "#engine/collectors/snmp/collector.ts"
import { bystandersOf } from "#lab/isp/bystanders.ts"
import { Lab } from "#lab/lab.ts"
import type { Router } from "#lab/isp/model.ts"
import { deviceId, entityKind } from "#protocol/id.ts"

const TIMELESS = Date.UTC(2026, 0, 2, 20, 0, 0)

test("the collector hears by LLDP exactly who is wired to whom, on both ports, and reads each port's address", async (t) => {
  const lab = await Lab.start({ routers: 24, seed: 5, net: "127.30", snmpPort: 0, apiPort: 0, clock: () => TIMELESS })
  t.after(() => lab.close())
  const { isp } = lab
  const poll = async (router: Router) => {
    const { address, snmpPort } = lab.fleet.endpoints[router.index]!
    const opened = makeSnmpCollector().open({
      device: deviceId(router.name),
      name: router.name,
      address,
      pollSeconds: 30,
      snmp: { ...router.snmp, port: snmpPort },
      routeros: null,
    })
    assert.ok(opened !== null)
    return Effect.runPromise(Effect.scoped(Effect.flatMap(opened, (poller) => poller.poll(10_000))))
  }
  let wires = 0
  for (const router of isp.routers) {
    const input = await poll(router)
    const say = (entity: string, fact: string): string =>
      input.texts.find((one) => one.entity === entity && one.fact === fact)?.text ?? ""
    // RouterOS 6 does not say on which port it hears.
    const isOld = router.persona === "routeros6"
    const wired = router.ports.flatMap((index) => {
      const port = isp.ports[index]!
      const link = isp.links.find(({ a, b }) => a === index || b === index)
      if (link === undefined) return []
      const far = isp.ports[link.a === index ? link.b : link.a]!
      return [`${isOld ? "" : port.name} ${isp.routers[far.router]!.name} ${far.name}`]
    })
    const heard = input.entities
      .filter((key) => key.startsWith("lldp:"))
      .map((key) => ["interface", "system_name", "port"].map((fact) => say(key, `lldp.neighbor.${fact}`)).join(" "))
    assert.deepEqual(heard.sort(), wired.sort(), router.name)
    assert.equal(input.complete.includes("lldp.neighbor"), router.persona === "frr" || wired.length > 0)
    for (const index of router.ports) {
      const { name, address } = isp.ports[index]!
      assert.equal(say(`if:${name}`, "interface.addresses"), address ?? "", `${router.name} ${name}`)
    }
    wires += wired.length
  }
  assert.equal(wires, 2 * isp.links.length)
  t.diagnostic(`${wires} ends of ${isp.links.length} links heard`)
})

test("[W2] [C1] the gear in the wires is heard by MNDP and CDP by API, by MNDP or an unknown protocol by SNMP, and goes with the port", async (t) => {
  const lab = await Lab.start({ routers: 24, seed: 5, net: "127.31", snmpPort: 0, apiPort: 0, clock: () => TIMELESS })
  t.after(() => lab.close())
  const { isp } = lab
  const heardBy = async (router: Router, source: "snmp" | "routeros") => {
    const { address, snmpPort, apiPort } = lab.fleet.endpoints[router.index]!
    const target = {
      device: deviceId(router.name),
      name: router.name,
      address,
      pollSeconds: 30,
      snmp: source === "snmp" ? { ...router.snmp, port: snmpPort } : null,
      routeros: source === "routeros" ? { ...router.routeros!, port: apiPort!, tls: false } : null,
    }
    const opened = (source === "snmp" ? makeSnmpCollector() : makeRouterOsCollector()).open(target)
    assert.ok(opened !== null)
    const input = await Effect.runPromise(Effect.scoped(Effect.flatMap(opened, (poller) => poller.poll(10_000))))
    const say = (key: string, fact: string): string | undefined =>
      input.texts.find(({ entity, fact: name }) => entity === key && name === `discovery.neighbor.${fact}`)?.text
    return input.entities
      .filter((key) => entityKind(key) === "discovery.neighbor")
      .map((key) => [key, ...["system_name", "mac", "address"].map((fact) => say(key, fact))].join(" "))
      .toSorted()
  }
  let gear = 0
  for (const router of isp.routers.filter(({ routeros }) => routeros !== null)) {
    const wanted = bystandersOf(lab.network, router.index)
    gear += wanted.length
    const line = (by: string, { port, identity, mac, address }: (typeof wanted)[number]): string =>
      `${by}:${port.name} ${identity} ${mac.toLowerCase()} ${address}`
    assert.deepEqual(await heardBy(router, "routeros"), wanted.map((one) => line(one.by, one)).toSorted(), router.name)
    // MIKROTIK-MIB does not say by which protocol; a software id is MNDP's.
    const unsaid = wanted.map((one) => line(one.by === "mndp" ? "mndp" : "discovery", one))
    assert.deepEqual(await heardBy(router, "snmp"), unsaid.toSorted(), router.name)
  }
  assert.ok(gear >= 8, `${gear} pieces of gear`)
  const router = isp.routers.find(({ index, routeros }) => index % 3 === 0 && routeros !== null)!
  const { port } = bystandersOf(lab.network, router.index)[0]!
  lab.network.setCut(
    isp.links.findIndex(({ a, b }) => a === port.index || b === port.index),
    true,
  )
  assert.deepEqual(
    (await heardBy(router, "routeros")).filter((one) => one.startsWith("mndp:")),
    [],
  )
})
