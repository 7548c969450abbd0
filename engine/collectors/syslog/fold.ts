/**
 * Noise control (PRODUCT.md C8): the first line goes on at once, its repeats within a window become one more with
 * their count and the times of the first and the last of them. A change of state is never folded away: the lines about one interface or neighbour are compared with
 * the last one about it, so that down, up, down stays three. Pure but for its table: the caller brings the clock.
 */
import type { SyslogInput } from "#twin/input.ts"

export interface FoldSettings {
  readonly windowMs: number
  /** Lines remembered; the oldest is given up (with its count) for a new one. */
  readonly capacity: number
}
export const FOLD_DEFAULTS: FoldSettings = { windowMs: 5_000, capacity: 10_000 }

export interface Folder {
  /** Gives `emit` what must go on now: nothing, the line, or the repeats of the one before and then the line. */
  readonly offer: (input: SyslogInput, nowMs: number, emit: (input: SyslogInput) => void) => void
  /** Emits the repeats of every window that is over. */
  readonly expire: (nowMs: number, emit: (input: SyslogInput) => void) => void
  /** Lines held back so far. */
  readonly held: () => number
}

interface Entry {
  last: SyslogInput
  /** Repeats not yet emitted, and when the first of them came. */
  repeats: number
  firstMs: number
  readonly openedMs: number
}

export const makeFolder = (settings: FoldSettings = FOLD_DEFAULTS): Folder => {
  /** In the order of opening, hence of expiry. */
  const entries = new Map<string, Entry>()
  let held = 0

  const close = (key: string, entry: Entry, emit: (input: SyslogInput) => void): void => {
    entries.delete(key)
    if (entry.repeats === 0) return
    held -= entry.repeats
    const { last, repeats, firstMs } = entry
    emit({ ...last, count: repeats, ...(firstMs < last.atMs ? { firstMs } : {}) })
  }

  const expire: Folder["expire"] = (nowMs, emit) => {
    for (const [key, entry] of entries) {
      if (nowMs - entry.openedMs < settings.windowMs) return
      close(key, entry, emit)
    }
  }

  const offer: Folder["offer"] = (input, nowMs, emit) => {
    expire(nowMs, emit)
    const key = subjectOf(input)
    const entry = entries.get(key)
    if (entry !== undefined && entry.last.message === input.message && entry.last.severity === input.severity) {
      if (entry.repeats === 0) entry.firstMs = input.firstMs ?? input.atMs
      entry.last = input
      entry.repeats += input.count
      held += input.count
      return
    }
    if (entry !== undefined) close(key, entry, emit)
    else if (entries.size >= settings.capacity) {
      const oldest = entries.entries().next().value
      if (oldest !== undefined) close(oldest[0], oldest[1], emit)
    }
    entries.set(key, { last: input, repeats: 0, firstMs: input.atMs, openedMs: nowMs })
    emit(input)
  }
  return { offer, expire, held: () => held }
}

/** What a line is about: its entity, or itself. JSON keeps the parts of a hostile name apart. */
const subjectOf = ({ device, message, event }: SyslogInput): string => {
  if (event === null) return JSON.stringify([device, "", message])
  switch (event.type) {
    case "interface":
      return JSON.stringify([device, "if", event.ifName])
    case "ospf":
    case "bgp":
      return JSON.stringify([device, event.type, event.remote])
    case "auth-failed":
      return JSON.stringify([device, "auth", event.user, event.from])
    case "rebooted":
      return JSON.stringify([device, "rebooted"])
  }
}
