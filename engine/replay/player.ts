/**
 * A replay that is looked at: a LiveTwin whose time is played, paused and moved. The twin behind it is openReplay's, so
 * that what is seen is what was live; each folded slice is told like a live round, and a jump like a new life of the
 * twin. Who calls `advance` gives the time: there is no clock in here.
 */
import type { FaultBody } from "#engine/api/groups/what-if.ts"
import { BranchFaults } from "#engine/replay/branch-faults.ts"
import { inWords } from "#engine/replay/in-words.ts"
import { ownWayOf, type OwnWay } from "#engine/replay/own-way.ts"
import { openReplay, type Replay } from "#engine/replay/replay.ts"
import {
  SPEED_MAX,
  SPEED_MIN,
  type BranchStanding,
  type Standing,
  type Steer,
} from "#engine/replay/session-messages.ts"
import type { ReplaySource } from "#engine/replay/source.ts"
import { withWaypoints, type WaypointLimits, type Waypoints } from "#engine/replay/waypoints.ts"
import type { LiveTwin, RoundNotice, TenantInfo } from "#engine/tenant/live-twin.ts"
import { makeRoundListeners } from "#engine/tenant/round-listeners.ts"
import { Impossible } from "#engine/whatif/question.ts"
import type { EventView } from "#protocol/view.ts"
import { viewById } from "#twin/incident/view.ts"
import type { Input } from "#twin/input.ts"
import type { RoundResult } from "#twin/round.ts"
import { countsOf, focusView } from "#twin/view.ts"

export interface Player {
  readonly twin: LiveTwin
  readonly standing: () => Standing
  /** Resolves when it is done, or when a later jump made it pointless. Rejects with words why it cannot be. */
  readonly steer: (steer: Steer) => Promise<void>
  /** So much time went by outside. Nothing happens while paused, or while the last call still folds. */
  readonly advance: (elapsedMs: number) => Promise<void>
  /** Each rejects with Impossible or ReplayImpossible, in words; then nothing has changed. */
  readonly branch: Branching
  readonly close: () => Promise<void>
}

/** The moment that is shown may go its own way: what is shown then is the branch, and the past waits where it was left. */
export interface Branching {
  readonly open: (alone: boolean) => Promise<void>
  /** `inputs` are made for the moment where it stands when its turn has come. */
  readonly hear: (faults: readonly FaultBody[] | null, inputs: (atMs: number) => readonly Input[]) => Promise<void>
  /** Of what is shown, in its turn. */
  readonly read: <A>(read: (shown: Replay) => A) => Promise<A>
  /** Newest first; decided since the branch began. */
  readonly events: () => readonly EventView[]
  /** Back to the moment of the past that it left. */
  readonly leave: () => Promise<void>
}

export interface PlayerOptions {
  readonly source: ReplaySource
  readonly tenant: TenantInfo
  readonly fromMs: number
  readonly toMs: number
  readonly speed: number
  readonly epochBase: number
  /** Which events `step` stops at. */
  readonly isSeen: (event: EventView) => boolean
  readonly monotonicMs: () => number
  /** Tests leave them nearer to each other. */
  readonly waypoints?: WaypointLimits
}

/** A jump ahead no longer than this folds on; a longer one looks for a checkpoint on its way. */
export const FOLD_ON_MS = 600_000
/** Of time outside that one `advance` makes up for: a replay that cannot keep up goes slower, it does not leap. */
const ELAPSED_MS_MAX = 1_000
/** A search for the next event rests after this much work, wherever it stands then. */
const STEP_WORK_MS_MAX = 5_000

/** Inputs of its own that one branch takes, and events of it that are kept to be asked for. */
export const BRANCH_INPUTS_MAX = 10_000
export const BRANCH_EVENTS_MAX = 500

/** Stands at `fromMs`, paused. Rejects with ReplayImpossible, JournalGap, JournalUnreadable or DbError. */
export const openPlayer = async (options: PlayerOptions): Promise<Player> => {
  const { toMs, tenant } = options
  const ways = withWaypoints(options.source, options.waypoints)
  const listeners = makeRoundListeners(() => undefined)
  const first = await openAt(ways, options.fromMs, () => true)
  if (first === null) throw new TypeError("nothing interrupts the first jump")
  let current: Replay = first
  let clockMs = options.fromMs
  let { speed } = options
  let playing = false
  let problem: string | null = null
  let epoch = options.epochBase
  /** The journal's reader threw: it gives nothing more. */
  let broken = false
  /** Of the newest jump or step: what an older one still folds is pointless. */
  let asked = 0
  let closed = false
  let busy = 0
  let aside: Aside | null = null
  const endMs = (): number => Math.max(toMs, aside?.lastMs ?? 0)
  let turn: Promise<unknown> = Promise.resolve()

  const inTurn = <A>(run: () => Promise<A>): Promise<A> => {
    busy++
    const done = turn.then(run).finally(() => busy--)
    turn = done.catch(() => undefined)
    return done
  }

  const told = (result: RoundResult): void => {
    if (aside !== null) aside.events = [...aside.events, ...result.events].slice(-BRANCH_EVENTS_MAX)
    if (result.topologyChanged) epoch++
    listeners.notify({ epoch, ...result })
  }

  const jumped = (): void => {
    epoch++
    listeners.notify(newLife(current, epoch, clockMs))
  }

  /** A failed jump leaves everything as it was. */
  const reopen = async (atMs: number, isWanted: () => boolean): Promise<void> => {
    if (aside !== null) throw new Impossible(atMs < clockMs ? AHEAD_ONLY : "the branch can go no further")
    const next = await openAt(ways, atMs, isWanted)
    if (next === null) return
    if (closed) return next.close()
    const before = current
    current = next
    clockMs = atMs
    broken = false
    jumped()
    await before.close()
  }

  const foldTo = async (atMs: number, isWanted: () => boolean): Promise<void> => {
    try {
      await current.runTo({ atMs }, async (result) => {
        told(result)
        clockMs = Math.max(clockMs, result.atMs)
        // What a branch came to is no place in the past.
        if (aside === null) await ways.passed(current)
        return isWanted()
      })
      if (isWanted()) clockMs = atMs
    } catch (error) {
      broken = true
      throw error
    }
  }

  const seek = (wishMs: number): Promise<void> => {
    const mine = ++asked
    const isWanted = (): boolean => mine === asked && !closed
    return inTurn(async () => {
      if (!isWanted()) return
      problem = null
      const atMs = Math.min(endMs(), wishMs)
      if (aside !== null) return atMs < clockMs || broken ? reopen(atMs, isWanted) : foldTo(atMs, isWanted)
      const isAhead = !broken && atMs >= clockMs && atMs - clockMs <= FOLD_ON_MS
      const foldsOn = isAhead && !ways.isShorter(current.world.seq, atMs)
      await (foldsOn ? foldTo(atMs, isWanted) : reopen(atMs, isWanted))
    })
  }

  const step = (): Promise<void> => {
    const mine = ++asked
    return inTurn(async () => {
      if (broken) await reopen(clockMs, () => mine === asked)
      const untilMs = options.monotonicMs() + STEP_WORK_MS_MAX
      let found = false
      const goesOn = (result: RoundResult): boolean => {
        told(result)
        clockMs = Math.max(clockMs, result.atMs)
        found = result.events.some(options.isSeen)
        return !found && mine === asked && !closed && options.monotonicMs() < untilMs
      }
      try {
        await current.runTo({ atMs: endMs() }, goesOn, 1)
      } catch (error) {
        broken = true
        throw error
      }
      if (!found && mine === asked && options.monotonicMs() < untilMs) clockMs = endMs()
    })
  }

  const advance = async (elapsedMs: number): Promise<void> => {
    if (!playing || busy > 0 || closed) return
    const mine = asked
    const atMs = Math.min(endMs(), clockMs + Math.min(elapsedMs, ELAPSED_MS_MAX) * speed)
    try {
      await inTurn(async () => {
        if (broken) await reopen(clockMs, () => mine === asked)
        await foldTo(atMs, () => mine === asked && !closed)
      })
    } catch (error) {
      problem = inWords(error)
      playing = false
    }
    if (clockMs >= endMs()) playing = false
  }

  const open = (alone: boolean): Promise<void> =>
    inTurn(async () => {
      if (aside !== null) throw new Impossible("it is branched already: one branch at a time")
      if (broken || closed) throw new Impossible("the past stopped here: jump to another moment first")
      const faults = new BranchFaults(current)
      const way = ownWayOf(current, { source: options.source, instead: (input) => faults.instead(input), alone })
      aside = { past: current, sinceMs: clockMs, way, faults, alone, inputs: 0, lastMs: 0, events: [] }
      playing = false
      current = way
      jumped()
    })

  const hear: Branching["hear"] = (faults, make) =>
    inTurn(async () => {
      const mine = aside
      if (mine === null) throw new Impossible(NO_BRANCH)
      // Of the moment that is shown: the newest input may be a little older.
      const atMs = Math.max(clockMs, current.world.atMs)
      const own = make(atMs)
      if (mine.inputs + own.length > BRANCH_INPUTS_MAX)
        throw new Impossible(`a branch takes ${BRANCH_INPUTS_MAX} inputs of its own at most`)
      const said = faults === null ? [] : mine.faults.hold(faults, atMs)
      mine.inputs += own.length
      mine.lastMs = own.reduce((last, input) => Math.max(last, input.atMs), mine.lastMs)
      // Time comes first: what is due before this moment has then been decided.
      told(mine.way.hear([{ kind: "tick", atMs }]))
      await foldTo(atMs, () => true)
      told(mine.way.hear([...said, ...own]))
    })

  const leave = (): Promise<void> => {
    asked++
    return inTurn(async () => {
      const mine = aside
      if (mine === null) throw new Impossible(NO_BRANCH)
      await mine.way.close()
      current = mine.past
      clockMs = mine.sinceMs
      aside = null
      playing = false
      broken = false
      problem = null
      jumped()
    })
  }

  const twin: LiveTwin = {
    tenant,
    epoch: () => epoch,
    seq: () => current.world.seq,
    inventory: () => current.world.topology.inventory,
    columns: () => current.world.columns,
    counts: () => countsOf(current.cells),
    recentEvents: () => current.world.recent,
    view: (focus) => focusView(current.world, current.cells, focus),
    submit: () => false,
    setInventory: () => Promise.reject(new Error("the past cannot be changed")),
    incident: (id) => viewById(current.world.desk.incidents, id),
    onRound: (listener) => {
      const stop = listeners.add(listener)
      // Who comes hears the moment, which a live twin would tell within a second.
      listener(newLife(current, epoch, clockMs))
      return stop
    },
  }

  return {
    twin,
    standing: () => ({
      atMs: clockMs,
      toMs: endMs(),
      playing,
      speed,
      seq: current.world.seq,
      epoch,
      problem,
      branch: aside === null ? null : standingOf(aside),
    }),
    steer: async (wish) => {
      if (wish.playing === false || wish.step !== undefined) playing = false
      if (wish.speed !== undefined) speed = Math.min(SPEED_MAX, Math.max(SPEED_MIN, wish.speed))
      if (wish.atMs !== undefined) await seek(wish.atMs)
      if (wish.step !== undefined) await step()
      if (wish.playing === true) {
        problem = null
        playing = clockMs < endMs()
      }
    },
    advance,
    branch: {
      open,
      hear,
      read: (read) => inTurn(async () => read(current)),
      events: () => aside?.events.toReversed() ?? [],
      leave,
    },
    close: async () => {
      closed = true
      await turn
      await current.close()
      await aside?.past.close()
    },
  }
}

/** A branch that is shown, and the past that waits for it. */
interface Aside {
  readonly past: Replay
  readonly sinceMs: number
  readonly way: OwnWay
  readonly faults: BranchFaults
  readonly alone: boolean
  inputs: number
  /** Time of the latest of its own inputs: it may go beyond the past's end. */
  lastMs: number
  /** Newest last. */
  events: readonly EventView[]
}

const standingOf = ({ sinceMs, alone, faults, inputs, way }: Aside): BranchStanding => ({
  sinceMs,
  alone,
  faults: faults.held,
  inputs,
  waiting: way.waiting(),
})

const NO_BRANCH = "what is shown is the past: branch it first"
const AHEAD_ONLY = "a branch goes ahead only: leave it, and branch the past anew"

/** Null when nobody wants it any more. */
const openAt = async (ways: Waypoints, atMs: number, isWanted: () => boolean): Promise<Replay | null> => {
  const replay = await openReplay(ways.source, atMs)
  try {
    await replay.runTo({ atMs }, async () => {
      await ways.passed(replay)
      return isWanted()
    })
  } catch (error) {
    await replay.close()
    throw error
  }
  if (isWanted()) return replay
  await replay.close()
  return null
}

/** Whoever follows reads everything again. */
const newLife = ({ world }: Replay, epoch: number, atMs: number): RoundNotice => {
  const { devices, links } = world.topology.inventory
  return {
    epoch,
    seq: world.seq,
    atMs,
    nodes: devices.map((_, slot) => slot),
    links: links.map((_, slot) => slot),
    events: [],
    topologyChanged: true,
    touched: new Set<string>([...devices.map(({ id }) => id), ...links.map(({ id }) => id)]),
  }
}
