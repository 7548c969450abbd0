/**
 * Runs the actors that have mail. One pump per system: at most MESSAGES_PER_TURN per actor per turn, then the next
 * actor; slices of SLICE_MS, then the event loop has its turn. Phased actors wait for drainPhase instead, which runs
 * them in the order of their index, so that a round gives the same result whoever was told first.
 */
export const MESSAGES_PER_TURN = 256
export const SLICE_MS = 8
/** Rounds of messages between actors of one phase within one drainPhase; what is left waits for the next call. */
export const SWEEPS_MAX = 64
/** The clock is read once per this many messages. */
const LOOK_AT_CLOCK_EVERY = 64

export interface Runnable {
  readonly index: number
  /** Null = run by the pump. */
  readonly phase: number | null
  /** In a ready list already. Owned by the pump. */
  queued: boolean
  /** Runs at most `max` messages; returns how many it ran. */
  readonly turn: (max: number) => number
  /** Has mail and is able to handle it. */
  readonly isReady: () => boolean
  /** Messages in its mailbox. */
  readonly waiting: () => number
}

export interface Pump {
  readonly wake: (actor: Runnable) => void
  /** Messages run. Stops early after SWEEPS_MAX sweeps. */
  readonly drainPhase: (phase: number) => number
  /** Now when no turn is under way, else right after it: an answer runs the asker's code on our stack. */
  readonly afterTurn: (action: () => void) => void
  readonly close: () => void
}

export interface PumpOptions {
  /** Fractional milliseconds, for slices only. */
  readonly monoMs: () => number
  readonly soon: (action: () => void) => void
}

export const makePump = (options: PumpOptions): Pump => {
  let ready: Runnable[] = []
  const phases = new Map<number, Runnable[]>()
  let replies: Array<() => void> = []
  let scheduled = false
  let turning = false
  let closed = false

  const wake = (actor: Runnable): void => {
    if (actor.queued || closed) return
    actor.queued = true
    if (actor.phase !== null) {
      phaseList(phases, actor.phase).push(actor)
      return
    }
    ready.push(actor)
    schedule()
  }

  const schedule = (): void => {
    if (scheduled || closed) return
    scheduled = true
    options.soon(slice)
  }

  const turn = (actor: Runnable, max: number): number => {
    turning = true
    let done: number
    try {
      done = actor.turn(max)
    } finally {
      turning = false
    }
    if (replies.length > 0) deliverReplies()
    return done
  }

  const deliverReplies = (): void => {
    const due = replies
    replies = []
    for (const reply of due) reply()
  }

  const slice = (): void => {
    scheduled = false
    const endMs = options.monoMs() + SLICE_MS
    let sinceLook = 0
    let head = 0
    while (head < ready.length) {
      const actor = ready[head++] as Runnable
      actor.queued = false
      // An idle look costs as much as a message: count it, so that a list of such actors ends in time too.
      sinceLook += turn(actor, MESSAGES_PER_TURN) + 1
      if (actor.isReady()) wake(actor)
      if (sinceLook < LOOK_AT_CLOCK_EVERY) continue
      sinceLook = 0
      if (options.monoMs() >= endMs) break
    }
    ready = head >= ready.length ? [] : ready.slice(head)
    if (ready.length > 0) schedule()
  }

  const drainPhase = (phase: number): number => {
    if (turning) throw new Error("drainPhase was called from inside a turn")
    let done = 0
    for (let sweep = 0; sweep < SWEEPS_MAX; sweep++) {
      const due = phases.get(phase)
      if (due === undefined || due.length === 0) break
      phases.set(phase, [])
      due.sort((a, b) => a.index - b.index)
      for (const actor of due) {
        // A crash ends a turn early; after an immediate restart the actor goes on before its successors. What it tells
        // itself waits for the next sweep.
        let left = actor.waiting()
        while (left > 0 && actor.isReady()) {
          const ran = turn(actor, left)
          done += ran
          left -= ran
        }
        actor.queued = false
        if (actor.isReady()) wake(actor)
      }
    }
    return done
  }

  return {
    wake,
    drainPhase,
    afterTurn: (action) => {
      if (turning) replies.push(action)
      else action()
    },
    close: () => {
      closed = true
      ready = []
      phases.clear()
      replies = []
    },
  }
}

const phaseList = (phases: Map<number, Runnable[]>, phase: number): Runnable[] => {
  let list = phases.get(phase)
  if (list === undefined) {
    list = []
    phases.set(phase, list)
  }
  return list
}
