/**
 * What the watches beside the actors have to say after an input: each router says it itself, so that its rules hear it
 * (twin/round.ts); what no router stands for is an event of the tenant.
 */
import type { Cells } from "#twin/cells.ts"
import { serviceHappening } from "#twin/happening.ts"
import { judgeOf } from "#twin/judge/rejudge.ts"
import type { World } from "#twin/round.ts"
import type { RouterMsg } from "#twin/router.ts"
import { serviceNews } from "#twin/service/watch.ts"
import type { Happening } from "#twin/step.ts"
import { redundancyNews } from "#twin/whatif/redundancy-watch.ts"

export type News =
  | { readonly slot: number; readonly message: RouterMsg }
  | { readonly slot: null; readonly happening: Happening }

/** In order: who has lost its second way, then services. */
export const newsOf = (world: World, cells: Cells): readonly News[] => {
  const { atMs } = world
  const redundancy = redundancyNews(world, cells).map(({ slot, lost, by }): News => ({
    slot,
    message: { kind: "redundancy", atMs, lost, by, judge: judgeOf(world, slot) },
  }))
  const services = serviceNews(world, cells).flatMap(({ slot, id, condition, old }): readonly News[] => {
    if (slot >= 0)
      return [{ slot, message: { kind: "service", atMs, service: id, old, condition, judge: judgeOf(world, slot) } }]
    return condition === null ? [] : [{ slot: null, happening: serviceHappening("", atMs, id, old, condition) }]
  })
  return [...redundancy, ...services]
}
