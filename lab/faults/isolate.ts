/** The mains fail at a site: every router there loses power in the same moment. */
import type { FaultKind } from "#lab/faults/fault.ts"
import { findSite } from "#lab/faults/names.ts"

export const isolate: FaultKind = {
  kind: "isolate",
  undo: "reconnect",
  usage: "SITE",
  about: "cut the power of a whole site (its id, e.g. rio-de-janeiro)",
  read: (network, [id]) => {
    const site = findSite(network.isp, id)
    const routers = network.isp.routers.filter((router) => router.site === site)
    return {
      key: String(site),
      text: `${network.isp.sites[site]!.name}: ${routers.map((router) => router.name).join(", ")}`,
      strike: () => routers.forEach((router) => network.kill(router.index)),
      heal: () => routers.forEach((router) => network.revive(router.index)),
    }
  },
}
