/**
 * What the engine and the worker of one replay say to each other. Plain data for postMessage; the bytes of frames are
 * moved, not copied. Order is kept by the port, so that what was asked first is done first.
 */
import type { FaultBody, WhatIfBody } from "#engine/api/groups/what-if.ts"
import type { TenantInfo } from "#engine/tenant/live-twin.ts"
import type { Position } from "#engine/stream/hub.ts"
import type { IncidentView } from "#protocol/incident.ts"
import type { EventView } from "#protocol/view.ts"
import type { Sub } from "#protocol/wire.ts"

/** Slowest and fastest, times real time. */
export const SPEED_MIN = 1
export const SPEED_MAX = 1_000

/** Where a replay stands. */
export interface Standing {
  /** The replayed moment. */
  readonly atMs: number
  /** Ends here by itself. */
  readonly toMs: number
  readonly playing: boolean
  readonly speed: number
  /** Last input folded. */
  readonly seq: number
  readonly epoch: number
  /** Why it stopped by itself; null = it did not. One line for the operator. */
  readonly problem: string | null
  /** What is shown is a branch of the past; null = it is the past. */
  readonly branch: BranchStanding | null
}

export interface BranchStanding {
  /** Where it left the past, which stands there still. */
  readonly sinceMs: number
  /** It hears nothing of the journal. */
  readonly alone: boolean
  /** That hold now. */
  readonly faults: readonly FaultBody[]
  /** Inputs of its own that it took, those among them included that wait for their time. */
  readonly inputs: number
  readonly waiting: number
}

/** What may be asked of a replay that is branched, or shall be. `sites` = of whoever asks; null = all. */
export type BranchAsk =
  | { readonly kind: "open"; readonly alone: boolean }
  | {
      readonly kind: "hear"
      readonly sites: readonly string[] | null
      /** That hold from now on, no others; null = those that do. */
      readonly faults: readonly FaultBody[] | null
      /** As lines of `heliograph replay --inputs`. */
      readonly inputs: readonly unknown[]
    }
  | { readonly kind: "look"; readonly sites: readonly string[] | null }
  | { readonly kind: "whatIf"; readonly faults: readonly FaultBody[]; readonly routesOf: string | null }
  | { readonly kind: "leave" }

/** A branch as it stands: what the twin makes of it. */
export interface BranchLook {
  readonly atMs: number
  readonly incidents: readonly IncidentView[]
  /** Decided in the branch, newest first; the newest ones. */
  readonly events: readonly EventView[]
}

export interface BranchAnswers {
  readonly open: null
  readonly hear: null
  readonly look: BranchLook
  readonly whatIf: typeof WhatIfBody.Type
  readonly leave: null
}

/** What whoever opened it may ask; done in this order. */
export interface Steer {
  readonly atMs?: number
  /** On to the next event that the asker may see. */
  readonly step?: "event"
  readonly speed?: number
  readonly playing?: boolean
}

/** `appUrl` holds a password: it is never logged and never answered. */
export interface WorkerStart {
  readonly appUrl: string
  readonly tenant: TenantInfo
  readonly fromMs: number
  readonly toMs: number
  readonly speed: number
  /** Of whoever opened it: whose events `step` stops at; null = all. */
  readonly sites: readonly string[] | null
  /** Above every epoch of live twins and of earlier replays. */
  readonly epochBase: number
}

export type ToWorker =
  | { readonly kind: "steer"; readonly id: number; readonly steer: Steer }
  | { readonly kind: "ask"; readonly id: number; readonly ask: BranchAsk }
  | {
      readonly kind: "join"
      readonly viewer: number
      readonly sites: readonly string[] | null
      readonly resume: Position | null
    }
  | { readonly kind: "leave"; readonly viewer: number }
  | { readonly kind: "focus"; readonly viewer: number; readonly focus: Sub["focus"] }
  /** So many bytes went out to the viewer: there is room for more. */
  | { readonly kind: "taken"; readonly viewer: number; readonly bytes: number }
  | { readonly kind: "close" }

export type FromWorker =
  | { readonly kind: "opened"; readonly standing: Standing }
  /** Of a wish or a question; `problem` = why it was not done. */
  | {
      readonly kind: "done"
      readonly id: number
      readonly standing: Standing
      readonly answer: BranchAnswers[BranchAsk["kind"]]
      readonly problem: string | null
    }
  | { readonly kind: "standing"; readonly standing: Standing }
  | { readonly kind: "frame"; readonly viewer: number; readonly bytes: Uint8Array }
  /** It could not be opened; the worker ends. */
  | { readonly kind: "impossible"; readonly problem: string }
