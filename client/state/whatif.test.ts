/** The what-if screens without a screen: faults in the address, an answer as a picture, single points, CSV. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { makeFixtureNetwork } from "#client/e2e/fixture-network.ts"
import { makeWhatIf } from "#client/e2e/fixture-whatif.ts"
import { formatRoute, parseRoute } from "#client/state/route.ts"
import type { TwinState } from "#client/state/twin-store.ts"
import { rankingCsv } from "#client/state/whatif-csv.ts"
import { FAULTS_MAX, formatFaults, has, keyOf, parseFaults, toggled, withFault } from "#client/state/whatif-faults.ts"
import { extentOf, nodesAt, percentOf, pictureOf } from "#client/state/whatif-picture.ts"
import { drawnPath, formatEnds, parseEnds } from "#client/state/whatif-paths.ts"
import { pointsOf } from "#client/state/whatif-points.ts"
import type { Fault, LoadShift, NextFailures, SinglePoint, WhatIfAnswer } from "#protocol/rest-generated.ts"

const id = fc.oneof(fc.uuid(), fc.string({ minLength: 1, maxLength: 40, unit: "grapheme" }))
/** As the parser makes them. */
const PLAIN = { noNullPrototype: true } as const
const anyFault: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({ kind: fc.constantFrom("link" as const, "drain" as const), link: id }, PLAIN),
  fc.record({ kind: fc.constant("router" as const), device: id }, PLAIN),
  fc.record({ kind: fc.constant("site" as const), site: id }, PLAIN),
  fc.record({ kind: fc.constant("srlg" as const), srlg: id }, PLAIN),
  fc.record({ kind: fc.constant("interface" as const), device: id, interface: id }, PLAIN),
)
const faultSet = fc.uniqueArray(anyFault, { selector: keyOf, maxLength: 30 })

test("[W6] any set of faults comes back from the address as it went in, whatever the ids are", () => {
  fc.assert(
    fc.property(faultSet, (faults) => {
      const hash = formatRoute({
        screen: "whatif",
        tab: null,
        selection: null,
        camera: null,
        item: formatFaults(faults),
      })
      assert.deepEqual(parseFaults(parseRoute(hash).item), faults)
    }),
  )
})

test("[W6] an address that somebody bent opens an empty simulation or what is left of it, and never throws", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      assert.ok(parseFaults(text).length <= FAULTS_MAX)
    }),
  )
  const good: Fault = { kind: "router", device: "a" }
  assert.deepEqual(parseFaults("router~a!router~!~b!bomb~c!link~x~y!interface~z!router~%E0%A4%A!router~a"), [good])
  assert.equal(parseFaults(Array.from({ length: 500 }, (_, at) => `link~${at}`).join("!")).length, FAULTS_MAX)
  assert.deepEqual(parseFaults(`router~${"x".repeat(201)}`), [])
})

test("[W6] a press fails, another mends; cut becomes drain; full is full", () => {
  const cut: Fault = { kind: "link", link: "l" }
  const drain: Fault = { kind: "drain", link: "l" }
  assert.deepEqual(toggled([], cut), [cut])
  assert.deepEqual(toggled([cut], cut), [])
  assert.deepEqual(toggled([cut], drain), [drain], "never both")
  assert.deepEqual(withFault([cut], cut), [cut])
  assert.ok(has([cut], drain))
  const full = Array.from({ length: FAULTS_MAX }, (_, at): Fault => ({ kind: "router", device: String(at) }))
  assert.equal(toggled(full, cut).length, FAULTS_MAX)
  fc.assert(
    fc.property(faultSet, anyFault, (faults, fault) => {
      fc.pre(!has(faults, fault))
      assert.deepEqual(toggled(toggled(faults, fault), fault), faults)
    }),
  )
})

const network = makeFixtureNetwork(60, 1, 0)
const twin = {
  ...network,
  nodeById: new Map(network.nodes.id.map((one, slot) => [one, slot])),
  linkById: new Map(network.links.id.map((one, slot) => [one, slot])),
} as unknown as TwinState
const ask = (faults: readonly Fault[]): WhatIfAnswer => {
  const route = makeWhatIf(network).table.find(([method, path]) => method === "POST" && path.test("/what-if"))
  assert.ok(route)
  const query = new URLSearchParams()
  return route[2]({ method: "POST", path: "/what-if", query, body: { faults }, user: "admin", ifMatch: null }, [])
    .body as WhatIfAnswer
}
const device = (slot: number) => network.nodes.id[slot] as string
const link = (slot: number) => network.links.id[slot] as string

test("[W6] what is assumed is drawn at once, what follows when the answer is there", () => {
  const site = network.sites.id[4] as string
  const faults: Fault[] = [
    { kind: "router", device: device(1) },
    { kind: "link", link: link(5) },
    { kind: "drain", link: link(6) },
    { kind: "site", site },
    { kind: "router", device: "gone" },
  ]
  const early = pictureOf(faults, null, twin)
  assert.ok(early.failedNodes.has(1))
  for (const slot of nodesAt(twin, site)) assert.ok(early.failedNodes.has(slot))
  assert.deepEqual([...early.failedLinks], [5])
  assert.deepEqual([...early.drained], [6])
  assert.equal(early.cutOff.size, 0)
  const told = ask(faults)
  const late = pictureOf(faults, told, twin)
  assert.ok(late.cutOff.size > 0)
  for (const slot of late.failedNodes) assert.ok(!late.cutOff.has(slot), "what failed is not drawn as cut off too")
  assert.equal(
    late.failedNodes.size + late.cutOff.size,
    new Set([...told.unreachable.map((one) => one.id), ...told.failed.devices.map((one) => one.id)]).size,
  )
  for (const slot of extentOf(late, twin)) assert.ok(slot < network.nodes.id.length)
  assert.deepEqual(told.failed.unknown, [{ kind: "router", device: "gone" }])
})

test("[W6] a link that fills both ways is drawn once, by its fuller direction, fullest last; unknown capacity is not drawn", () => {
  const told = ask([{ kind: "router", device: device(0) }])
  const row = (slot: number, afterBps: number, capacityBps: number | null, back = false): LoadShift => {
    const ends = [network.links.a[slot] as number, network.links.b[slot] as number]
    if (back) ends.reverse()
    const [from, to] = ends.map((end) => ({ id: device(end), name: "" })) as [
      { id: string; name: string },
      { id: string; name: string },
    ]
    return { link: { id: link(slot), name: "" }, from, to, beforeBps: 10, afterBps, carriedBps: 0, capacityBps }
  }
  const overloaded = [row(3, 140, 100), row(3, 170, 100, true), row(4, 120, 100), row(5, 900, null), row(6, 900, 0)]
  const { overloaded: drawn } = pictureOf([], { ...told, overloaded }, twin)
  assert.deepEqual(
    drawn.map(({ link: slot, after, before }) => [slot, after, before]),
    [
      [4, 120, 10],
      [3, 170, 10],
    ],
  )
  assert.equal(drawn[1]?.from, network.links.b[3])
  assert.equal(percentOf(1, null), null)
})

test("[W8] single points: the link that most routers hang on first, lost redundancy counted, nothing counted twice", () => {
  const row = (name: string, by: string | null, lostNow = false): SinglePoint => ({
    device: { id: name, name },
    site: { id: "s", name: "S" },
    link: by === null ? null : { id: by, name: by },
    byDevice: { id: "r", name: "R" },
    lostNow,
    why: "",
  })
  const points = pointsOf([row("a", "l1"), row("b", "l2", true), row("c", "l2"), row("d", null)])
  assert.deepEqual(
    points.map(({ name, routers, lostNow }) => [name, routers, lostNow]),
    [
      ["l2", ["b", "c"], 1],
      ["R", ["d"], 0],
      ["l1", ["a"], 0],
    ],
  )
  assert.deepEqual(pointsOf([{ ...row("e", null), byDevice: null }]), [])
})

test("[W8] CSV: a device's name is never a formula, unknown customers stay empty, quotes and line ends survive", () => {
  const candidate = (name: string): NextFailures["candidates"][number] => ({
    element: { kind: "router", id: "r1", name },
    devices: 3,
    sites: 2,
    customers: { count: null, measured: 0, estimated: 0, uncounted: 3, quality: "unknown" },
    overloaded: null,
    perYear: 0.2,
    score: 0,
    why: 'says "no",\nand more',
  })
  const text = rankingCsv({ candidates: [candidate('=HYPERLINK("http://evil")')] })
  assert.equal(
    text.split("\r\n")[1],
    `1,router,r1,"'=HYPERLINK(""http://evil"")",,unknown,2,3,,0.2,0,"says ""no"",\nand more"`,
  )
  fc.assert(
    fc.property(fc.string(), (name) => {
      const cell = rankingCsv({ candidates: [candidate(name)] })
        .split("\r\n")
        .slice(1)
        .join("\r\n")
        .slice("1,router,r1,".length)
      assert.ok(!/^"?[=+\-@\t]/.test(cell))
    }),
  )
})

test("[W8] the two ends of a question for paths come back from the address; what somebody bent is nobody", () => {
  const end = fc.option(id)
  fc.assert(
    fc.property(end, end, (from, to) => {
      const hash = formatRoute({
        screen: "whatif",
        tab: "paths",
        selection: null,
        camera: null,
        item: formatEnds({ from, to }),
      })
      assert.deepEqual(parseEnds(parseRoute(hash).item), { from, to })
    }),
  )
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void parseEnds(text)))
  const nobody = { from: null, to: null }
  for (const bent of [null, "", "~", "a~b~c", `${"x".repeat(201)}~%E0%A4%A`]) assert.deepEqual(parseEnds(bent), nobody)
})

test("[W8] a way is drawn hop by hop; a device that the twin does not have takes its hops with it", () => {
  const state = {
    nodeById: new Map([
      ["a", 0],
      ["b", 1],
      ["c", 2],
    ]),
  } as unknown as TwinState
  const path = (...names: string[]) => ({ cost: 1, devices: names.map((name) => ({ id: name, name })), links: [] })
  assert.deepEqual(drawnPath(path("a", "c", "b"), state), {
    hops: [
      [0, 2],
      [2, 1],
    ],
    nodes: [0, 2, 1],
  })
  assert.deepEqual(drawnPath(path("a", "x", "b", "c"), state), { hops: [[1, 2]], nodes: [0, 1, 2] })
})
