/**
 * Where a value came from, packed into one byte so that thousands of values carry their source and quality for free.
 * The order of SOURCES is part of snapshots: append only.
 */
import type { Source } from "#protocol/view.ts"

export const SOURCES: readonly Source[] = ["snmp", "routeros", "probe", "trap", "syslog"]

/** Set on a value that had to be guessed from ambiguous evidence (a Counter32 that may have wrapped unseen). */
const ESTIMATED = 1 << 7

export const packOrigin = (source: Source, estimated: boolean): number =>
  SOURCES.indexOf(source) | (estimated ? ESTIMATED : 0)
export const originSource = (origin: number): Source => SOURCES[origin & 0x7f] ?? "probe"
export const originEstimated = (origin: number): boolean => (origin & ESTIMATED) !== 0
/** One bit per source, for "which sources list this". */
export const sourceBit = (source: Source): number => 1 << SOURCES.indexOf(source)
