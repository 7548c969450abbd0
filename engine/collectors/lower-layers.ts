/**
 * Which interfaces run over which: `bond1` over `ether1, ether2` (RFC 2863 ifStackTable; RouterOS bonding, VLAN, bridge and
 * PPPoE client menus). One text an interface, as a person reads it, the same whoever told it. Bounded: a bridge of a
 * thousand ports is told as its first ones and a count.
 */
import type { EntityKey } from "#protocol/id.ts"
import { entityName } from "#protocol/id.ts"
import { joinBounded } from "#engine/collectors/device-text.ts"

/** Pairs that are taken of one device. */
export const STACK_PAIRS_MAX = 8_192

/** Lower layers of each interface that has some. */
export type Stacks = ReadonlyMap<EntityKey, readonly EntityKey[]>

export const stacksOf = (pairs: ReadonlyArray<readonly [higher: EntityKey, lower: EntityKey]>): Stacks => {
  const stacks = new Map<EntityKey, EntityKey[]>()
  for (const [higher, lower] of pairs.slice(0, STACK_PAIRS_MAX)) {
    if (higher === lower) continue
    const lowers = stacks.get(higher)
    if (lowers === undefined) stacks.set(higher, [lower])
    else if (!lowers.includes(lower)) lowers.push(lower)
  }
  return stacks
}

/** `ether1, ether2`, or `ether1, ether2, +38`. */
export const stackText = (lowers: readonly EntityKey[]): string => joinBounded(lowers.map(entityName))

/** Tells all stacks, and of an interface in `told` that lies over nothing now so, once. Rewrites `told`. */
export const tellStacks = (
  stacks: Stacks,
  told: Set<EntityKey>,
  say: (key: EntityKey, fact: "interface.lower_layers", text: string) => void,
): void => {
  for (const key of told) if (!stacks.has(key)) say(key, "interface.lower_layers", "")
  told.clear()
  for (const [key, lowers] of stacks) {
    say(key, "interface.lower_layers", stackText(lowers))
    told.add(key)
  }
}
