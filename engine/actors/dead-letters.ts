/**
 * Messages that no actor will ever handle: the newest few for a person to look at, all of them counted.
 * A letter may hold device data: it stays in the memory of the system that owns it and is never logged whole.
 */
export const DEAD_LETTERS_KEPT = 256
/** Longest kept text of an error; the text may repeat what a device sent. */
const ERROR_TEXT_MAX = 240

/**
 * poison: the reducer threw on it. stopped: it was told to, or waited at, an actor that is gone.
 * late: an answer to an ask that had given up. full, quarantined: refused at the door, counted but not kept.
 */
export const DEAD_REASONS = ["poison", "stopped", "late", "full", "quarantined"] as const
export type DeadReason = (typeof DEAD_REASONS)[number]

export interface DeadLetter {
  readonly atMs: number
  readonly actor: string
  readonly type: string
  readonly reason: DeadReason
  readonly message: unknown
  /** One printable line, null unless poison. */
  readonly error: string | null
}

export interface DeadLetters {
  readonly keep: (letter: DeadLetter) => void
  readonly count: (reason: DeadReason) => void
  readonly counts: () => Readonly<Record<DeadReason, number>>
  /** Oldest first, at most DEAD_LETTERS_KEPT. */
  readonly recent: () => readonly DeadLetter[]
}

export const makeDeadLetters = (kept = DEAD_LETTERS_KEPT): DeadLetters => {
  const ring: DeadLetter[] = []
  let next = 0
  const counts: Record<DeadReason, number> = { poison: 0, stopped: 0, late: 0, full: 0, quarantined: 0 }
  return {
    keep: (letter) => {
      counts[letter.reason]++
      ring[next] = letter
      next = (next + 1) % kept
    },
    count: (reason) => {
      counts[reason]++
    },
    counts: () => ({ ...counts }),
    recent: () => (ring.length < kept ? ring.slice() : [...ring.slice(next), ...ring.slice(0, next)]),
  }
}

/** What was thrown as one printable line: control characters out, bounded length. Never throws itself. */
export const errorLine = (thrown: unknown): string => {
  let text: string
  try {
    text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown)
  } catch {
    text = "something that cannot be printed was thrown"
  }
  // eslint-disable-next-line no-control-regex -- removing them is the point: the text may end on a terminal.
  const line = text.slice(0, ERROR_TEXT_MAX).replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ")
  return line.trim()
}
