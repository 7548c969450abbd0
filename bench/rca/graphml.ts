/**
 * Any GraphML (graphml.graphdrawing.org) as a world: string or numeric ids, directed or not, parallel edges, islands, with
 * or without names and places. What a plain graph lacks is made up and said: roles from degree and depth, two reflectors,
 * two upstreams, sites from equal places.
 */
import { dice } from "#lab/isp/random.ts"
import type { Role, World, WorldLink } from "#bench/rca/world.ts"
import { finished } from "#bench/rca/world.ts"

interface RawNode {
  readonly id: string
  readonly data: Map<string, string>
}
interface RawGraph {
  readonly nodes: readonly RawNode[]
  readonly edges: ReadonlyArray<{ readonly source: string; readonly target: string; readonly directed: boolean }>
}

const ENTITY: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" }
const text = (raw: string): string =>
  raw.replaceAll(/&(#x[0-9a-f]+|#\d+|\w+);/gi, (whole, name: string) => {
    if (!name.startsWith("#")) return ENTITY[name] ?? whole
    const code = name[1]?.toLowerCase() === "x" ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })

const attributes = (raw: string): ReadonlyMap<string, string> =>
  new Map(
    [...raw.matchAll(/([\w:.-]+)\s*=\s*("([^"]*)"|'([^']*)')/g)].map((match) => [
      match[1] as string,
      text(match[3] ?? match[4] ?? ""),
    ]),
  )

/** What stands between two marks is replaced; one that is never closed stays as it is. */
const without = (source: string, open: string, close: string, instead: (raw: string) => string): string => {
  const parts: string[] = []
  let at = 0
  for (let start = source.indexOf(open); start >= 0; start = source.indexOf(open, at)) {
    const end = source.indexOf(close, start + open.length)
    if (end < 0) break
    parts.push(source.slice(at, start), instead(source.slice(start + open.length, end)))
    at = end + close.length
  }
  return parts.join("") + source.slice(at)
}

/** Reads tags one after another; nested graphs are read as if they were flat, hyperedges and ports are passed over. */
export const readGraphml = (source: string): RawGraph => {
  const bare = without(source, "<!--", "-->", () => "")
  const plain = without(bare, "<![CDATA[", "]]>", (raw) => raw.replaceAll("&", "&amp;").replaceAll("<", "&lt;"))
  const names = new Map<string, string>()
  const nodes: RawNode[] = []
  const edges: Array<RawGraph["edges"][number]> = []
  const open: RawNode[] = []
  let inEdge = false
  let directed = false
  for (const match of plain.matchAll(/<(\/?)(?:\w+:)?(\w+)((?:"[^"<]*"|'[^'<]*'|[^<>"'])*?)(\/?)>([^<]*)/g)) {
    const [, closing, tag, raw, alone, after] = match
    const of = attributes(raw ?? "")
    if (tag === "key" && closing === "") names.set(of.get("id") ?? "", of.get("attr.name") ?? "")
    else if (tag === "graph" && closing === "") directed = of.get("edgedefault") === "directed"
    else if (tag === "node" && closing === "") {
      const node = { id: of.get("id") ?? String(nodes.length), data: new Map<string, string>() }
      nodes.push(node)
      if (alone === "") open.push(node)
    } else if (tag === "node") open.pop()
    else if (tag === "edge" && closing === "") {
      const own = of.get("directed")
      edges.push({
        source: of.get("source") ?? "",
        target: of.get("target") ?? "",
        directed: own === undefined ? directed : own === "true",
      })
      inEdge = alone === ""
    } else if (tag === "edge") inEdge = false
    // yEd draws its labels, and names nothing.
    else if (tag === "NodeLabel" && closing === "" && !inEdge) {
      const data = open.at(-1)?.data
      if (data?.get("label") === undefined) data?.set("label", text(after ?? "").trim())
    } else if (tag === "data" && closing === "" && !inEdge)
      open
        .at(-1)
        ?.data.set((names.get(of.get("key") ?? "") ?? of.get("key") ?? "").toLowerCase(), text(after ?? "").trim())
  }
  return { nodes, edges }
}

/** Throws an Error that names the file when it holds no graph to speak of. */
export const graphmlWorld = (name: string, source: string, seed: number): World => {
  const raw = readGraphml(source)
  const slots = new Map<string, number>()
  for (const { id } of raw.nodes) if (!slots.has(id)) slots.set(id, slots.size)
  const pairs = undirected(raw.edges, slots)
  if (slots.size < 3 || pairs.length < 2)
    throw new Error(`${name}: no GraphML with three nodes and two edges (it has ${slots.size} and ${pairs.length})`)
  const seen = new Set<string>()
  const kept = raw.nodes.filter(({ id }) => !seen.has(id) && seen.add(id) !== undefined)
  const degree = kept.map(() => 0)
  for (const [a, b] of pairs) {
    degree[a]!++
    degree[b]!++
  }
  const main = biggest(kept.length, pairs)
  const ranked = [...main].sort((x, y) => (degree[y] as number) - (degree[x] as number) || x - y)
  const roles = rolesOf(kept.length, degree, ranked)
  const { sites, siteOf } = placesOf(kept)
  const draw = dice(seed, `rca graphml ${name}`)
  const nodes = kept.map(({ id, data }, n) => ({
    name: data.get("label") || id,
    role: roles[n] as Role,
    site: siteOf[n] as number,
  }))
  const links: WorldLink[] = pairs.map(([a, b]) => ({ a, b, ospf: true, lit: draw.chance(0.15) }))
  const reflectors = ranked.filter((n) => roles[n] === "rr")
  const sessions: Array<World["sessions"][number]> = []
  for (const n of main)
    for (const rr of reflectors)
      if (n !== rr && !(reflectors.includes(n) && n > rr)) sessions.push({ a: n, b: rr, link: -1 })
  for (const edge of ranked.filter((n) => roles[n] === "edge")) {
    nodes.push({ name: `Transit at ${nodes[edge]?.name}`, role: "upstream", site: sites.length })
    sites.push(`Transit at ${nodes[edge]?.name}`)
    sessions.push({ a: edge, b: nodes.length - 1, link: links.length })
    links.push({ a: edge, b: nodes.length - 1, ospf: false, lit: draw.chance(0.15) })
  }
  return finished({ name, nodes, links, sites, sessions, anchors: ranked.slice(0, Math.ceil(ranked.length / 3)) }, draw)
}

/** Two arrows that point at each other are one cable; everything else is a cable of its own. */
const undirected = (
  edges: RawGraph["edges"],
  slots: ReadonlyMap<string, number>,
): ReadonlyArray<readonly [number, number]> => {
  const pairs: Array<readonly [number, number]> = []
  const waiting = new Map<string, number>()
  for (const { source, target, directed } of edges) {
    const [a, b] = [slots.get(source), slots.get(target)]
    if (a === undefined || b === undefined || a === b) continue
    const back = waiting.get(`${b} ${a}`) ?? 0
    if (directed && back > 0) {
      waiting.set(`${b} ${a}`, back - 1)
      continue
    }
    if (directed) waiting.set(`${a} ${b}`, (waiting.get(`${a} ${b}`) ?? 0) + 1)
    pairs.push([a, b])
  }
  return pairs
}

const biggest = (nodes: number, pairs: ReadonlyArray<readonly [number, number]>): readonly number[] => {
  const next: number[][] = Array.from({ length: nodes }, () => [])
  for (const [a, b] of pairs) {
    next[a]?.push(b)
    next[b]?.push(a)
  }
  const seen = new Set<number>()
  let best: number[] = []
  for (let start = 0; start < nodes; start++) {
    if (seen.has(start)) continue
    const part = [start]
    seen.add(start)
    for (let head = 0; head < part.length; head++)
      for (const other of next[part[head] as number] ?? []) {
        if (seen.has(other)) continue
        seen.add(other)
        part.push(other)
      }
    if (part.length > best.length) best = part
  }
  return best
}

/** The two best connected reflect, the next two are edges, leaves are access, the upper third of the rest is core. */
const rolesOf = (nodes: number, degree: readonly number[], ranked: readonly number[]): readonly Role[] => {
  const roles: Role[] = Array.from({ length: nodes }, (_, n) => ((degree[n] ?? 0) <= 1 ? "access" : "agg"))
  for (const [rank, n] of ranked.entries()) {
    if ((degree[n] ?? 0) <= 1 && rank > 3) break
    if (rank < 2) roles[n] = "rr"
    else if (rank < 4) roles[n] = "edge"
    else if (rank < ranked.length / 3) roles[n] = "core"
  }
  return roles
}

/** Equal coordinates are one site; a node without any is a site of its own. */
const placesOf = (nodes: readonly RawNode[]): { sites: string[]; siteOf: number[] } => {
  const sites: string[] = []
  const known = new Map<string, number>()
  const siteOf = nodes.map(({ id, data }) => {
    const place = [data.get("latitude"), data.get("longitude")]
    const key = place.every((part) => part !== undefined && part !== "") ? place.join() : `node ${id}`
    if (!known.has(key)) {
      known.set(key, sites.length)
      sites.push(data.get("label") || id)
    }
    return known.get(key) as number
  })
  return { sites, siteOf }
}
