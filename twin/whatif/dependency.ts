/**
 * Who needs what, where the graph cannot know it: an operator's dependency groups (W5). "Access needs any of AGG1, AGG2":
 * one of them down suppresses nothing, both down explain everything that depends on them. What is lost that way may itself
 * be what others need, so that losses spread until nothing changes.
 */
export interface DependencyGroup {
  readonly id: string
  readonly name: string
  /** Any member is enough; all of them are needed; at least `k` of them are. */
  readonly mode: "any" | "all" | "kofn"
  /** For kofn; ignored otherwise. */
  readonly k: number
  readonly routers: readonly number[]
  readonly links: readonly number[]
  /** Routers that cannot do without. */
  readonly dependents: readonly number[]
}

/** Members that must be there; a group without members needs nothing. */
export const needed = ({ mode, k, routers, links }: DependencyGroup): number => {
  const members = routers.length + links.length
  if (mode === "all") return members
  const least = mode === "any" ? 1 : Math.max(0, Math.ceil(k))
  return Math.min(members, least)
}

export interface Dependence {
  /** Indexes of the groups that do not have what they need. */
  readonly broken: readonly number[]
  /** Routers that are lost by a broken group and not lost already; ascending. */
  readonly lost: readonly number[]
}

/** `isLost`, `isCut`: routers and links that are gone anyway. O(groups x members x depth of the dependencies). */
export const lostByDependence = (
  groups: readonly DependencyGroup[],
  isLost: (router: number) => boolean,
  isCut: (link: number) => boolean,
): Dependence => {
  const lost = new Set<number>()
  const broken = new Set<number>()
  const isThere = (router: number): boolean => !isLost(router) && !lost.has(router)
  for (let spreads = true; spreads;) {
    spreads = false
    for (const [index, group] of groups.entries()) {
      if (broken.has(index)) continue
      const present = group.routers.filter(isThere).length + group.links.filter((link) => !isCut(link)).length
      if (present >= needed(group)) continue
      broken.add(index)
      spreads = true
      for (const router of group.dependents) if (isThere(router)) lost.add(router)
    }
  }
  const ascending = (set: ReadonlySet<number>) => [...set].sort((x, y) => x - y)
  return { broken: ascending(broken), lost: ascending(lost) }
}
