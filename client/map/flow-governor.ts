/**
 * Moving light costs a frame after frame; where the machine cannot keep up (a thin client, software GL) it turns itself
 * off. It is off until asked for, and a frozen or reduced-motion screen never asks.
 */
export interface FlowGovernor {
  readonly want: (on: boolean) => void
  /** 0 or 1, for the shader. */
  readonly strength: () => number
  readonly moving: () => boolean
  /** A frame was drawn. */
  readonly drew: (nowMs: number) => void
}

export const SLOW_FRAME_MS = 80
/** This many slow frames in a row (about 3 s) end it. */
export const SLOW_FRAMES = 36

export const makeFlowGovernor = (stopped: () => void): FlowGovernor => {
  let on = false
  let slow = 0
  let lastMs: number | null = null
  return {
    want: (wanted) => {
      on = wanted
      slow = 0
      lastMs = null
    },
    strength: () => (on ? 1 : 0),
    moving: () => on,
    drew: (nowMs) => {
      if (!on) return
      slow = lastMs !== null && nowMs - lastMs > SLOW_FRAME_MS ? slow + 1 : 0
      lastMs = nowMs
      if (slow < SLOW_FRAMES) return
      on = false
      stopped()
    },
  }
}
