/**
 * The gate: no byte of a device reaches a request or a walk before it passed here. It checks BER (ber.ts),
 * version, PDU type, the v3 security level and engine, and counts by reason what is dropped. What it stops is listed, with
 * reproducers, in notes/hostile.md s1; v2c.test.ts, v3.test.ts and fuzz.test.ts throw them all.
 */
import type { BerFault, Message } from "#engine/collectors/snmp/ber.ts"
import { decodeMessage, PDU } from "#engine/collectors/snmp/ber.ts"

export const DROP_REASONS = [
  /** Not strict BER. */
  "ber",
  /** Bytes behind the message: a `lenient` device would pass. */
  "trailing",
  "version",
  "community",
  /** Not a GetResponse (v3: nor a Report that may come now). */
  "pdu",
  /** Security level or user below or beside the session's. */
  "level",
  /** A Report that names another engine than the known one. */
  "engine",
  /** No request has this id (late, repeated or invented). */
  "id",
  /** More packets for one request than it may cost. */
  "budget",
  /** An answer that does not answer the question. */
  "answer",
] as const
export type DropReason = (typeof DROP_REASONS)[number]

/** Per device. */
export interface GateCounts {
  sent: number
  accepted: number
  readonly dropped: Record<DropReason, number>
}

export const makeGateCounts = (): GateCounts => ({
  sent: 0,
  accepted: 0,
  dropped: Object.fromEntries(DROP_REASONS.map((reason) => [reason, 0])) as Record<DropReason, number>,
})

/** Adds what a gate counted to a sum. */
export const addCounts = (sum: GateCounts, counts: GateCounts): void => {
  sum.sent += counts.sent
  sum.accepted += counts.accepted
  for (const reason of DROP_REASONS) sum.dropped[reason] += counts.dropped[reason]
}

export const droppedTotal = (counts: GateCounts): number =>
  DROP_REASONS.reduce((sum, reason) => sum + counts.dropped[reason], 0)

const berReason = (fault: BerFault): DropReason => (fault === "trailing" || fault === "version" ? fault : "ber")

/** An answer to a v2c request: the message, or why not. */
export const admitV2c = (bytes: Uint8Array, community: Buffer, lenient: boolean): Message | DropReason => {
  const message = decodeMessage(bytes, lenient)
  if (typeof message === "string") return berReason(message)
  if (message.version !== 1) return "version"
  if (message.pdu?.type !== PDU.response) return "pdu"
  if (!community.equals(message.community)) return "community"
  return message
}

/** What a v3 session may receive now. */
export interface V3Expectation {
  /** 0 noAuthNoPriv, 1 authNoPriv, 3 authPriv. */
  readonly level: 0 | 1 | 3
  readonly user: string
  /** Null until discovered. */
  readonly engineId: Uint8Array | null
  readonly lenient: boolean
}

/**
 * An answer to a v3 request. A GetResponse must have the session's own level (S8: an unauthenticated one was believed).
 * A Report may be unauthenticated while the engine is unknown, which is discovery, and afterwards only in the name of
 * the known engine: then it is an error message (unknownUserNames, wrongDigests, ...), RFC 3414 s3.2.
 */
export const admitV3 = (bytes: Uint8Array, expect: V3Expectation): Message | DropReason => {
  const message = decodeMessage(bytes, expect.lenient)
  if (typeof message === "string") return berReason(message)
  const { v3, pdu } = message
  if (v3 === null) return "version"
  if (v3.engineId.length < MIN_ENGINE_ID_BYTES) return "engine"
  const level = v3.flags & 3
  if (expect.engineId !== null && !equal(v3.engineId, expect.engineId)) return "engine"
  if (pdu === null) return level === expect.level && v3.user === expect.user ? message : "level"
  if (pdu.type === PDU.report) return level <= expect.level ? message : "level"
  if (pdu.type !== PDU.response) return "pdu"
  return level === expect.level && v3.user === expect.user && expect.engineId !== null ? message : "level"
}

/** RFC 3411: an SnmpEngineID has 5 to 32 octets. */
const MIN_ENGINE_ID_BYTES = 5

const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
