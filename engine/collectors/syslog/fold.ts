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
  readonly key: string
  last: SyslogInput
  /** Repeats not yet emitted, and when the first of them came. */
  repeats: number
  firstMs: number
  readonly openedMs: number
}

/** Closed entries at the front of the queue before it is cut. */
const QUEUE_SLACK = 1_024

export const makeFolder = (settings: FoldSettings = FOLD_DEFAULTS): Folder => {
  const entries = new Map<string, Entry>()
  // In the order of opening, hence of expiry. A queue beside the map: walking a map from its start passes over
  // everything that was deleted there, and made a burst of different lines dear. It holds no more than a window's lines.
  let queue: Entry[] = []
  let head = 0
  let held = 0

  const close = (entry: Entry, emit: (input: SyslogInput) => void): void => {
    entries.delete(entry.key)
    const { last, repeats, firstMs } = entry
    if (repeats === 0) return
    held -= repeats
    emit({ ...last, count: repeats, ...(firstMs < last.atMs ? { firstMs } : {}) })
  }

  /** The longest open entry, or undefined. */
  const oldest = (): Entry | undefined => {
    while (head < queue.length && entries.get(queue[head]!.key) !== queue[head]) head++
    if (head > QUEUE_SLACK && head * 2 > queue.length) {
      queue = queue.slice(head)
      head = 0
    }
    return queue[head]
  }

  const expire: Folder["expire"] = (nowMs, emit) => {
    for (let entry = oldest(); entry !== undefined; entry = oldest()) {
      if (nowMs - entry.openedMs < settings.windowMs) return
      close(entry, emit)
    }
  }

  const offer: Folder["offer"] = (input, nowMs, emit) => {
    expire(nowMs, emit)
    const key = subjectOf(input)
    const known = entries.get(key)
    if (known !== undefined && known.last.message === input.message && known.last.severity === input.severity) {
      if (known.repeats === 0) known.firstMs = input.firstMs ?? input.atMs
      known.last = input
      known.repeats += input.count
      held += input.count
      return
    }
    const given = known ?? (entries.size >= settings.capacity ? oldest() : undefined)
    if (given !== undefined) close(given, emit)
    const entry: Entry = { key, last: input, repeats: 0, firstMs: input.atMs, openedMs: nowMs }
    entries.set(key, entry)
    queue.push(entry)
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
