/** The description of the real-router lab and what is generated from it. No root, no daemons. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { parseImport } from "#engine/import/parse.ts"
import { configFiles } from "#lab/frr/configs.ts"
import type { ConfigOptions } from "#lab/frr/configs.ts"
import { frrImport } from "#lab/frr/import.ts"
import {
  bgpPeers,
  FRR_ISP,
  ISP_ASN,
  linkBetween,
  MANAGEMENT,
  ospfNeighbours,
  portsOf,
  routerNamed,
} from "#lab/frr/isp.ts"
import { parseReceiver } from "#lab/frr/receiver.ts"

const SECRETS = { community: "c0mmun1ty", user: "heliograph", authPassword: "auth-secret", privPassword: "priv-secret" }
const options = (directory: string): ConfigOptions => ({
  isp: FRR_ISP,
  secrets: SECRETS,
  receivers: { trap: "172.30.0.1:10162", syslog: "172.30.0.1:10514" },
  directory,
  isTied: false,
})
const filesOf = (name: string): Readonly<Record<string, string>> => {
  const router = routerNamed(FRR_ISP, name)
  assert.ok(router)
  return configFiles(router, options(`/lab/${name}`))
}

test("the ISP is 12 routers and 18 links: a core ring with a chord, two borders with an upstream each", () => {
  assert.equal(FRR_ISP.routers.length, 12)
  assert.equal(FRR_ISP.links.length, 18)
  const kinds = Map.groupBy(FRR_ISP.links, ({ kind }) => kind)
  assert.equal(kinds.get("core")?.length, 5)
  assert.equal(kinds.get("upstream")?.length, 2)
  for (const { site } of FRR_ISP.routers) assert.ok(FRR_ISP.sites.some(({ id }) => id === site))
})

test("no address, interface or number is used twice", () => {
  const ends = FRR_ISP.links.flatMap(({ a, b }) => [a, b])
  const distinct = (values: readonly string[]): void => assert.equal(new Set(values).size, values.length)
  distinct(ends.map(({ address }) => address))
  distinct(ends.map(({ router, interface: name }) => `${router} ${name}`))
  distinct(FRR_ISP.routers.flatMap(({ loopback, management }) => [loopback, management]))
  distinct(FRR_ISP.routers.flatMap(({ prefixes }) => prefixes))
  assert.ok(FRR_ISP.routers.every(({ management }) => management !== MANAGEMENT.host))
})

test("no single router or link cuts a router of the ISP off, so that a fault stays a fault and not an outage", () => {
  const inside = FRR_ISP.routers.filter(({ asn }) => asn === ISP_ASN).map(({ name }) => name)
  const reached = (dead: string | null, cut: number | null): number => {
    const start = inside.find((name) => name !== dead) as string
    const seen = new Set([start])
    for (const name of seen)
      FRR_ISP.links.forEach(({ a, b, cost }, index) => {
        if (cost === null || index === cut || a.router === dead || b.router === dead) return
        if (a.router === name) seen.add(b.router)
        if (b.router === name) seen.add(a.router)
      })
    return seen.size
  }
  for (const dead of inside) assert.equal(reached(dead, null), inside.length - 1, dead)
  FRR_ISP.links.forEach((_, index) => assert.equal(reached(null, index), inside.length))
})

test("both sides of every BGP session name each other: iBGP over loopbacks to two reflectors, eBGP over the link", () => {
  let sessions = 0
  for (const { name, asn } of FRR_ISP.routers)
    for (const { remote, remoteAddress, remoteAsn } of bgpPeers(FRR_ISP, name)) {
      sessions++
      const far = routerNamed(FRR_ISP, remote)
      assert.equal(far?.asn, remoteAsn)
      assert.ok(bgpPeers(FRR_ISP, remote).some((back) => back.remote === name))
      const own =
        remoteAsn === asn
          ? far?.loopback
          : portsOf(FRR_ISP, name).find((port) => port.far.router === remote)?.far.address
      assert.equal(remoteAddress, own)
    }
  // Two reflectors with 8 clients each, the session between them, two upstreams; each counted from both sides.
  assert.equal(sessions, 2 * (2 * 8 + 1 + 2))
  assert.equal(bgpPeers(FRR_ISP, "c1").length, 9)
})

test("the configuration of a core router is what FRR 8.4 reads: addresses, OSPF on its links only, reflector clients", () => {
  const files = filesOf("c1")
  for (const { own, far } of portsOf(FRR_ISP, "c1")) {
    assert.ok(
      files["zebra.conf"]?.includes(
        `interface ${own.interface}\n description to ${far.router} ${far.interface}\n ip address ${own.address}/30\n`,
      ),
    )
  }
  assert.equal(files["ospfd.conf"]?.match(/ip ospf area 0/g)?.length, ospfNeighbours(FRR_ISP, "c1").length + 1)
  assert.equal(files["bgpd.conf"]?.match(/route-reflector-client/g)?.length, 8)
  // FRR 8.4 refuses the word `format` in this block.
  for (const [name, text] of Object.entries(files)) {
    if (/^(zebra|ospfd|bgpd)\.conf$/.test(name))
      assert.match(text, /log extended \w+\n destination unix \/lab\/c1\/log\n/)
    assert.ok(!text.includes("undefined"), name)
  }
})

test("an upstream speaks no OSPF and announces 100 prefixes and a default route; its border speaks no OSPF to it", () => {
  const files = filesOf("u1")
  assert.equal(files["ospfd.conf"], undefined)
  assert.ok(!files["power-on.sh"]?.includes("ospfd"))
  assert.equal(files["bgpd.conf"]?.match(/^ {2}network /gm)?.length, 100)
  assert.match(files["bgpd.conf"] ?? "", /default-originate/)
  const port = portsOf(FRR_ISP, "b1").find(({ far }) => far.router === "u1")
  assert.ok(port)
  assert.ok(!filesOf("b1")["ospfd.conf"]?.includes(`interface ${port.own.interface}\n`))
})

test("[S7] credentials stand in snmpd.conf only, v3 routers have no community and v2c routers no pass-phrase", () => {
  for (const { name, snmp } of FRR_ISP.routers)
    for (const [file, text] of Object.entries(filesOf(name))) {
      const has = (secret: string): boolean => text.includes(secret)
      assert.equal(has(SECRETS.community), file === "snmpd.conf" && snmp === "2c", `${name} ${file}`)
      assert.equal(
        has(SECRETS.authPassword) || has(SECRETS.privPassword),
        file === "snmpd.conf" && snmp === "3",
        `${name} ${file}`,
      )
    }
})

test("the import document is one that heliograph import takes, with every router and every link's interfaces", () => {
  const parsed = parseImport(JSON.stringify(frrImport(FRR_ISP, SECRETS)))
  assert.ok(parsed.ok, JSON.stringify(parsed))
  assert.equal(parsed.document.devices.length, 12)
  assert.equal(parsed.document.links.length, 18)
  const { a, b } = linkBetween(FRR_ISP, "c3", "c1") ?? {}
  assert.ok(
    parsed.document.links.some(
      (link) =>
        link.a.device === a?.router &&
        link.a.interface === a.interface &&
        link.b.device === b?.router &&
        link.b.interface === b.interface,
    ),
  )
})

test("traps and syslog go to this machine's own address in the lab and nowhere else", () => {
  assert.equal(parseReceiver("172.30.0.1:10162"), 10162)
  for (const text of ["172.30.0.1", "172.30.0.1:0", "172.30.0.1:65536", "192.0.2.1:162", "172.30.0.1:1 2", "$(id):1"])
    assert.equal(parseReceiver(text), null, text)
})
