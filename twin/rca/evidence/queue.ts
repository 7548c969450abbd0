/** A port drops packets that it should have sent (ifOutDiscards, RFC 2863). Index: link * 2 + end. */
import { congestionKind } from "#twin/rca/evidence/congestion.ts"

/** A direction fills, seldom both: each end drops about as often as not. */
export const queue = congestionKind(0.6, { name: "queue", alarmed: "drops packets", cleared: "drops nothing" })
