/**
 * The twin's root-cause analysis as one more method of the benchmark. The only file of it that knows twin/rca: it hands over
 * what an operator's inventory says (not which links are lit, which faults are drawn, or how noisy it is) and the reports.
 */
import type { Method, Root } from "#bench/rca/methods.ts"
import { REPORTS } from "#bench/rca/simulate.ts"
import type { Coverage, Round } from "#bench/rca/simulate.ts"
import type { World } from "#bench/rca/world.ts"
import { ALARM, CLEAR, newBoard, observable, observe } from "#twin/rca/board.ts"
import type { Board } from "#twin/rca/board.ts"
import { elementOf } from "#twin/rca/cause.ts"
import { EVIDENCE } from "#twin/rca/evidence/registry.ts"
import { explain, isNamed } from "#twin/rca/explain.ts"
import type { Candidate, Explanation } from "#twin/rca/explain.ts"
import { buildModel } from "#twin/rca/model.ts"
import { flatGraph } from "#twin/whatif/graph.ts"

export type { Explanation }
export { FEATURE_NAMES, featureVector } from "#twin/rca/calibration.ts"

/** The round is read 300 s after the fault: longer than any hold time. */
export const FAULT_MS = 1_000_000
const READ_MS = FAULT_MS + 300_000
/** What is outdated was read just before. */
const OLD_MS = FAULT_MS - 5_000

export const boardFor = (world: World, cover: Coverage): Board => {
  const flags = (of: (index: number) => boolean, length: number): Uint8Array =>
    Uint8Array.from({ length }, (_, index) => (of(index) ? 1 : 0))
  const { nodes, links } = world
  const model = buildModel({
    graph: flatGraph(
      nodes.length,
      links.map(({ a, b }) => ({ a, b, capacityBps: null })),
    ),
    nodeName: (n) => nodes[n]?.name ?? String(n),
    linkName: (l) => `${nodes[links[l]?.a ?? -1]?.name} - ${nodes[links[l]?.b ?? -1]?.name}`,
    siteName: (t) => world.sites[t] ?? String(t),
    siteOf: nodes.map(({ site }) => site),
    sites: world.sites.length,
    vantages: world.vantages,
    groups: world.groups.map((group, g) => ({ name: `duct ${g}`, links: group })),
    sessions: world.sessions,
    dependencies: [],
    external: flags((n) => nodes[n]?.role === "upstream", nodes.length),
    reflector: flags((n) => nodes[n]?.role === "rr", nodes.length),
    polled: flags((n) => cover.polled[n] === true, nodes.length),
    pinged: flags((n) => cover.pinged[n] === true, nodes.length),
    ospf: flags((l) => links[l]?.ospf === true, links.length),
  })
  const board = newBoard(model)
  for (const report of REPORTS) {
    const kind = EVIDENCE.find(({ name }) => name === report)
    if (kind === undefined) throw new Error(`the twin knows no ${report}`)
    for (let index = 0; index < kind.count(model); index++)
      if (kind.isObservable(model, index)) observe(board, observable(board, report, index), CLEAR, READ_MS)
  }
  board.changed.clear()
  return board
}

/** Reports that a node makes itself. */
const ownReports = (world: World): ReadonlyArray<ReadonlyArray<readonly [report: string, index: number]>> => {
  const own: Array<Array<readonly [string, number]>> = world.nodes.map(() => [])
  for (const [l, { a, b }] of world.links.entries())
    for (const report of ["port", "ospf", "hot", "queue", "flap"]) {
      own[a]?.push([report, 2 * l])
      own[b]?.push([report, 2 * l + 1])
    }
  for (const [s, { a, b }] of world.sessions.entries()) {
    own[a]?.push(["bgp", 2 * s])
    own[b]?.push(["bgp", 2 * s + 1])
  }
  return own
}

export interface Feed {
  readonly board: Board
  /** Puts a round on the board; the answer takes it off again. */
  readonly show: (round: Round) => () => void
}

export const feedFor = (world: World, cover: Coverage): Feed => {
  const board = boardFor(world, cover)
  const from = new Map(REPORTS.map((report) => [report as string, observable(board, report, 0)]))
  const own = ownReports(world).map((list) => list.map(([report, index]) => (from.get(report) as number) + index))
  return {
    board,
    show: ({ alarms, outdated }) => {
      const written: number[] = []
      for (const n of outdated)
        for (const id of own[n] ?? []) {
          if (board.state[id] !== CLEAR) continue
          observe(board, id, CLEAR, OLD_MS)
          written.push(id)
        }
      for (const alarm of alarms) {
        const [report, index] = alarm.split(" ")
        const id = (from.get(report as string) as number) + Number(index)
        if (board.state[id] !== CLEAR) continue
        observe(board, id, ALARM, FAULT_MS)
        written.push(id)
      }
      return () => {
        for (const id of written) observe(board, id, CLEAR, READ_MS)
      }
    },
  }
}

const rootOf = (board: Board, { cause, confidence }: Candidate): Root => ({
  element: elementOf(board.model, cause),
  confidence,
})

/** The evaluation is timed without writing the board: that is what the polls cost anyway. */
export const twinMethod = (
  world: World,
  cover: Coverage,
  look: (explanation: Explanation, roots: readonly Root[]) => void = () => {},
): ((round: Round) => { readonly roots: ReturnType<Method>; readonly ms: number; readonly cpuMs: number }) => {
  const feed = feedFor(world, cover)
  let healthy = explain(feed.board)
  return (round) => {
    const takeOff = feed.show(round)
    const startedMs = performance.now()
    const before = process.cpuUsage()
    const explanation = explain(feed.board, healthy)
    const { user, system } = process.cpuUsage(before)
    const ms = performance.now() - startedMs
    look(
      explanation,
      explanation.candidates.map((one) => rootOf(feed.board, one)),
    )
    takeOff()
    healthy = explain(feed.board, explanation)
    const named = explanation.candidates.filter(isNamed)
    return { roots: named.map((one) => rootOf(feed.board, one)), ms, cpuMs: (user + system) / 1000 }
  }
}
