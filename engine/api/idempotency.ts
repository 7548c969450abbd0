/**
 * A request that may be sent again without being done again: with an Idempotency-Key, the first one is done, and the same
 * request within a day gets the same answer. Answers are kept sealed, whatever they hold, so that a key or invitation
 * that is shown once can be shown to whoever lost that one answer and to nobody else.
 *
 *   (none) --claim--> running --answer--> done --24 h--> (none)
 *                     running --refused: nothing was done--> (none)
 *                     running --the engine died, or the database went away meanwhile--> stays: nobody knows, 409
 */
import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import type { Principal } from "#engine/access/principal.ts"
import { sortedJson } from "#engine/sorted-json.ts"
import type { Unavailable } from "#engine/api/ports.ts"
import { Conflict, Refused, ServiceUnavailable } from "#engine/api/problems.ts"
import type { Log } from "#engine/log.ts"
import type { TenantId } from "#protocol/id.ts"

export interface IdempotencyOwner {
  readonly tenant: TenantId
  /** User or API key id. */
  readonly actorId: string
}
export type Claim =
  /** Nobody did it: do it, then `finish` or `drop`. */
  | { readonly kind: "mine" }
  | { readonly kind: "done"; readonly value: unknown }
  /** The key was used for another request. */
  | { readonly kind: "other" }
  /** It is being done now. */
  | { readonly kind: "running" }
  /** It was begun and never ended here, or its answer cannot be opened any more. */
  | { readonly kind: "unknown" }

export interface Idempotency {
  readonly claim: (owner: IdempotencyOwner, key: string, requestHash: string) => Effect.Effect<Claim, Unavailable>
  readonly finish: (
    owner: IdempotencyOwner,
    key: string,
    requestHash: string,
    value: unknown,
  ) => Effect.Effect<void, Unavailable>
  readonly drop: (owner: IdempotencyOwner, key: string) => Effect.Effect<void, Unavailable>
}

/** Names a request: the operation and everything that it was given. */
export const requestHash = (operation: string, ...given: readonly unknown[]): string =>
  createHash("sha256")
    .update(sortedJson([operation, ...given]))
    .digest("hex")

/** Seconds to wait before the same request is worth another try. */
const RETRY_S = 2

/**
 * Runs `effect` at most once per key; without a key, simply runs it. `effect` answers plain JSON (or nothing) and fails
 * with problems of the API. Its failure means that nothing was done, except ServiceUnavailable, of which nobody knows.
 */
export const withIdempotency = <A, E extends { readonly _tag: string }, R>(
  deps: { readonly idempotency: Idempotency; readonly log: Log },
  caller: { readonly principal: Principal },
  key: string | undefined,
  hash: string,
  effect: Effect.Effect<A, E, R>,
): Effect.Effect<A, E | Refused | Conflict | ServiceUnavailable, R> => {
  if (key === undefined) return effect
  const { principal } = caller
  const owner: IdempotencyOwner = {
    tenant: principal.tenant,
    actorId: principal.credential.kind === "apiKey" ? principal.credential.id : principal.userId,
  }
  const away = ({ detail }: Unavailable) => {
    deps.log.warn("an idempotency key could not be looked up", { detail })
    return Effect.fail(new ServiceUnavailable({}))
  }
  // What happened already cannot be taken back because the note of it failed: it is told, and the key stays unknown.
  const noted = (note: Effect.Effect<void, Unavailable>) =>
    note.pipe(
      Effect.catchTag("Unavailable", ({ detail }) =>
        Effect.sync(() => deps.log.warn("an idempotency key could not be noted", { detail })),
      ),
    )
  const run = effect.pipe(
    Effect.tap((value) => noted(deps.idempotency.finish(owner, key, hash, value))),
    Effect.tapError((error) =>
      error._tag === "ServiceUnavailable" ? Effect.void : noted(deps.idempotency.drop(owner, key)),
    ),
  )
  return Effect.uninterruptible(
    Effect.gen(function* () {
      const claim = yield* deps.idempotency.claim(owner, key, hash).pipe(Effect.catchTag("Unavailable", away))
      switch (claim.kind) {
        case "mine":
          return yield* run
        case "done":
          return claim.value as A
        case "other":
          return yield* new Refused({ detail: "this Idempotency-Key was used for another request" })
        case "running":
          return yield* new Conflict({ detail: `this request is being done; ask again in ${RETRY_S} s` })
        case "unknown":
          return yield* new Conflict({
            detail: "whether this request was done is not known: read what is there, then use another Idempotency-Key",
          })
      }
    }),
  )
}
