/** What the devices' own words suggest, with the speed of the ports: see twin/propose. */
import type { Answers, ProposedLinkRow } from "#engine/whatif/question.ts"
import type { Seen } from "#engine/whatif/seen.ts"
import { deviceId, interfaceKey } from "#protocol/id.ts"
import { SPEED, INTERFACE_LAYOUT } from "#twin/interface.ts"
import type { HintEnd } from "#twin/propose/evidence/evidence.ts"
import { proposeRoles } from "#twin/propose/roles.ts"

export const proposalsAnswer = (seen: Seen): Answers["proposals"] => ({
  atMs: seen.atMs,
  seq: seen.seq,
  links: seen.proposed.map((one): ProposedLinkRow => ({ ...one, speedBps: slower(seen, one.a, one.b) })),
  roles: proposeRoles(seen.said, seen.who, seen.inventory.links),
})

const slower = (seen: Seen, a: HintEnd, b: HintEnd): number | null => {
  const known = [speedOf(seen, a), speedOf(seen, b)].filter((speed) => speed !== null)
  return known.length === 0 ? null : Math.min(...known)
}

/** Null = not measured, or the end names no interface. */
export const speedOf = (seen: Seen, { device, interface: ifName }: HintEnd): number | null => {
  const slot = seen.world.topology.deviceSlot.get(deviceId(device))
  if (slot === undefined || ifName === null) return null
  const { interfaces } = seen.cells.routers.state(slot)
  const row = interfaces.keys.indexOf(interfaceKey(ifName))
  const value = row < 0 ? Number.NaN : (interfaces.levels.value[row * INTERFACE_LAYOUT.width + SPEED] as number)
  return value > 0 ? value : null
}
