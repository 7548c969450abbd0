/**
 * Brings incidents that are over into their table. Rounds tell them when their inputs are durable (told-notices.ts), a start
 * tells those of the journal's tail again, and no snapshot is kept before what it lets the twin forget is stored: so a kill
 * at any moment loses none, and writing one again changes nothing. While the database is away they wait here.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { sitesOf } from "#engine/incidents/sites-of.ts"
import type { StoredIncident } from "#engine/incidents/stored-row.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"
import type { SnapshotPort } from "#engine/tenant/ports.ts"
import type { IncidentView } from "#protocol/incident.ts"
import { incidentView } from "#twin/incident/view.ts"
import type { IncidentRecord } from "#twin/round.ts"

/** Incidents that wait for the database; beyond it the oldest are given up (the journal still has them) and counted. */
export const INCIDENTS_WAITING_MAX = 2_000
const RETRY_MS = 1_000
const PER_WRITE = 50

export interface IncidentWriter {
  /** Newer records of the same incident take the place of older ones that still wait. */
  readonly add: (incidents: readonly StoredIncident[]) => void
  /** Writes what waits by now; fails when the database does. */
  readonly flush: Effect.Effect<void, unknown>
  readonly waiting: () => number
  /** Resolves when something waits. */
  readonly something: Effect.Effect<void>
}

export interface IncidentWriterOptions {
  readonly store: (incidents: readonly StoredIncident[]) => Effect.Effect<void, { readonly isAway: boolean }>
  /** One that the database refuses whatever is tried; it is given up, so that the others are not. */
  readonly onRefused: (incident: string, cause: unknown) => void
  readonly onGivenUp: (incidents: number) => void
}

export const makeIncidentWriter = ({ store, onRefused, onGivenUp }: IncidentWriterOptions): IncidentWriter => {
  let waiting = new Map<string, StoredIncident>()
  let wake: (() => void) | null = null
  const add: IncidentWriter["add"] = (incidents) => {
    for (const one of incidents) {
      const known = waiting.get(one.view.id)
      if (known !== undefined && known.seq > one.seq) continue
      waiting.delete(one.view.id)
      waiting.set(one.view.id, one)
    }
    const over = waiting.size - INCIDENTS_WAITING_MAX
    if (over > 0) {
      waiting = new Map([...waiting].slice(over))
      onGivenUp(over)
    }
    if (waiting.size > 0) wake?.()
  }
  const written = (batch: readonly StoredIncident[]): void => {
    // What came meanwhile is newer and waits on.
    for (const one of batch) if (waiting.get(one.view.id) === one) waiting.delete(one.view.id)
  }
  /** One by one: the refused one goes, and only that. */
  const sieve = (batch: readonly StoredIncident[]) =>
    Effect.forEach(
      batch,
      (one) =>
        store([one]).pipe(
          Effect.catch((error) =>
            error.isAway ? Effect.fail(error) : Effect.sync(() => onRefused(one.view.id, error)),
          ),
          Effect.tap(() => Effect.sync(() => written([one]))),
        ),
      { discard: true },
    )
  const flush = Effect.gen(function* () {
    const all = [...waiting.values()]
    for (let from = 0; from < all.length; from += PER_WRITE) {
      const batch = all.slice(from, from + PER_WRITE)
      const done = yield* Effect.result(store(batch))
      if (Result.isSuccess(done)) written(batch)
      else if (done.failure.isAway) return yield* Effect.fail(done.failure)
      else yield* sieve(batch)
    }
  })
  return {
    add,
    flush,
    waiting: () => waiting.size,
    something: Effect.callback<void>((resume) => {
      if (waiting.size > 0) return resume(Effect.void)
      wake = () => {
        wake = null
        resume(Effect.void)
      }
    }),
  }
}

export interface KeepOptions {
  readonly writer: IncidentWriter
  readonly twin: LiveTwin
  /** Of the runtime of the moment: what its start folded, see TenantRuntime.recoveredIncidents. */
  readonly recovered: () => readonly IncidentRecord[]
  /** What the twin holds. */
  readonly held: () => readonly IncidentView[]
  readonly onRetry?: (cause: unknown) => void
}

/** Runs until the scope closes; what waits by then is written first, once. */
export const keepIncidents = (options: KeepOptions): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { writer, twin, held, recovered, onRetry } = options
    const stored = (seq: number, view: IncidentView): StoredIncident => ({
      seq,
      view,
      sites: sitesOf(view, twin.inventory()),
    })
    const take = (records: readonly IncidentRecord[]): void =>
      writer.add(records.map(({ seq, incident }) => stored(seq, incidentView(incident))))
    // Those of its snapshot fill holes only: a table that has them has them as new or newer.
    const begin = (): void => {
      writer.add(held().flatMap((view) => (view.state === "closed" ? [stored(0, view)] : [])))
      take(recovered())
    }
    let epoch = twin.epoch()
    begin()
    const stop = twin.onRound((notice) => {
      if (notice.epoch !== epoch && notice.topologyChanged) begin()
      epoch = notice.epoch
      take(notice.incidents ?? [])
    })
    const writeOnce = Effect.andThen(writer.something, writer.flush).pipe(
      Effect.catch((cause) =>
        Effect.andThen(
          Effect.sync(() => onRetry?.(cause)),
          Effect.sleep(RETRY_MS),
        ),
      ),
    )
    yield* Effect.addFinalizer(() => Effect.ignore(writer.flush))
    yield* Effect.forkScoped(Effect.forever(writeOnce))
    yield* Effect.addFinalizer(() => Effect.sync(stop))
  })

/** Snapshots that wait for the incidents which they let the twin forget. */
export const afterIncidents = <Port extends SnapshotPort>(port: Port, writer: Pick<IncidentWriter, "flush">): Port => ({
  ...port,
  save: async (...snapshot: Parameters<SnapshotPort["save"]>) => {
    await Effect.runPromise(writer.flush)
    await port.save(...snapshot)
  },
})
