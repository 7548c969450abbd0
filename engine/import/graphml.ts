/**
 * GraphML (graphml.graphdrawing.org) as an import document: nodes become devices, edges become links, places come from
 * Latitude and Longitude (Internet Topology Zoo's names). What a graph does not say is not made up, with two exceptions
 * that are marked or plain: a place is guessed from the neighbours' (Site.guessed), and an interface that has no name is
 * called by where it leads. A node without an address is part of the topology, and nothing asks it.
 */
import { guessPlaces, type Place } from "#engine/import/guessed-places.ts"
import { positionsOf } from "#engine/import/json.ts"
import type { ImportError, ParsedImport } from "#engine/import/parse.ts"
import { IMPORT_BYTES_MAX, IMPORT_DEVICES_MAX, IMPORT_LINKS_MAX, parseImport } from "#engine/import/parse.ts"
import { MISTAKES_MAX } from "#engine/import/read.ts"
import { readXml, XmlRefused } from "#engine/import/xml.ts"
import type { WrongAddress } from "#engine/net/reach.ts"
import { ROLES } from "#protocol/role.ts"

/** By name in lower case, as its key calls it. */
type Data = Map<string, string>
interface Node {
  readonly id: string
  readonly at: number
  readonly data: Data
}
interface Edge {
  readonly source: string
  readonly target: string
  readonly ports: readonly [string | undefined, string | undefined]
  readonly directed: boolean
  readonly at: number
  readonly data: Data
}
interface Graph {
  readonly nodes: ReadonlyMap<string, Node>
  readonly edges: readonly Edge[]
}

/** As parseImport; never throws. */
export const parseGraphml = (source: string, wrong: WrongAddress = () => null): ParsedImport => {
  if (Buffer.byteLength(source) > IMPORT_BYTES_MAX)
    return failed([{ line: 1, column: 1, path: "", message: `is larger than ${IMPORT_BYTES_MAX} bytes` }])
  const position = positionsOf(source)
  try {
    const graph = readGraph(source)
    const edges = cables(graph)
    const made = documentOf(graph, edges)
    const parsed = parseImport(JSON.stringify(made.document), wrong)
    if (parsed.ok) return parsed
    return failed(
      parsed.errors.map(({ path, message }) => ({ ...position(placeOf(made, path)), path, message })),
      parsed.total,
    )
  } catch (cause) {
    if (!(cause instanceof XmlRefused)) throw cause
    return failed([{ ...position(cause.at), path: "", message: cause.message }])
  }
}

const failed = (errors: readonly ImportError[], total = errors.length): ParsedImport => ({
  ok: false,
  errors: errors.slice(0, MISTAKES_MAX),
  total,
})

// -- the file ------------------------------------------------------------------------------------------------------------

const readGraph = (source: string): Graph => {
  const keys = new Map<string, string>()
  const nodes = new Map<string, Node>()
  const edges: Edge[] = []
  const owners: Array<Data | null> = []
  const names: string[] = []
  let directed = false
  let key = ""
  let graphs = 0
  const refuse = (at: number, message: string): never => {
    throw new XmlRefused(at, message)
  }
  const begin = (name: string, attributes: ReadonlyMap<string, string>, at: number): Data | null => {
    if (names.length === 0 && name !== "graphml") refuse(at, "is no GraphML: its root is not <graphml>")
    switch (name) {
      case "key":
        keys.set(attributes.get("id") ?? "", (attributes.get("attr.name") ?? attributes.get("id") ?? "").toLowerCase())
        return null
      case "graph":
        if (names.includes("node") || names.includes("edge"))
          refuse(at, "graphs inside of a node or edge are not taken")
        if (++graphs > 1) refuse(at, "holds more than one graph")
        directed = attributes.get("edgedefault") === "directed"
        return null
      case "hyperedge":
        return refuse(at, "a hyperedge joins more than two nodes: it is no link")
      case "node": {
        if (names.at(-1) !== "graph") refuse(at, "a node stands outside of the graph, or inside of another")
        const id = attributes.get("id") ?? refuse(at, "a node has no id")
        if (nodes.has(id)) refuse(at, `the node id ${JSON.stringify(id.slice(0, 60))} is used twice`)
        if (nodes.size >= IMPORT_DEVICES_MAX) refuse(at, `holds more than ${IMPORT_DEVICES_MAX} nodes`)
        const node: Node = { id, at, data: new Map() }
        nodes.set(id, node)
        return node.data
      }
      case "edge": {
        if (names.at(-1) !== "graph") refuse(at, "an edge stands outside of the graph")
        if (edges.length >= IMPORT_LINKS_MAX) refuse(at, `holds more than ${IMPORT_LINKS_MAX} edges`)
        const own = attributes.get("directed")
        const edge: Edge = {
          source: attributes.get("source") ?? refuse(at, "an edge has no source"),
          target: attributes.get("target") ?? refuse(at, "an edge has no target"),
          ports: [attributes.get("sourceport"), attributes.get("targetport")],
          directed: own === undefined ? directed : own === "true",
          at,
          data: new Map(),
        }
        edges.push(edge)
        return edge.data
      }
      case "data":
        key = attributes.get("key") ?? ""
        return owners.at(-1) ?? null
      default:
        return null
    }
  }
  readXml(source, {
    open: (name, attributes, at) => {
      owners.push(begin(name, attributes, at))
      names.push(name)
    },
    close: (name, text) => {
      const owner = owners.pop() ?? null
      names.pop()
      if (name === "data" && owner !== null && ["node", "edge"].includes(names.at(-1) ?? ""))
        owner.set(keys.get(key) ?? key.toLowerCase(), text.trim())
    },
  })
  if (nodes.size === 0) throw new XmlRefused(0, "holds no node")
  for (const { source: a, target: b, at } of edges)
    for (const id of [a, b])
      if (!nodes.has(id)) refuse(at, `an edge names ${JSON.stringify(id.slice(0, 60))}, and no node is called so`)
  return { nodes, edges }
}

/** Two arrows that point at each other are one cable; everything else is a cable of its own. */
const cables = ({ edges }: Graph): readonly Edge[] => {
  const waiting = new Map<string, number>()
  return edges.filter(({ source, target, directed }) => {
    if (!directed || source === target) return true
    const [there, back] = [JSON.stringify([source, target]), JSON.stringify([target, source])]
    const open = waiting.get(back) ?? 0
    if (open > 0) waiting.set(back, open - 1)
    else waiting.set(there, (waiting.get(there) ?? 0) + 1)
    return open === 0
  })
}

// -- the document --------------------------------------------------------------------------------------------------------

interface Made {
  readonly document: {
    readonly sites: readonly object[]
    readonly devices: readonly object[]
    readonly links: readonly object[]
  }
  /** Where in the file each site, device and link comes from. */
  readonly at: Readonly<Record<"sites" | "devices" | "links", readonly number[]>>
}

const documentOf = ({ nodes: byId }: Graph, edges: readonly Edge[]): Made => {
  const nodes = [...byId.values()]
  const index = new Map(nodes.map(({ id }, node) => [id, node]))
  const names = uniqueNames(
    nodes.map(({ id, data }) => data.get("label") || data.get("name") || id),
    nodes,
  )
  const given = nodes.map(givenPlace)
  const pairs = edges.map(({ source, target }) => [index.get(source) as number, index.get(target) as number] as const)
  const places = guessPlaces(given, pairs)
  const { sites, siteOf } = sitesOf(nodes, names, given, places)
  const ports = portsOf(names)
  const links = edges.map(({ ports: [a, b], data }, n) => {
    const [from, to] = pairs[n] as readonly [number, number]
    const capacityBps = capacityOf(data)
    return {
      a: { device: names[from], interface: a ?? ports(from, to) },
      b: { device: names[to], interface: b ?? ports(to, from) },
      ...(capacityBps === null ? {} : { capacityBps }),
    }
  })
  const devices = nodes.map(({ data }, node) => ({
    name: names[node],
    address: data.get("address") || null,
    site: siteOf[node],
    roles: rolesOf(data),
  }))
  return {
    document: { sites: sites.map(({ site }) => site), devices, links },
    at: {
      sites: sites.map(({ node }) => nodes[node]?.at ?? 0),
      devices: nodes.map(({ at }) => at),
      links: edges.map(({ at }) => at),
    },
  }
}

const placeOf = ({ at }: Made, path: string): number => {
  const [, list, index] = /^(sites|devices|links)\[(\d+)\]/.exec(path) ?? []
  return list === undefined ? 0 : (at[list as keyof Made["at"]][Number(index)] ?? 0)
}

/** The same label twice gets the node's id behind it: Topology Zoo calls several nodes alike. */
const uniqueNames = (labels: readonly string[], nodes: readonly Node[]): readonly string[] => {
  const counts = new Map<string, number>()
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1)
  return labels.map((label, node) => ((counts.get(label) ?? 0) > 1 ? `${label} (${nodes[node]?.id ?? node})` : label))
}

/** Null when one of the two is missing or no number; what is out of range is named as a mistake later. */
const givenPlace = ({ data }: Node): Place | null => {
  const [latitude, longitude] = ["latitude", "longitude"].map((name) => numberOf(data.get(name)))
  return latitude == null || longitude == null ? null : { latitude, longitude }
}

/** Equal given coordinates are one site; a guess is a site of its own. */
const sitesOf = (
  nodes: readonly Node[],
  names: readonly string[],
  given: ReadonlyArray<Place | null>,
  places: readonly Place[],
) => {
  const sites: Array<{ readonly site: object; readonly node: number }> = []
  const known = new Map<string, string>()
  const ids = new Set<string>()
  const siteOf = nodes.map((_, node) => {
    const place = places[node] as Place
    const isGuess = given[node] === null
    const key = isGuess ? `guess ${node}` : `${place.latitude} ${place.longitude}`
    const before = known.get(key)
    if (before !== undefined) return before
    const id = freeId(names[node] ?? "", ids)
    known.set(key, id)
    sites.push({ node, site: { id, name: names[node], ...place, ...(isGuess ? { guessed: true } : {}) } })
    return id
  })
  return { sites, siteOf }
}

const SITE_ID_MAX = 64
const freeId = (name: string, taken: Set<string>): string => {
  const letters = [...name]
    .slice(0, SITE_ID_MAX - 8)
    .join("")
    .trim()
  let id = letters
  for (let n = 2; taken.has(id); n++) id = `${letters} ${n}`
  taken.add(id)
  return id
}

/** `to PEER`, and `to PEER 2` for the next cable between the two. */
const portsOf = (names: readonly string[]): ((from: number, to: number) => string) => {
  const counts = new Map<string, number>()
  return (from, to) => {
    const peer = [...(names[to] ?? "")].slice(0, 100).join("").trim()
    const key = `${from} ${peer}`
    const nth = (counts.get(key) ?? 0) + 1
    counts.set(key, nth)
    return nth === 1 ? `to ${peer}` : `to ${peer} ${nth}`
  }
}

/** Topology Zoo: LinkSpeedRaw in bit/s; Internal = 0 is somebody else's network. */
const capacityOf = (data: Data): number | null => {
  const bps = numberOf(data.get("linkspeedraw") ?? data.get("capacitybps"))
  return bps === null || bps < 1 ? null : Math.round(bps)
}

const rolesOf = (data: Data): readonly string[] => {
  const said = (data.get("roles") ?? data.get("role") ?? "").split(/[|;, ]+/).filter((word) => word !== "")
  const known = said.map((word) => word.toLowerCase()).filter((word) => (ROLES as readonly string[]).includes(word))
  if (known.length > 0) return [...new Set(known)]
  return data.get("internal") === "0" ? ["peering"] : ["other"]
}

const numberOf = (text: string | undefined): number | null =>
  text !== undefined && /^[+-]?\d{1,20}(\.\d{1,40})?([eE][+-]?\d{1,3})?$/.test(text) ? Number(text) : null
