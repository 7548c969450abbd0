/**
 * A ring of core routers that lose power and get it back, one after the other, and what they show of it second by second: ports
 * go dark at once, OSPF with them and back within ten seconds, BGP notices late and comes back last, and whoever is dead answers
 * no poll. Traps tell at once, polls every ten seconds, each router at its own time.
 */
import { siteId } from "#protocol/id.ts"
import type { Inventory } from "#protocol/inventory.ts"
import type { Role } from "#protocol/role.ts"
import { desk } from "#twin/incident/incident.fixture.ts"
import type { Desk } from "#twin/incident/incident.fixture.ts"
import { device, inventory, link, poll, silence, trap } from "#twin/inventory.fixture.ts"
import type { Input } from "#twin/input.ts"
import { at } from "#twin/network.fixture.ts"

/** One outage of one router, in seconds. */
export interface Outage {
  readonly router: number
  readonly from: number
  readonly to: number
}

/** How long things take, s. */
export interface Lags {
  /** BGP notices that a peer is gone. */
  readonly bgpDown: number
  /** OSPF is full again after the port is up. */
  readonly ospfUp: number
  /** BGP is established again after OSPF. */
  readonly bgpUp: number
  /** Ports are lit after the start: so long both ends show them dark. */
  readonly portsUp: number
  /** Nobody sends traps: polls alone. */
  readonly polled?: boolean
}

export const POLL_S = 10
const CORES = 8
const CHORDS: ReadonlyArray<readonly [number, number]> = [
  [0, 4],
  [2, 6],
]
const WIRES: ReadonlyArray<readonly [number, number]> = [
  ...Array.from({ length: CORES }, (_, i) => [i, (i + 1) % CORES] as const),
  ...CHORDS,
]
/** Reflectors: everybody has a session with each of them. */
const REFLECTORS = [0, 4]

export const nameOf = (router: number): string => `k${router + 1}`
export const loopback = (router: number): string => `10.255.0.${router + 1}`
const portOf = (far: number): string => `to-${nameOf(far)}`
const neighboursOf = (router: number): readonly number[] =>
  WIRES.flatMap(([a, b]) => (a === router ? [b] : b === router ? [a] : []))
const peersOf = (router: number): readonly number[] =>
  Array.from({ length: CORES }, (_, i) => i).filter(
    (far) => far !== router && (REFLECTORS.includes(router) || REFLECTORS.includes(far)),
  )

/** `perSite` routers stand at each site. */
export const ring = (perSite: number): Inventory => {
  const sites = Array.from({ length: Math.ceil(CORES / perSite) }, (_, i) => `p${i + 1}`)
  const rolesOf = (router: number): readonly Role[] => (REFLECTORS.includes(router) ? ["core", "rr"] : ["core"])
  const plain = inventory(
    Array.from({ length: CORES }, (_, i) =>
      device(nameOf(i), {
        site: siteId(sites[Math.floor(i / perSite)] as string),
        roles: rolesOf(i),
        pollSeconds: POLL_S,
      }),
    ),
    WIRES.map(([a, b]) => link(`${nameOf(a)}-${nameOf(b)}`, `${nameOf(a)}:${portOf(b)} ${nameOf(b)}:${portOf(a)}`)),
  )
  return { ...plain, sites: sites.map((id) => ({ id: siteId(id), name: id, latitude: 0, longitude: 0 })) }
}

const isDead = (outages: readonly Outage[], router: number, second: number): boolean =>
  outages.some(({ router: one, from, to }) => one === router && from <= second && second < to)
/** Both live, and have for so long, after the last outage of either that began so long ago: who starts anew says so himself. */
const isUp = (outages: readonly Outage[], a: number, b: number, second: number, down: number, up: number): boolean =>
  !outages.some(
    ({ router, from, to }) => (router === a || router === b) && Math.min(from + down, to) <= second && second < to + up,
  )

const pollAt = (outages: readonly Outage[], lags: Lags, router: number, second: number): Input => {
  if (isDead(outages, router, second)) return silence(nameOf(router), at(second))
  const litS = lags.portsUp
  const rows: Record<string, Record<string, number>> = { "if:lo": { "interface.oper_up": 1 } }
  for (const far of neighboursOf(router)) {
    const lit = isUp(outages, router, far, second, 0, litS)
    rows[`if:${portOf(far)}`] = { "interface.oper_up": lit ? 1 : 0, "interface.admin_up": 1 }
    rows[`ospf:${loopback(far)}`] = {
      "ospf.neighbor.state": isUp(outages, router, far, second, 0, litS + lags.ospfUp) ? 7 : 0,
    }
  }
  for (const far of peersOf(router))
    rows[`bgp:${loopback(far)}`] = {
      "bgp.peer.state": isUp(outages, router, far, second, lags.bgpDown, litS + lags.ospfUp + lags.bgpUp) ? 5 : 2,
    }
  const back = Math.max(
    -100_000,
    ...outages.map(({ router: one, to }) => (one === router && to <= second ? to : -Infinity)),
  )
  rows[""] = { "device.uptime_seconds": Math.floor(second - back) }
  return poll(nameOf(router), at(second), rows, {
    complete: ["interface", "ospf.neighbor", "bgp.peer"],
    texts: [["if:lo", "interface.addresses", `${loopback(router)}/32`]],
  })
}

/** Told by those who live, of what then is so: of two that were dead one after the other the later one decides. */
const trapsOf = (outages: readonly Outage[], lags: Lags): readonly Input[] => {
  const told: Input[] = []
  const put = (router: number, second: number, change: Parameters<typeof trap>[2]): void => {
    if (!isDead(outages, router, second)) told.push(trap(nameOf(router), at(second), change))
  }
  const litS = lags.portsUp
  for (const { router, from, to } of outages) {
    const remote = loopback(router)
    for (const [i, near] of neighboursOf(router).entries()) {
      const late = i / 50
      put(near, from + 0.1 + late, { ifName: portOf(router), adminUp: true })
      put(near, from + 0.3 + late, { trap: "ospfNbrStateChange", remote, state: "down" })
      const lightS = to + litS + 0.1 + late
      if (litS > 0) put(router, to + 0.2 + late, { ifName: portOf(near), adminUp: true })
      if (isUp(outages, router, near, lightS, 0, litS)) {
        put(near, lightS, { trap: "linkUp", ifName: portOf(router), adminUp: true })
        if (litS > 0) put(router, lightS, { trap: "linkUp", ifName: portOf(near), adminUp: true })
      }
      const fullS = to + litS + lags.ospfUp + late
      if (isUp(outages, router, near, fullS, 0, litS + lags.ospfUp))
        for (const [step, state] of ["init", "2way", "exstart", "full"].entries())
          put(near, fullS - 0.6 + step / 5, { trap: "ospfNbrStateChange", remote, state })
    }
    put(router, to + 0.5, { trap: "coldStart" })
    for (const [i, peer] of peersOf(router).entries()) {
      const late = i / 50
      const upS = to + litS + lags.ospfUp + lags.bgpUp + late
      const downS = Math.min(from + lags.bgpDown, to) + late
      put(peer, downS, { trap: "bgpBackwardTransition", remote, state: "idle" })
      if (isUp(outages, router, peer, upS, lags.bgpDown, litS + lags.ospfUp + lags.bgpUp))
        put(peer, upS, { trap: "bgpEstablished", remote })
    }
  }
  return told
}

/** Plays it on a healthy network; `look` sees the desk after each half second from the first fault on. */
export const play = (
  start: Inventory,
  outages: readonly Outage[],
  lags: Lags,
  untilS: number,
  look: (net: Desk, second: number) => void = () => {},
): Desk => {
  const net = desk(start)
  const inputs: Input[] = lags.polled === true ? [] : [...trapsOf(outages, lags)]
  for (let router = 0; router < CORES; router++)
    for (let second = 1 + (router * POLL_S) / CORES; second < untilS; second += POLL_S)
      inputs.push(pollAt(outages, lags, router, second))
  const inOrder = inputs.toSorted((x, y) => x.atMs - y.atMs)
  let next = 0
  for (let second = 0.5; second < untilS; second += 0.5) {
    for (; next < inOrder.length && (inOrder[next] as Input).atMs <= at(second); next++)
      net.apply(inOrder[next] as Input)
    net.tick(second)
    look(net, second)
  }
  return net
}
