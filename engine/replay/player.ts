/**
 * A replay that is looked at: a LiveTwin whose time is played, paused and moved. The twin behind it is openReplay's, so
 * that what is seen is what was live; each folded slice is told like a live round, and a jump like a new life of the
 * twin. Who calls `advance` gives the time: there is no clock in here.
 */
import { inWords } from "#engine/replay/in-words.ts"
import { openReplay, type Replay } from "#engine/replay/replay.ts"
import { SPEED_MAX, SPEED_MIN, type Standing, type Steer } from "#engine/replay/session-messages.ts"
import type { ReplaySource } from "#engine/replay/source.ts"
import { withWaypoints, type WaypointLimits, type Waypoints } from "#engine/replay/waypoints.ts"
import type { LiveTwin, RoundNotice, TenantInfo } from "#engine/tenant/live-twin.ts"
import { makeRoundListeners } from "#engine/tenant/round-listeners.ts"
import type { EventView } from "#protocol/view.ts"
import { viewById } from "#twin/incident/view.ts"
import type { RoundResult } from "#twin/round.ts"
import { countsOf, focusView } from "#twin/view.ts"

export interface Player {
  readonly twin: LiveTwin
  readonly standing: () => Standing
  /** Resolves when it is done, or when a later jump made it pointless. Rejects with words why it cannot be. */
  readonly steer: (steer: Steer) => Promise<void>
  /** So much time went by outside. Nothing happens while paused, or while the last call still folds. */
  readonly advance: (elapsedMs: number) => Promise<void>
  readonly close: () => Promise<void>
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
  let turn: Promise<unknown> = Promise.resolve()

  const inTurn = <A>(run: () => Promise<A>): Promise<A> => {
    busy++
    const done = turn.then(run).finally(() => busy--)
    turn = done.catch(() => undefined)
    return done
  }

  const told = (result: RoundResult): void => {
    if (result.topologyChanged) epoch++
    listeners.notify({ epoch, ...result })
  }

  const jumped = (): void => {
    epoch++
    listeners.notify(newLife(current, epoch, clockMs))
  }

  /** A failed jump leaves everything as it was. */
  const reopen = async (atMs: number, isWanted: () => boolean): Promise<void> => {
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
        await ways.passed(current)
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
    const atMs = Math.min(toMs, wishMs)
    return inTurn(async () => {
      if (!isWanted()) return
      problem = null
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
        await current.runTo({ atMs: toMs }, goesOn, 1)
      } catch (error) {
        broken = true
        throw error
      }
      if (!found && mine === asked && options.monotonicMs() < untilMs) clockMs = toMs
    })
  }

  const advance = async (elapsedMs: number): Promise<void> => {
    if (!playing || busy > 0 || closed) return
    const mine = asked
    const atMs = Math.min(toMs, clockMs + Math.min(elapsedMs, ELAPSED_MS_MAX) * speed)
    try {
      await inTurn(async () => {
        if (broken) await reopen(clockMs, () => mine === asked)
        await foldTo(atMs, () => mine === asked && !closed)
      })
    } catch (error) {
      problem = inWords(error)
      playing = false
    }
    if (clockMs >= toMs) playing = false
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
    standing: () => ({ atMs: clockMs, toMs, playing, speed, seq: current.world.seq, epoch, problem }),
    steer: async (wish) => {
      if (wish.playing === false || wish.step !== undefined) playing = false
      if (wish.speed !== undefined) speed = Math.min(SPEED_MAX, Math.max(SPEED_MIN, wish.speed))
      if (wish.atMs !== undefined) await seek(wish.atMs)
      if (wish.step !== undefined) await step()
      if (wish.playing === true) {
        problem = null
        playing = clockMs < toMs
      }
    },
    advance,
    close: async () => {
      closed = true
      await turn
      await current.close()
    },
  }
}

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
