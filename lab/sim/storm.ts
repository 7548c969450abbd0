/**
 * A storm: for some minutes networks lose, databases stall, disks refuse, and every few seconds something is broken: in the
 * ISP (a verb of lab/faults), the engine's process, one tenant's runtime, an actor, the database, the clock, the inventory,
 * a viewer.
 */
import * as Effect from "effect/Effect"
import { rowOf } from "#engine/storage/journal-row.ts"
import { insertRows } from "#engine/storage/journal-table.ts"
import * as codec from "#engine/tenant/journal-codec.ts"
import { RESTORE } from "#lab/faults/board.ts"
import { FaultRefused } from "#lab/faults/names.ts"
import { SOUND } from "#lab/sim/disk.ts"
import { simulated } from "#lab/sim/effects.ts"
import { FOREVER } from "#lab/sim/loop.ts"
import type { Tenancy } from "#lab/sim/tenancy.ts"
import { HOUR_MS } from "#lab/sim/world.ts"
import type { World } from "#lab/sim/world.ts"

/** Everything misbehaves for some minutes. */
export const storm = async (world: World): Promise<void> => {
  const untilMs = world.loop.nowMs + world.dice.int(90_000, 300_000)
  world.disk.mood = world.dice.pick([
    SOUND,
    { writeFails: 0.1, syncFails: 0.1, truncateFails: 0.5 },
    { writeFails: 0, syncFails: 0, truncateFails: 1 },
  ])
  for (const { paths, info, people } of world.tenancies) {
    people.resting = false
    paths.mood = {
      loss: world.dice.pick([0, 0.02, 0.1, 0.3]),
      doubled: world.dice.pick([0, 0.1, 0.5]),
      delayMsMax: world.dice.pick([20, 200, 2_500]),
    }
    world.database.moods.set(info.id, {
      stall: world.dice.pick([0, 0.02, 0.2]),
      stallMsMax: world.dice.pick([500, 5_000, 30_000]),
      lostAnswer: world.dice.pick([0, 0.02, 0.2]),
      reset: world.dice.pick([0, 0.02, 0.2]),
    })
  }
  while (world.loop.nowMs < untilMs) {
    disturb(world)
    await world.run(world.dice.int(500, 20_000))
  }
}

const disturb = (world: World): void => {
  const tenancy = world.dice.pick(world.tenancies)
  const lot = world.dice.next()
  if (lot < 0.46) breakSomething(world)
  else if (lot < 0.52) world.kill()
  else if (lot < 0.55) world.powerCut()
  else if (lot < 0.61) world.crashTenant(tenancy)
  else if (lot < 0.65) tenancy.paths.poison(world.dice.pick([...tenancy.declared.routers]))
  else if (lot < 0.69) toggleDatabase(world)
  else if (lot < 0.74) toggleFreeze(world, tenancy)
  else if (lot < 0.77) setClock(world)
  else if (lot < 0.86) world.changeInventory(tenancy)
  else if (lot < 0.88) ghost(world)
  else disturbViewer(world, tenancy)
}

/** By a person or by NTP, or while the machine was down. */
const setClock = (world: World): void => {
  world.setClock(world.wallOffsetMs + world.dice.pick([-1, 1]) * world.dice.int(2_000, HOUR_MS))
  if (world.dice.chance(0.5)) world.kill()
}

const toggleDatabase = (world: World): void => {
  if (world.database.away) world.database.away = false
  else world.database.crash()
}

const toggleFreeze = (world: World, { info }: Tenancy): void => {
  if (world.database.isFrozen(info.id)) world.database.thaw(info.id)
  else world.database.freeze(info.id)
}

const disturbViewer = (world: World, { viewers }: Tenancy): void => {
  const viewer = world.dice.pick(viewers)
  const lot = world.dice.next()
  if (lot < 0.33) viewer.stall()
  else if (lot < 0.66) viewer.setSpeed(world.dice.pick([1, 20, 1_000]))
  else viewer.wire?.cut()
}

/** A verb of lab/faults on something that exists. */
const breakSomething = (world: World): void => {
  const { isp } = world.network
  const routerName = (): string => world.dice.pick(isp.routers).name
  const link = world.dice.pick(isp.links)
  const ends = [link.a, link.b].map((port) => isp.routers[isp.ports[port]!.router]!.name)
  const port = isp.ports[link.a]!.name
  const verbs: ReadonlyArray<readonly [string, readonly string[]]> = [
    ["cut", [...ends, port]],
    ["cut", [...ends, port]],
    ["mend", [...ends, port]],
    ["kill", [routerName()]],
    ["revive", [routerName()]],
    ["flap", [...ends, String(world.dice.int(2, 40))]],
    ["steady", ends],
    ["congest", ends],
    ["isolate", [world.dice.pick(isp.sites).id]],
    ["lose", [routerName(), String(world.dice.int(20, 100))]],
    ["drop-pppoe", [routerName()]],
    [RESTORE, []],
  ]
  const [verb, args] = world.dice.pick(verbs)
  try {
    world.board.apply(verb, args)
    world.trace.text(`${verb} ${args.join(" ")}`)
  } catch (error) {
    // Nothing to mend there, two links between the two, no BNG: another time.
    if (!(error instanceof FaultRefused)) throw error
  }
}

/** An engine that was fenced off long ago, and does not know it, writes what nobody else has ever seen. */
const ghost = (world: World): void => {
  const { info } = world.dice.pick(world.tenancies)
  const { epoch } = world.database.tables(info.id)
  const { database, loop } = { database: world.database, loop: world.loop }
  const next = database.tables(info.id).lastSeq() + 1
  if (epoch < 2) return
  const input = { kind: "certificate" as const, atMs: loop.nowMs, names: "ghost", endsOn: "", days: 0 }
  const row = rowOf([{ seq: next, input }], epoch - 1, codec)
  const db = database.shapeFor(FOREVER)
  const write = insertRows(world.options.bug?.ghost?.(db, epoch) ?? db, info.id, epoch - 1, [row])
  const inTime = simulated(loop, FOREVER, () => loop.nowMs)
  void Effect.runPromise(inTime(Effect.exit(write)))
}
