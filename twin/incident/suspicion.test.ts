/** What is remembered of a suspicion is what would be made of it anew: places, words, evidence and its times. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { desk, hot, linkDown, stars } from "#twin/incident/incident.fixture.ts"
import type { Desk } from "#twin/incident/incident.fixture.ts"
import { explained } from "#twin/incident/sight.ts"
import { spotOf } from "#twin/incident/spot.ts"
import { causeState, membersOf, suspicionOf, titleOf } from "#twin/incident/suspicion.ts"
import type { Candidate } from "#twin/rca/explain.ts"
import type { Symptoms } from "#twin/rca/symptoms.ts"

const NET = stars({ s2: 3, s3: 3 })
const NAMES = NET.devices.map(({ name }) => name)
const PORTS = NET.links.flatMap(({ a, b }) =>
  [a, b].map(({ device, interface: port }) => `${device.slice("id-".length)}:${port}`),
)

const saidOf = (symptoms: Symptoms, { world }: Desk, candidate: Candidate) => {
  const { topology } = world
  const suspicion = suspicionOf(symptoms, topology, candidate)
  return {
    suspicion,
    spots: [...candidate.explained, ...candidate.absent, ...candidate.awaited].map((id) =>
      spotOf(symptoms, topology, id),
    ),
    title: titleOf(symptoms, topology, candidate),
    members: membersOf(symptoms, topology, suspicion),
    primary: causeState(symptoms, topology, suspicion, "primary"),
    contributing: causeState(symptoms, topology, suspicion, "contributing"),
  }
}

/** Of every candidate, asked as often as there are evaluations; returns how many were asked before. */
const compare = (net: Desk, asked: WeakSet<Candidate>): number => {
  const { sight } = net.world.desk
  if (sight === null || sight.isPartial) return 0
  const { candidates } = explained(sight)
  const { symptoms } = sight
  let again = 0
  for (const candidate of candidates) {
    // Nobody knows this object: everything is made anew.
    assert.deepEqual(saidOf(symptoms, net, candidate), saidOf({ ...symptoms }, net, candidate))
    again += Number(asked.has(candidate))
    asked.add(candidate)
  }
  return again
}

interface Round {
  readonly silent: readonly string[]
  readonly down: readonly string[]
  readonly trap: string | null
  readonly hot: string | null
}
const rounds: fc.Arbitrary<readonly Round[]> = fc.array(
  fc.record({
    silent: fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: 3 }),
    down: fc.uniqueArray(fc.constantFrom(...PORTS), { maxLength: 4 }),
    trap: fc.option(fc.constantFrom(...PORTS)),
    hot: fc.option(fc.constantFrom(...NAMES)),
  }),
  { minLength: 1, maxLength: 12 },
)

test("[I9] in any run of faults each cause has the words, places and times that it would have if nobody had asked before", () => {
  fc.assert(
    fc.property(rounds, (all) => {
      const net = desk(NET)
      const asked = new WeakSet<Candidate>()
      for (const [i, { silent, down, trap, hot: warm }] of all.entries()) {
        const second = 1 + 10 * i
        net.round(second, silent, down)
        compare(net, asked)
        const [name, port] = trap?.split(":") ?? []
        if (name !== undefined && port !== undefined) net.apply(linkDown(name, port, second + 3))
        if (warm !== null) net.apply(hot(warm, second + 4, 90))
        net.tick(second + 6)
        compare(net, asked)
      }
    }),
    { numRuns: 30 },
  )
})

test("[I9] evidence against a cause is read again and again: its words stay, its time is that of the newest reading", () => {
  const net = desk(NET)
  const asked = new WeakSet<Candidate>()
  for (const second of [1, 11, 21]) net.round(second)
  // It is silent, one neighbour's port is down, and the other's is up.
  for (const second of [31, 41, 51, 61, 71, 81, 91]) {
    net.round(second, ["s2-1"], ["c1:s2-1"])
    net.tick(second + 5)
    compare(net, asked)
  }
  const { sight } = net.world.desk
  const [candidate] = sight === null ? [] : explained(sight).candidates
  assert.ok(sight !== null && candidate !== undefined && candidate.absent.length > 0)
  const against = () => {
    const suspicion = suspicionOf(sight.symptoms, net.world.topology, candidate)
    return causeState(sight.symptoms, net.world.topology, suspicion, "primary").evidence.find(
      ({ standing }) => standing === "against",
    )
  }
  const before = against()
  const id = candidate.absent[0] as number
  sight.symptoms.board.atMs[id] = (sight.symptoms.board.atMs[id] as number) + 7
  assert.deepEqual(against(), { ...before, atMs: (before?.atMs ?? 0) + 7 })
})

test("[I9] a lasting fault is the same candidate evaluation after evaluation, and its suspicion the same object", () => {
  const net = desk(NET)
  const asked = new WeakSet<Candidate>()
  for (const second of [1, 11, 21]) net.round(second)
  for (let second = 31; second < 91; second += 10) net.round(second, ["s3-2"], ["c1:s3-2", "c2:s3-2"])
  let again = 0
  for (let second = 91; second < 151; second += 10) {
    net.round(second, ["s3-2"], ["c1:s3-2", "c2:s3-2"])
    net.tick(second + 5)
    again += compare(net, asked)
  }
  assert.ok(again >= 3, `${again} times one that was asked before`)
  const { sight } = net.world.desk
  const [candidate] = sight === null ? [] : explained(sight).candidates
  assert.ok(sight !== null && candidate !== undefined)
  const { topology } = net.world
  assert.equal(suspicionOf(sight.symptoms, topology, candidate), suspicionOf(sight.symptoms, topology, candidate))
  assert.notEqual(
    suspicionOf(sight.symptoms, topology, candidate),
    suspicionOf({ ...sight.symptoms }, topology, candidate),
  )
})

test("[I9] what is open is named in words: what fits as well, and what would decide it", () => {
  const net = desk(NET)
  for (const second of [1, 11, 21]) net.round(second)
  // It is silent, and one of its two neighbours says that the port to it is down: the other one would know.
  net.round(31, ["s2-1"], ["c1:s2-1"])
  net.tick(33)
  const [cause] = net.one().causes
  assert.match(cause?.because ?? "", /; next best: .+; to decide: (ping|read) .+\.$/)
})

test("[I9] a router behind one link, and that link, are named as either; its uptime will tell", () => {
  const one = { ...NET, links: NET.links.filter(({ id }) => id !== "s2-1-2") }
  const net = desk(one)
  for (const second of [1, 11, 21]) net.round(second)
  for (const second of [31, 41]) net.round(second, ["s2-1"], ["c1:s2-1"])
  net.tick(43)
  const { title, causes } = net.one()
  assert.match(title, /^The router s2-1, or the link |^The link .+, or the router s2-1$/)
  assert.match(causes[0]?.because ?? "", /; 2 elements would look the same; the uptime of s2-1 will tell;/)
})
