/** Two faults that have nothing to do with each other are two incidents, however near in time and place (PRODUCT.md I8). */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import type { IncidentView } from "#protocol/incident.ts"
import { HOLD_MS } from "#twin/incident/correlate.ts"
import { desk, hot, linkDown, stars } from "#twin/incident/incident.fixture.ts"
import type { Desk } from "#twin/incident/incident.fixture.ts"

const HOLD_S = HOLD_MS / 1000

const healthy = (): Desk => {
  const net = desk(stars({ s2: 3, s3: 3 }))
  for (const second of [1, 11, 21]) net.round(second)
  return net
}
/** Ends of the first or second link of an access router. */
const ends = (name: string, way: 1 | 2): readonly string[] => [`${name}:u${way}`, `c${way}:${name}`]
const causesOf = ({ causes }: IncidentView): readonly string[] =>
  causes.filter(({ rank }) => rank === "primary").map(({ members }) => members.map(({ id }) => id).join("|"))
const naming = (net: Desk, id: string): IncidentView => {
  const found = net.incidents().filter((one) => causesOf(one).includes(id))
  assert.equal(found.length, 1, `${id} is named by ${found.length} of ${net.incidents().map(causesOf).join("; ")}`)
  return found[0] as IncidentView
}
const lasting = (one: IncidentView): readonly string[] =>
  [...new Set(one.symptoms.map(({ deviceName, entity }) => `${deviceName} ${entity}`))].toSorted()

describe("[I8] a fault beside an incident that recovers", () => {
  /** s2-1 dies at 31, answers at 41, and is recovering at 43. */
  const mended = (): Desk => {
    const net = healthy()
    net.round(31, ["s2-1"], ["c1:s2-1", "c2:s2-1"])
    net.tick(33)
    net.round(41)
    net.tick(43)
    assert.equal(naming(net, "id-s2-1").state, "recovering")
    return net
  }

  test("is an incident of its own at once, by trap, and the recovering one goes on recovering", () => {
    const net = mended()
    net.apply(linkDown("s2-1", "u2", 60), linkDown("c2", "s2-1", 60.1))
    net.tick(61.5)
    const second = naming(net, "s2-1-2")
    assert.equal(naming(net, "id-s2-1").state, "recovering")
    assert.equal(net.said.filter((line) => line.endsWith(" opened")).length, 2)
    assert.deepEqual(lasting(second), ["c2 if:s2-1", "s2-1 if:u2"])
  })

  test("closes with its own end: the first is closed after its own five minutes, though the second lasts", () => {
    const net = healthy()
    net.round(31, [], ends("s2-1", 1))
    net.tick(33)
    for (let second = 41; second < 400; second += 10) net.round(second, [], second < 61 ? [] : ends("s2-1", 2))
    net.tick(401)
    assert.deepEqual([naming(net, "s2-1-1").state, naming(net, "s2-1-2").state], ["closed", "open"])
  })

  test("is one of its own at once although an alert of the first still lasts, and the first keeps that alert", () => {
    const net = healthy()
    net.round(31, ["s2-1"], ["c1:s2-1", "c2:s2-1"])
    net.apply(hot("c1", 35, 90))
    net.round(41)
    net.tick(43)
    assert.equal(naming(net, "id-s2-1").state, "open", "c1 is still hot")
    net.apply(linkDown("s2-1", "u2", 60), linkDown("c2", "s2-1", 60.1))
    net.tick(61.5)
    assert.deepEqual(lasting(naming(net, "s2-1-2")), ["c2 if:s2-1", "s2-1 if:u2"])
    assert.ok(lasting(naming(net, "id-s2-1")).includes("c1 "))
  })

  test("an alert at the very place that the incident showed is still of that incident", () => {
    const net = mended()
    net.apply(hot("s2-1", 50, 90))
    net.tick(52)
    assert.equal(net.one().state, "open")
  })

  test("a critical alert without a cause that begins after the recovery opens one, too", () => {
    const net = mended()
    net.apply(hot("c1", 50, 90))
    net.tick(52)
    assert.equal(naming(net, "id-s2-1").state, "recovering")
    const unknown = net.incidents().find(({ causes }) => causes.length === 0)
    assert.deepEqual([unknown?.alerts, unknown?.state], [1, "open"])
  })

  test("the same element again is the same incident", () => {
    const net = healthy()
    net.round(31, [], ends("s2-1", 1))
    net.tick(33)
    net.round(41)
    net.tick(43)
    net.round(51, [], ends("s2-1", 1))
    net.tick(53)
    assert.equal(net.one().state, "open")
  })
})

describe("[I8] a fault beside an incident that lasts", () => {
  test("waits, lest it is the same one, and is then one of its own with its own alerts; the first ends alone", () => {
    const net = healthy()
    net.round(31, [], ends("s2-1", 1))
    net.tick(33)
    const both = [...ends("s2-1", 1), ...ends("s2-2", 1)]
    net.apply(linkDown("s2-2", "u1", 61), linkDown("c1", "s2-2", 61.1))
    net.tick(63)
    assert.deepEqual(causesOf(net.one()), ["s2-1-1"])
    for (let second = 71; second < 71 + HOLD_S + 10; second += 10) net.round(second, [], both)
    net.tick(72 + HOLD_S + 10)
    assert.deepEqual(lasting(naming(net, "s2-2-1")), ["c1 if:s2-2", "s2-2 if:u1"])
    assert.ok(naming(net, "s2-1-1").symptoms.every(({ explainedBy }) => explainedBy === 0))
    net.round(111, [], ends("s2-2", 1))
    net.tick(113)
    assert.deepEqual([naming(net, "s2-1-1").state, naming(net, "s2-2-1").state], ["recovering", "open"])
  })

  test("what stood in the first for being near goes to the second when that explains it", () => {
    const net = healthy()
    net.round(31, [], ends("s2-1", 1))
    net.tick(33)
    // Its silence comes alone first: a critical alert beside a young incident, with nothing that says why.
    net.apply(hot("s2-2", 40, 90))
    net.tick(42)
    const stray = (): boolean => naming(net, "s2-1-1").symptoms.some(({ deviceName }) => deviceName === "s2-2")
    assert.ok(stray())
    const down = [...ends("s2-1", 1), "c1:s2-2", "c2:s2-2"]
    for (let second = 51; second < 90; second += 10) net.round(second, ["s2-2"], down)
    net.tick(92)
    const second = naming(net, "id-s2-2")
    assert.ok(second.symptoms.some(({ deviceName, entity }) => deviceName === "s2-2" && entity === ""))
    const left = naming(net, "s2-1-1").timeline.some(({ text }) => text.endsWith(`to incident ${second.id}`))
    assert.ok(left, "the first says where it went")
    net.round(101, ["s2-2"], ["c1:s2-2", "c2:s2-2"])
    net.tick(103)
    assert.equal(naming(net, "s2-1-1").state, "recovering")
  })
})

interface Breaks {
  readonly id: string
  readonly router: string
  readonly silent: readonly string[]
  readonly down: readonly string[]
}
const BREAKABLE: readonly Breaks[] = ["s2-1", "s2-2", "s3-1"].flatMap((router) => [
  { id: `id-${router}`, router, silent: [router], down: [`c1:${router}`, `c2:${router}`] },
  ...([1, 2] as const).map((way) => ({ id: `${router}-${way}`, router, silent: [], down: ends(router, way) })),
])

test("[I8] any two faults any time apart, mended or not: each has an incident that names it alone", () => {
  fc.assert(
    fc.property(
      fc.shuffledSubarray([...BREAKABLE], { minLength: 2, maxLength: 2 }),
      fc.integer({ min: 0, max: 12 }),
      // What ends while it waits leaves its alerts and no incident.
      fc.integer({ min: Math.ceil(HOLD_S / 10) + 1, max: 12 }),
      (pair, after, lasts) => {
        const [one, two] = pair as [Breaks, Breaks]
        // Two faults of one router at one moment look like its end, two dead routers of a site like that of its power.
        const isOneThing = (of: (one: Breaks) => string): boolean => of(one) === of(two)
        const isSite = one.silent.length + two.silent.length === 2 && isOneThing(({ router }) => router.slice(0, 2))
        fc.pre((!isOneThing(({ router }) => router) && !isSite) || after > lasts)
        // One that begins in the very poll in which the other ends reads as a change of its cause (docs/incidents.md).
        fc.pre(after !== lasts)
        const net = healthy()
        const rounds = after + lasts + 6
        for (let i = 0; i < rounds; i++) {
          const broken = [...(i < lasts ? [one] : []), ...(i >= after ? [two] : [])]
          net.round(
            31 + 10 * i,
            broken.flatMap(({ silent }) => silent),
            broken.flatMap(({ down }) => down),
          )
        }
        net.tick(31 + 10 * rounds)
        const incidents = [naming(net, one.id), naming(net, two.id)]
        assert.notEqual(incidents[0]?.id, incidents[1]?.id)
        for (const { symptoms } of incidents) assert.ok(symptoms.every(({ explainedBy }) => explainedBy === 0))
      },
    ),
    { numRuns: 60 },
  )
})
