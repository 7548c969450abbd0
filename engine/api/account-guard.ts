/**
 * Slows down guessing at one account from many sources at once, where the guard per source (login-guard.ts) sees each of
 * them only a few times. It never stands in the way of a source from which this account signed in before, and for others
 * it slows, it never shuts: past the free failures all strangers together get one attempt per `everyMs`.
 * Pure: time is an argument, and must be one that never goes back.
 */
export interface AccountGuard {
  /** Milliseconds until this attempt may be made; 0 = now, and a stranger's turn is taken by that. */
  readonly wait: (account: string, source: string, nowMs: number) => number
  /** True when by this failure the account became a slowed one. */
  readonly failed: (account: string, source: string, nowMs: number) => boolean
  readonly succeeded: (account: string, source: string, nowMs: number) => void
}

export interface AccountGuardOptions {
  /** Failures of strangers before they are slowed. */
  readonly free: number
  readonly everyMs: number
}

/** Passwords: at most 100 quick guesses, then 86,400 a day whatever the size of the botnet. */
export const PASSWORD_GUARD: AccountGuardOptions = { free: 100, everyMs: 1_000 }
/** Six digits, three of 10^6 fit at a time: 1,440 guesses a day hit by chance once in 230 days. */
export const CODE_GUARD: AccountGuardOptions = { free: 10, everyMs: 60_000 }

/** Without a failure for this long an account's record is forgotten. */
export const ACCOUNT_FORGET_MS = 60 * 60_000
/** How long a source stays known after it signed in. */
export const KNOWN_FOR_MS = 30 * 24 * 3_600_000
/** Records of either kind; past it the one that is longest unused is forgotten. */
export const ACCOUNT_RECORDS_MAX = 20_000

interface Failures {
  readonly count: number
  readonly lastMs: number
  /** When the next stranger may try. */
  readonly nextMs: number
}

export const makeAccountGuard = ({ free, everyMs }: AccountGuardOptions): AccountGuard => {
  const failures = new Map<string, Failures>()
  const known = new Map<string, number>()
  const key = (account: string): string => account.toLowerCase().slice(0, 200)
  const isKnown = (account: string, source: string, nowMs: number): boolean => {
    const sinceMs = known.get(`${source} ${key(account)}`)
    return sinceMs !== undefined && nowMs - sinceMs < KNOWN_FOR_MS
  }
  const current = (account: string, nowMs: number): Failures | null => {
    const found = failures.get(key(account))
    return found !== undefined && nowMs - found.lastMs < ACCOUNT_FORGET_MS ? found : null
  }
  return {
    wait: (account, source, nowMs) => {
      const found = current(account, nowMs)
      if (found === null || found.count < free || isKnown(account, source, nowMs)) return 0
      if (found.nextMs > nowMs) return found.nextMs - nowMs
      keep(failures, key(account), { ...found, nextMs: nowMs + everyMs })
      return 0
    },
    failed: (account, source, nowMs) => {
      if (isKnown(account, source, nowMs)) return false
      const found = current(account, nowMs)
      const count = (found?.count ?? 0) + 1
      const nextMs = count === free ? nowMs + everyMs : (found?.nextMs ?? nowMs)
      keep(failures, key(account), { count, lastMs: nowMs, nextMs })
      return count === free
    },
    succeeded: (account, source, nowMs) => keep(known, `${source} ${key(account)}`, nowMs),
  }
}

const keep = <V>(records: Map<string, V>, key: string, value: V): void => {
  records.delete(key)
  records.set(key, value)
  const oldest = records.keys().next()
  if (records.size > ACCOUNT_RECORDS_MAX && oldest.done !== true) records.delete(oldest.value)
}
