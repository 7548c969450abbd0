import assert from "node:assert/strict"
import { test } from "node:test"
import { PDU } from "#lab/snmp/pdu.ts"
import { ask, benchOf } from "#lab/snmp/probe.fixture.ts"
import type { Bench } from "#lab/snmp/probe.fixture.ts"

const SYS_NAME = "1.0.8802.1.1.2.1.4.1.1.9"

/** Index to lldpRemSysName. */
const heard = (bench: Bench): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  for (let at = SYS_NAME; ;) {
    const [next] = ask(bench, PDU.getNext, [at]).varbinds
    if (next === undefined || !next.oid.startsWith(`${SYS_NAME}.`)) return found
    found.set(next.oid.slice(SYS_NAME.length + 1), next.value.toString())
    at = next.oid
  }
}

/** What the wires say: who is at the other end of each of this router's links. */
const wired = ({ isp, network, router }: Bench): readonly string[] =>
  network.linksOf(router.index).map((link) => {
    const ends = [isp.links[link]!.a, isp.links[link]!.b].map((port) => isp.ports[port]!.router)
    return isp.routers[ends.find((end) => end !== router.index)!]!.name
  })

for (const persona of ["routeros7", "routeros6", "frr"] as const) {
  const bench = benchOf((router) => router.persona === persona && router.roles[0] === "core")
  const arcs = persona === "routeros6" ? 1 : 3

  test(`${persona} hears by LLDP who is at the end of each link, in its own form of index, until the link is cut`, () => {
    const before = heard(bench)
    assert.deepEqual([...before.values()].sort(), wired(bench).toSorted())
    assert.ok([...before.keys()].every((index) => index.split(".").length === arcs))
    const [link] = bench.network.linksOf(bench.router.index)
    bench.network.setCut(link!, true)
    assert.equal(heard(bench).size, before.size - 1)
    bench.network.setCut(link!, false)
    assert.deepEqual(heard(bench), before)
  })
}
