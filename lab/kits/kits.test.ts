import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { parseImport } from "#engine/import/parse.ts"
import { kitCommand, kitFiles, readKitArguments, toolsAddress } from "#lab/kits/cli.ts"
import { CLAB_MANAGEMENT } from "#lab/kits/containerlab.ts"
import type { XmlElement, Yaml } from "#lab/kits/formats.fixture.ts"
import { parseXml, parseYaml } from "#lab/kits/formats.fixture.ts"
import { hostOf, membersOf, referenceLab } from "#lab/kits/reference.ts"
import { parseRsc } from "#lab/kits/rsc-parser.fixture.ts"
import type { RscCommand } from "#lab/kits/rsc-parser.fixture.ts"
import { DIALECTS } from "#lab/kits/rsc.ts"
import type { Dialect, KitOptions } from "#lab/kits/rsc.ts"
import { folderSecrets } from "#lab/kits/secrets.ts"

const lab = referenceLab()
const secrets = {
  apiPassword: "apiapiapiapi1",
  snmpAuthPassword: "authauthauth2",
  snmpPrivPassword: "privprivpriv3",
  subscriberPassword: "subssubssubs4",
}
const optionsOf = (dialect: Dialect): KitOptions => ({ dialect, engine: toolsAddress(), syslogPort: 10514, secrets })
const routers = lab.nodes.filter(({ kind }) => kind === "routeros")
const scriptsOf = (dialect: Dialect, kind = "chr"): ReadonlyMap<string, readonly RscCommand[]> => {
  const files = kitFiles(kind, optionsOf(dialect), null)
  return new Map(routers.map(({ name }) => [name, parseRsc(files.get(`${kind}/${name}.rsc`)!)]))
}
const numberOf = (address: string): number =>
  hostOf(address)
    .split(".")
    .reduce((number, octet) => number * 256 + Number(octet), 0)
const isInside = (address: string, prefix: string): boolean => {
  const size = 2 ** (32 - Number(prefix.split("/")[1]))
  return Math.floor(numberOf(address) / size) === Math.floor(numberOf(prefix) / size)
}

// --- the description

test("the plan is PRODUCT.md's: who is there, and addresses out of their ranges, each once", () => {
  const names = "CORE1 CORE2 RR1 EDGE1 EDGE2 AGG1 AGG2 ACCESS1 ACCESS2 UPSTREAM1 UPSTREAM2 TOOLS TARGETS"
  assert.deepEqual(lab.nodes.map(({ name }) => name).join(" "), names)
  for (const { loopback } of lab.nodes) if (loopback !== null) assert.ok(isInside(loopback, "10.255.0.0/16"))
  for (const { kind, prefix } of lab.networks) {
    if (kind === "link") assert.ok(isInside(prefix, "10.0.0.0/16") && prefix.endsWith("/31"))
    else assert.ok(["10.10.0.0/16", "198.51.100.0/24", "203.0.113.0/24"].some((range) => isInside(prefix, range)))
  }
  for (const [nth, one] of lab.networks.entries())
    for (const other of lab.networks.slice(nth + 1))
      assert.ok(!isInside(one.prefix, other.prefix) && !isInside(other.prefix, one.prefix), `${one.name} ${other.name}`)
  const all = lab.nodes.flatMap(({ loopback, ports }) => [
    ...(loopback === null ? [] : [loopback]),
    ...ports.map(({ address, network }) => {
      assert.ok(isInside(address, network.prefix))
      return hostOf(address)
    }),
  ])
  assert.equal(new Set(all).size, all.length)
})

test("whichever one link inside the ISP is cut, every router still reaches every other", () => {
  const inside = lab.networks
    .map((network) => membersOf(lab, network).map(({ node }) => node))
    .filter((ends) => ends.length === 2 && ends.every((node) => routers.includes(node)))
  assert.equal(inside.length, 12)
  for (const cut of inside) {
    const reached = new Set([routers[0]!])
    for (const node of reached)
      for (const ends of inside) if (ends !== cut && ends.includes(node)) ends.forEach((end) => reached.add(end))
    assert.equal(reached.size, routers.length, cut.map(({ name }) => name).join("-"))
  }
})

// --- RouterOS scripts

test("the scripts of both dialects parse: balanced, known menus, known properties", () => {
  for (const dialect of DIALECTS)
    for (const kind of ["chr", "containerlab"])
      for (const [name, commands] of scriptsOf(dialect, kind)) assert.ok(commands.length > 30, `${dialect} ${name}`)
})

test("the parser finds what a router would refuse", () => {
  const wrong: ReadonlyArray<readonly [string, RegExp]> = [
    ["/ip/adress add address=10.0.0.1/32", /unknown menu/],
    ["/ip/address remove address=10.0.0.1/32", /unknown verb/],
    ["/ip/address add adress=10.0.0.1/32", /no property adress/],
    ["/ip/address add address=", /no value/],
    ["/ip/address add address=1 address=2", /twice/],
    ["/ip/address add 10.0.0.1/32", /stray word/],
    ['/system/identity set name="open', /unbalanced quotes/],
    ["/snmp/community set [find default=yes disabled=yes", /unbalanced brackets/],
    ["/system/identity set name=$x", /outside quotes/],
    ["/system/identity set  name=x", /two spaces/],
  ]
  for (const [line, message] of wrong) assert.throws(() => parseRsc(line), message)
  const [ok] = parseRsc('/interface/ethernet set [find default-name=ether2] comment="a \\"b\\" c"')
  assert.deepEqual([ok?.words, ok?.properties.get("comment")], [["[find default-name=ether2]"], 'a "b" c'])
})

test("every address in a script is in the plan, and every address of the plan is set once, where it belongs", () => {
  const known = new Set([
    toolsAddress(),
    CLAB_MANAGEMENT.host,
    "0.0.0.0",
    ...lab.networks.map(({ prefix }) => hostOf(prefix)),
    ...lab.nodes.flatMap(({ loopback, ports }) => [loopback, ...ports.map(({ address }) => hostOf(address))]),
  ])
  for (const dialect of DIALECTS)
    for (const kind of ["chr", "containerlab"])
      for (const [name, commands] of scriptsOf(dialect, kind)) {
        const node = lab.nodes.find((one) => one.name === name)!
        const set = commands.filter(({ menu }) => menu === "/ip/address").map(({ properties }) => properties)
        const expected = [["loopback", node.loopback], ...node.ports.map((port) => [port.name, hostOf(port.address)])]
        assert.deepEqual(
          set.map((one) => [one.get("interface"), hostOf(one.get("address")!)]),
          expected,
        )
        for (const { menu, line, properties } of commands)
          for (const [property, value] of properties)
            for (const address of value.match(/\d+\.\d+\.\d+\.\d+/g) ?? [])
              assert.ok(known.has(address) || menu === "/ip/pool", `${name}:${line} ${property}=${value}`)
      }
})

test("before 7.20 a link's end is a /32 whose network is the far end; from there on a /31", () => {
  for (const { node, port } of membersOf(lab, lab.networks[0]!)) {
    const far = membersOf(lab, lab.networks[0]!).find((other) => other.node !== node)!
    for (const dialect of DIALECTS) {
      const set = scriptsOf(dialect)
        .get(node.name)!
        .find((one) => one.properties.get("interface") === port.name)!
      const old = { address: `${hostOf(port.address)}/32`, network: hostOf(far.port.address), interface: port.name }
      const now = { address: port.address, interface: port.name }
      assert.deepEqual(Object.fromEntries(set.properties), dialect === "7.19" ? old : now)
    }
  }
})

test("OSPF speaks on both ends of every link inside and on none to the outside", () => {
  const scripts = scriptsOf("7.20")
  const speaks = (node: string, port: string): string | undefined => {
    const template = scripts
      .get(node)
      ?.find((one) => one.menu.endsWith("interface-template") && one.properties.get("interfaces") === port)
    return template && (template.words.includes("passive") ? "passive" : template.properties.get("type"))
  }
  for (const network of lab.networks.filter(({ kind }) => kind === "link")) {
    const ends = membersOf(lab, network)
    const inside = ends.every(({ node }) => node.asn === lab.asn)
    for (const { node, port } of ends) assert.equal(speaks(node.name, port.name), inside ? "ptp" : undefined)
  }
  for (const { name } of routers) assert.equal(speaks(name, "loopback"), "passive")
})

test("each BGP session is set on both sides, with each other's address and AS, in the dialect's own menus", () => {
  const frr = kitFiles("containerlab", optionsOf("7.20"), null)
  for (const dialect of DIALECTS) {
    const scripts = scriptsOf(dialect)
    const sides = new Set<string>()
    for (const [name, commands] of scripts) {
      const menus = new Set(commands.map(({ menu }) => menu))
      assert.equal(menus.has("/routing/bgp/instance"), dialect === "7.20")
      assert.equal(menus.has("/routing/bgp/template"), dialect === "7.19")
      for (const { menu, properties } of commands)
        if (menu === "/routing/bgp/connection") {
          const [local, remote] = ["local.address", "remote.address"].map((key) => properties.get(key)!)
          sides.add(`${local} ${remote} ${properties.get("remote.as")}`)
          assert.equal(properties.has("instance"), dialect === "7.20", name)
          if (properties.get("local.role") === "ebgp") {
            const far = lab.nodes.find(({ ports }) => ports.some((port) => hostOf(port.address) === remote))!
            const config = frr.get(`containerlab/${far.name}.frr.conf`)!
            assert.ok(config.includes(` neighbor ${local} remote-as ${lab.asn}`))
            assert.ok(config.includes(` ip address ${remote}/31`))
            sides.add(`${remote} ${local} ${lab.asn}`)
          }
        }
    }
    assert.equal(sides.size, 2 * lab.sessions.length)
    for (const side of sides) {
      const [local, remote] = side.split(" ")
      assert.ok([...sides].some((other) => other.startsWith(`${remote} ${local} `)))
    }
  }
})

test("[S7] the API user may read and nothing else, over TLS and from Heliograph only; SNMP is v3 with privacy", () => {
  for (const [name, commands] of scriptsOf("7.20")) {
    const one = (menu: string, has: string) =>
      commands.find((line) => line.menu === menu && (line.properties.has(has) || line.words.includes(has)))!.properties
    const granted = one("/user/group", "policy")
      .get("policy")!
      .split(",")
      .filter((policy) => !policy.startsWith("!"))
    assert.deepEqual(granted, ["read", "api"], name)
    assert.equal(one("/user", "password").get("address"), `${toolsAddress()}/32`)
    assert.equal(one("/ip/service", "api-ssl").get("address"), `${toolsAddress()}/32`)
    assert.equal(one("/ip/service", "api").get("disabled"), "yes")
    const community = one("/snmp/community", "security")
    assert.deepEqual(
      ["security", "authentication-protocol", "encryption-protocol", "write-access"].map((key) => community.get(key)),
      ["private", "SHA256", "AES", "no"],
    )
    assert.equal(one("/snmp/community", "[find default=yes]").get("disabled"), "yes")
  }
})

test("an engine behind TOOLS gets its way back, told by the router beside TOOLS only", () => {
  for (const [name, commands] of scriptsOf("7.20", "containerlab")) {
    const routes = commands.filter(({ menu }) => menu === "/ip/route").map(({ properties }) => properties)
    const ospf = commands.find(({ menu }) => menu === "/routing/ospf/instance")!.properties
    assert.equal(routes.length, name === "CORE1" ? 1 : 0)
    assert.equal(ospf.get("redistribute"), name === "CORE1" ? "static" : undefined)
    if (name !== "CORE1") continue
    assert.deepEqual([routes[0]!.get("dst-address"), routes[0]!.get("gateway")], ["172.30.99.1/32", toolsAddress()])
  }
})

// --- EVE-NG

const elements = (of: XmlElement, name: string): readonly XmlElement[] =>
  of.children.flatMap((child) => [...(child.name === name ? [child] : []), ...elements(child, name)])

test("the .unl is well-formed; its wires are the plan's and its configurations the scripts", () => {
  const files = kitFiles("eve-ng", optionsOf("7.20"), null)
  const root = parseXml(files.get("eve-ng/heliograph-reference.unl")!)
  const networks = new Map(elements(root, "network").map(({ attributes }) => [attributes["id"]!, attributes]))
  const nodes = elements(root, "node")
  assert.equal(networks.size, lab.networks.length)
  assert.equal(new Set(nodes.map(({ attributes }) => attributes["id"])).size, lab.nodes.length - 1)
  assert.equal(new Set(nodes.map(({ attributes }) => attributes["uuid"])).size, nodes.length)
  for (const { attributes, children } of nodes) {
    const node = lab.nodes.find(({ name }) => name === attributes["name"])!
    const wires = children.map((child) => [
      child.attributes["name"],
      networks.get(child.attributes["network_id"]!)?.["name"],
    ])
    assert.deepEqual(
      wires,
      node.ports.map(({ name, network }) => [name, network.name]),
    )
    // Interface id 0 is ether1 of RouterOS, or eth1 of Linux.
    const ids = children.map((child) => Number(child.attributes["id"]) + 1)
    assert.deepEqual(
      ids.map(String),
      node.ports.map(({ name }) => name.replace(/^\D+/, "")),
    )
    assert.ok(Math.max(...ids) <= Number(attributes["ethernet"]))
  }
  assert.deepEqual(
    [...networks.values()].filter(({ type }) => type !== "bridge").map(({ name, type }) => [name, type]),
    [["lan-pop1", "pnet1"]],
  )
  const scripts = kitFiles("chr", optionsOf("7.20"), null)
  const configs = elements(root, "config")
  assert.equal(configs.length, routers.length)
  for (const { attributes, text } of configs) {
    const name = nodes.find((node) => node.attributes["id"] === attributes["id"])!.attributes["name"]!
    assert.equal(Buffer.from(text, "base64").toString(), scripts.get(`chr/${name}.rsc`))
  }
})

test("the readers of the formats refuse what is not well-formed", () => {
  for (const xml of [
    "<a>",
    "<a></b>",
    "<a/><b/>",
    '<a x="1" x="2"/>',
    "<a x=1/>",
    "<a>&nbsp;</a>",
    "<a>b & c</a>",
    "a",
  ])
    assert.throws(() => parseXml(xml), xml)
  for (const yaml of ["a:\n   b: c", "a: b\na: c", "a: {b", "a: b\n  c: d", "- a\nb: c"])
    assert.throws(() => parseYaml(yaml), yaml)
  assert.deepEqual(parseYaml('a: b\nl:\n  - e: ["x", "y"]\n  - "q"'), { a: "b", l: [{ e: ["x", "y"] }, "q"] })
})

// --- containerlab

test("the topology is containerlab's: every end of every wire once, every file there, management addresses apart", () => {
  const files = kitFiles("containerlab", optionsOf("7.20"), null)
  const yaml = parseYaml(files.get("containerlab/heliograph-reference.clab.yml")!) as Record<string, Yaml>
  assert.deepEqual(Object.keys(yaml), ["name", "mgmt", "topology"])
  const topology = yaml["topology"] as Record<string, Yaml>
  const nodes = topology["nodes"] as Record<string, Record<string, Yaml>>
  assert.deepEqual(
    Object.keys(nodes),
    lab.nodes.map(({ name }) => name),
  )
  const management = Object.values(nodes).map((node) => node["mgmt-ipv4"] as string)
  assert.equal(new Set(management).size, management.length)
  for (const address of management)
    assert.ok(isInside(address, CLAB_MANAGEMENT.prefix) && address !== CLAB_MANAGEMENT.host)
  for (const node of lab.nodes) {
    const { kind, ...rest } = nodes[node.name]!
    assert.equal(kind, node.kind === "routeros" ? "mikrotik_ros" : "linux")
    const binds = ((rest["binds"] ?? []) as string[]).map((bind) => bind.split(":")[0]!)
    const startup = rest["startup-config"] as string | undefined
    for (const file of [...binds, ...(startup === undefined ? [] : [startup])])
      assert.ok(files.has(`containerlab/${file}`), file)
  }
  const links = (topology["links"] as ReadonlyArray<{ readonly endpoints: string[] }>).map(({ endpoints }) => endpoints)
  const ends = links.flat().filter((end) => !end.startsWith("host:"))
  assert.deepEqual(
    ends.toSorted(),
    lab.nodes.flatMap(({ name, ports }) => ports.map(({ index }) => `${name}:eth${index}`)).toSorted(),
  )
  assert.ok(links.every((endpoints) => endpoints.length === 2))
  assert.ok(
    links.flat().every((end) => end.split(":")[1]!.length <= 15),
    "names fit Linux",
  )
})

/** FRR's shell: `-C` reads a configuration without any daemon. */
const VTYSH = "vtysh"

test("FRR itself takes the upstreams' configuration", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "heliograph-kit-"))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  const check = (config: string) => {
    const file = join(dir, "frr.conf")
    writeFileSync(file, config)
    return spawnSync(VTYSH, ["-C", "-f", file], { encoding: "utf8" })
  }
  if (check("").error !== undefined) return t.skip("vtysh is not here; enable: apt install frr")
  const files = [...kitFiles("containerlab", optionsOf("7.20"), null)].filter(([path]) => path.endsWith(".frr.conf"))
  assert.equal(files.length, 2)
  for (const [path, config] of files) assert.equal(check(config).status, 0, path)
  assert.notEqual(check(files[0]![1].replace("remote-as", "remot-as")).status, 0)
})

// --- import, plan, command line

test("the engine takes the import document; its credentials are those of the scripts", () => {
  const files = kitFiles("all", optionsOf("7.20"), null)
  const parsed = parseImport(files.get("import.json")!)
  assert.ok(parsed.ok, JSON.stringify(parsed))
  const { devices, links } = parsed.document
  assert.equal(devices.length, 11)
  assert.equal(links.length, lab.networks.filter(({ kind }) => kind === "link").length)
  for (const device of devices) {
    const node = lab.nodes.find(({ name }) => name === device.name)!
    assert.equal(device.address, node.loopback)
    if (node.kind !== "routeros") {
      assert.deepEqual([device.snmp, device.routeros], [null, null])
      continue
    }
    const script = files.get(`chr/${device.name}.rsc`)!
    assert.ok(device.snmp?.version === "3" && device.routeros !== null)
    assert.ok(script.includes(`authentication-password=${device.snmp.authPassword} `))
    assert.ok(script.includes(`encryption-password=${device.snmp.privPassword}\n`))
    assert.ok(script.includes(` password=${device.routeros.password} `))
  }
  const plan = files.get("addressing-plan.md")!
  for (const { loopback, ports } of lab.nodes)
    for (const address of [...(loopback === null ? [] : [loopback]), ...ports.map((port) => hostOf(port.address))])
      assert.match(plan, new RegExp(` ${address.replaceAll(".", "\\.")}[ ,]`))
})

test("the kits are what was last read over: a change of any of them is seen here", () => {
  const hashes = DIALECTS.map((dialect) => {
    const hash = createHash("sha256")
    for (const [path, text] of kitFiles("all", optionsOf(dialect), null)) hash.update(`${path}\n${text}\n`)
    return `${dialect} ${hash.digest("hex").slice(0, 16)}`
  })
  assert.deepEqual(hashes, ["7.19 3b90fe4a016b1fb0", "7.20 290837062c5e770c"])
})

test("kit writes its files for the owner only, with the same passwords each time, and says what is wrong", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "heliograph-kit-"))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  t.mock.method(console, "log", () => undefined)
  const said = t.mock.method(console, "error", () => undefined)
  assert.equal(kitCommand(["chr", "--out", dir]), 0)
  assert.equal(kitCommand(["import", "--out", dir]), 0)
  const { apiPassword } = folderSecrets(dir)
  assert.match(apiPassword, /^[A-Za-z0-9]{24}$/)
  for (const file of ["secrets.json", "import.json", "chr/CORE1.rsc"]) {
    assert.equal(statSync(join(dir, file)).mode & 0o077, 0, file)
    assert.ok(readFileSync(join(dir, file), "utf8").includes(apiPassword), file)
  }
  writeFileSync(join(dir, "secrets.json"), "{}")
  assert.equal(kitCommand(["chr", "--out", dir]), 1)
  assert.match(String(said.mock.calls[0]?.arguments[0]), /secrets\.json does not hold the kit's passwords/)
  assert.equal(readFileSync(join(dir, "secrets.json"), "utf8"), "{}")
  for (const [args, message] of [
    [["gns3"], /no kit "gns3"/],
    [["toString"], /no kit/],
    [["chr", "--routeros", "6.49"], /7\.19 or 7\.20/],
    [["chr", "--engine", "localhost"], /IPv4 address/],
    [["chr", "--syslog-port", "0"], /1 to 65535/],
    [["chr", "--out"], /needs a value/],
    [["chr", "--verbose", "1"], /no option/],
  ] as const)
    assert.match(String(readKitArguments(args)), message)
  assert.equal(kitCommand(["gns3"]), 2)
})

test("npm run lab -- kit reaches it", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "heliograph-kit-"))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  const cli = join(import.meta.dirname, "..", "cli.ts")
  const run = spawnSync(process.execPath, [cli, "kit", "plan", "--out", dir], { encoding: "utf8" })
  assert.deepEqual([run.status, run.stderr], [0, ""])
  assert.equal(run.stdout, `${join(dir, "addressing-plan.md")}\n`)
})
