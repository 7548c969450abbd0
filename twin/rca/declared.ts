/**
 * Shared-risk and dependency groups of the inventory, in root-cause analysis' words. Power of a site is a cause of its own
 * there, so that a group counts by its links; a dependency counts by its routers, because who falls silent is asked of them.
 */
import type { Dependency, RiskGroup } from "#twin/rca/model.ts"
import type { Topology } from "#twin/topology.ts"
import { needed } from "#twin/whatif/dependency.ts"
import { toldBy } from "#twin/whatif/told.ts"

/** As many as are declared and in their order; one without links stays, so that an index means the same everywhere. */
export const declaredGroups = (topology: Topology): readonly RiskGroup[] =>
  toldBy(topology).srlgs.map(({ name, links }) => ({ name, links }))

export const declaredDependencies = (topology: Topology): readonly Dependency[] =>
  toldBy(topology).groups.flatMap((group) => {
    const members = group.routers
    const need = Math.min(members.length, needed({ ...group, links: [] }))
    return members.length === 0 ? [] : group.dependents.map((node) => ({ node, members, need }))
  })
