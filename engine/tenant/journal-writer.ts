/**
 * Group commit: one append is under way, and what comes meanwhile forms the next group. The twin never waits for it;
 * effects on the outside do (`whenDurable`). When the journal does not keep up, up to PENDING_BYTES_MAX wait here and
 * then `isFull`: the runtime stops taking inputs from its inbox, whose own bounds then lose old polls and push back
 * events. So nothing is ever applied that could not be journaled, and memory stays bounded.
 */
import type { JournalPort } from "#engine/tenant/ports.ts"
import type { Input, Sequenced } from "#twin/input.ts"

/** Estimated bytes of inputs that were applied and are not durable yet. */
export const PENDING_BYTES_MAX = 64 * 1024 * 1024
export const PENDING_INPUTS_MAX = 65_536
/** Inputs, and their estimated bytes, in one append. */
export const GROUP_MAX = 2_048
export const GROUP_BYTES_MAX = 4 * 1024 * 1024
/** Callers that may wait for durability; one more is refused. */
export const WAITERS_MAX = 16_384

export interface JournalWriter {
  readonly write: (batch: readonly Sequenced[]) => void
  readonly durableSeq: () => number
  /** Resolves once `seq` is durable; rejects when the journal is lost, or when WAITERS_MAX wait already. */
  readonly whenDurable: (seq: number) => Promise<void>
  readonly isFull: () => boolean
  readonly pending: () => { readonly inputs: number; readonly bytes: number }
  /** Rejects all waiters; nothing is appended any more. */
  readonly close: (why: Error) => void
}

export interface WriterOptions {
  readonly port: JournalPort
  /** The journal's last seq at the start. */
  readonly durableSeq: number
  /** It was full and no longer is. */
  readonly onRoom: () => void
  /** An append was refused for good: nothing can be stored any more. */
  readonly onLost: (error: Error) => void
}

interface Waiter {
  readonly seq: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

export const makeJournalWriter = (options: WriterOptions): JournalWriter => {
  let waiting: Sequenced[] = []
  let underWay = 0
  let bytes = 0
  let durable = options.durableSeq
  let busy = false
  let lost: Error | null = null
  let waiters: Waiter[] = []
  const inputs = (): number => waiting.length + underWay
  const isFull = (): boolean => bytes >= PENDING_BYTES_MAX || inputs() >= PENDING_INPUTS_MAX

  const isLost = (): boolean => lost !== null

  const lose = (error: Error): void => {
    lost = error
    const all = waiters
    waiters = []
    for (const waiter of all) waiter.reject(error)
  }

  const appendNext = async (): Promise<void> => {
    busy = true
    try {
      while (waiting.length > 0 && !isLost()) {
        const size = groupSize(waiting)
        const group = waiting.slice(0, size)
        waiting = waiting.slice(size)
        underWay = group.length
        await options.port.append(group)
        settle(group)
      }
    } catch (error) {
      if (isLost()) return
      const reason = error instanceof Error ? error : new Error(String(error))
      lose(reason)
      options.onLost(reason)
    } finally {
      busy = false
    }
  }

  const settle = (group: readonly Sequenced[]): void => {
    const wasFull = isFull()
    underWay = 0
    for (const entry of group) bytes -= inputBytes(entry.input)
    durable = (group.at(-1) as Sequenced).seq
    if (waiters.length > 0) {
      const due = waiters.filter((waiter) => waiter.seq <= durable)
      waiters = waiters.filter((waiter) => waiter.seq > durable)
      for (const waiter of due) waiter.resolve()
    }
    if (wasFull && !isFull()) options.onRoom()
  }

  return {
    write: (batch) => {
      if (lost !== null) return
      for (const entry of batch) {
        waiting.push(entry)
        bytes += inputBytes(entry.input)
      }
      if (!busy) void appendNext()
    },
    durableSeq: () => durable,
    whenDurable: (seq) => {
      if (lost !== null) return Promise.reject(lost)
      if (seq <= durable) return Promise.resolve()
      if (waiters.length >= WAITERS_MAX)
        return Promise.reject(new Error(`more than ${WAITERS_MAX} callers wait for the journal`))
      return new Promise((resolve, reject) => waiters.push({ seq, resolve, reject }))
    },
    isFull,
    pending: () => ({ inputs: inputs(), bytes }),
    close: lose,
  }
}

/** How many inputs, from the first, make one append; at least one. */
const groupSize = (waiting: readonly Sequenced[]): number => {
  let bytes = 0
  for (const [index, entry] of waiting.entries()) {
    bytes += inputBytes(entry.input)
    if (index === GROUP_MAX || (index > 0 && bytes > GROUP_BYTES_MAX)) return index
  }
  return waiting.length
}

/** Rough size in memory, for the bound above. O(texts of the input). */
export const inputBytes = (input: Input): number => {
  switch (input.kind) {
    case "poll": {
      let text = 0
      for (const row of input.texts) text += row.text.length
      return 200 + 12 * input.value.length + 32 * input.entities.length + 64 * input.texts.length + text
    }
    case "unreachable":
      return 200 + input.detail.length
    case "trap":
      return 300 + input.raw.length
    case "syslog":
      return 300 + input.message.length
    case "topology":
      return (
        1_000 + 400 * (input.inventory.devices.length + input.inventory.links.length + input.inventory.sites.length)
      )
    case "rules":
      return 200 + 1_000 * input.rules.length
    case "silences":
      return input.silences.reduce((bytes, { times }) => bytes + 400 + 32 * times.length, 200)
    case "ack":
      return 200
    case "incident":
      return 4_500
    case "probed":
      return 120
    case "tick":
    case "quota":
    case "certificate":
      return 50
  }
}
