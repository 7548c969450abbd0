/**
 * The one door: who a presented credential belongs to. REST, stream and files all ask here, so that a revoked credential
 * is refused everywhere at once. What was found is remembered for a second, because a page asks dozens of things at once;
 * what is revoked here is forgotten at once, what is revoked elsewhere (another engine, SQL) within that second.
 */
import * as Effect from "effect/Effect"
import type { Presented, Principal } from "#engine/access/principal.ts"
import type { Unavailable } from "#engine/api/ports.ts"

/** Which credentials; a field that is absent matches all. */
export interface Which {
  readonly userId?: string
  readonly credentialId?: string
  readonly tenant?: string
}

export interface Doors {
  /** Null = unknown, expired, revoked, its user disabled, or its tenant suspended: all told alike. */
  readonly admit: (presented: Presented) => Effect.Effect<Principal | null, Unavailable>
  /** After every revocation: these are asked for anew, and whoever listens ends what they opened. */
  readonly forget: (which: Which) => void
  readonly onForget: (listener: (which: Which) => void) => () => void
}

/** Looks a credential up in storage; null as Doors.admit. */
export type Resolve = (presented: Presented) => Effect.Effect<Principal | null, Unavailable>

const REMEMBER_MS = 1_000
/** Credentials remembered at once; the oldest makes room. */
const REMEMBERED_MAX = 10_000

export const makeDoors = (resolve: Resolve, nowMs: () => number): Doors => {
  const remembered = new Map<string, { readonly principal: Principal; readonly untilMs: number }>()
  const listeners = new Set<(which: Which) => void>()
  // A look-up that was under way while something was revoked must not be remembered.
  let generation = 0
  const remember = (key: string, principal: Principal, asOf: number): void => {
    if (asOf !== generation) return
    remembered.set(key, { principal, untilMs: nowMs() + REMEMBER_MS })
    const oldest = remembered.keys().next()
    if (remembered.size > REMEMBERED_MAX && oldest.done !== true) remembered.delete(oldest.value)
  }
  return {
    admit: (presented) =>
      Effect.suspend(() => {
        const key = `${presented.kind} ${presented.token}`
        const now = nowMs()
        const known = remembered.get(key)
        if (known !== undefined && known.untilMs > now && known.principal.credential.expiresAtMs > now)
          return Effect.succeed(known.principal)
        remembered.delete(key)
        const asOf = generation
        return resolve(presented).pipe(
          Effect.tap((principal) => Effect.sync(() => principal !== null && remember(key, principal, asOf))),
        )
      }),
    forget: (which) => {
      generation += 1
      for (const [key, { principal }] of remembered) if (fits(which, principal)) remembered.delete(key)
      for (const listener of listeners) listener(which)
    },
    onForget: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

export const fits = (which: Which, principal: Principal): boolean =>
  (which.userId === undefined || which.userId === principal.userId) &&
  (which.credentialId === undefined || which.credentialId === principal.credential.id) &&
  (which.tenant === undefined || which.tenant === principal.tenant)
