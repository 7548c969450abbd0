/**
 * From what storage kept to a twin that may go live: the snapshot, then the journal's tail through the same runRound.
 * A snapshot that cannot be read costs time, not data, as long as the journal is whole; a gap in the journal stops the
 * start, because a twin with a hole in its past would be shown as the truth.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { errorLine } from "#engine/actors/dead-letters.ts"
import type { Turns } from "#engine/actors/turns.ts"
import { nextTurn, PROCESS_TURNS } from "#engine/actors/turns.ts"
import { JournalUnreadable } from "#engine/tenant/journal-codec.ts"
import type { JournalPort, SnapshotPort } from "#engine/tenant/ports.ts"
import { decodeSnapshot } from "#engine/tenant/snapshot-codec.ts"
import type { EventView } from "#protocol/view.ts"
import type { Cells, CellStates } from "#twin/cells.ts"
import { NO_STATES } from "#twin/cells.ts"
import type { Sequenced } from "#twin/input.ts"
import { newWorld, runRound } from "#twin/round.ts"
import type { IncidentRecord, RoundResult, World } from "#twin/round.ts"
import { restoreTwin } from "#twin/snapshot.ts"

/** The journal lacks inputs that the twin needs. Restore it from a backup, or start from a readable snapshot. */
export class JournalGap extends Data.TaggedError("JournalGap")<{
  readonly expectedSeq: number
  readonly foundSeq: number
}> {
  override get message(): string {
    return `the journal goes on at ${this.foundSeq} where ${this.expectedSeq} is needed; restore it from a backup`
  }
}

/** Storage did not give what a start needs. */
export class StorageFailed extends Data.TaggedError("StorageFailed")<{
  readonly step: "snapshot" | "journal"
  readonly detail: string
}> {
  override get message(): string {
    return `${this.step}: ${this.detail}`
  }
}

/** The twin itself could not fold what the journal holds: a defect of this build. An older or newer one may do it. */
export class FoldFailed extends Data.TaggedError("FoldFailed")<{
  readonly fromSeq: number
  readonly toSeq: number
  readonly detail: string
}> {
  override get message(): string {
    return `inputs ${this.fromSeq} to ${this.toSeq} of the journal could not be folded: ${this.detail}`
  }
}

export type RecoverError = JournalGap | JournalUnreadable | StorageFailed | FoldFailed

export interface Recovered {
  readonly world: World
  readonly cells: Cells
  readonly snapshotSeq: number
  /** Inputs folded after the snapshot. */
  readonly folded: number
  /** Why the stored snapshot was not used; null when it was, or when there was none. */
  readonly snapshotProblem: string | null
  /** Of the folded inputs, newest last, at most RECOVERED_EVENTS_MAX: nobody may have stored them yet. */
  readonly events: readonly EventView[]
  /** Incidents that were over in the folded inputs, each as it was last, at most RECOVERED_INCIDENTS_MAX, the newest. */
  readonly incidents: readonly IncidentRecord[]
}

/** Beyond it the oldest stay in the journal only: a tail of weeks. */
export const RECOVERED_INCIDENTS_MAX = 5_000

/** Events of a folded tail that are kept for their table; older ones are in the journal only. */
export const RECOVERED_EVENTS_MAX = 50_000

/** Inputs folded between two breaths, when batches are larger. */
const FOLD_SLICE = 256

/** `makeCells` gives the states their actors; `advance` tells their system the time before each slice. */
export const recover = (
  journal: JournalPort,
  snapshots: SnapshotPort,
  makeCells: (states: CellStates) => Cells,
  advance: (atMs: number) => void,
  turns: Turns = PROCESS_TURNS,
): Effect.Effect<Recovered, RecoverError> =>
  Effect.gen(function* () {
    const base = yield* attempt("snapshot", () => loadSnapshot(snapshots, turns))
    const { world } = base
    const cells = makeCells(base.states)
    const snapshotSeq = world.seq
    const { events, incidents } = yield* attempt("journal", () => foldTail(journal, world, cells, advance, turns))
    const last = yield* attempt("journal", () => journal.lastSeq())
    if (last > world.seq) return yield* new JournalGap({ expectedSeq: world.seq + 1, foundSeq: last })
    const folded = world.seq - snapshotSeq
    return { world, cells, snapshotSeq, folded, snapshotProblem: base.problem, events, incidents }
  })

interface Base {
  readonly world: World
  readonly states: CellStates
  readonly problem: string | null
}

const loadSnapshot = async (snapshots: SnapshotPort, turns: Turns): Promise<Base> => {
  const stored = await snapshots.load()
  if (stored === null) return { world: newWorld(), states: NO_STATES, problem: null }
  try {
    return { ...restoreTwin(await decodeSnapshot(stored.blob, () => nextTurn(turns), turns.monoMs)), problem: null }
  } catch (error) {
    return { world: newWorld(), states: NO_STATES, problem: errorLine(error) }
  }
}

const foldTail = async (
  journal: JournalPort,
  world: World,
  cells: Cells,
  advance: (atMs: number) => void,
  turns: Turns,
): Promise<Pick<Recovered, "events" | "incidents">> => {
  const events: EventView[] = []
  const incidents = new Map<string, IncidentRecord>()
  for await (const batch of journal.readFrom(world.seq + 1)) {
    for (let from = 0; from < batch.length; from += FOLD_SLICE) {
      const slice = batch.slice(from, from + FOLD_SLICE)
      checkOrder(world.seq, slice)
      const result = fold(world, cells, slice, advance)
      for (const event of result?.events ?? []) events.push(event)
      for (const record of result?.incidents ?? []) {
        // The newest last, so that the bound takes the oldest.
        incidents.delete(record.incident.id)
        incidents.set(record.incident.id, record)
        if (incidents.size > RECOVERED_INCIDENTS_MAX)
          for (const [oldest] of incidents) {
            incidents.delete(oldest)
            break
          }
      }
      if (events.length > RECOVERED_EVENTS_MAX) events.splice(0, events.length - RECOVERED_EVENTS_MAX)
      await nextTurn(turns)
    }
  }
  return { events, incidents: [...incidents.values()] }
}

const fold = (
  world: World,
  cells: Cells,
  slice: readonly Sequenced[],
  advance: (atMs: number) => void,
): RoundResult | null => {
  const [first, last] = [slice[0], slice.at(-1)]
  if (first === undefined || last === undefined) return null
  advance(first.input.atMs)
  try {
    return runRound(world, cells, slice)
  } catch (error) {
    throw new FoldFailed({ fromSeq: first.seq, toSeq: last.seq, detail: errorLine(error) })
  }
}

/** What the twin has already is skipped by runRound; what follows must have no holes. */
const checkOrder = (seq: number, batch: readonly Sequenced[]): void => {
  let newest = seq
  for (const entry of batch) {
    if (entry.seq > newest + 1) throw new JournalGap({ expectedSeq: newest + 1, foundSeq: entry.seq })
    newest = Math.max(newest, entry.seq)
  }
}

const attempt = <A>(step: "snapshot" | "journal", run: () => Promise<A>): Effect.Effect<A, RecoverError> =>
  Effect.tryPromise({
    try: run,
    catch: (error) =>
      error instanceof JournalGap || error instanceof JournalUnreadable || error instanceof FoldFailed
        ? error
        : new StorageFailed({ step, detail: errorLine(error) }),
  })
