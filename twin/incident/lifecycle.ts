/**
 * The life of an incident as a total table.
 *
 *             quiet                 settled, ended
 *     open ──────────> recovering ──────────────────> closed
 *      ^ ^               │                              │
 *      │ └─── alarmed ───┘                              │
 *      └──────────────────────── alarmed ───────────────┘     within REOPEN_MS; later it is another incident
 *
 * Acknowledgement, assignment and escalation are no states: they only say what people do about it.
 */
import type { IncidentState } from "#protocol/incident.ts"

export const INCIDENT_SIGNALS = [
  /** An alert of it fires, or its cause is seen. */
  "alarmed",
  /** None does, and it is not. */
  "quiet",
  /** That has lasted for COOLDOWN_MS. */
  "settled",
  /** Somebody says that it is over, or it turned out to be part of another. */
  "ended",
] as const
export type IncidentSignal = (typeof INCIDENT_SIGNALS)[number]

/** All alerts of it must have been quiet for so long. */
export const COOLDOWN_MS = 300_000
/** What comes back sooner after the end is the same incident. */
export const REOPEN_MS = 1_800_000

export const LIFE: Readonly<Record<IncidentState, Readonly<Record<IncidentSignal, IncidentState>>>> = {
  open: { alarmed: "open", quiet: "recovering", settled: "recovering", ended: "closed" },
  recovering: { alarmed: "open", quiet: "recovering", settled: "closed", ended: "closed" },
  closed: { alarmed: "open", quiet: "closed", settled: "closed", ended: "closed" },
}
