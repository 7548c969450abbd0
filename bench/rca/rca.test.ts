/** The benchmark itself: that its truth is the devices' truth, its grades are right, and it reads topologies it never saw. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { dice } from "#lab/isp/random.ts"
import { graphmlWorld, readGraphml } from "#bench/rca/graphml.ts"
import { coverage, FAULT_CLASSES, incidentAt } from "#bench/rca/incidents.ts"
import type { Incident } from "#bench/rca/incidents.ts"
import { BASELINES } from "#bench/rca/methods.ts"
import { runTopology } from "#bench/rca/run.ts"
import { calibrationError, grade, newTally, resultOf } from "#bench/rca/score.ts"
import { riskGroups, sharedRisk } from "#bench/rca/shared-risk.ts"
import { CLEAN, cleanRound, coverageOf, isWatched, NOISY, noisyRound } from "#bench/rca/simulate.ts"
import { ownWorld } from "#bench/rca/world.ts"
import type { World } from "#bench/rca/world.ts"

/** 0 - 1 - 2 - 0 a ring, 3 behind 2, upstream 4 behind 1; 0 polls, 0 reflects to 3. */
const WORLD: World = {
  name: "small",
  nodes: [
    { name: "A", role: "rr", site: 0 },
    { name: "B", role: "edge", site: 1 },
    { name: "C", role: "agg", site: 2 },
    { name: "D", role: "access", site: 3 },
    { name: "U", role: "upstream", site: 4 },
  ],
  links: [
    { a: 0, b: 1, ospf: true, lit: false },
    { a: 1, b: 2, ospf: true, lit: false },
    { a: 2, b: 0, ospf: true, lit: true },
    { a: 2, b: 3, ospf: true, lit: false },
    { a: 1, b: 4, ospf: false, lit: false },
  ],
  sites: ["A", "B", "C", "D", "U"],
  sessions: [
    { a: 3, b: 0, link: -1 },
    { a: 1, b: 4, link: 4 },
  ],
  groups: [[0, 1]],
  around: [[0, 2], [0, 1, 4], [1, 2, 3], [3], [4]],
  vantages: [[0], [1]],
}
const ALL = coverageOf(WORLD, CLEAN, dice(1, "test"))
const alarms = (type: Parameters<typeof cleanRound>[2][number]["type"], index: number): readonly string[] =>
  [...cleanRound(WORLD, ALL, [{ type, index }], 1).alarms].toSorted()

test("truth: a redundant cut shows at its ends only; a dead leaf silences itself and its session", () => {
  assert.deepEqual(alarms("cut", 0), ["ospf 0", "ospf 1", "port 0", "port 1"])
  const leaf = ["answer 3", "bgp 1", "ospf 6", "ping 3", "ping 8", "port 6"]
  assert.deepEqual(alarms("power", 3), leaf)
  assert.deepEqual(alarms("cut", 3), leaf)
  assert.deepEqual(alarms("site", 3), leaf)
})

test("truth: a lit port stays up though its far router is dead; OSPF knows", () => {
  const seen = alarms("power", 2)
  assert.ok(!seen.includes("port 5"))
  assert.ok(seen.includes("ospf 5"))
  // C is not there to say anything, and D is cut off by it.
  assert.deepEqual(
    seen.filter((one) => one === "port 4" || one === "ospf 6" || one === "answer 3"),
    ["answer 3"],
  )
})

test("truth: BGP alone, a duct, an upstream, congestion and flapping", () => {
  assert.deepEqual(alarms("bgp", 0), ["bgp 0", "bgp 1"])
  // The second vantage point stands on the far side: it loses everybody else.
  const duct = ["answer 1", "ospf 0", "ospf 3", "ping 1", "ping 4", "ping 5", "ping 7", "ping 8", "port 0", "port 3"]
  assert.deepEqual(alarms("duct", 0), duct)
  assert.ok(alarms("upstream", 4).includes("bgp 2"))
  assert.deepEqual(
    alarms("congestion", 0).filter((one) => one.startsWith("hot")),
    ["hot 0", "hot 1"],
  )
  assert.equal(alarms("congestion", 0).filter((one) => one.startsWith("queue")).length, 1)
  assert.deepEqual(
    alarms("flap", 0).filter((one) => one.startsWith("flap")),
    ["flap 0", "flap 1"],
  )
})

test("noise loses, invents and ages reports as often as it says, and never invents what nobody watches", () => {
  const world = ownWorld(300, 5)
  const cover = coverage(world, NOISY, 5)
  const whole = { alarms: new Set(Array.from({ length: 400 }, (_, l) => `port ${2 * l}`)), outdated: new Set<number>() }
  const noise = { ...NOISY, skew: 0, spurious: 0 }
  let kept = 0
  for (let n = 0; n < 20; n++) kept += noisyRound(world, cover, whole, noise, dice(n, "loss")).alarms.size
  assert.ok(Math.abs(kept / 8000 - 0.9) < 0.02, String(kept))
  for (let n = 0; n < 20; n++) {
    const { alarms: heard } = noisyRound(
      world,
      cover,
      { alarms: new Set(), outdated: new Set() },
      NOISY,
      dice(n, "spurious"),
    )
    for (const one of heard) assert.ok(isWatched(world, cover, one), one)
  }
  const { outdated } = noisyRound(world, cover, whole, NOISY, dice(1, "skew"))
  assert.ok(outdated.size > 10 && outdated.size < 60)
})

test("incidents are equal for equal seeds, of every class, and labelled with what can be seen", () => {
  const world = ownWorld(132, 3)
  const cover = coverage(world, CLEAN, 3)
  const classes = new Set<string>()
  for (let number = 0; number < 2 * FAULT_CLASSES.length; number++) {
    const one = incidentAt(world, cover, CLEAN, 3, number)
    assert.deepEqual(one, incidentAt(world, cover, CLEAN, 3, number))
    if (one === null) continue
    classes.add(one.fault)
    assert.equal(one.label.detection, one.fault !== "healthy")
    assert.equal(one.label.localization.length, one.fault === "healthy" ? 0 : one.fault === "two-at-once" ? 2 : 1)
    for (const [i, element] of one.label.localization.entries()) assert.ok(one.classes[i]?.has(element))
    if (one.label.detection) assert.ok(one.round.alarms.size > 0)
  }
  assert.deepEqual([...classes].toSorted(), [...FAULT_CLASSES].toSorted())
})

const incident = (localization: readonly string[], classes: ReadonlyArray<readonly string[]>): Incident => ({
  fault: localization.length === 0 ? "healthy" : "link-cut",
  label: { detection: localization.length > 0, localization, type: [] },
  classes: classes.map((one) => new Set(one)),
  cover: ALL,
  round: { alarms: new Set(), outdated: new Set() },
  clean: { alarms: new Set(), outdated: new Set() },
})

test("grades: strict wants the element, class-aware one that looks like it, and each truth pays once", () => {
  const tally = newTally()
  const twins = incident(["link:1"], [["link:1", "router:1"]])
  assert.deepEqual(
    grade(
      tally,
      twins,
      [
        { element: "router:1", confidence: 0.9 },
        { element: "link:1", confidence: 0.6 },
      ],
      1,
    ),
    [false, true],
  )
  grade(tally, twins, [{ element: "router:1", confidence: 0.8 }], 3)
  grade(tally, incident([], []), [{ element: "link:9", confidence: 0.7 }], 2)
  const result = resultOf(tally)
  assert.deepEqual(result.strict, { p: 0.25, r: 0.5, f1: 0.3333 })
  assert.deepEqual(result.class, { p: 0.5, r: 1, f1: 0.6667 })
  assert.equal(result.falsePerHealthyRound, 1)
  assert.equal(result.rootsPerIncident, 1.5)
  assert.equal(result.msP50, 2)
  assert.equal(result.brier, Math.round(((0.9 ** 2 + 0.4 ** 2 + 0.2 ** 2 + 0.7 ** 2) / 4) * 1e4) / 1e4)
})

test("calibration error: nothing when confidence is frequency, the gap when it is not", () => {
  const judged = (confidence: number, right: number, count: number) =>
    Array.from({ length: count }, (_, n) => ({ confidence, right: n < right }))
  assert.ok(calibrationError([...judged(0.8, 8, 10), ...judged(0.3, 3, 10)]) < 1e-9)
  assert.ok(Math.abs(calibrationError(judged(0.9, 5, 10)) - 0.4) < 1e-9)
})

test("baselines: parents suppress what is behind, and only port alerts see a redundant cut", () => {
  const answers = (
    name: string,
    type: Parameters<typeof cleanRound>[2][number]["type"],
    index: number,
  ): readonly string[] =>
    (
      BASELINES.find((one) => one.name === name)?.prepare(WORLD, ALL)(cleanRound(WORLD, ALL, [{ type, index }], 1)) ??
      []
    )
      .map(({ element }) => element)
      .toSorted()
  assert.deepEqual(answers("allParents", "power", 2), ["router:2"])
  assert.deepEqual(answers("singleParent", "cut", 0), [])
  assert.deepEqual(answers("parentsAndPorts", "cut", 0), ["link:0"])
  assert.deepEqual(answers("greedyCover", "cut", 0), ["link:0"])
  assert.ok(answers("none", "power", 2).length > 2)
})

const GRAPHML = `<?xml version='1.0'?><!-- <node id="ghost"/> -->
<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><key id="d0" for="node" attr.name="label" attr.type="string"/>
<key id='d1' for='node' attr.name='Latitude'/><key id='d2' for='node' attr.name='Longitude'/>
<graph edgedefault="directed">
<node id="n&#48;"><data key="d0">A &amp; B</data><data key="d1">1.5</data><data key="d2">2</data></node>
<node id="n1"><data key="d0"><![CDATA[<C>]]></data><data key="d1">1.5</data><data key="d2">2</data></node>
<node id="2"/><node id='x y'/><node id="lonely"/><node id="i1"/><node id="i2"/>
<edge source="n0" target="n1"/><edge source="n1" target="n0"/><edge source="n1" target="2"><data key="d0">no name</data></edge>
<edge source="2" target="x y"/><edge source="2" target="x y"/><edge source="n0" target="2" directed="false"/>
<edge source="2" target="2"/><edge source="2" target="nowhere"/><edge source="i1" target="i2"/>
</graph></graphml>`

test("[7.5] GraphML of any make: ids of all sorts, directions, parallel edges, islands, names, no names, no places", () => {
  const raw = readGraphml(GRAPHML)
  assert.deepEqual(
    raw.nodes.map(({ id }) => id),
    ["n0", "n1", "2", "x y", "lonely", "i1", "i2"],
  )
  const world = graphmlWorld("test", GRAPHML, 1)
  assert.deepEqual(
    world.nodes.slice(0, 4).map(({ name }) => name),
    ["A & B", "<C>", "2", "x y"],
  )
  // Two arrows one cable; the parallel pair stays two; self-loops and unknown ends are dropped.
  const between = (a: number, b: number) =>
    world.links.filter((one) => (one.a === a && one.b === b) || (one.a === b && one.b === a)).length
  assert.deepEqual(
    [between(0, 1), between(1, 2), between(2, 3), between(0, 2), between(2, 2), between(5, 6)],
    [1, 1, 2, 1, 0, 1],
  )
  assert.equal(world.nodes[0]?.site, world.nodes[1]?.site)
  assert.notEqual(world.nodes[2]?.site, world.nodes[3]?.site)
  assert.ok(world.nodes.some(({ role }) => role === "rr"))
  assert.ok(world.vantages.flat().every((node) => node < 4))
  assert.throws(() => graphmlWorld("empty", "<graphml/>", 1), /^Error: empty: no GraphML/)
  const run = runTopology(world, NOISY, 101, 13)
  assert.ok(run.incidents > 0)
})

test("[I9] same seed, same result; another seed, another; no false cause on healthy rounds", () => {
  const world = ownWorld(60, 42)
  const [one, two] = [runTopology(world, NOISY, 42, 39), runTopology(world, NOISY, 42, 39)]
  assert.equal(one.hash, two.hash)
  assert.notEqual(one.hash, runTopology(world, NOISY, 43, 39).hash)
  const twin = resultOf(one.tallies.get("twin") ?? newTally())
  assert.equal(twin.falsePerHealthyRound, 0)
  assert.ok((twin.class.f1 ?? 0) >= 0.85, String(twin.class.f1))
})

test("shared risk: groups are distinct sets of two links and more; probing is never worse than not asking", () => {
  const groups = riskGroups(ownWorld(132, 1))
  assert.equal(new Set(groups.map((group) => group.join())).size, groups.length)
  assert.ok(groups.every((group) => group.length >= 2))
  const { exact, hash } = sharedRisk(77, 2, () => undefined)
  assert.ok(exact.twin_probing >= exact.twin_passive)
  assert.equal(hash, sharedRisk(77, 2, () => undefined).hash)
})
