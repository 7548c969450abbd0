/**
 * What a what-if breaks: any set of links, routers, interfaces, sites without power and shared-risk groups (RFC 4202 s2.3:
 * links that one cause takes down together), and links drained on purpose. Everything comes down to nodes that fail, links
 * that fail, and links that cost the most.
 */
export type Fault =
  | { readonly kind: "link" | "drain"; readonly link: number }
  | { readonly kind: "router"; readonly router: number }
  /** A port goes dark: its link fails for both of its ends. */
  | { readonly kind: "interface"; readonly router: number; readonly ifName: string }
  /** The power of a site: all of its routers. */
  | { readonly kind: "site"; readonly site: number }
  | { readonly kind: "srlg"; readonly srlg: number }

/** Faults of one question; those beyond are not applied and come back as unknown. */
export const MAX_FAULTS = 1000

/** A duct, a fibre, a wavelength, a power feed: what fails together. */
export interface Srlg {
  readonly id: string
  readonly name: string
  readonly links: readonly number[]
  readonly routers: readonly number[]
}

/** What faults are told against. */
export interface Structure {
  readonly nodes: number
  readonly links: number
  readonly sites: number
  /** Site of each node; -1 = none. */
  readonly siteOf: Int32Array
  readonly srlgs: readonly Srlg[]
  /** The link that an interface carries; -1 = none that is declared. */
  readonly linkAt: (router: number, ifName: string) => number
}

export interface Failed {
  /** Ascending, no duplicates. A drained link that also fails is only failed. */
  readonly nodes: readonly number[]
  readonly links: readonly number[]
  readonly drained: readonly number[]
  /** Faults that name nothing of this network, and interfaces that carry no declared link. */
  readonly unknown: readonly Fault[]
}

export const applyFaults = (structure: Structure, faults: readonly Fault[]): Failed => {
  const [nodes, links, drained] = [new Set<number>(), new Set<number>(), new Set<number>()]
  const unknown = faults.filter((fault, i) => i >= MAX_FAULTS || !failing(structure, fault, nodes, links, drained))
  return {
    nodes: ascending(nodes),
    links: ascending(links),
    drained: ascending(drained).filter((link) => !links.has(link)),
    unknown,
  }
}

/** False = there is no such thing. */
const failing = (
  { nodes: nodeCount, links: linkCount, sites, siteOf, srlgs, linkAt }: Structure,
  fault: Fault,
  nodes: Set<number>,
  links: Set<number>,
  drained: Set<number>,
): boolean => {
  const add = (set: Set<number>, slot: number, end: number): boolean => {
    if (!Number.isInteger(slot) || slot < 0 || slot >= end) return false
    set.add(slot)
    return true
  }
  switch (fault.kind) {
    case "link":
      return add(links, fault.link, linkCount)
    case "drain":
      return add(drained, fault.link, linkCount)
    case "router":
      return add(nodes, fault.router, nodeCount)
    case "interface":
      return add(links, linkAt(fault.router, fault.ifName), linkCount)
    case "site":
      if (!add(new Set(), fault.site, sites)) return false
      for (const [node, site] of siteOf.entries()) if (site === fault.site) nodes.add(node)
      return true
    case "srlg": {
      const srlg = srlgs[fault.srlg]
      if (srlg === undefined) return false
      for (const link of srlg.links) add(links, link, linkCount)
      for (const router of srlg.routers) add(nodes, router, nodeCount)
      return true
    }
  }
}

const ascending = (set: ReadonlySet<number>): readonly number[] => [...set].sort((x, y) => x - y)
