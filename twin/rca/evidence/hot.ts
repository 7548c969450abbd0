/**
 * A link is full, as one of its ends counts: a direction at or above HOT of capacity. Both ends count the same octets, so
 * that a lie of one shows. Index: link * 2 + end.
 */
import { congestionKind } from "#twin/rca/evidence/congestion.ts"

export const hot = congestionKind(0.9, { name: "hot", alarmed: "is full", cleared: "has room" })
