/**
 * The cables of the real-router lab: each is a bridge of its own in the namespace `hg-panel`, with a port towards either
 * router. So a cut cable takes the light from both ends while nobody has shut a port, as a digger does; with one veth pair
 * between two routers the only way to darken a link is to shut an end. Light passes no bridge by itself: a port of the panel
 * is up exactly while the far end sends. Pure text for `ip -batch`.
 */
import type { FrrIsp, FrrLink, FrrPort } from "#lab/frr/isp.ts"

export const PANEL = "hg-panel"

/** LLDP's group address (IEEE 802.1AB), which a bridge keeps to itself unless told to let it pass. */
const LLDP_PASSES = "0x4000"

const numberOf = (isp: FrrIsp, link: FrrLink): number => isp.links.indexOf(link)

/** The panel's ports towards the ends a and b of a link. */
const towards = (isp: FrrIsp, link: FrrLink): readonly [a: string, b: string] => [
  `to${numberOf(isp, link)}a`,
  `to${numberOf(isp, link)}b`,
]

/** In the host's namespace, when all namespaces are there. */
export const plugLines = (isp: FrrIsp, namespaceOf: (router: string) => string): readonly string[] =>
  isp.links.flatMap((link) => {
    const [toA, toB] = towards(isp, link)
    const plug = ({ router, interface: name }: FrrPort, port: string): string =>
      `link add ${name} netns ${namespaceOf(router)} type veth peer name ${port} netns ${PANEL}`
    return [plug(link.a, toA), plug(link.b, toB)]
  })

/** In the panel: every cable is whole. */
export const cableLines = (isp: FrrIsp): readonly string[] =>
  isp.links.flatMap((link) => {
    const bridge = `cable${numberOf(isp, link)}`
    return [
      `link add ${bridge} type bridge group_fwd_mask ${LLDP_PASSES}`,
      `link set ${bridge} up`,
      ...towards(isp, link).flatMap((port) => [`link set ${port} master ${bridge}`, `link set ${port} up`]),
    ]
  })

/** Whether light leaves the two ends of a link, and comes through. */
export interface Light {
  readonly a: boolean
  readonly b: boolean
  readonly isCut: boolean
}

/** In the panel: each end sees light while the cable is whole and the other end sends. */
export const lightLines = (isp: FrrIsp, link: FrrLink, { a, b, isCut }: Light): readonly string[] => {
  const [toA, toB] = towards(isp, link)
  const set = (port: string, sees: boolean): string => `link set ${port} ${sees ? "up" : "down"}`
  return [set(toA, b && !isCut), set(toB, a && !isCut)]
}
