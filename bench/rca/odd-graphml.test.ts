/** GraphML as the world writes it, and as somebody hostile does: each is measured with finite figures, or refused in words. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { graphmlWorld, readGraphml } from "#bench/rca/graphml.ts"
import { METHODS, runTopology } from "#bench/rca/run.ts"
import { resultOf } from "#bench/rca/score.ts"
import type { Tally } from "#bench/rca/score.ts"
import { NOISY } from "#bench/rca/simulate.ts"

type Pair = readonly [string | number, string | number]

const document = (nodes: string, edges: readonly Pair[], edgedefault = "undirected", keys = ""): string =>
  `<?xml version="1.0"?><graphml xmlns="http://graphml.graphdrawing.org/xmlns">${keys}<graph edgedefault="${edgedefault}">${nodes}${edges
    .map(([a, b]) => `<edge source="${a}" target="${b}"/>`)
    .join("")}</graph></graphml>`
const plain = (ids: ReadonlyArray<string | number>): string => ids.map((id) => `<node id="${id}"/>`).join("")
const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => n)

const RING: readonly Pair[] = upTo(8).map((n) => [n, (n + 1) % 8] as const)
const eight = document(plain(upTo(8)), RING)

/** Name, document, nodes and edges that it has. */
const ODD: ReadonlyArray<readonly [name: string, source: string, nodes: number, edges: number]> = [
  ["directed", document(plain(upTo(8)), RING, "directed"), 8, 8],
  [
    "both directions are one cable",
    document(plain(upTo(8)), [...RING, ...RING.map(([a, b]) => [b, a] as const)], "directed"),
    8,
    8,
  ],
  ["multigraph", document(plain(upTo(8)), [...RING, ...RING, ...RING]), 8, 24],
  ["self loops are no cables", document(plain(upTo(8)), [...RING, [0, 0], [3, 3]]), 8, 8],
  [
    "islands",
    document(plain(upTo(16)), [...RING, ...RING.map(([a, b]) => [Number(a) + 8, Number(b) + 8] as const)]),
    16,
    16,
  ],
  [
    "only pairs",
    document(plain(upTo(8)), [
      [0, 1],
      [2, 3],
      [4, 5],
      [6, 7],
    ]),
    8,
    4,
  ],
  [
    "star of five",
    document(plain(upTo(5)), [
      [0, 1],
      [0, 2],
      [0, 3],
      [0, 4],
    ]),
    5,
    4,
  ],
  [
    "line of three",
    document(plain(upTo(3)), [
      [0, 1],
      [1, 2],
    ]),
    3,
    2,
  ],
  [
    "names of Object's own",
    document(plain(["__proto__", "constructor", "toString"]), [
      ["__proto__", "constructor"],
      ["constructor", "toString"],
    ]),
    3,
    2,
  ],
  [
    "nodes without ids",
    document("<node/><node/><node/>", [
      [0, 1],
      [1, 2],
    ]),
    3,
    2,
  ],
  [
    "an end that is nowhere",
    document(plain(upTo(3)), [
      [0, 9],
      [0, 1],
      [1, 2],
    ]),
    3,
    2,
  ],
  [
    "the same node twice",
    document(plain([0, 1, 2, 2]), [
      [0, 1],
      [1, 2],
    ]),
    3,
    2,
  ],
  [
    "places that are no numbers",
    document(
      upTo(4)
        .map((id) => `<node id="${id}"><data key="a">NaN</data><data key="b">far</data></node>`)
        .join(""),
      [
        [0, 1],
        [1, 2],
        [2, 3],
      ],
      "undirected",
      '<key id="a" attr.name="Latitude"/><key id="b" attr.name="Longitude"/>',
    ),
    4,
    3,
  ],
  [
    "prefixed tags",
    eight.replaceAll("<node", "<g:node").replaceAll("<edge", "<g:edge").replaceAll("<graph ", "<g:graph "),
    8,
    8,
  ],
  ["byte order mark, line ends of Windows", `\ufeff${eight.replaceAll(">", ">\r\n")}`, 8, 8],
  [
    "a graph in a node",
    '<graphml><graph edgedefault="undirected"><node id="a"><graph id="a:"><node id="a::1"/><node id="a::2"/><edge source="a::1" target="a::2"/></graph></node><node id="b"/><edge source="a::1" target="b"/><edge source="b" target="a"/></graph></graphml>',
    4,
    3,
  ],
]

const allFinite = (value: unknown): boolean =>
  typeof value === "number"
    ? Number.isFinite(value)
    : typeof value !== "object" || value === null || Object.values(value).every(allFinite)

for (const [name, source, nodes, edges] of ODD)
  test(`[I9] bench rca reads ${name}`, () => {
    const world = graphmlWorld(name, source, 7)
    const upstreams = world.nodes.filter(({ role }) => role === "upstream").length
    assert.deepEqual([world.nodes.length - upstreams, world.links.length - upstreams], [nodes, edges])
    for (const { name: called } of world.nodes) assert.notEqual(called, "")
    const run = runTopology(world, NOISY, 7, 4)
    for (const method of METHODS) {
      const result = resultOf(run.tallies.get(method) as Tally)
      assert.ok(allFinite(result), method)
      // What JSON would write as null although it was measured.
      assert.deepEqual(JSON.parse(JSON.stringify(result)), result)
    }
  })

test("[I9] bench rca refuses in words what is no graph to speak of", () => {
  const refused: ReadonlyArray<readonly [source: string, has: string]> = [
    ["", "0 and 0"],
    ["hello", "0 and 0"],
    ["<html><body/></html>", "0 and 0"],
    [document(plain([1]), []), "1 and 0"],
    [
      document(plain([1, 2]), [
        [1, 2],
        [1, 2],
      ]),
      "2 and 2",
    ],
    [document(plain(upTo(4)), []), "4 and 0"],
    [eight.slice(0, 160), "0"],
  ]
  for (const [source, has] of refused)
    assert.throws(
      () => graphmlWorld("it", source, 1),
      (error: Error) => {
        assert.match(error.message, /^it: no GraphML with three nodes and two edges \(it has /)
        assert.ok(error.message.includes(has), error.message)
        return true
      },
    )
})

test("[I9] tags, comments and quotes that never end are read once, and not once for each of them", () => {
  for (const bomb of ["<node ", '<node id="', "<!--", "<![CDATA[", "<node id='a' "])
    assert.equal(readGraphml(eight + bomb.repeat(100_000)).edges.length, 8, bomb)
})

test("[I9] labels that yEd draws are names; a graph of 2,000 nodes is read", () => {
  const drawn = upTo(3)
    .map(
      (n) =>
        `<node id="n${n}"><data key="d5"/><data key="d6"><y:ShapeNode><y:NodeLabel>R ${n} &amp; co</y:NodeLabel></y:ShapeNode></data></node>`,
    )
    .join("")
  const world = graphmlWorld(
    "yed",
    document(
      drawn,
      [
        ["n0", "n1"],
        ["n1", "n2"],
      ],
      "directed",
    ),
    1,
  )
  assert.deepEqual(
    world.nodes.slice(0, 3).map(({ name }) => name),
    ["R 0 & co", "R 1 & co", "R 2 & co"],
  )
  const many = upTo(2_000)
  const edges = many.slice(1).map((n) => [n, (n * 7_919) % n] as const)
  assert.equal(graphmlWorld("many", document(plain(many), edges), 1).links.filter(({ ospf }) => ospf).length, 1_999)
})
