/** GraphML: what becomes of nodes, edges and places; guesses are marked; what is wrong is told by its line. */
import assert from "node:assert/strict"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { test } from "node:test"
import fc from "fast-check"
import { guessPlaces } from "#engine/import/guessed-places.ts"
import { parseGraphml } from "#engine/import/graphml.ts"
import { parseFile } from "#engine/import/parse-file.ts"
import { IMPORT_BYTES_MAX } from "#engine/import/parse.ts"
import type { ImportDocument } from "#engine/import/document.ts"

const KEYS = [
  ["lat", "Latitude"],
  ["lon", "Longitude"],
  ["label", "label"],
  ["raw", "LinkSpeedRaw"],
  ["inside", "Internal"],
  ["role", "role"],
  ["ip", "address"],
]
const file = (body: string, edgedefault = "undirected"): string =>
  `<?xml version="1.0"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
${KEYS.map(([id, name]) => `<key id="${id}" attr.name="${name}" for="all"/>`).join("\n")}
<graph edgedefault="${edgedefault}">
<data key="label">the graph's own</data>
${body}
</graph>
</graphml>
`
const BODY_LINE = 12
const data = (of: Readonly<Record<string, string | number>>): string =>
  Object.entries(of)
    .map(([key, value]) => `<data key="${key}">${value}</data>`)
    .join("")
const node = (id: string, of: Readonly<Record<string, string | number>> = {}): string =>
  `<node id="${id}">${data(of)}</node>`
const edge = (source: string, target: string, more = "", of: Readonly<Record<string, string | number>> = {}): string =>
  `<edge source="${source}" target="${target}"${more}>${data(of)}</edge>`

const taken = (source: string): ImportDocument => {
  const parsed = parseGraphml(source)
  assert.ok(parsed.ok, JSON.stringify(parsed))
  return parsed.document
}
const refused = (source: string): string => {
  const parsed = parseGraphml(source)
  assert.ok(!parsed.ok, "it was taken")
  const [first] = parsed.errors
  return `${first?.line} ${first?.path === "" ? "" : `${first?.path} `}${first?.message}`
}

test("[W1] nodes become devices, edges links, coordinates sites; who has no address is never asked", () => {
  const document = taken(
    file(
      [
        node("0", { label: "São Paulo", lat: -23.5, lon: -46.6, role: "core", ip: "192.0.2.1" }),
        node("1", { label: "Rio", lat: -22.9, lon: -43.2, role: "agg|edge" }),
        node("2", { label: "Rio annex", lat: -22.9, lon: -43.2 }),
        node("3", { label: "Peer", lat: 0, lon: 0, inside: 0 }),
        edge("0", "1", ' sourceport="xe-0" targetport="xe-1"', { raw: "10000000000.0" }),
        edge("1", "2"),
        edge("1", "2"),
        edge("0", "3"),
      ].join("\n"),
    ),
  )
  assert.deepEqual(
    document.devices.map(({ name, address, site, roles, pingSeconds, snmp }) => [
      name,
      address,
      site,
      roles,
      pingSeconds,
      snmp,
    ]),
    [
      ["São Paulo", "192.0.2.1", "São Paulo", ["core"], undefined, null],
      ["Rio", "", "Rio", ["agg", "edge"], 0, null],
      ["Rio annex", "", "Rio", ["other"], 0, null],
      ["Peer", "", "Peer", ["peering"], 0, null],
    ],
  )
  assert.deepEqual(document.sites, [
    { id: "São Paulo", name: "São Paulo", latitude: -23.5, longitude: -46.6 },
    { id: "Rio", name: "Rio", latitude: -22.9, longitude: -43.2 },
    { id: "Peer", name: "Peer", latitude: 0, longitude: 0 },
  ])
  assert.deepEqual(
    document.links.map(({ a, b, capacityBps }) => `${a.interface} | ${b.interface} ${capacityBps}`),
    [
      "xe-0 | xe-1 10000000000",
      "to Rio annex | to Rio null",
      "to Rio annex 2 | to Rio 2 null",
      "to Peer | to São Paulo null",
    ],
  )
})

test("[W1] a place that nobody said is guessed from the neighbours', and marked; given ones are not", () => {
  const { sites } = taken(
    file(
      [
        node("a", { lat: 10, lon: 20 }),
        node("b", { lat: 12, lon: 24 }),
        node("between"),
        node("beyond"),
        node("alone", { lat: 5 }),
        edge("a", "between"),
        edge("between", "b"),
        edge("between", "beyond"),
      ].join("\n"),
    ),
  )
  assert.deepEqual(
    sites.map(({ id, guessed }) => [id, guessed]),
    [
      ["a", undefined],
      ["b", undefined],
      ["between", true],
      ["beyond", true],
      ["alone", true],
    ],
  )
  const near = (id: string, latitude: number, longitude: number) => {
    const site = sites.find((one) => one.id === id)!
    assert.ok(
      Math.abs(site.latitude - latitude) < 0.5 && Math.abs(site.longitude - longitude) < 0.5,
      JSON.stringify(site),
    )
  }
  near("between", 11, 22)
  near("beyond", 11, 22)
  near("alone", 11, 22)
})

test("places across the date line have their middle there; without any the nodes stand on a circle", () => {
  const [, , middle] = guessPlaces(
    [{ latitude: 0, longitude: 179 }, { latitude: 0, longitude: -179 }, null],
    [
      [0, 2],
      [1, 2],
    ],
  )
  assert.ok(Math.abs(Math.abs(middle!.longitude) - 180) < 0.5, JSON.stringify(middle))
  const circle = guessPlaces([null, null, null], [])
  assert.equal(new Set(circle.map(({ latitude, longitude }) => `${latitude} ${longitude}`)).size, 3)
})

test("guesses are places on earth, the same for the same graph, and leave given places alone", () => {
  const place = fc.record({
    latitude: fc.double({ min: -90, max: 90, noNaN: true }),
    longitude: fc.double({ min: -180, max: 180, noNaN: true }),
  })
  const graph = fc.array(fc.option(place, { freq: 2 }), { minLength: 1, maxLength: 12 }).chain((places) => {
    const end = fc.nat(places.length - 1)
    return fc.record({ places: fc.constant(places), edges: fc.array(fc.tuple(end, end), { maxLength: 20 }) })
  })
  fc.assert(
    fc.property(graph, ({ places, edges }) => {
      const found = guessPlaces(places, edges)
      for (const [index, { latitude, longitude }] of found.entries()) {
        if (places[index] !== null) assert.equal(found[index], places[index])
        assert.ok(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180, `${latitude} ${longitude}`)
      }
      assert.deepEqual(guessPlaces(places, edges.toReversed()), found)
    }),
  )
})

test("two arrows that point at each other are one cable, two alike are two; labels that repeat get their id", () => {
  const body = [
    node("1", { label: "R" }),
    node("2", { label: "R" }),
    edge("1", "2"),
    edge("2", "1"),
    edge("1", "2"),
    edge("2", "1", ' directed="false"'),
    edge("1", "1"),
  ].join("\n")
  const directed = taken(file(body, "directed"))
  assert.deepEqual(
    directed.devices.map(({ name }) => name),
    ["R (1)", "R (2)"],
  )
  assert.equal(directed.links.length, 4)
  assert.equal(taken(file(body)).links.length, 5)
})

const AT = BODY_LINE
const WRONG: ReadonlyArray<readonly [string, string, RegExp]> = [
  ["an entity", `<!DOCTYPE g [<!ENTITY x SYSTEM "file:///etc/passwd">]><graphml/>`, /^1 document types/],
  ["no GraphML", "<svg/>", /^1 is no GraphML/],
  ["no node", file(""), /holds no node/],
  ["a node without an id", file("<node/>"), new RegExp(`^${AT} a node has no id`)],
  ["an id twice", file(`${node("1")}\n${node("1")}`), new RegExp(`^${AT + 1} the node id "1" is used twice`)],
  ["an edge to nobody", file(`${node("1")}\n${edge("1", "x")}`), new RegExp(`^${AT + 1} an edge names "x"`)],
  ["an edge without a target", file(`${node("1")}\n<edge source="1"/>`), /an edge has no target/],
  ["a node in a node", file("<node id='1'><node id='2'/></node>"), /inside of another/],
  ["a graph in a node", file("<node id='1'><graph><node id='2'/></graph></node>"), /graphs inside of a node/],
  ["two graphs", file("</graph><graph>"), /more than one graph/],
  ["a hyperedge", file("<hyperedge/>"), /joins more than two/],
  [
    "latitude out of range",
    file(`${node("1")}\n${node("2", { lat: 91, lon: 0 })}`),
    /^13 sites\[1\]\.latitude: |^13 .*must be from -90 to 90/,
  ],
  ["an address that is none", file(node("1", { ip: "router.example" })), /^12 .*host names are not taken/],
  ["a name with a control character", file(node("1", { label: "a&#7;b" })), /^12 .*control character/],
  ["a name too long", file(node("1", { label: "x".repeat(129) })), /^12 .*at most 128/],
  [
    "one interface for two cables",
    file(`${node("1")}\n${node("2")}\n${edge("1", "2", ' sourceport="p"')}\n${edge("1", "2", ' sourceport="p"')}`),
    /^15 .*used by links\[0\]/,
  ],
  ["a file that is cut off", file(node("1")).slice(0, -20), /not closed|ends before/],
]
for (const [name, source, words] of WRONG) test(`told by line: ${name}`, () => assert.match(refused(source), words))

test("a file of 100 MB is refused before it is read; what is no UTF-8 is told; JSON is still JSON", () => {
  const large = Buffer.alloc(100 * 1024 * 1024, "<graphml> ")
  const parsed = parseFile(large)
  assert.ok(!parsed.ok)
  assert.match(parsed.errors[0]!.message, new RegExp(`at most ${IMPORT_BYTES_MAX}`))
  const latin = parseFile(Buffer.from(`<graphml><!-- ${"\u00e9"} --></graphml>`, "latin1"))
  assert.ok(!latin.ok && /UTF-8/.test(latin.errors[0]!.message))
  assert.ok(parseFile(Buffer.from(`\uFEFF\n${file(node("1"))}`.replace('<?xml version="1.0"?>\n', ""))).ok)
  assert.ok(parseFile(Buffer.from('{"sites":[],"devices":[],"links":[]}')).ok)
})

test("any graph comes out with as many devices and cables as it has, every name once", () => {
  const graph = fc.uniqueArray(fc.stringMatching(/^[\w ]{0,6}[\w]$/), { minLength: 1, maxLength: 8 }).chain((ids) => {
    const end = fc.constantFrom(...ids)
    return fc.record({
      ids: fc.constant(ids),
      labels: fc.array(fc.constantFrom("X", "Y", "Z 1", ""), { minLength: ids.length, maxLength: ids.length }),
      edges: fc.array(fc.tuple(end, end), { maxLength: 12 }),
    })
  })
  fc.assert(
    fc.property(graph, ({ ids, labels, edges }) => {
      const source = file(
        [...ids.map((id, n) => node(id, { label: labels[n] ?? "" })), ...edges.map(([a, b]) => edge(a, b))].join("\n"),
      )
      const parsed = parseGraphml(source)
      // A label may be what another node's becomes; that is told, and nothing else can go wrong.
      if (!parsed.ok) return assert.match(JSON.stringify(parsed.errors), /is used by devices|must not begin or end/)
      const { devices, links } = parsed.document
      assert.deepEqual([devices.length, links.length], [ids.length, edges.length])
      return undefined
    }),
  )
})

/** Beside the checkout, where a machine has it. */
const DIR = resolve(import.meta.dirname, "../../../shared/data/topology")
const files = existsSync(DIR) ? readdirSync(DIR).filter((name) => name.endsWith(".graphml")) : []
const NONE = files.length === 0 ? `no GraphML in ${DIR} (Internet Topology Zoo)` : false
test("[W1] the Internet Topology Zoo's graphs: all of them, with their places", { skip: NONE }, () => {
  for (const name of files) {
    const source = readFileSync(join(DIR, name))
    const parsed = parseFile(source)
    assert.ok(parsed.ok, `${name}: ${JSON.stringify(parsed)}`)
    const text = source.toString("utf8")
    const { devices, links, sites } = parsed.document
    assert.equal(devices.length, text.match(/<node\b/g)?.length, name)
    assert.equal(links.length, text.match(/<edge\b/g)?.length, name)
    const key = /attr\.name="Latitude"[^>]*id="(\w+)"/.exec(text)?.[1] ?? ""
    const placed = text.match(new RegExp(`<data key="${key}">`, "g"))?.length ?? 0
    const guessed = sites.filter((site) => site.guessed).length
    assert.equal(guessed, devices.length - placed, `${name}: as many guesses as nodes without a place`)
  }
})
