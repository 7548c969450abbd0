/**
 * What the sign-in screen asks for next, by the engine's answer. Pure, so that every answer can be tested; the words are
 * the screen's. A wrong code keeps the password, so that nobody types it again for one slipped digit.
 *
 *   password --second-factor-needed--> code --wrong--> code
 *      |--401--> password; the engine never says whether it was the name, the password or the tenant
 *      \--429--> the same step, shut until `untilMs`
 */
import type { Failure } from "#client/state/api.ts"

export interface SignInStep {
  readonly step: "password" | "code"
  /** The person asked for the tenant's field: only who has one name at several tenants needs it. */
  readonly askTenant: boolean
  /** Local time at which a next try makes sense; null = now. */
  readonly untilMs: number | null
  readonly said: "nothing" | "wrong" | "wrong-code" | "wait" | "offline" | "other"
}
export const FIRST_STEP: SignInStep = { step: "password", askTenant: false, untilMs: null, said: "nothing" }

/** What a browser that came back from the identity provider is told (engine/oidc/oidc.ts), by `/?signin=...`. */
export const OUTCOMES = ["away", "again", "failed", "refused"] as const
export type Outcome = (typeof OUTCOMES)[number]
export const outcomeOf = (search: string): Outcome | null => {
  const told = new URLSearchParams(search).get("signin")
  return OUTCOMES.find((outcome) => outcome === told) ?? null
}

/** A wait that came without a length. */
const WAIT_S = 60

export const nextStep = (before: SignInStep, failure: Failure, nowMs: number): SignInStep => {
  const open = { ...before, untilMs: null }
  if (failure.status === 0) return { ...open, said: "offline" }
  if (failure.status === 429)
    return { ...before, untilMs: nowMs + (failure.retryAfterS ?? WAIT_S) * 1_000, said: "wait" }
  switch (failure.kind) {
    case "second-factor-needed":
      return { ...open, step: "code", said: before.step === "code" ? "wrong-code" : "nothing" }
    default:
      if (failure.status !== 401) return { ...open, said: "other" }
      return { ...open, said: before.step === "code" ? "wrong-code" : "wrong" }
  }
}

/** Whole seconds that are left; 0 = the door is open. */
export const waitLeftS = (step: SignInStep, nowMs: number): number =>
  step.untilMs === null ? 0 : Math.max(0, Math.ceil((step.untilMs - nowMs) / 1_000))
