/**
 * A seeded network for the client's own tests: Brazilian cities, a backbone, rings, access devices. It fakes what the
 * engine would stream, so it is only ever served by fixture-server.ts and never shipped.
 */
import { packStatus } from "#protocol/status.ts"
import type { Health, Severity } from "#protocol/status.ts"
import { ROLES } from "#protocol/role.ts"
import type { Role } from "#protocol/role.ts"
import type { Counts } from "#protocol/view.ts"
import { packUtil } from "#protocol/wire.ts"
import type { LinkColumns, NodeColumns, SiteColumns } from "#protocol/wire.ts"

export interface FixtureNetwork {
  readonly sites: SiteColumns
  readonly nodes: NodeColumns
  readonly links: LinkColumns
  readonly counts: () => Counts
}

const CITIES: readonly (readonly [string, number, number])[] = [
  ["São Paulo", -23.55, -46.63],
  ["Rio de Janeiro", -22.91, -43.2],
  ["Brasília", -15.78, -47.93],
  ["Belo Horizonte", -19.92, -43.94],
  ["Salvador", -12.97, -38.5],
  ["Fortaleza", -3.72, -38.54],
  ["Recife", -8.05, -34.9],
  ["Curitiba", -25.43, -49.27],
  ["Porto Alegre", -30.03, -51.23],
  ["Goiânia", -16.68, -49.25],
  ["Belém", -1.46, -48.5],
  ["Manaus", -3.1, -60.02],
  ["Campinas", -22.91, -47.06],
  ["Vitória", -20.32, -40.34],
  ["Florianópolis", -27.6, -48.55],
  ["Campo Grande", -20.44, -54.65],
  ["Cuiabá", -15.6, -56.1],
  ["Natal", -5.79, -35.21],
  ["Ribeirão Preto", -21.18, -47.81],
  ["Uberlândia", -18.92, -48.28],
  ["Londrina", -23.31, -51.16],
  ["São José dos Campos", -23.18, -45.88],
  ["Sorocaba", -23.5, -47.46],
  ["Bauru", -22.31, -49.06],
  ["São Carlos", -22.02, -47.89],
  ["Santos", -23.96, -46.33],
  ["Teresina", -5.09, -42.8],
  ["Maceió", -9.65, -35.74],
]
/** Cities that carry the backbone. */
const BACKBONE = 12

/** mulberry32: small, seeded, good enough for pictures. */
export const makeDice = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const OK = packStatus({ health: "ok", severity: "cleared", maintenance: false, stale: false })
export const statusByte = (
  health: Health,
  severity: Severity,
  extra: { maintenance?: boolean; stale?: boolean } = {},
) => packStatus({ health, severity, maintenance: extra.maintenance ?? false, stale: extra.stale ?? false })

export const makeFixtureNetwork = (size: number, seed: number, nowS: number): FixtureNetwork => {
  const dice = makeDice(seed)
  const cities = CITIES.slice(0, size === 0 ? 0 : Math.max(4, Math.min(CITIES.length, Math.ceil(size / 4))))
  const nodes: { name: string; site: number; role: Role }[] = []
  const links: { a: number; b: number; capacity: number }[] = []
  const core: number[] = []
  cities.forEach(([name], site) => {
    core.push(nodes.length)
    const role: Role = site < BACKBONE ? "core" : "agg"
    nodes.push({ name: `${role === "core" ? "CR" : "AG"}1-${code(name)}-01`, site, role })
  })
  for (let at = 1; at < Math.min(BACKBONE, cities.length); at++) {
    links.push({ a: core[nearestBefore(cities, at)] as number, b: core[at] as number, capacity: 400e9 })
    if (at > 2) links.push({ a: core[Math.floor(dice() * 3)] as number, b: core[at] as number, capacity: 100e9 })
  }
  for (let at = BACKBONE; at < cities.length; at++) {
    links.push({ a: core[nearestBefore(cities, at)] as number, b: core[at] as number, capacity: 100e9 })
  }
  for (let count = nodes.length; count < size; count++) {
    const site = Math.floor(dice() ** 1.7 * cities.length)
    const [name] = cities[site] as (typeof CITIES)[number]
    const role: Role = dice() < 0.25 ? "bng" : "access"
    const slot = nodes.length
    const peers = nodes.flatMap((node, other) => (node.site === site ? [other] : []))
    nodes.push({ name: `${role === "bng" ? "BNG" : "ACC"}-${code(name)}-${String(slot).padStart(2, "0")}`, site, role })
    links.push({ a: core[site] as number, b: slot, capacity: 10e9 })
    const last = peers.at(-1)
    if (last !== undefined && last !== core[site] && dice() < 0.4) links.push({ a: last, b: slot, capacity: 10e9 })
  }
  const network = {
    sites: {
      id: cities.map(([name]) => code(name).toLowerCase()),
      name: cities.map(([name]) => name),
      latitude: Float64Array.from(cities, ([, latitude]) => latitude),
      longitude: Float64Array.from(cities, ([, , longitude]) => longitude),
      placeGuessed: new Uint8Array(cities.length),
    },
    nodes: {
      id: nodes.map((_, slot) => `00000000-0000-7000-8000-${slot.toString(16).padStart(12, "0")}`),
      name: nodes.map(({ name }) => name),
      site: Uint32Array.from(nodes, ({ site }) => site),
      role: Uint8Array.from(nodes, ({ role }) => ROLES.indexOf(role)),
      status: new Uint8Array(nodes.length).fill(OK),
      seenS: new Uint32Array(nodes.length).fill(nowS),
    },
    links: {
      id: links.map((_, slot) => `00000000-0000-7000-9000-${slot.toString(16).padStart(12, "0")}`),
      a: Uint32Array.from(links, ({ a }) => a),
      b: Uint32Array.from(links, ({ b }) => b),
      capacityBps: Float64Array.from(links, ({ capacity }) => capacity),
      status: new Uint8Array(links.length).fill(OK),
      utilAB: Uint8Array.from(links, () => packUtil(0.05 + dice() ** 2 * 0.7)),
      utilBA: Uint8Array.from(links, () => packUtil(0.03 + dice() ** 2 * 0.5)),
    },
  }
  return { ...network, counts: () => count(network) }
}

const count = ({ sites, nodes, links }: Omit<FixtureNetwork, "counts">): Counts => {
  const up = (status: Uint8Array) => status.filter((byte) => (byte & 7) === 1 || (byte & 7) === 2).length
  return {
    routers: nodes.id.length,
    routersUp: up(nodes.status),
    links: links.id.length,
    linksDown: links.id.length - up(links.status),
    linksHot: links.utilAB.filter((util, slot) => Math.max(util, links.utilBA[slot] ?? 0) >= 160).length,
    sites: sites.id.length,
    subscribers: nodes.id.length * 74,
  }
}

const code = (name: string): string =>
  name
    .normalize("NFD")
    .replace(/[^A-Za-z ]/g, "")
    .split(" ")
    .map((word, index, all) => word.slice(0, all.length === 1 ? 3 : index === 0 ? 2 : 1))
    .join("")
    .toUpperCase()

const nearestBefore = (cities: typeof CITIES, at: number): number => {
  const far = (other: number) =>
    Math.hypot((cities[at]?.[1] ?? 0) - (cities[other]?.[1] ?? 0), (cities[at]?.[2] ?? 0) - (cities[other]?.[2] ?? 0))
  let best = 0
  for (let other = 1; other < at; other++) if (far(other) < far(best)) best = other
  return best
}
