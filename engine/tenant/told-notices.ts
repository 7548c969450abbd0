/**
 * When listeners hear of a round: at once, unless it has events, incidents for storage or questions to the network. These are told when their input is durable, because an
 * event of an input that a crash takes away never was, and its id would be given to another one. Whatever comes behind a
 * round that waits, waits too: notices keep their order. Bounded by what the journal's writer lets wait.
 */
import type { RoundNotice } from "#engine/tenant/live-twin.ts"

export interface ToldNotices {
  readonly tell: (notice: RoundNotice) => void
  /** Tells now what may be told, whoever else waits for the journal. */
  readonly tellDue: () => void
  /** What waits is never told. */
  readonly close: () => void
}

export interface ToldOptions {
  readonly notify: (notice: RoundNotice) => void
  readonly durableSeq: () => number
  readonly whenDurable: (seq: number) => Promise<void>
}

export const makeToldNotices = ({ notify, durableSeq, whenDurable }: ToldOptions): ToldNotices => {
  let waiting: RoundNotice[] = []
  let closed = false
  let armed = false

  const mayTell = ({ events, incidents, asks, seq }: RoundNotice): boolean =>
    events.length + (incidents?.length ?? 0) + (asks?.length ?? 0) === 0 || seq <= durableSeq()

  const tellDue = (): void => {
    const first = waiting.findIndex((notice) => !mayTell(notice))
    const due = first < 0 ? waiting : waiting.slice(0, first)
    waiting = first < 0 ? [] : waiting.slice(first)
    for (const notice of due) notify(notice)
    void arm()
  }

  const arm = async (): Promise<void> => {
    const next = waiting[0]
    if (next === undefined || armed || closed) return
    armed = true
    try {
      await whenDurable(next.seq)
    } catch {
      // The journal is lost (what was not durable is gone with this runtime) or has no room for one more who waits: the
      // next notice tries again.
      return
    } finally {
      armed = false
    }
    tellDue()
  }

  return {
    tell: (notice) => {
      if (closed) return
      if (waiting.length === 0 && mayTell(notice)) return notify(notice)
      waiting.push(notice)
      void arm()
    },
    tellDue: () => {
      if (!closed) tellDue()
    },
    close: () => {
      closed = true
      waiting = []
    },
  }
}
