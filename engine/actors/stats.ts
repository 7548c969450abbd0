/** Counters per type of actor, for /metrics. Types are few and known, so they are safe as labels; ids never are. */
export interface TypeStats {
  /** Alive now, quarantined ones included. */
  actors: number
  /** Messages waiting now, over all actors of the type, and the most there ever were. */
  depth: number
  depthMax: number
  processed: number
  /** Messages refused: mailbox full, quarantined or stopped. */
  refused: number
  /** Messages replaced by a newer one with the same key while they waited. */
  coalesced: number
  crashes: number
  restarts: number
  /** Set aside now, and how often that happened. */
  quarantined: number
  quarantines: number
  /** Lives that did not end in time when they were stopped. */
  stuck: number
}

export const newTypeStats = (): TypeStats => ({
  actors: 0,
  depth: 0,
  depthMax: 0,
  processed: 0,
  refused: 0,
  coalesced: 0,
  crashes: 0,
  restarts: 0,
  quarantined: 0,
  quarantines: 0,
  stuck: 0,
})
