/**
 * What the operator of the emulated ISP has declared beside devices and links: who sells it transit, and which services it
 * gives. For the demo and for scenes that ask for it (drive/scene.ts); imports that say nothing of services leave a tenant's
 * own declarations alone.
 */
import type { Isp } from "#lab/isp/model.ts"
import type { Role } from "#protocol/role.ts"

interface Declared {
  readonly providers: ReadonlyArray<Record<string, unknown>>
  readonly services: ReadonlyArray<Record<string, unknown>>
}

/** Invented, as the ISP itself is. */
const NAMES = ["Atlântica", "Boreal", "Cardeal", "Delta Sul", "Equinócio", "Farol"] as const
/** Concentrators' sites that have a service of their own; more would fill the list with equals. */
const PPPOE_SITES_MAX = 40

export const declaredServices = (isp: Isp): Declared => {
  const namesWith = (role: Role): readonly string[] =>
    isp.routers.filter(({ roles }) => roles.includes(role)).map(({ name }) => name)
  const upstreams = namesWith("upstream")
  const nameOf = (index: number): string => NAMES[index % NAMES.length]!
  const empty = { devices: [], links: [], sites: [], providers: [] }
  const bngSites = [...new Set(isp.routers.filter(({ roles }) => roles.includes("bng")).map(({ site }) => site))]
  const resolvers = namesWith("rr").slice(0, 2)
  return {
    providers: upstreams.map((device, index) => ({
      id: `transit-${index + 1}`,
      name: nameOf(index),
      kind: "transit",
      devices: [device],
      links: [],
    })),
    services: [
      ...upstreams.map((_, index) => ({
        ...empty,
        id: `transit-${index + 1}`,
        name: `Trânsito ${nameOf(index)}`,
        kind: "transit",
        providers: [`transit-${index + 1}`],
      })),
      { ...empty, id: "core", name: "Backbone", kind: "core", devices: namesWith("core") },
      ...(resolvers.length === 0
        ? []
        : [{ ...empty, id: "bgp-rr", name: "Refletores de rota", kind: "other", devices: resolvers }]),
      ...bngSites.slice(0, PPPOE_SITES_MAX).map((site) => ({
        ...empty,
        id: `pppoe-${isp.sites[site]!.id}`,
        name: `PPPoE ${isp.sites[site]!.name}`,
        kind: "pppoe",
        sites: [isp.sites[site]!.id],
      })),
    ],
  }
}
