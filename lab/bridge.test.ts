/** Bridge tables of the lab's switches, as both collectors read them, against the emulated wires themselves. */
import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import * as Effect from "effect/Effect"
import type { Collected, Collector } from "#engine/collectors/collector.ts"
import { makeRouterOsCollector } from "#engine/collectors/routeros/poller.ts"
import { makeSnmpCollector } from "#engine/collectors/snmp/collector.ts"
import { Lab } from "#lab/lab.ts"
import type { Router } from "#lab/isp/model.ts"
import { isSwitch, learnedHosts } from "#lab/isp/switching.ts"
import { macText } from "#protocol/bridge.ts"
import { deviceId } from "#protocol/id.ts"

const TIMELESS = Date.UTC(2026, 0, 2, 20, 0, 0)

const startLab = async (t: TestContext, net: string, quietSwitches: number) => {
  const options = { routers: 24, seed: 5, net, snmpPort: 0, apiPort: 0, quietSwitches, clock: () => TIMELESS }
  const lab = await Lab.start(options)
  t.after(() => lab.close())
  const poll = async (collector: Collector, router: Router): Promise<Collected | null> => {
    const { address, snmpPort, apiPort } = lab.fleet.endpoints[router.index]!
    const opened = collector.open({
      device: deviceId(router.name),
      name: router.name,
      address,
      pollSeconds: 30,
      snmp: collector.source === "snmp" ? { ...router.snmp, port: snmpPort } : null,
      routeros:
        collector.source === "snmp" || router.routeros === null
          ? null
          : { ...router.routeros, port: apiPort!, tls: false },
    })
    return opened === null
      ? null
      : Effect.runPromise(Effect.scoped(Effect.flatMap(opened, (poller) => poller.poll(10_000))))
  }
  return { lab, poll }
}

const hostsOf = ({ bridge }: Collected): readonly string[] =>
  [...(bridge?.mac ?? [])].map((mac, i) => `${bridge?.ports[bridge.port[i]!]} ${macText(mac)}`).sort()

test("[W3] by SNMP and by API a switch hears whom the wires bring, on which port; a Linux router has no table", async (t) => {
  const { lab, poll } = await startLab(t, "127.35", 0)
  let hosts = 0
  for (const router of lab.isp.routers) {
    const snmp = await poll(makeSnmpCollector(), router)
    assert.ok(snmp !== null)
    if (!isSwitch(router)) {
      assert.equal(snmp.bridge, null, router.name)
      continue
    }
    const expected = learnedHosts(lab.network, router.index)
      .map(({ port, mac }) => `if:${port.name} ${mac.toLowerCase()}`)
      .sort()
    const own = new Set(snmp.texts.flatMap(({ fact, text }) => (fact === "interface.mac" ? [text] : [])))
    // RouterOS lists the bridge's own address too; the gate knows whose it is.
    const learned = (input: Collected): readonly string[] =>
      hostsOf(input).filter((one) => !own.has(one.slice(one.lastIndexOf(" ") + 1)))
    assert.deepEqual(learned(snmp), expected, router.name)
    const api = await poll(makeRouterOsCollector(), router)
    assert.ok(api !== null)
    assert.deepEqual(learned(api), expected, `${router.name} by its API`)
    const macs = (input: Collected) =>
      input.texts.flatMap(({ entity, fact, text }) => (fact === "interface.mac" ? [`${entity} ${text}`] : [])).sort()
    assert.deepEqual(macs(api), macs(snmp), `${router.name}: its own MACs`)
    hosts += expected.length
  }
  assert.ok(hosts > lab.isp.links.length)
  t.diagnostic(`${hosts} hosts in the tables of ${lab.isp.routers.filter(isSwitch).length} switches`)
})

test("[W3] a muted switch tells neither neighbours nor addresses by either protocol, nor is it heard; its table is there", async (t) => {
  const { lab, poll } = await startLab(t, "127.36", 4)
  const muted = [...lab.network.quiet].map((index) => lab.isp.routers[index]!)
  assert.equal(muted.length, 4)
  const isWord = ({ fact }: Collected["texts"][number]): boolean =>
    /^(?:lldp|discovery)\.neighbor\.|^interface\.addresses$/.test(fact)
  const names = new Set(muted.map(({ name }) => name))
  for (const router of lab.isp.routers) {
    for (const collector of [makeSnmpCollector(), makeRouterOsCollector()]) {
      const input = await poll(collector, router)
      if (input === null) continue
      const words = input.texts.filter(isWord).filter(({ text }) => text !== "")
      if (names.has(router.name)) {
        assert.deepEqual(words, [], `${router.name} by ${collector.source}`)
        assert.ok(hostsOf(input).length > 0)
      } else assert.ok(!words.some(({ text }) => names.has(text)), `${router.name} by ${collector.source}`)
    }
  }
})
