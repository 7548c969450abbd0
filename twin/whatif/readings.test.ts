/**
 * What models read of a twin is kept from one to the next: it must be what a first reading says, whatever happened in
 * between, and cost what has happened, not what there is. Work is counted (states that were looked at), never timed.
 */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import type { CellBank, Cells } from "#twin/cells.ts"
import { plainCells } from "#twin/cells.ts"
import { forkTwin } from "#twin/fork.ts"
import type { Inventory } from "#protocol/inventory.ts"
import type { Input } from "#twin/input.ts"
import { device, inventory, link, poll, ports, silence, T0 } from "#twin/inventory.fixture.ts"
import { at, FIRST, history, network, RING } from "#twin/network.fixture.ts"
import { newWorld, runRound } from "#twin/round.ts"
import type { World } from "#twin/round.ts"
import { lossModelOf, modelOf } from "#twin/whatif/twin-model.ts"

/** Everything of a model that was read of cells. */
const readOf = (world: World, cells: Cells) => {
  const { graph, downNodes, downLinks, measuredBps, sessions, assumptions } = modelOf(world, cells)
  return { graph, downNodes, downLinks, measuredBps, sessions, assumptions }
}

/** Of the same twin, by who has never read it. */
const first = (world: World): World => ({ ...world, readings: null })

describe("[I3] what models read of a twin", () => {
  test("is what a first reading says, whatever has happened since the last model", () => {
    fc.assert(
      fc.property(history(40), fc.array(fc.nat(40), { maxLength: 4 }), (inputs, asked) => {
        const world = newWorld()
        const cells = plainCells()
        runRound(world, cells, [FIRST])
        for (const [index, input] of inputs.entries()) {
          if (asked.includes(index)) lossModelOf(world, cells)
          runRound(world, cells, [input])
        }
        assert.deepEqual(readOf(world, cells), readOf(first(world), cells))
      }),
      { numRuns: 60 },
    )
  })

  test("follows an inventory that changes, and never mixes a twin with its fork", () => {
    const net = network(RING)
    lossModelOf(net.world, net.cells)
    const fork = forkTwin(net.world, net.cells)
    runRound(fork.world, fork.cells, [{ seq: fork.world.seq + 1, input: silence("r1", at(10)) }])
    fork.world.readings = net.world.readings
    assert.deepEqual(
      [...modelOf(fork.world, fork.cells).downNodes],
      [1, 0, 0, 0],
      "readings of another twin are not taken",
    )
    assert.deepEqual([...modelOf(net.world, net.cells).downNodes], [0, 0, 0, 0])
    net.apply({ kind: "topology", atMs: at(20), rev: 2, inventory: inventory([device("r2"), device("r1")]) })
    net.apply(silence("r1", at(30)))
    assert.deepEqual([...modelOf(net.world, net.cells).downNodes], [0, 1])
  })

  test("a router is as silent as its neighbours' links say, though it said nothing itself", () => {
    const net = network(inventory([device("r1"), device("r2")], [link("l1", "r1:ether1 r2:ether1")]))
    net.apply(silence("r1", at(1)), ports("r2", at(1), { ether1: true }))
    assert.deepEqual([...modelOf(net.world, net.cells).downNodes], [1, 0])
    for (const seconds of [11, 21]) net.apply(traffic("r2", seconds))
    const { downNodes, assumptions } = modelOf(net.world, net.cells)
    assert.deepEqual([...downNodes], [0, 0], "its neighbour receives from it")
    assert.ok(assumptions.some((words) => words.startsWith("1 routers do not answer but forward")))
  })

  test("a fault that is undone for one question is there in the next", () => {
    const net = network(RING)
    net.apply(silence("r1", at(10)))
    const before = { nodes: new Set([0]), links: new Set<number>(), sessionsOf: () => Number.NaN }
    const asItWas = lossModelOf(net.world, net.cells, { before })
    assert.equal(asItWas.service.failedNodes[0], 0)
    assert.deepEqual([...modelOf(net.world, net.cells).downNodes], [1, 0, 0, 0])
  })
})

describe("[I3] the work of a model", () => {
  /** Routers in a ring, a link to the next and one to the next but one. */
  const ring = (routers: number): Inventory =>
    inventory(
      Array.from({ length: routers }, (_, n) => device(`r${n}`)),
      Array.from({ length: 2 * routers }, (_, n) =>
        link(`l${n}`, `r${n % routers}:e${n}a r${((n % routers) + 1 + Math.floor(n / routers)) % routers}:e${n}b`),
      ),
    )

  /** States looked at by a first model, by one after another router fell silent, and by one after nothing. */
  const looked = (routers: number): readonly [first: number, next: number, same: number] => {
    const { cells, count } = counted(plainCells())
    const world = newWorld()
    runRound(world, cells, [{ seq: 1, input: { kind: "topology", atMs: T0, rev: 1, inventory: ring(routers) } }])
    const begin = count()
    lossModelOf(world, cells, BEFORE)
    const one = count()
    runRound(world, cells, [{ seq: 2, input: silence("r7", at(1)) }])
    const heard = count()
    lossModelOf(world, cells, BEFORE)
    const two = count()
    lossModelOf(world, cells, BEFORE)
    return [one - begin, two - heard, count() - two]
  }

  test("is what has stepped, however many routers there are", () => {
    const [small, nextOfSmall, sameOfSmall] = looked(60)
    const [big, nextOfBig, sameOfBig] = looked(600)
    assert.ok(big >= 9 * small, `a first one reads them all: ${small}, ${big}`)
    assert.equal(nextOfBig, nextOfSmall, "one router, its links and their other ends")
    assert.ok(nextOfBig > 0 && nextOfBig < 40, `${nextOfBig} states`)
    assert.deepEqual([sameOfSmall, sameOfBig], [0, 0])
  })

  test("its graph is not made anew while costs and capacities stay", () => {
    const net = network(RING)
    const before = lossModelOf(net.world, net.cells).graph
    net.apply(silence("r1", at(10)), traffic("r2", 20))
    assert.equal(lossModelOf(net.world, net.cells).graph, before)
  })
})

const BEFORE = { before: { nodes: new Set<number>(), links: new Set<number>(), sessionsOf: () => Number.NaN } }

/** Counts the states that are asked for. */
const counted = (cells: Cells): { readonly cells: Cells; readonly count: () => number } => {
  let count = 0
  const watched = <S, M, F>(bank: CellBank<S, M, F>): CellBank<S, M, F> => ({
    ...bank,
    state: (slot) => {
      count++
      return bank.state(slot)
    },
  })
  return {
    cells: { routers: watched(cells.routers), links: watched(cells.links), tenant: cells.tenant },
    count: () => count,
  }
}

/** 80 kbit/s into ether1. */
const traffic = (name: string, seconds: number): Input =>
  poll(
    name,
    at(seconds),
    {
      "": { "device.uptime_seconds": 1000 + seconds },
      "if:ether1": {
        "interface.oper_up": 1,
        "interface.admin_up": 1,
        "interface.speed_bps": 1e9,
        "interface.counter_bits": 64,
        "interface.rx_bytes_total": 10_000 * seconds,
        "interface.tx_bytes_total": 0,
      },
    },
    { complete: ["interface"] },
  )
