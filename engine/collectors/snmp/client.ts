/**
 * What walking and polling need from a device that speaks SNMP, whichever version it speaks, and how that fails.
 * Both clients (v2c.ts, v3.ts) end every call by its deadline, whatever the device or the library does.
 */
import * as Data from "effect/Data"
import type { Oid } from "#engine/collectors/snmp/oid.ts"
import { equalOid } from "#engine/collectors/snmp/oid.ts"
import type { Varbinds } from "#engine/collectors/snmp/varbinds.ts"

/**
 * timeout: no usable answer in time. refused: the kernel would not send. auth: the agent refused user, key or level.
 * protocol: it answered something that is no answer. status: error-status of RFC 3416 s3 (`status` holds it).
 */
export class SnmpFailed extends Data.TaggedError("SnmpFailed")<{
  readonly reason: "timeout" | "refused" | "auth" | "protocol" | "status" | "closed"
  /** One line for an operator; built from fixed words and numbers only, so it can hold neither secrets nor device text. */
  readonly detail: string
  /** 0 unless reason is `status`. */
  readonly status: number
}> {}

export const snmpFailed = (reason: SnmpFailed["reason"], detail: string, status = 0): SnmpFailed =>
  new SnmpFailed({ reason, detail, status })

/** RFC 3416 s3 error-status values that have a meaning here. */
export const STATUS = { tooBig: 1, noSuchName: 2, genErr: 5, noAccess: 6, authorizationError: 16 } as const

export interface SnmpClient {
  /** Exactly the asked OIDs in the asked order; rejects with SnmpFailed. `untilMs` is on performance.now()'s clock. */
  readonly get: (oids: readonly Oid[], untilMs: number) => Promise<Varbinds>
  /** At most nonRepeaters + repeaters * maxRepetitions bindings; their order is the walk's to check. */
  readonly bulk: (
    nonRepeaters: number,
    maxRepetitions: number,
    oids: readonly Oid[],
    untilMs: number,
  ) => Promise<Varbinds>
  /** Rejects the request in flight. */
  readonly cancel: () => void
  readonly close: () => void
}

/** Whether an answer to GET names what was asked, one for one (hostile.md: replies with other OIDs were accepted). */
export const answersGet = (asked: readonly Oid[], answer: Varbinds): boolean => {
  if (answer.length !== asked.length) return false
  for (let i = 0; i < asked.length; i++) {
    if (!equalOid(answer.bytes, answer.oidStart(i), answer.oidEnd(i), asked[i] as Oid)) return false
  }
  return true
}

/** Whether an answer to GETBULK holds no more than was asked for (RFC 3416 s4.2.3; the excess crashed net-snmp, S5). */
export const answersBulk = (asked: number, nonRepeaters: number, maxRepetitions: number, answer: Varbinds): boolean =>
  answer.length <= nonRepeaters + Math.max(0, asked - nonRepeaters) * maxRepetitions

/** The value, or `fallback` when the agent answers with an SNMP error: it has no such table, or cannot read it now. */
export const unlessRefused = async <Value>(read: Promise<Value>, fallback: Value): Promise<Value> => {
  try {
    return await read
  } catch (error) {
    if (error instanceof SnmpFailed && error.reason === "status") return fallback
    throw error
  }
}
