import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { packStored, unpackStored } from "#protocol/codec.ts"
import type { EventView } from "#protocol/view.ts"
import { BEHAVIOURS, NO_STATES, plainBank, plainCells } from "#twin/cells.ts"
import type { Cells } from "#twin/cells.ts"
import type { Columns } from "#twin/columns.ts"
import { hashTwin, stateHash } from "#twin/hash.ts"
import type { Sequenced } from "#twin/input.ts"
import { device, inventory, link, poll, ports, silence, T0 } from "#twin/inventory.fixture.ts"
import { FIRST, history, network, observed, RING } from "#twin/network.fixture.ts"
import { newWorld, RECENT_EVENTS, runRound } from "#twin/round.ts"
import type { RoundResult, World } from "#twin/round.ts"
import { newRouter } from "#twin/router.ts"
import { restoreTwin, SnapshotUnusable, snapshotTwin } from "#twin/snapshot.ts"

interface Run {
  readonly world: World
  readonly cells: Cells
  readonly events: EventView[]
  readonly hash: string
}

const strict = (states = NO_STATES): Cells =>
  plainCells(states, (_bank, _slot, error) => {
    throw error
  })

const goOn = (world: World, cells: Cells, rounds: ReadonlyArray<readonly Sequenced[]>): Run => {
  const events = rounds.flatMap((inputs) => runRound(world, cells, inputs).events)
  return { world, cells, events, hash: hashTwin(world, cells) }
}
const run = (rounds: ReadonlyArray<readonly Sequenced[]>): Run => goOn(newWorld(), strict(), rounds)

/** Cuts a list where `cuts` says so. */
const grouped = <T>(list: readonly T[], cuts: readonly boolean[]): T[][] => {
  const groups: T[][] = [[]]
  for (const [index, item] of list.entries()) {
    groups.at(-1)?.push(item)
    if (cuts[index % cuts.length]) groups.push([])
  }
  return groups
}
const cutsArbitrary = fc.array(fc.boolean(), { minLength: 1, maxLength: 20 })

/** The ring changed: r3 gone, r5 new, slots moved, one link gone and one new. */
const OTHER = inventory(
  [device("r0"), ...RING.devices.filter(({ name }) => name !== "r3"), device("r5")],
  [link("l0", "r5:ether1 r1:ether5"), ...RING.links.filter(({ id }) => id === "l1" || id === "l5")],
)

const withChanges = history(50).chain((inputs) =>
  fc.array(fc.nat(inputs.length), { maxLength: 2 }).map((at) => {
    const all: Sequenced["input"][] = inputs.map(({ input }) => input)
    for (const [index, place] of at.entries())
      all.splice(place, 0, {
        kind: "topology",
        atMs: all[Math.max(0, place - 1)]?.atMs ?? T0,
        rev: 2 + index,
        inventory: index === 0 ? OTHER : RING,
      })
    return [FIRST, ...all.map((input, index) => ({ seq: index + 2, input }))]
  }),
)

describe("determinism", () => {
  test("the same inputs give the same twin and the same events, however they are grouped into rounds", () => {
    fc.assert(
      fc.property(withChanges, cutsArbitrary, (inputs, cuts) => {
        const one = run(inputs.map((input) => [input]))
        const all = run([inputs])
        const some = run(grouped(inputs, cuts))
        assert.equal(all.hash, one.hash)
        assert.equal(some.hash, one.hash)
        assert.deepStrictEqual(all.events, one.events)
        assert.deepStrictEqual(some.events, one.events)
      }),
    )
  })

  test("restore(snapshot) and the tail = never stopped, through packed bytes and an overlapping tail", () => {
    fc.assert(
      fc.property(withChanges, fc.nat(60), fc.nat(5), cutsArbitrary, (inputs, stop, overlap, cuts) => {
        const at = stop % inputs.length
        const live = run([inputs])
        const before = run([inputs.slice(0, at)])
        const bytes = packStored(snapshotTwin(before.world, before.cells)).slice()
        const { world, states } = restoreTwin(unpackStored(bytes))
        assert.equal(hashTwin(world, strict(states)), before.hash)
        const after = goOn(world, strict(states), grouped(inputs.slice(Math.max(0, at - overlap)), cuts))
        assert.equal(after.hash, live.hash)
        assert.deepStrictEqual([...before.events, ...after.events], live.events)
      }),
    )
  })

  test("a snapshot is not touched by what comes after it", () => {
    fc.assert(
      fc.property(history(), history(), (first, second) => {
        const { world, cells } = run([[FIRST, ...first]])
        const snapshot = snapshotTwin(world, cells)
        const hash = stateHash(snapshot)
        runRound(
          world,
          cells,
          second.map(({ input }, index) => ({ seq: world.seq + 1 + index, input })),
        )
        assert.equal(stateHash(snapshot), hash)
      }),
    )
  })

  test("the columns are what the actors say, incrementally as well as from scratch", () => {
    fc.assert(
      fc.property(withChanges, (inputs) => {
        const { world, cells } = run([inputs])
        const fresh = restoreTwin(structuredClone(snapshotTwin(world, cells))).world
        assert.deepStrictEqual(world.columns, fresh.columns)
      }),
    )
  })

  test("every slot whose columns changed is told, ascending and once", () => {
    fc.assert(
      fc.property(history(), (inputs) => {
        const { world, cells } = run([[FIRST]])
        for (const input of inputs) {
          const before = structuredClone(world.columns)
          const { nodes, links } = runRound(world, cells, [input])
          const differs = (columns: ReadonlyArray<keyof Columns>, slot: number): boolean =>
            columns.some((column) => world.columns[column][slot] !== before[column][slot])
          const changed = (columns: ReadonlyArray<keyof Columns>, slots: number): number[] =>
            Array.from({ length: slots }, (_, slot) => slot).filter((slot) => differs(columns, slot))
          for (const slot of changed(["nodeStatus", "nodeSeenS"], RING.devices.length)) assert.ok(nodes.includes(slot))
          for (const slot of changed(["linkStatus", "linkUtilAB", "linkUtilBA"], RING.links.length))
            assert.ok(links.includes(slot))
          for (const list of [nodes, links])
            assert.deepEqual(
              list,
              [...new Set(list)].sort((a, b) => a - b),
            )
        }
      }),
    )
  })
})

describe("inputs", () => {
  test("one that was applied before is skipped; one of an unknown device is counted", () => {
    const net = network(inventory([device("r1")]))
    net.apply(silence("r1", T0 + 1))
    const hash = net.hash()
    assert.deepEqual(runRound(net.world, net.cells, [{ seq: 2, input: silence("r1", T0 + 900) }]).events, [])
    assert.equal(net.hash(), hash)
    net.apply(silence("stranger", T0 + 2))
    assert.equal(net.world.unknownDevice, 1)
    assert.deepEqual(
      net.device("r1").sources.map((source) => source.lastOkMs),
      [null],
    )
  })

  test("the twin's clock never goes back, and an input without a time does not stop it", () => {
    const net = network(inventory([device("r1")]))
    net.apply({ kind: "tick", atMs: T0 + 1000 }, { kind: "tick", atMs: T0 + 500 }, { kind: "tick", atMs: Number.NaN })
    assert.equal(net.world.atMs, T0 + 1000)
  })

  test("event ids are <seq>-<index>, counted within one input, timers included", () => {
    const net = network(RING)
    net.apply(ports("r1", T0 + 1000, { ether1: true, ether2: true, ether5: true }))
    const { events } = net.apply(ports("r1", T0 + 2000, { ether1: false, ether2: false, ether5: true }))
    assert.deepEqual(
      events.map(({ id, type }) => [id, type]),
      [
        ["3-0", "interface.oper.changed"],
        ["3-1", "interface.oper.changed"],
        ["3-2", "link.down"],
        ["3-3", "link.down"],
        ["3-4", "incident.opened"],
      ],
    )
  })

  test("the newest 512 events are remembered", () => {
    const net = network(inventory([device("r1"), device("r2")], [link("l1", "r1:e r2:e")]))
    const flap = Array.from({ length: 600 }, (_, i) => ports("r1", T0 + 1000 * (i + 1), { e: i % 2 === 0 }))
    const { events } = net.apply(...flap)
    assert.ok(events.length > RECENT_EVENTS)
    assert.deepEqual(net.world.recent, events.slice(-RECENT_EVENTS))
  })
})

describe("a change of inventory", () => {
  test("devices and links that stay keep their state under their new slots; the others go", () => {
    const net = network(RING)
    net.apply(ports("r1", T0 + 1000, { ether1: false, ether2: true, ether5: true }), silence("r2", T0 + 1001))
    const result = net.apply({ kind: "topology", atMs: T0 + 2000, rev: 2, inventory: OTHER })
    assert.equal(result.topologyChanged, true)
    assert.deepEqual(result.nodes, [0, 1, 2, 3, 4])
    assert.deepEqual(result.links, [0, 1, 2])
    assert.deepEqual(observed(result.events), [])
    assert.equal(net.device("r1").interfaces.length, 3)
    assert.equal(net.link("l1").health, "down")
    assert.equal(net.link("l1").sinceMs, T0 + 1000)
    assert.equal(net.linkShown(1).health, "down")
    assert.equal(net.shown(1).health, "degraded")
    assert.equal(net.shown(2).health, "unreachable")
    assert.equal(net.shown(4).health, "unknown")
    assert.throws(() => net.device("r3"))
    assert.deepEqual(net.counts(), {
      routers: 5,
      routersUp: 1,
      links: 3,
      linksDown: 1,
      linksHot: 0,
      sites: 2,
      subscribers: null,
    })
    assert.equal(
      observed(net.apply(ports("r1", T0 + 3000, { ether1: true, ether2: true, ether5: true })).events).at(-1)?.type,
      "link.up",
    )
  })

  test("the same inventory again changes nothing but the revision", () => {
    fc.assert(
      fc.property(history(30), (inputs) => {
        const { world, cells } = run([[FIRST, ...inputs]])
        const before = structuredClone(world.columns)
        const counts = cells.tenant.state(0).counts
        const { atMs } = world
        runRound(world, cells, [{ seq: 1000, input: { kind: "topology", atMs, rev: 2, inventory: RING } }])
        assert.deepStrictEqual(world.columns, before)
        assert.deepEqual(cells.tenant.state(0).counts, counts)
      }),
    )
  })

  test("[seed -1568386390] an old ping verdict stands through the same inventory: only a source that speaks turns it", () => {
    const { world, cells } = run([
      [FIRST, { seq: 2, input: poll("r3", T0, { "": { "device.up": 1 } }, { source: "probe" }) }],
    ])
    runRound(world, cells, [{ seq: 3, input: { kind: "tick", atMs: T0 + 180_001 } }])
    const before = structuredClone(world.columns)
    runRound(world, cells, [{ seq: 4, input: { kind: "topology", atMs: T0 + 180_001, rev: 2, inventory: RING } }])
    assert.deepStrictEqual(world.columns, before)
  })

  test("a link whose end moved to another interface forgets what the old one said", () => {
    const net = network(inventory([device("r1"), device("r2")], [link("l1", "r1:e1 r2:e1")]))
    net.apply(ports("r1", T0 + 1000, { e1: false, e2: true }))
    assert.equal(net.link("l1").health, "down")
    net.apply({
      kind: "topology",
      atMs: T0 + 2000,
      rev: 2,
      inventory: inventory([device("r1"), device("r2")], [link("l1", "r1:e2 r2:e1")]),
    })
    assert.equal(net.link("l1").health, "ok")
  })

  test("links to devices that are not there and unknown sites are carried, not thrown", () => {
    const net = network(
      inventory(
        [device("r1", { site: "nowhere" as never })],
        [link("l1", "r1:e1 ghost:e1"), link("l2", "r1:e2 r1:e3")],
      ),
    )
    net.apply(ports("r1", T0 + 1000, { e1: true, e2: true, e3: false }))
    assert.equal(net.link("l1").health, "ok")
    assert.equal(net.link("l2").health, "down")
    net.apply(silence("r1", T0 + 2000))
    assert.equal(net.shown(0).severity, "critical", "a link to oneself is no neighbour")
  })
})

describe("isolation", () => {
  const POISON = 666
  /** Cells whose routers choke on one poll. */
  const choking = (thrown: number[]): Cells => ({
    ...strict(),
    routers: plainBank(
      [] as ReturnType<typeof newRouter>[],
      (state, msg) => {
        if (msg.kind === "input" && msg.input.kind === "poll" && msg.input.value[0] === POISON)
          throw new Error("poison")
        return BEHAVIOURS.router(state, msg)
      },
      (slot) => thrown.push(slot),
    ),
  })

  test("a message that makes a step throw costs nothing but itself", () => {
    for (const kept of [{}, { seed: 18097851, numRuns: 12 }])
      fc.assert(
        fc.property(history(), fc.nat(60), (inputs, where) => {
          const poison = poll("r1", T0 + 5, { "": { "device.cpu_pct": POISON } })
          const place = where % (inputs.length + 1)
          const all = inputs.map(({ input }) => input)
          const clean = [...all.slice(0, place), { kind: "tick" as const, atMs: poison.atMs }, ...all.slice(place)]
          const dirty = [...all.slice(0, place), poison, ...all.slice(place)]
          const sequenced = (list: readonly Sequenced["input"][]): Sequenced[] => [
            FIRST,
            ...list.map((input, index) => ({ seq: index + 2, input })),
          ]
          const thrown: number[] = []
          const world = newWorld()
          const cells = choking(thrown)
          const result: RoundResult = runRound(world, cells, sequenced(dirty))
          const wanted = run([sequenced(clean)])
          assert.deepEqual(thrown, [0])
          assert.equal(hashTwin(world, cells), wanted.hash)
          assert.deepEqual(result.events, wanted.events)
        }),
        kept,
      )
  })
})

describe("snapshots", () => {
  test("of another version, damaged or not at all are refused by name", () => {
    const { world, cells } = run([[FIRST]])
    const good = snapshotTwin(world, cells)
    assert.equal(hashTwin(restoreTwin(good).world, strict(restoreTwin(good).states)), hashTwin(world, cells))
    const damaged: unknown[] = [
      null,
      "x",
      {},
      { ...good, version: 2 },
      { ...good, inventory: { ...good.inventory, devices: [] } },
      { ...good, inventory: null },
      { ...good, states: { ...good.states, links: [] } },
      { ...good, states: { ...good.states, tenant: null } },
      { ...good, timers: [] },
      { ...good, seq: "1" },
    ]
    for (const snapshot of damaged) assert.throws(() => restoreTwin(snapshot), SnapshotUnusable)
  })

  test("of a build with other metrics keep every value that both know", () => {
    const net = network(inventory([device("r1")]))
    net.apply(
      poll("r1", T0 + 1000, {
        "": { "device.cpu_pct": 12 },
        "if:e1": { "interface.oper_up": 1, "optical.rx_power_dbm": -9 },
      }),
    )
    const snapshot = snapshotTwin(net.world, net.cells)
    const [router] = snapshot.states.routers
    assert.ok(router)
    // As written by a build that had one more metric in front: id 60000.
    const shifted = (values: Float64Array, width: number): Float64Array =>
      Float64Array.from({ length: (values.length / width) * (width + 1) }, (_, i) => {
        const column = i % (width + 1)
        return column === 0 ? 7 : (values[Math.floor(i / (width + 1)) * width + column - 1] as number)
      })
    const widen = (table: typeof router.device, width: number): typeof router.device => ({
      rows: table.rows,
      value: shifted(table.value, width),
      atMs: shifted(table.atMs, width),
      origin: Uint8Array.from(shifted(Float64Array.from(table.origin), width)),
    })
    const foreign = {
      ...snapshot,
      layout: { device: [60_000, ...snapshot.layout.device], interface: [60_000, ...snapshot.layout.interface] },
      states: {
        ...snapshot.states,
        routers: [
          {
            ...router,
            device: widen(router.device, snapshot.layout.device.length),
            interfaces: {
              ...router.interfaces,
              levels: widen(router.interfaces.levels, snapshot.layout.interface.length),
            },
          },
        ],
      },
    }
    const { states } = restoreTwin(foreign)
    assert.deepStrictEqual(states.routers, snapshot.states.routers)
  })
})
