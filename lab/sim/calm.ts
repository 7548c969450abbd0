/**
 * A calm: nothing is broken any more. Whatever was set aside comes back, everything heals within its time, all pictures are
 * compared at a quiet moment, and then nothing may happen, though clocks are set and processes are killed.
 */
import { RESTORE } from "#lab/faults/board.ts"
import { Violation } from "#lab/sim/violation.ts"
import { causeless } from "#lab/sim/cause.ts"
import { CALM } from "#lab/sim/database.ts"
import { SOUND } from "#lab/sim/disk.ts"
import { CLEAN } from "#lab/sim/network-paths.ts"
import type { Tenancy } from "#lab/sim/tenancy.ts"
import { disagreements } from "#lab/sim/truth.ts"
import { HOUR_MS, LOOK_MS } from "#lab/sim/world.ts"
import type { World } from "#lab/sim/world.ts"

/** A device that rests (its breaker is open) is asked at least once a minute. */
export const REST_MS = 60_000
/** Boot of a router, convergence of routing, a last poll's tries. */
const SLACK_MS = 30_000
const QUIET_MS = 500
const QUIET_WITHIN_MS = 120_000
/** A tenant that kept failing, or a device whose actor did, is set aside for a while. */
const RELEASED_WITHIN_MS = 2 * HOUR_MS
/** Attempts after which nobody waits for a tenant any more, with nothing in its way. */
const STARTS_MAX = 200

/** Nothing is broken any more; everything must have healed in time. */
export const calm = async (world: World): Promise<void> => {
  world.board.apply(RESTORE, [])
  world.disk.mood = SOUND
  world.database.away = false
  world.setClock(0)
  for (const { paths, info, people, viewers } of world.tenancies) {
    paths.mood = CLEAN
    people.resting = true
    world.database.moods.set(info.id, CALM)
    world.database.thaw(info.id)
    for (const viewer of viewers) viewer.setSpeed(1_000)
  }
  await released(world)
  world.loads.begin()
  // Stalled commits end, routers boot, routing converges, and everybody is polled.
  await world.run(SLACK_MS + 2 * world.pollSeconds * 1_000 + REST_MS)
  for (const tenancy of world.tenancies) await tenancy.auditor.foldOn(false)
  await quiet(world)
  agree(world, "")
  for (const tenancy of world.tenancies) await stored(world, tenancy)
  await nothingHappens(world)
}

/** An engine that is down comes back, and what its supervisors set aside is given another chance. */
const released = async (world: World): Promise<void> => {
  const untilMs = world.loop.nowMs + RELEASED_WITHIN_MS
  const isUp = (tenancy: Tenancy): boolean => tenancy.current()?.stats().quarantined.length === 0
  const starts = world.tenancies.map((tenancy) => tenancy.starts)
  const isHopeless = (tenancy: Tenancy, i: number): boolean => tenancy.starts - starts[i]! > STARTS_MAX
  for (; !world.tenancies.every(isUp); await world.run(LOOK_MS))
    if (world.loop.nowMs > untilMs || world.tenancies.some(isHopeless))
      throw new Violation("life", "a tenant does not come back")
}

/** A moment without news, everything delivered: all pictures are compared. */
const quiet = async (world: World): Promise<void> => {
  const untilMs = world.loop.nowMs + QUIET_WITHIN_MS
  const left = new Set(world.tenancies)
  while (left.size > 0) {
    await world.run(50)
    if (world.loop.nowMs > untilMs) throw new Violation("life", `no quiet moment comes`)
    for (const tenancy of left) {
      if (!isQuiet(world, tenancy)) continue
      await compare(world, tenancy)
      left.delete(tenancy)
    }
  }
}

const compare = async (world: World, tenancy: Tenancy): Promise<void> => {
  const { auditor, viewers } = tenancy
  const runtime = world.runtime(tenancy)
  await auditor.foldOn(true)
  auditor.compareLive(runtime)
  auditor.compareEvents()
  for (const viewer of viewers) auditor.compareViewer(viewer, runtime)
  world.trace.text(`${tenancy.info.slug} quiet at ${runtime.seq()}`)
}

/** Open windows are sealed, and what was polled is there once. */
const stored = async (world: World, { auditor, history, info }: Tenancy): Promise<void> => {
  const untilSeq = world.database.tables(info.id).lastSeq()
  const untilMs = world.loop.nowMs + QUIET_WITHIN_MS
  const done = { isStored: history === null }
  void history?.flush().then(() => (done.isStored = true))
  for (; !done.isStored; await world.run(50))
    if (world.loop.nowMs > untilMs) throw new Violation("life", `${info.slug}: samples do not reach their table`)
  auditor.compareHistory(untilSeq)
}

const isQuiet = (world: World, tenancy: Tenancy): boolean => {
  const runtime = tenancy.current()
  return (
    runtime !== null &&
    world.loop.nowMs - tenancy.noticedMs >= QUIET_MS &&
    runtime.seq() === runtime.durableSeq() &&
    runtime.seq() === world.database.tables(tenancy.info.id).lastSeq() &&
    tenancy.viewers.every(({ wire, state }) => wire !== null && wire.idle() && state.epoch !== 0)
  )
}

/** No fault, so no event: whatever the machine's clock is set to, and though the engine or a tenant may be killed. */
const nothingHappens = async (world: World): Promise<void> => {
  for (const { auditor } of world.tenancies) await auditor.foldOn(true)
  const fromMs = world.loop.nowMs
  const before = world.tenancies.map(({ auditor }) => auditor.decided.length)
  const lot = world.dice.next()
  world.loads.watch()
  // Who begins anew with another clock than it had does not know how long it was away.
  if (lot < 0.4) world.setClock(world.wallOffsetMs + world.dice.pick([-1, 1]) * HOUR_MS)
  if (lot > 0.2 && lot < 0.6) world.kill()
  else if (lot >= 0.6 && lot < 0.85) world.crashTenant(world.dice.pick(world.tenancies))
  await world.run(2 * world.pollSeconds * 1_000 + 25_000)
  for (const [i, tenancy] of world.tenancies.entries()) {
    const { auditor } = tenancy
    await auditor.foldOn(true)
    const first = auditor.decided
      .slice(before[i])
      .map((event) => ({ event, wrong: causeless(tenancy, world.heat, fromMs, world.pollSeconds, event) }))
      .find(({ wrong }) => wrong !== null)
    if (first === undefined) continue
    const { id, type, subject, raw } = first.event
    throw new Violation("false-alarm", `${first.wrong}, but ${id} ${type} ${subject} ${raw ?? ""}`)
  }
  world.loads.end()
  countReboots(world)
  agree(world, lot < 0.2 ? "after a step of the clock: " : lot < 0.85 ? "after a restart: " : "")
}

/** With what the lab knows. */
const agree = (world: World, when: string): void => {
  for (const tenancy of world.tenancies) {
    const { names, declared } = tenancy
    const wrong = disagreements(world.network, world.runtime(tenancy), names, declared)
    if (wrong !== null) throw new Violation(wrong.auditor, `${when}${tenancy.info.slug}: ${wrong.detail}`)
  }
}

/**
 * One restart is one event at most, whoever tells it, how often, and whatever clocks are set to meanwhile. Excused is a line or
 * trap that was timed by a clock that was set back while it waited: it comes now, which may be long after the start, and the
 * next poll speaks of another time again.
 */
const countReboots = (world: World): void => {
  for (const { auditor, names } of world.tenancies) {
    const told = new Map<string, number>()
    for (const { type, subject } of auditor.decided)
      if (type === "device.rebooted") told.set(subject, 1 + (told.get(subject) ?? 0))
    for (const { index, name } of world.network.isp.routers) {
      const retimed = auditor.retimedBoots.get(names.device(index)) ?? 0
      const most = world.network.boots[index]! - 1 + 2 * retimed
      const times = told.get(names.device(index)) ?? 0
      if (times > most) throw new Violation("false-alarm", `${name} started ${most} times, the twin says ${times}`)
    }
  }
}
