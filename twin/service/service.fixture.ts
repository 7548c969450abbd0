/**
 * A small ISP for tests of services: two upstreams at two edges, a core between them, PoPs that hang on the core and watch
 * public targets, one more at the end of a long chain, two resolvers and a concentrator; with the services that an operator would declare of them.
 */
import { deviceId, linkId, siteId } from "#protocol/id.ts"
import type { Inventory } from "#protocol/inventory.ts"
import type { Role } from "#protocol/role.ts"
import type { ServiceCondition } from "#protocol/service.ts"
import type { DeclaredGroup, DeclaredService } from "#protocol/structure.ts"
import { device, inventory, link, poll, silence } from "#twin/inventory.fixture.ts"
import type { Input } from "#twin/input.ts"
import type { Network } from "#twin/network.fixture.ts"
import { at } from "#twin/network.fixture.ts"

const role = (name: string, site: string, ...roles: Role[]) => device(name, { site: siteId(site), roles })

const DEVICES = [
  role("up1", "x1", "upstream"),
  role("up2", "x2", "upstream"),
  role("e1", "core", "edge"),
  role("e2", "core", "edge"),
  role("c1", "core", "core"),
  role("c2", "core", "core"),
  role("pa", "pop-a", "access"),
  role("pb", "pop-b", "access"),
  role("pc", "pop-c", "access"),
  role("ns1", "core", "dns"),
  role("ns2", "core", "dns"),
  role("bng", "pop-a", "bng"),
  role("h1", "hills", "access"),
  role("h2", "hills", "access"),
  role("h3", "hills", "access"),
  role("h4", "hills", "access"),
  role("far", "pop-far", "access"),
]
const LINKS = [
  link("t1", "e1:t up1:t"),
  link("t2", "e2:t up2:t"),
  link("k1", "e1:c1 c1:e1"),
  link("k2", "e2:c2 c2:e2"),
  link("k3", "c1:c2 c2:c1"),
  link("k4", "e1:c2 c2:e1"),
  link("a1", "pa:c1 c1:pa"),
  link("a2", "pa:c2 c2:pa"),
  link("b1", "pb:c1 c1:pb"),
  link("b2", "pb:c2 c2:pb"),
  link("p1", "pc:c2 c2:pc"),
  link("d1", "bng:pa pa:bng"),
  link("h1", "pc:h1 h1:pc"),
  link("h2", "h1:h2 h2:h1"),
  link("h3", "h2:h3 h3:h2"),
  link("h4", "h3:h4 h4:h3"),
  link("h5", "h4:far far:h4"),
]
export const NAMES = DEVICES.map(({ name }) => name)
/** Each hangs on the core, or on a neighbour of it. */
export const POPS = ["pa", "pb", "pc"] as const

const service = (
  id: string,
  kind: DeclaredService["kind"],
  change: Partial<DeclaredService> = {},
): DeclaredService => ({
  id,
  name: id.toUpperCase(),
  kind,
  devices: [],
  links: [],
  sites: [],
  providers: [],
  ...change,
})

export const SERVICES: readonly DeclaredService[] = [
  service("core", "core", { sites: [siteId("core")] }),
  service("dns", "dns", { devices: [deviceId("id-ns1"), deviceId("id-ns2")] }),
  service("pppoe-a", "pppoe", { sites: [siteId("pop-a")] }),
  service("transit-1", "transit", { providers: ["alfa"] }),
  service("transit-2", "transit", { providers: ["beta"] }),
]

export const isp = (services = SERVICES, groups: readonly DeclaredGroup[] = []): Inventory => ({
  ...inventory(DEVICES, LINKS),
  sites: ["core", "pop-a", "pop-b", "pop-c", "hills", "pop-far", "x1", "x2"].map((id) => ({
    id: siteId(id),
    name: id,
    latitude: 0,
    longitude: 0,
  })),
  ...(groups.length === 0 ? {} : { groups }),
  providers: [
    { id: "alfa", name: "Alfa", kind: "transit", devices: [deviceId("id-up1")], links: [] },
    { id: "beta", name: "Beta", kind: "transit", devices: [], links: [linkId("t2")] },
  ],
  services,
})

export interface Weather {
  readonly silent?: readonly string[]
  /** Ports that are down: `c1:pa`. */
  readonly down?: readonly string[]
  /** Shut on purpose. */
  readonly shut?: readonly string[]
  /** Edges whose eBGP is not established. */
  readonly noBgp?: readonly string[]
  /** Edges that tell of no session. */
  readonly noSession?: readonly string[]
  /** PoPs from which no public target answers. */
  readonly lost?: readonly string[]
  /** Who watches public targets; the PoPs by default, but not the far one behind four hills. */
  readonly watch?: readonly string[]
  /** Who has just been told to watch none. */
  readonly noTargets?: readonly string[]
  /** Resolvers whose probe fails. */
  readonly noDns?: readonly string[]
  readonly sessions?: number
}

const ADDRESS: Readonly<Record<string, string>> = {
  "e1:t": "198.51.100.1/31",
  "up1:t": "198.51.100.0/31",
  "e2:t": "198.51.100.3/31",
  "up2:t": "198.51.100.2/31",
}
const PEER: Readonly<Record<string, string>> = { e1: "198.51.100.0", e2: "198.51.100.2" }

/** What one device tells in this weather. */
export const tells = (name: string, atMs: number, weather: Weather = {}): Input => {
  const { silent = [], down = [], shut = [], noBgp = [], noSession = [], lost = [], noDns = [] } = weather
  if (silent.includes(name)) return silence(name, atMs)
  const ports = LINKS.flatMap(({ a, b }) => [a, b]).filter(({ device: id }) => id === `id-${name}`)
  const rows: Record<string, Record<string, number>> = {
    "": { "device.uptime_seconds": 10_000 + atMs / 1_000 - 1.76e9 },
  }
  for (const [index, { interface: port }] of ports.entries()) {
    const here = `${name}:${port}`
    const isUp = !down.includes(here) && !shut.includes(here)
    rows[`if:${port}`] = {
      "interface.oper_up": isUp ? 1 : 0,
      "interface.admin_up": shut.includes(here) ? 0 : 1,
      "interface.if_index": index + 1,
    }
  }
  const peer = PEER[name]
  if (peer !== undefined && !noSession.includes(name))
    rows[`bgp:${peer}`] = { "bgp.peer.state": noBgp.includes(name) ? 2 : 5 }
  const own = rows[""]!
  const watchesNone = (weather.noTargets ?? []).includes(name)
  if (watchesNone || (weather.watch ?? POPS).includes(name)) {
    own["probe.public.targets"] = watchesNone ? 0 : 2
    own["probe.public.up"] = watchesNone || lost.includes(name) ? 0 : 2
  }
  if (name.startsWith("ns")) own["probe.dns.up"] = noDns.includes(name) ? 0 : 1
  if (name === "bng") own["pppoe.sessions.active"] = weather.sessions ?? 900
  const texts = ports.flatMap(({ interface: port }) => {
    const address = ADDRESS[`${name}:${port}`]
    return address === undefined ? [] : ([[`if:${port}`, "interface.addresses", address]] as const)
  })
  return poll(name, atMs, rows, { complete: ["interface", "bgp.peer"], texts })
}

export const everybody = (second: number, weather: Weather = {}): readonly Input[] =>
  NAMES.map((name, index) => tells(name, at(second) + index, weather))
export const tick = (second: number): Input => ({ kind: "tick", atMs: at(second) })

export const conditionOf = (net: Pick<Network, "world">, id: string): ServiceCondition => {
  const found = net.world.services.states.get(id)?.condition
  if (found === undefined) throw new Error(`${id} was not judged`)
  return found
}
