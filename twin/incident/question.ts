/**
 * A question to the network that would decide between the causes which an incident leaves open: its life in the incident, what
 * the engine is asked to do (an effect: only a live twin carries it out, after the commit), and the bounds of all of it. The
 * answer is an input of the journal, so that a replay hears the same and asks nobody.
 */
import type { IncidentView } from "#protocol/incident.ts"
import type { DeviceId } from "#protocol/id.ts"
import type { Incident } from "#twin/incident/state.ts"

/** Questions of one incident, all its life. */
export const QUESTIONS_MAX = 8
/** Of these at once. */
export const UNDER_WAY_MAX = 3
/**
 * How long an answer is waited for, and so how long a verdict may be called undecided for its sake. Three pings 300 ms apart
 * have their answer or their silence within 1.7 s, and a poll is in within 0.3 s or is one of a device that does not answer.
 */
export const ANSWER_MS = 3_000
/** Silence sooner after the fault says little: routing may still look for the other way. Then it is asked again. */
export const SETTLE_MS = 10_000
/** An answer counts for so long, unless somebody reads otherwise: as a regular ping's verdict does (twin/reach.ts). */
export const COUNTS_MS = 180_000
/** Of one tenant: so many at once, and one more in each of these times. */
export const CREDITS_MAX = 16
export const CREDIT_MS = 2_000

/** What the engine is asked to do now. `read` is a poll of the device by whatever reads it: SNMP or API. */
export interface ProbeRequest {
  readonly incident: string
  readonly question: number
  readonly device: DeviceId
  readonly ask: "ping" | "read"
  readonly atMs: number
  /** Later than this nobody waits for it. */
  readonly untilMs: number
}

/** What was heard; weighed at the next evaluation. */
export interface Heard {
  /** `read` = the device was read, and the board says what that showed. */
  readonly outcome: "read" | "answered" | "silent" | Refusal
  readonly startedMs: number
  readonly atMs: number
  readonly rttMs: number | null
}

/** Why it was not asked: unknown or forbidden address; a resting device or too much to do; the tenant's quota; no tool. */
export const REFUSALS = ["forbidden", "busy", "quota", "tool"] as const
export type Refusal = (typeof REFUSALS)[number]

/** What the twin remembers beside what people see of it. */
export interface Asked {
  readonly number: number
  readonly device: DeviceId
  readonly ask: ProbeRequest["ask"]
  readonly untilMs: number
  readonly heard: Heard | null
  /** What the answer says of the observable; null = nothing (yet). */
  readonly alarms: boolean | null
  /** It may be asked again from then on. */
  readonly againMs: number
}

/** `asked` is absent in snapshots of before questions were sent; `observable` -1 = its number is another one now. */
export type Question = IncidentView["probing"][number] & { readonly observable: number; readonly asked?: Asked }

export const isUnderWay = ({ answer, asked }: Question): boolean => answer === null && asked !== undefined

/** The tenant's allowance of questions. */
export interface Allowance {
  readonly credits: number
  readonly atMs: number
}
export const FULL: Allowance = { credits: CREDITS_MAX, atMs: 0 }

/** With what came back since; whole credits, so that the same times give the same sums. */
export const refilled = ({ credits, atMs }: Allowance, nowMs: number): Allowance => {
  const more = Math.max(0, Math.floor((nowMs - atMs) / CREDIT_MS))
  return credits + more >= CREDITS_MAX
    ? { credits: CREDITS_MAX, atMs: nowMs }
    : { credits: credits + more, atMs: atMs + more * CREDIT_MS }
}

/** Devices whose next answer is an answer to a question. Derived: so that a poll of anybody else costs nothing. */
export const awaited = (incidents: Iterable<Pick<Incident, "probing">>): ReadonlySet<string> => {
  const devices = new Set<string>()
  for (const { probing } of incidents)
    for (const one of probing) if (isUnderWay(one) && one.asked !== undefined) devices.add(one.asked.device)
  return devices
}

/** When the questions of an incident want to be looked at, later than `afterMs`. */
export function* questionTimes({ probing }: Pick<Incident, "probing">, afterMs: number): Generator<number> {
  for (const { answer, asked } of probing) {
    if (asked === undefined) continue
    const ms = answer === null ? asked.untilMs : asked.againMs
    if (ms > afterMs) yield ms
  }
}
