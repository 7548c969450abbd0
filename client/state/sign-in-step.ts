/**
 * What the sign-in screen asks for next, by the engine's answer. Pure, so that every answer can be tested; the words are
 * the screen's. A wrong code keeps the password, so that nobody types it again for one slipped digit.
 *
 *   password --second-factor-needed--> code --wrong--> code
 *      |  \--tenant-needed--> password, with the tenant's field
 *      \--429--> the same step, shut until `untilMs`
 */
import type { Failure } from "#client/state/api.ts"

export interface SignInStep {
  readonly step: "password" | "code"
  /** The engine asked which tenant, or the person did. */
  readonly askTenant: boolean
  /** Local time at which a next try makes sense; null = now. */
  readonly untilMs: number | null
  readonly said: "nothing" | "wrong" | "wrong-code" | "tenant" | "wait" | "offline" | "other"
}
export const FIRST_STEP: SignInStep = { step: "password", askTenant: false, untilMs: null, said: "nothing" }

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
    case "tenant-needed":
      return { ...open, askTenant: true, said: "tenant" }
    default:
      if (failure.status !== 401) return { ...open, said: "other" }
      return { ...open, said: before.step === "code" ? "wrong-code" : "wrong" }
  }
}

/** Whole seconds that are left; 0 = the door is open. */
export const waitLeftS = (step: SignInStep, nowMs: number): number =>
  step.untilMs === null ? 0 : Math.max(0, Math.ceil((step.untilMs - nowMs) / 1_000))
