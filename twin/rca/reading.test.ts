/** What a reading says, until when it holds, and that reading again what holds is reading anew. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { plainCells } from "#twin/cells.ts"
import { device, inventory, link, poll, ports, silence, trap } from "#twin/inventory.fixture.ts"
import { at, FIRST, history, network } from "#twin/network.fixture.ts"
import type { Network } from "#twin/network.fixture.ts"
import { ALARM, CLEAR, observable, observe, UNKNOWN } from "#twin/rca/board.ts"
import type { Board } from "#twin/rca/board.ts"
import { confirm } from "#twin/rca/probe.ts"
import { holds, put, readingOf } from "#twin/rca/reading.ts"
import type { Reading } from "#twin/rca/reading.ts"
import { rememberedBy } from "#twin/rca/remembered.ts"
import { refresh, symptomsOf } from "#twin/rca/symptoms.ts"
import type { Symptoms } from "#twin/rca/symptoms.ts"
import { newWorld, runRound } from "#twin/round.ts"

const pair = (): Network =>
  network(inventory([device("r1", { sources: ["snmp", "probe"] }), device("r2")], [link("l1", "r1:ether1 r2:ether1")]))

const readableOf = ({ world, cells }: Network, slot: number) => {
  const state = cells.routers.state(slot)
  return { state, events: rememberedBy(world)(state.config.device), linkOf: cells.links.state }
}

const readingIn = (one: Network, slot: number, { board, structure }: Symptoms): Reading =>
  readingOf(readableOf(one, slot), board, structure, one.world.topology, one.world.atMs)

const said = ({ ids, seen, atMs }: Reading, board: Board, kind: string, index: number) => {
  const i = ids.lastIndexOf(observable(board, kind, index))
  return i < 0 ? null : [seen[i], atMs[i]]
}

test("[I9] ports, answers and neighbours are said with the time of the reading, alarms with that of their beginning", () => {
  const one = pair()
  one.apply(ports("r1", at(1), { ether1: true }), ports("r2", at(2), { ether1: true }))
  const symptoms = symptomsOf(one.world, one.cells)
  const { board } = symptoms
  const well = readingIn(one, 0, symptoms)
  assert.deepEqual(said(well, board, "port", 0), [CLEAR, at(1)])
  assert.deepEqual(said(well, board, "answer", 0), [CLEAR, at(1)])
  assert.deepEqual(said(well, board, "ping", 0), [UNKNOWN, 0])
  assert.deepEqual(said(well, board, "flap", 0), [CLEAR, 0])
  assert.equal(said(well, board, "port", 1), null, "the other end is the other's")
  one.apply(trap("r1", at(5), { ifName: "ether1" }), ports("r1", at(11), { ether1: false }))
  assert.deepEqual(said(readingIn(one, 0, symptoms), board, "port", 0), [ALARM, at(5)])
})

test("[I9] three downs in ten minutes flap, and the reading holds until the third last of them is ten minutes old", () => {
  const one = pair()
  for (let s = 0; s < 3; s++)
    one.apply(ports("r1", at(20 * s), { ether1: true }), ports("r1", at(20 * s + 10), { ether1: false }))
  const symptoms = symptomsOf(one.world, one.cells)
  const reading = readingIn(one, 0, symptoms)
  assert.deepEqual(said(reading, symptoms.board, "flap", 0), [ALARM, at(50)])
  assert.equal(reading.untilMs, at(10) + 600_000)
  const readable = readableOf(one, 0)
  assert.equal(holds(reading, readable, reading.untilMs - 1), true)
  assert.equal(holds(reading, readable, reading.untilMs), false)
})

test("[I9] it holds while nothing of it is news: not after a poll, an event, or what its link has come to believe", () => {
  const one = pair()
  one.apply(ports("r1", at(1), { ether1: true }), ports("r2", at(2), { ether1: true }))
  const symptoms = symptomsOf(one.world, one.cells)
  const reading = readingIn(one, 0, symptoms)
  const nowMs = one.world.atMs
  assert.equal(holds(reading, readableOf(one, 0), nowMs), true)
  assert.equal(holds(reading, { ...readableOf(one, 0), events: [] as never[] }, nowMs), false)
  const down = { ...one.cells.links.state(0), downSinceMs: at(1) }
  assert.equal(holds(reading, { ...readableOf(one, 0), linkOf: () => down }, nowMs), false)
  const judged = { ...readableOf(one, 0).state, judgement: null }
  assert.equal(holds(reading, { ...readableOf(one, 0), state: judged }, nowMs), true, "judgement is not read")
  const read = readableOf(one, 0)
  const { config, sources, ends, adjacencies } = read.state
  for (const other of [
    { config: { ...config } },
    { sources: [...sources] },
    { ends: [...ends] },
    { adjacencies: [...adjacencies] },
    { reachable: null },
    { reachableSinceMs: 1 },
    { bootMs: 1 },
  ])
    assert.equal(holds(reading, { ...read, state: { ...read.state, ...other } }, nowMs), false, JSON.stringify(other))
  one.apply(poll("r1", at(11), { "if:ether1": { "interface.oper_up": 1 } }))
  assert.equal(holds(reading, readableOf(one, 0), one.world.atMs), false)
})

test("[I9] a ping's word ends when nobody repeats it", () => {
  const one = pair()
  one.apply(ports("r1", at(1), { ether1: true }), poll("r1", at(2), { "": { "device.up": 1 } }, { source: "probe" }))
  const symptoms = symptomsOf(one.world, one.cells)
  const reading = readingIn(one, 0, symptoms)
  assert.deepEqual(said(reading, symptoms.board, "ping", 0), [CLEAR, at(2)])
  assert.equal(reading.untilMs, at(2) + 180_001)
})

test("[I9] what somebody else wrote is written over by the reading that holds, as by a new one", () => {
  const one = pair()
  one.apply(ports("r1", at(1), { ether1: true }), silence("r2", at(2)))
  const symptoms = symptomsOf(one.world, one.cells)
  const { board } = symptoms
  const id = observable(board, "port", 0)
  confirm(board, id, true, at(3))
  assert.deepEqual([board.state[id], board.confirmed.has(id), board.alarms.has(id)], [ALARM, true, true])
  assert.equal(refresh(symptoms, one.world, one.cells, [0]), true)
  assert.deepEqual([board.state[id], board.confirmed.has(id), board.alarms.has(id)], [CLEAR, false, false])
  const reading = readingIn(one, 0, symptoms)
  observe(board, id, UNKNOWN, 0)
  put(board, reading)
  assert.equal(board.state[id], CLEAR)
})

// -- old = new ---------------------------------------------------------------------------------------------------------

const boardOf = ({ board, lapses }: Symptoms) => ({
  state: [...board.state],
  atMs: [...board.atMs],
  alarms: [...board.alarms].toSorted((x, y) => x - y),
  confirmed: [...board.confirmed].toSorted((x, y) => x - y),
  changed: [...board.changed].toSorted((x, y) => x - y),
  reread: [...board.reread].toSorted((x, y) => x - y),
  alarmEnded: board.alarmEnded,
  newestAlarmMs: board.newestAlarmMs,
  lapses: [...lapses.bySlot].toSorted(([x], [y]) => x - y),
  soonestMs: lapses.soonestMs,
})

/** Somebody else's word beside the readings, of whatever observable. */
interface Word {
  readonly share: number
  readonly what: "confirm" | "observe" | "forget"
  readonly alarms: boolean
}
const words: fc.Arbitrary<readonly Word[]> = fc.array(
  fc.record({
    share: fc.double({ min: 0, max: 0.999, noNaN: true }),
    what: fc.constantFrom("confirm", "observe", "forget"),
    alarms: fc.boolean(),
  }),
  { maxLength: 20 },
)

const write = ({ board }: Symptoms, { share, what, alarms }: Word, atMs: number): void => {
  const id = Math.floor(share * board.state.length)
  if (what === "confirm") confirm(board, id, alarms, atMs)
  else if (what === "observe") observe(board, id, alarms ? ALARM : CLEAR, atMs)
  else board.confirmed.delete(id)
}

test("[I9] readings that are put again = readings made anew at every input, in any history and whoever else writes", () => {
  fc.assert(
    fc.property(history(40), words, fc.integer({ min: 1, max: 7 }), (inputs, said_, every) => {
      const [world, cells] = [newWorld(), plainCells()]
      runRound(world, cells, [FIRST])
      let kept = symptomsOf(world, cells)
      let anew = symptomsOf(world, cells)
      for (const [i, one] of inputs.entries()) {
        const { rev } = world.topology
        runRound(world, cells, [one])
        const all = world.topology.routers.map((_, slot) => slot)
        // Now and then only some are asked.
        const slots = i % every === 0 ? all : all.filter((slot) => (slot + i) % 2 === 0)
        // Nobody knows this object: everything is read anew.
        anew = { ...anew }
        const isKnown = refresh(kept, world, cells, slots)
        assert.equal(refresh(anew, world, cells, slots), isKnown)
        if (world.topology.rev !== rev || !isKnown) {
          kept = symptomsOf(world, cells)
          anew = symptomsOf(world, cells)
        }
        const word = said_[i]
        if (word !== undefined) for (const symptoms of [kept, anew]) write(symptoms, word, world.atMs)
        assert.deepEqual(boardOf(kept), boardOf(anew))
      }
    }),
    { numRuns: 80 },
  )
})
