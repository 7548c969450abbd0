/**
 * A change of what devices are judged by, and how the twin's routers come to know of it: the world takes the change at once,
 * each router with its next message or when the walk (walk.ts) comes by; the rules of before are forgotten when it has passed
 * all. Nothing here costs more than a step of the walk, however many routers there are.
 */
import type { Cells } from "#twin/cells.ts"
import type { Judge, JudgingInputs } from "#twin/judge/judging.ts"
import { EARLIER_MAX, judgingInputs, makeJudging } from "#twin/judge/judging.ts"
import { entitiesBehind, walkAgain, walkStep } from "#twin/judge/walk.ts"
import type { RulesInput } from "#twin/input.ts"
import type { World } from "#twin/round.ts"
import { planOf } from "#twin/service/watch.ts"

/** By what a device is judged now; null = there are no rules. */
export const judgeOf = ({ topology, judging, services }: World, slot: number): Judge | null => {
  const device = topology.inventory.devices[slot]
  return device === undefined
    ? null
    : judging.judgeOf(device, siteNameOf(topology, slot), servicesOf(topology, services, slot))
}

/** Undefined = it stands for none. */
const servicesOf = (topology: World["topology"], services: World["services"], slot: number) =>
  (topology.inventory.services?.length ?? 0) === 0 ? undefined : planOf(services, { topology }).names.get(slot)

/** A site without a name, or one that the inventory lacks, is called by its id. */
const siteNameOf = ({ inventory, tenant }: World["topology"], slot: number): string | undefined =>
  inventory.sites[tenant.siteOf[slot] ?? -1]?.name || undefined

/** Other silences, or another inventory (no change): who is judged otherwise is told by the walk. */
export const rejudge = (world: World, change: Partial<JudgingInputs>): void => {
  const now = { ...judgingInputs(world.judging), ...change }
  // Where nothing is judged there is nobody to tell.
  const judged = now.rules.length + now.earlier.length > 0
  world.judging = makeJudging({ ...now, generation: now.generation + Number(judged) })
  if (!judged) return
  world.walk = walkAgain(world.walk, world.topology.routers.length, world.atMs)
  if (world.walk === null) forgetEarlier(world)
}

/** `finish` tells everybody at once: asked for when rules change so fast that too many sets of before would be kept. */
export const changeRules = (world: World, { rev, rules }: RulesInput, finish: () => void): void => {
  if (world.judging.earlier.length >= EARLIER_MAX) finish()
  const { rules: before, earlier } = world.judging
  rejudge(world, { rulesRev: rev, rules, earlier: before.length === 0 ? earlier : [...earlier, before] })
}

/** Whom the next step of the walk tells; `whole` = all the rest of it. Not yet due: nobody. */
export const walkOn = (world: World, cells: Cells, whole = false): readonly number[] => {
  const { walk, atMs } = world
  const routers = world.topology.routers.length
  if (walk === null || (walk.dueMs > atMs && !whole)) return []
  const most = whole ? Number.POSITIVE_INFINITY : world.stepEntities
  const step = walkStep(walk, routers, atMs, most, (slot) =>
    entitiesBehind(cells.routers.state(slot).judgement, judgeOf(world, slot)),
  )
  world.walk = step.walk
  return step.slots
}

/** After those whom the last step named have moved on. */
export const walked = (world: World): void => {
  if (world.walk === null) forgetEarlier(world)
}

const forgetEarlier = (world: World): void => {
  if (world.judging.earlier.length > 0) world.judging = makeJudging({ ...judgingInputs(world.judging), earlier: [] })
}
