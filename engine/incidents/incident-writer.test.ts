/** [I12] What is over reaches its table: through kills, a database that is away, refused rows and snapshots that forget. */
import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { makeManualClock } from "#engine/actors/clock.ts"
import { incident } from "#engine/incidents/incident.fixture.ts"
import {
  afterIncidents,
  INCIDENTS_WAITING_MAX,
  keepIncidents,
  makeIncidentWriter,
  type IncidentWriter,
} from "#engine/incidents/incident-writer.ts"
import type { StoredIncident } from "#engine/incidents/stored-row.ts"
import { makeMemoryPorts, type MemoryPorts } from "#engine/tenant/memory-ports.ts"
import { poll, RULES, START_MS } from "#engine/tenant/network.fixture.ts"
import { device, start } from "#engine/tenant/runtime.fixture.ts"
import type { IncidentView } from "#protocol/incident.ts"
import { plainCells } from "#twin/cells.ts"
import { incidentView } from "#twin/incident/view.ts"
import { newWorld, runRound } from "#twin/round.ts"

const run = Effect.runPromise
interface Failed {
  readonly isAway: boolean
}

/** The table as PostgreSQL keeps it (stored-incidents.ts): a newer seq takes the place of an older one. */
const makeTable = () => {
  const rows = new Map<string, StoredIncident>()
  const it = {
    rows,
    away: false,
    writes: 0,
    poison: new Set<string>(),
    store: (some: readonly StoredIncident[]): Effect.Effect<void, Failed> =>
      Effect.suspend((): Effect.Effect<void, Failed> => {
        it.writes++
        if (it.away) return Effect.fail({ isAway: true })
        if (some.some(({ view }) => it.poison.has(view.id))) return Effect.fail({ isAway: false })
        for (const one of some) {
          const known = rows.get(one.view.id)
          if (known === undefined || one.seq > known.seq) rows.set(one.view.id, one)
        }
        return Effect.void
      }),
  }
  return it
}
type Table = ReturnType<typeof makeTable>

const writerOf = (table: Table, over: { refused?: string[]; givenUp?: number[] } = {}): IncidentWriter =>
  makeIncidentWriter({
    store: table.store,
    onRefused: (id) => over.refused?.push(id),
    onGivenUp: (count) => over.givenUp?.push(count),
  })
const stored = (id: string, seq = 1): StoredIncident => ({ seq, view: incident({ id }), sites: [] })

test("a newer record takes the place of one that waits, an older one does not", async () => {
  const table = makeTable()
  const writer = writerOf(table)
  writer.add([stored("1-0", 5), stored("2-0", 1)])
  writer.add([stored("1-0", 4), stored("2-0", 8)])
  assert.equal(writer.waiting(), 2)
  await run(writer.flush)
  assert.deepEqual([...table.rows.values()].map(({ view, seq }) => `${view.id} ${seq}`).toSorted(), ["1-0 5", "2-0 8"])
  assert.equal(writer.waiting(), 0)
})

test("while the database is away they wait; too many, and the oldest are given up and counted", async () => {
  const table = makeTable()
  const givenUp: number[] = []
  const writer = writerOf(table, { givenUp })
  table.away = true
  writer.add(Array.from({ length: INCIDENTS_WAITING_MAX + 3 }, (_, n) => stored(`${n}-0`)))
  await assert.rejects(run(writer.flush))
  assert.deepEqual([givenUp, writer.waiting()], [[3], INCIDENTS_WAITING_MAX])
  table.away = false
  await run(writer.flush)
  assert.deepEqual(
    [table.rows.size, table.rows.has("2-0"), table.rows.has("3-0")],
    [INCIDENTS_WAITING_MAX, false, true],
  )
})

test("one that the database refuses for good costs no other its place", async () => {
  const table = makeTable()
  const refused: string[] = []
  const writer = writerOf(table, { refused })
  table.poison.add("3-0")
  writer.add(Array.from({ length: 9 }, (_, n) => stored(`${n}-0`)))
  await run(writer.flush)
  assert.deepEqual([refused, table.rows.size, writer.waiting()], [["3-0"], 8, 0])
})

test("[I12] no snapshot is kept before the incidents that it lets the twin forget", async () => {
  const table = makeTable()
  const writer = writerOf(table)
  const { snapshots } = makeMemoryPorts()
  const port = afterIncidents(snapshots, writer)
  writer.add([stored("1-0")])
  table.away = true
  await assert.rejects(port.save(1, 1, new Uint8Array(1), ""))
  assert.equal(await port.load(), null)
  table.away = false
  await port.save(1, 1, new Uint8Array(1), "")
  assert.deepEqual([(await port.load())?.seq, table.rows.size], [1, 1])
})

// -- a tenant's life ------------------------------------------------------------------------------------------------------

interface Life {
  readonly started: Awaited<ReturnType<typeof start>>
  readonly writer: IncidentWriter
  /** As by kill -9: nothing of it writes any more. */
  readonly kill: () => Promise<MemoryPorts>
}

const CRITICAL = RULES.filter(({ id }) => id === "cpu").map((rule) => ({ ...rule, severity: "critical" as const }))

const live = async (t: TestContext, ports: MemoryPorts, atMs: number, table: Table): Promise<Life> => {
  let dead = false
  const writer = makeIncidentWriter({
    store: (some) => (dead ? Effect.fail({ isAway: true }) : table.store(some)),
    onRefused: (id) => assert.fail(`${id} was refused`),
    onGivenUp: () => assert.fail("given up"),
  })
  const guarded: MemoryPorts["snapshots"] = {
    ...ports.snapshots,
    save: (...snapshot) => (dead ? Promise.reject(new Error("dead")) : ports.snapshots.save(...snapshot)),
  }
  const clock = makeManualClock(atMs)
  const snapshots = afterIncidents(guarded, writer)
  const started = await start(t, { ports, clock, snapshots, snapshotEveryMs: 45_000 })
  const scope = Scope.makeUnsafe()
  t.after(() => run(Scope.close(scope, Exit.void)))
  const { runtime } = started
  const keep = keepIncidents({
    writer,
    twin: runtime,
    recovered: runtime.recoveredIncidents,
    held: runtime.incidents.list,
  })
  await run(Scope.provide(keep, scope))
  const kill = async (): Promise<MemoryPorts> => {
    dead = true
    return ports.clone()
  }
  return { started, writer, kill }
}

/** What the journal alone says of every incident that was over once. */
const truth = async (ports: MemoryPorts): Promise<ReadonlyMap<string, { seq: number; view: IncidentView }>> => {
  const [world, cells] = [newWorld(), plainCells()]
  const found = new Map<string, { seq: number; view: IncidentView }>()
  for await (const batch of ports.journal.readFrom(1))
    for (const { seq, incident: one } of runRound(world, cells, batch).incidents)
      found.set(one.id, { seq, view: incidentView(one) })
  return found
}

/** Repeatable dice. */
const diceOf = (seed: number) => {
  let state = seed
  return (sides: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * sides)
  }
}

for (const seed of [1, 2, 3, 4])
  test(`[I12] killed anywhere, with the database away now and then: the table has what the journal says (seed ${seed})`, async (t) => {
    const dice = diceOf(seed)
    const table = makeTable()
    let nowMs = START_MS
    let life = await live(t, makeMemoryPorts(), nowMs, table)
    await life.started.runtime.judgement.setRules(1, CRITICAL)
    let kills = 0
    const advance = async (seconds: number): Promise<void> => {
      nowMs += seconds * 1_000
      life.started.clock.advanceTo(nowMs)
      await life.started.runtime.flush()
    }
    for (let step = 0; step < 120; step++) {
      const { runtime } = life.started
      const what = dice(10)
      if (what < 4) runtime.submit(poll(device(runtime, dice(4)), nowMs, { cpu: dice(3) === 0 ? 99 : 10 }))
      else if (what < 6) await advance([5, 60, 301, 1_900][dice(4)]!)
      else if (what === 6) table.away = dice(2) === 0
      else if (what === 7) {
        const closed = runtime.incidents.list().find(({ state }) => state === "closed")
        if (closed !== undefined) await runtime.incidents.act(closed.id, "ana", { act: "note", text: `step ${step}` })
      } else if (what === 8) {
        kills++
        life = await live(t, await life.kill(), nowMs, table)
      } else for (let n = 0; n < 4; n++) runtime.submit(poll(device(runtime, n), nowMs, { cpu: 10 }))
    }
    const { runtime } = life.started
    for (let n = 0; n < 4; n++) runtime.submit(poll(device(runtime, n), nowMs, { cpu: 10 }))
    await advance(301)
    await advance(10)
    table.away = false
    const wanted = await truth(life.started.ports)
    // A snapshot may stand for inputs that every table has by now; whatever waits is written at once.
    await run(life.writer.flush)
    const rows = [...table.rows].filter(([, { seq }]) => seq > 0)
    const seen = new Map(rows.map(([id, { seq, view }]) => [id, { seq, view }]))
    assert.ok(wanted.size >= 3, `${wanted.size} incidents were over`)
    assert.ok(kills >= 3)
    assert.deepEqual(new Map([...seen].toSorted()), new Map([...wanted].toSorted()))
    assert.equal(table.rows.size, wanted.size, "nothing that the journal does not know")
  })
