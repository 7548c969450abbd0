/**
 * Slows down password guessing without locking anybody out (notes/security.md row 29). A delay belongs to a pair of
 * (source, account), and to a source over all accounts; never to an account alone, because then a stranger could keep
 * its owner out. Nothing sleeps here: who comes too early is told when to come back. Pure: time is an argument,
 * and must be one that never goes back.
 *
 *   pair:   5 free attempts, then 2, 4, 8 ... 60 s between attempts: after 10 wrong ones at most one a minute
 *   source: 20 free failures, then the same
 *   account over many sources: account-guard.ts
 *   whole:  at most 8 passwords are checked at once (argon2 costs 20 MB and 50 ms each), 2 of them for one source
 */

export interface Admitted {
  readonly ok: true
  /**
   * Call once, when the password was checked or could not be. Only a wrong password stays counted. True when by this one
   * the pair has come to the longest delay: worth telling, once.
   */
  readonly done: (result: "right" | "wrong" | "unchecked") => boolean
}
export interface Delayed {
  readonly ok: false
  readonly retryAfterMs: number
}

export interface LoginGuard {
  readonly admit: (source: string, account: string, nowMs: number) => Admitted | Delayed
}

export const PAIR_FREE = 5
/** From this failure of a pair on, the delay is DELAY_MS_MAX. */
export const PAIR_SHUT = 10
export const SOURCE_FREE = 20
export const DELAY_MS_MAX = 60_000
/** After this long without an attempt a record is forgotten. */
export const FORGET_MS = 15 * 60_000
/** Records kept; past it the one that is longest unused is forgotten. */
export const RECORDS_MAX = 20_000
export const CHECKS_MAX = 8
export const CHECKS_PER_SOURCE_MAX = 2

interface Failures {
  count: number
  lastMs: number
}

export const makeLoginGuard = (): LoginGuard => {
  /** In order of last use, for both kinds of record. */
  const failures = new Map<string, Failures>()
  const checking = new Map<string, number>()
  let checks = 0

  const current = (key: string, nowMs: number): Failures => {
    const found = failures.get(key)
    failures.delete(key)
    const kept = found !== undefined && nowMs - found.lastMs < FORGET_MS ? found : { count: 0, lastMs: nowMs }
    failures.set(key, kept)
    if (failures.size > RECORDS_MAX) failures.delete(failures.keys().next().value as string)
    return kept
  }

  return {
    admit: (address, account, nowMs) => {
      const source = sourceKey(address)
      const pair = current(`${source} ${account.toLowerCase().slice(0, 128)}`, nowMs)
      const whole = current(source, nowMs)
      const wait = Math.max(waitMs(pair, PAIR_FREE, nowMs), waitMs(whole, SOURCE_FREE, nowMs))
      if (wait > 0) return { ok: false, retryAfterMs: wait }
      const mine = checking.get(source) ?? 0
      if (checks >= CHECKS_MAX || mine >= CHECKS_PER_SOURCE_MAX) return { ok: false, retryAfterMs: 1_000 }
      checks += 1
      checking.set(source, mine + 1)
      // Counted as failures at once, so that attempts in parallel cannot slip past the delay.
      const before = { pair: { ...pair }, whole: { ...whole } }
      for (const record of [pair, whole]) fail(record, nowMs)
      let open = true
      return {
        ok: true,
        done: (result) => {
          if (!open) return false
          open = false
          checks -= 1
          const left = (checking.get(source) ?? 1) - 1
          if (left === 0) checking.delete(source)
          else checking.set(source, left)
          if (result === "wrong") return pair.count === PAIR_SHUT
          whole.count = Math.max(0, whole.count - 1)
          whole.lastMs = before.whole.lastMs
          pair.count = result === "right" ? 0 : Math.max(0, pair.count - 1)
          pair.lastMs = before.pair.lastMs
          return false
        },
      }
    },
  }
}

const fail = (record: Failures, nowMs: number): void => {
  record.count += 1
  record.lastMs = nowMs
}

const waitMs = (record: Failures, free: number, nowMs: number): number => {
  if (record.count < free) return 0
  const delay = Math.min(DELAY_MS_MAX, 2_000 * 2 ** Math.min(16, record.count - free))
  return Math.max(0, record.lastMs + delay - nowMs)
}

/** One household or host: the address of IPv4, the /64 of IPv6. */
export const sourceKey = (address: string): string => {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "")
  if (!plain.includes(":")) return plain
  const [head = "", tail] = plain.split("%")[0]!.split("::")
  const left = head === "" ? [] : head.split(":")
  const right = tail === undefined || tail === "" ? [] : tail.split(":")
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  return [...left, ...Array<string>(zeros).fill("0"), ...right].slice(0, 4).join(":")
}
