/**
 * Copies the twin's events into their table. Rounds tell them when their inputs are durable (told-notices.ts); what a life
 * of the runtime folded at its start was perhaps told to nobody, or not written before the end, so all of it is written
 * again: the same event twice changes nothing, and one that is missing is a hole in the history.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"
import type { EventView } from "#protocol/view.ts"

/** Events that wait for the database; beyond it the oldest are given up (the journal still has them) and counted. */
export const EVENTS_WAITING_MAX = 50_000
const RETRY_MS = 1_000
const PER_WRITE = 1_000

export interface EventWriterOptions {
  readonly twin: LiveTwin
  /** Of the runtime of the moment, see TenantRuntime.recoveredEvents. */
  readonly recoveredEvents: () => readonly EventView[]
  readonly append: (events: readonly EventView[]) => Effect.Effect<void, unknown>
  /** Told with the next write that succeeds. */
  readonly onGivenUp: (events: number) => void
  readonly onRetry?: (cause: unknown) => void
}

/** Runs until the scope closes; what waits by then is written first, once. */
export const writeEvents = (options: EventWriterOptions): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { twin } = options
    let waiting: EventView[] = []
    let wake: (() => void) | null = null
    let givenUp = 0
    const bound = (): void => {
      const over = waiting.length - EVENTS_WAITING_MAX
      if (over <= 0) return
      waiting = waiting.slice(over)
      givenUp += over
    }
    const add = (events: readonly EventView[]): void => {
      if (events.length === 0) return
      waiting = [...waiting, ...events]
      bound()
      wake?.()
    }
    // The newest events of its snapshot, and all that came of the journal's tail.
    const addRecovered = (): void => {
      const tail = options.recoveredEvents()
      const known = new Set(tail.map(({ id }) => id))
      add([...twin.recentEvents().filter(({ id }) => !known.has(id)), ...tail])
    }
    let epoch = twin.epoch()
    addRecovered()
    const stop = twin.onRound((notice) => {
      if (notice.epoch !== epoch && notice.topologyChanged) addRecovered()
      epoch = notice.epoch
      add(notice.events)
    })
    const something = Effect.callback<void>((resume) => {
      if (waiting.length > 0) return resume(Effect.void)
      wake = () => {
        wake = null
        resume(Effect.void)
      }
    })
    const take = (max: number): readonly EventView[] => {
      const batch = waiting.slice(0, max)
      waiting = waiting.slice(max)
      return batch
    }
    const putBack = (batch: readonly EventView[]): void => {
      waiting = [...batch, ...waiting]
      bound()
    }
    const writeOnce = Effect.gen(function* () {
      yield* something
      const batch = take(PER_WRITE)
      yield* options.append(batch).pipe(Effect.tapError(() => Effect.sync(() => putBack(batch))))
      if (givenUp > 0) options.onGivenUp(givenUp)
      givenUp = 0
    }).pipe(
      Effect.catch((cause) =>
        Effect.andThen(
          Effect.sync(() => options.onRetry?.(cause)),
          Effect.sleep(RETRY_MS),
        ),
      ),
    )
    const lastWords = Effect.suspend(() =>
      waiting.length === 0 ? Effect.void : options.append(take(EVENTS_WAITING_MAX)),
    ).pipe(Effect.ignore)
    yield* Effect.addFinalizer(() => lastWords)
    yield* Effect.forkScoped(Effect.forever(writeOnce))
    yield* Effect.addFinalizer(() => Effect.sync(stop))
  })
