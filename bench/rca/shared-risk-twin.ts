/** The twin's abduction on the shared-risk workload: a model of links and groups only, read at one end of each link. */
import { ALARM, CLEAR, newBoard, observable, observe } from "#twin/rca/board.ts"
import { explain } from "#twin/rca/explain.ts"
import type { Explanation } from "#twin/rca/explain.ts"
import { buildModel } from "#twin/rca/model.ts"
import { confirm, whatToProbe } from "#twin/rca/probe.ts"
import { flatGraph } from "#twin/whatif/graph.ts"

const FAULT_MS = 1_000_000
const READ_MS = FAULT_MS + 300_000
/** Rounds of probing before the verdict stands as it is. */
const MAX_ROUNDS = 8

export interface Solved {
  readonly passive: ReadonlySet<number>
  readonly probing: ReadonlySet<number>
  readonly probes: number
}

/** `isDown` answers a probe: reads one port now. */
export const sharedRiskSolver = (
  links: number,
  groups: ReadonlyArray<readonly number[]>,
): ((alarms: ReadonlySet<number>, isDown: (link: number) => boolean) => Solved) => {
  const none = new Uint8Array(links)
  const model = buildModel({
    // One end each: whoever tells is not what fails.
    graph: flatGraph(
      links,
      Array.from({ length: links }, (_, l) => ({ a: l, b: -1, capacityBps: null })),
    ),
    nodeName: String,
    linkName: String,
    siteName: String,
    siteOf: new Int32Array(links).fill(-1),
    sites: 0,
    vantages: [],
    groups: groups.map((group, g) => ({ name: String(g), links: group })),
    sessions: [],
    dependencies: [],
    external: none,
    reflector: none,
    polled: new Uint8Array(links).fill(1),
    pinged: none,
    ospf: none,
  })
  const board = newBoard(model)
  const port = observable(board, "port", 0)
  for (let l = 0; l < links; l++) observe(board, port + 2 * l, CLEAR, READ_MS)
  let healthy = explain(board)
  const named = ({ candidates }: Explanation): ReadonlySet<number> =>
    new Set(candidates.flatMap(({ cause }) => (cause.kind === "group" ? [cause.index] : [])))
  return (alarms, isDown) => {
    const written = new Set<number>()
    for (const l of alarms) {
      observe(board, port + 2 * l, ALARM, FAULT_MS)
      written.add(port + 2 * l)
    }
    let explanation = explain(board, healthy)
    const passive = named(explanation)
    let probes = 0
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const open = whatToProbe(board, explanation)
      if (open.length === 0) break
      for (const { id } of open) {
        const down = isDown((id - port) >> 1)
        confirm(board, id, down, down ? FAULT_MS : READ_MS)
        written.add(id)
        probes++
      }
      explanation = explain(board, explanation)
    }
    const probing = named(explanation)
    for (const id of written) {
      observe(board, id, CLEAR, READ_MS)
      board.confirmed.delete(id)
      board.changed.add(id)
    }
    healthy = explain(board, explanation)
    return { passive, probing, probes }
  }
}
