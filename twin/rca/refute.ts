/**
 * Suspects that what was read refutes at a glance: a site of eighty routers that answer has not lost its power, whatever two
 * alarms there say. Few witnesses are asked instead of everything that the hypothesis predicts, so that big suspects, who
 * are accused most often, cost nothing. Sound but for the routers next to which the monitoring stands, whom the silence of
 * others does not accuse (silence.ts): the bound is never below what a whole assessment of the suspect would give.
 */
import { CONFIRMED_ALARM, confirmedClear } from "#twin/rca/assess.ts"
import type { Board } from "#twin/rca/board.ts"
import { ALARM, CLEAR, kindAt, kindNumber, SKEW_MS } from "#twin/rca/board.ts"
import { logPrior } from "#twin/rca/cause.ts"
import type { Cause } from "#twin/rca/cause.ts"
import { SILENT as UNANSWERED } from "#twin/rca/evidence/answer.ts"
import { DOWN } from "#twin/rca/evidence/bgp.ts"
import { CAUSED } from "#twin/rca/evidence/change.ts"
import type { EvidenceKind } from "#twin/rca/evidence/kind.ts"
import { SILENT as UNPINGED } from "#twin/rca/evidence/ping.ts"
import { EVIDENCE } from "#twin/rca/evidence/registry.ts"

const ANSWER = kindNumber("answer")
const PING = kindNumber("ping")
const BGP = kindNumber("bgp")
const CHANGE = kindNumber("change")

/** Witnesses that are asked of one suspect; who is not refuted by them is assessed in whole. */
const MAX_WITNESSES = 64

/** The most that a suspect could gain by its accusers: its prior, and every one of them explained. */
export const mostGain = (board: Board, cause: Cause, accusers: readonly number[]): number => {
  let gain = logPrior(board.model, cause)
  for (const alarm of accusers)
    gain += board.confirmed.has(alarm) ? CONFIRMED_ALARM : -Math.log(kindAt(board, alarm)[0].spurious)
  return gain
}

/**
 * Whether the suspect cannot come above `floor`. `asked` hears every witness that was looked at: while none of them
 * changes, the answer stays.
 */
export const isRefuted = (
  board: Board,
  cause: Cause,
  accusers: readonly number[],
  floor: number,
  asked: (id: number) => void,
): boolean => {
  const { model } = board
  const { nodes } = model.graph
  if (cause.kind !== "router" && cause.kind !== "site" && cause.kind !== "bgp") return false
  const own = cause.kind === "site" ? (model.nodesOf[cause.index] ?? []) : [cause.index]
  let bound = mostGain(board, cause, accusers)
  // A clear counts when it was read after the fault; the fault is no later than the last of the alarms it is accused of.
  let lastMs = Number.NEGATIVE_INFINITY
  for (const alarm of accusers) lastMs = Math.max(lastMs, board.atMs[alarm] as number)
  let left = MAX_WITNESSES
  const ask = (k: number, index: number, chance: number): boolean => {
    const id = (board.from[k] as number) + index
    asked(id)
    if (board.state[id] === CLEAR) {
      const { latencyMs, spurious } = EVIDENCE[k] as EvidenceKind
      if (board.confirmed.has(id) && (board.atMs[id] as number) >= lastMs) bound += confirmedClear(chance, spurious)
      else if ((board.atMs[id] as number) >= lastMs + latencyMs + SKEW_MS)
        bound += Math.log((1 - chance) / (1 - spurious))
    }
    return bound < floor || --left <= 0
  }
  // A change of configuration accuses nobody, and yet speaks for whoever it was.
  for (const node of own) {
    const id = (board.from[CHANGE] as number) + node
    asked(id)
    if (board.state[id] === ALARM) bound += Math.log(CAUSED / (EVIDENCE[CHANGE] as EvidenceKind).spurious)
  }
  const dead = (node: number): boolean => {
    if (ask(ANSWER, node, UNANSWERED)) return true
    for (let v = 0; v < model.views; v++) if (ask(PING, v * nodes + node, UNPINGED)) return true
    return false
  }
  if (cause.kind === "bgp")
    (model.sessionsOf[cause.index] ?? []).some((s) => ask(BGP, 2 * s, DOWN) || ask(BGP, 2 * s + 1, DOWN))
  else own.some(dead)
  return bound < floor
}
