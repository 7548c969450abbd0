/** Small networks for the tests of root cause: a redundant core with single-homed edges, and random ones with observations. */
import fc from "fast-check"
import { flatGraph } from "#twin/whatif/graph.ts"
import { ALARM, CLEAR, newBoard, observable, observe } from "#twin/rca/board.ts"
import type { Board } from "#twin/rca/board.ts"
import { elementOf } from "#twin/rca/cause.ts"
import { EVIDENCE } from "#twin/rca/evidence/registry.ts"
import { BLIND } from "#twin/rca/evidence/kind.ts"
import { EXPECTED, assess } from "#twin/rca/assess.ts"
import type { Cause } from "#twin/rca/cause.ts"
import { isNamed } from "#twin/rca/explain.ts"
import type { Explanation } from "#twin/rca/explain.ts"
import { buildModel } from "#twin/rca/model.ts"
import type { Network } from "#twin/rca/model.ts"

export const FAULT_MS = 1_000_000
export const READ_MS = FAULT_MS + 300_000
const OLD_MS = FAULT_MS - 5_000

const ones = (length: number): Uint8Array => new Uint8Array(length).fill(1)

/** Nodes 0 .. nodes - 1, links as pairs; everything is polled and pinged from node 0, OSPF runs everywhere. */
export const net = (
  nodes: number,
  pairs: ReadonlyArray<readonly [number, number]>,
  change: Partial<Network> = {},
): Board =>
  newBoard(
    buildModel({
      graph: flatGraph(
        nodes,
        pairs.map(([a, b]) => ({ a, b, capacityBps: null })),
      ),
      nodeName: (node) => `R${node}`,
      linkName: (link) => `R${pairs[link]?.[0]} - R${pairs[link]?.[1]}`,
      siteName: (site) => `S${site}`,
      siteOf: new Int32Array(nodes).fill(-1),
      sites: 0,
      vantages: [[0]],
      groups: [],
      sessions: [],
      dependencies: [],
      external: new Uint8Array(nodes),
      reflector: new Uint8Array(nodes),
      polled: ones(nodes),
      pinged: ones(nodes),
      ospf: ones(pairs.length),
      ...change,
    }),
  )

/**
 * Ring 0-1-2-3 (links 0 to 3), 4 behind 2 (link 4), 5 and 6 behind 3 (links 5, 6), 7 behind 6 (link 7), a second link 0-1
 * (link 8). 1 reflects to 2, 3 and 4.
 */
export const SMALL: ReadonlyArray<readonly [number, number]> = [
  [0, 1],
  [1, 2],
  [2, 3],
  [3, 0],
  [2, 4],
  [3, 5],
  [3, 6],
  [6, 7],
  [0, 1],
]
export const small = (change: Partial<Network> = {}): Board =>
  healthy(
    net(8, SMALL, {
      sessions: [
        { a: 2, b: 1, link: -1 },
        { a: 3, b: 1, link: -1 },
        { a: 4, b: 1, link: -1 },
      ],
      reflector: Uint8Array.from([0, 1, 0, 0, 0, 0, 0, 0]),
      ...change,
    }),
  )

/** Everything that can be read was read long after the fault, and is well. */
export const healthy = (board: Board): Board => {
  for (const kind of EVIDENCE)
    for (let index = 0; index < kind.count(board.model); index++)
      if (kind.tells === "now" && kind.isObservable(board.model, index))
        observe(board, observable(board, kind.name, index), CLEAR, READ_MS)
  return board
}

/** Alarms by `kind index`; `old` are nodes whose own readings are older than the fault. */
export const alarm = (board: Board, ...alarms: readonly string[]): Board => {
  for (const one of alarms) {
    const [kind = "", index] = one.split(" ")
    observe(board, observable(board, kind, Number(index)), ALARM, FAULT_MS)
  }
  return board
}

/** What the model itself says would be seen: for tests of the search, never of the model. */
export const break_ = (board: Board, ...causes: readonly Cause[]): Board => {
  const { ids, chance } = assess(board, causes)
  for (const [i, id] of ids.entries()) {
    if (board.state[id] === 0) continue
    if (chance[i] === BLIND) observe(board, id, CLEAR, OLD_MS)
    else if ((chance[i] as number) >= EXPECTED) observe(board, id, ALARM, FAULT_MS)
  }
  return board
}

export const namedOf = (board: Board, { candidates }: Explanation): readonly string[] =>
  candidates.filter(isNamed).map(({ cause }) => elementOf(board.model, cause))

/** A random board: network, coverage, and observations by number. */
export interface RandomBoard {
  readonly make: () => Board
  /** Observable (taken modulo their count), state 0 to 2. */
  readonly writes: ReadonlyArray<readonly [observable: number, state: 0 | 1 | 2]>
}

export const randomBoard: fc.Arbitrary<RandomBoard> = fc.integer({ min: 3, max: 9 }).chain((nodes) =>
  fc
    .record({
      pairs: fc.array(fc.tuple(fc.nat(nodes - 1), fc.nat(nodes - 1)), { minLength: 3, maxLength: 14 }),
      polled: fc.array(fc.nat(4), { minLength: nodes, maxLength: nodes }),
      sites: fc.array(fc.nat(3), { minLength: nodes, maxLength: nodes }),
      writes: fc.array(fc.tuple(fc.nat(100_000), fc.constantFrom(0 as const, 1 as const, 2 as const, 2 as const)), {
        maxLength: 24,
      }),
    })
    .map(({ pairs, polled, sites, writes }) => ({
      writes,
      make: () =>
        healthy(
          net(nodes, pairs, {
            polled: Uint8Array.from(polled, (draw) => (draw === 0 ? 0 : 1)),
            siteOf: Int32Array.from(sites),
            sites: 4,
            sessions: [{ a: nodes - 1, b: 0, link: -1 }],
            groups: [{ name: "duct", links: [0, 1] }],
          }),
        ),
    })),
)

/** Half of the writes say who answers: that is what borders of silence are made of. */
export const write = (board: Board, [draw, state]: RandomBoard["writes"][number]): void =>
  observe(board, writtenId(board, draw), state, state === ALARM ? FAULT_MS : READ_MS)

export const writtenId = (board: Board, draw: number): number =>
  draw % 2 === 0
    ? observable(board, "answer", 0) + ((draw >> 1) % (2 * board.model.graph.nodes))
    : (draw >> 1) % board.state.length
