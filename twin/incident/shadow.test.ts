/** What a cause takes along is the same whether somebody asked before or not, and is not named again while it is the same. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { desk, stars } from "#twin/incident/incident.fixture.ts"
import { explained } from "#twin/incident/sight.ts"
import type { Sight } from "#twin/incident/sight.ts"
import { shadowOf, showsOf } from "#twin/incident/shadow.ts"
import { suspicionOf } from "#twin/incident/suspicion.ts"
import type { Suspicion } from "#twin/incident/suspicion.ts"
import type { Candidate } from "#twin/rca/explain.ts"

const NET = stars({ s2: 3, s3: 3 })
const NAMES = NET.devices.map(({ name }) => name)

const rounds = fc.array(fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: 4 }), { minLength: 1, maxLength: 10 })

/** Orders of silence are given in the order of the places: it is part of what is decided. */
const inOrder = ({ silent, links, predicted, slots, alarms, own }: Suspicion) => ({
  silent: [...silent],
  links: [...links],
  predicted: [...predicted],
  slots,
  alarms,
  own,
})

const causesOf = (sight: Sight | null): readonly Candidate[] =>
  sight === null || sight.isPartial ? [] : explained(sight).candidates

test("[I9] places come in the order in which they would come if nobody had asked before", () => {
  fc.assert(
    fc.property(rounds, (all) => {
      const net = desk(NET)
      for (const [i, silent] of all.entries()) {
        net.round(1 + 10 * i, silent, [])
        const { sight } = net.world.desk
        for (const candidate of causesOf(sight)) {
          const { symptoms } = sight as Sight
          const { topology } = net.world
          const known = suspicionOf(symptoms, topology, candidate)
          assert.deepEqual(inOrder(known), inOrder(suspicionOf({ ...symptoms }, topology, candidate)))
        }
      }
    }),
    { numRuns: 60 },
  )
})

test("[I9] the routers of a cause are those of its alarms, of its places and those that it silences, each once", () => {
  const net = desk(NET)
  net.round(1, [], [])
  net.round(11, NAMES.slice(0, 3), [])
  const { sight } = net.world.desk
  const candidates = causesOf(sight)
  assert.ok(candidates.length > 0)
  const { topology } = net.world
  for (const candidate of candidates) {
    const { slots, silent, alarms, predicted } = suspicionOf((sight as Sight).symptoms, topology, candidate)
    const all = new Set([...silent, ...alarms.map(({ slot }) => slot)])
    for (const place of predicted)
      all.add(topology.deviceSlot.get(place.slice(0, place.indexOf(" ")) as never) as number)
    assert.deepEqual(
      slots,
      [...all].sort((x, y) => x - y),
    )
  }
})

test("[I9] a candidate that comes out the same shows where it did, another one does not", () => {
  const net = desk(NET)
  net.round(1, [], [])
  net.round(11, NAMES.slice(0, 3), [])
  const { topology } = net.world
  const sight = net.world.desk.sight as Sight
  const candidate = causesOf(sight).find((one) => one.explained.length > 1) as Candidate
  const shadow = shadowOf(sight.symptoms, topology, candidate.cause)
  const shows = showsOf(sight.symptoms, topology, candidate, shadow)
  assert.ok(shows.alarms.length > 1)
  assert.equal(shadowOf(sight.symptoms, topology, candidate.cause), shadow)
  const again = { ...candidate, explained: [...candidate.explained], awaited: [...candidate.awaited] }
  assert.equal(showsOf(sight.symptoms, topology, again, shadow), shows)
  for (const other of [
    { ...candidate, explained: candidate.explained.slice(1) },
    { ...candidate, explained: candidate.explained.toReversed() },
    { ...candidate, absent: [candidate.explained[0] as number, ...candidate.absent] },
    { ...candidate, awaited: [candidate.explained[0] as number, ...candidate.awaited] },
  ]) {
    const before = showsOf(sight.symptoms, topology, candidate, shadow)
    const its = showsOf(sight.symptoms, topology, other, shadow)
    assert.notEqual(its, before)
    assert.deepEqual(
      its.alarms.map(({ id }) => id),
      other.explained,
    )
  }
})
