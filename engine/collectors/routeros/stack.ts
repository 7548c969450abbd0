/**
 * Which interface of a router runs over which, by its API: bonds over their slaves, bridges over their ports, VLANs and
 * PPPoE clients over their interface. A menu is asked only when the router has an interface of its type. RouterOS has no
 * ifStackTable (none in our twelve recordings), so that SNMP tells nothing against it.
 */
import type { EntityKey } from "#protocol/id.ts"
import { stacksOf, type Stacks } from "#engine/collectors/lower-layers.ts"
import { interfaceOf } from "#engine/collectors/routeros/map.ts"
import type { Row } from "#engine/collectors/routeros/reply.ts"
import { parseFlag } from "#engine/collectors/routeros/values.ts"
import type { Sentence } from "#engine/collectors/routeros/words.ts"

interface StackMenu {
  readonly words: Sentence
  /** Names of the higher and the lower interfaces of one row. */
  readonly names: (row: Row) => readonly [higher: string | undefined, lower: readonly string[]]
}

const over =
  (higher: string, lower: string): StackMenu["names"] =>
  (row) => [row.get(higher), [row.get(lower) ?? ""]]

/** By the interface type that makes a menu worth asking. A PPPoE client's user and password are not among what is asked. */
const MENUS: Readonly<Record<string, StackMenu>> = {
  bond: {
    words: ["/interface/bonding/print", "=.proplist=name,slaves"],
    names: (row) => [row.get("name"), (row.get("slaves") ?? "").split(",")],
  },
  bridge: {
    words: ["/interface/bridge/port/print", "=.proplist=bridge,interface,disabled"],
    names: (row) => (parseFlag(row.get("disabled")) === true ? [undefined, []] : over("bridge", "interface")(row)),
  },
  vlan: { words: ["/interface/vlan/print", "=.proplist=name,interface"], names: over("name", "interface") },
  "pppoe-out": {
    words: ["/interface/pppoe-client/print", "=.proplist=name,interface"],
    names: over("name", "interface"),
  },
}

/** What to ask of a router with these interfaces. */
export const stackMenus = (interfaces: readonly Row[]): readonly StackMenu[] => {
  const types = new Set(interfaces.map((row) => row.get("type")))
  return Object.entries(MENUS).flatMap(([type, menu]) => (types.has(type) ? [menu] : []))
}

/** Only interfaces of the poll's list: a subscriber's session in a bridge is not told. */
export const readStacks = (
  answers: ReadonlyArray<readonly [StackMenu, readonly Row[]]>,
  interfaces: readonly Row[],
): Stacks => {
  const ours = new Map(interfaces.flatMap((row) => [[row.get("name") ?? "", interfaceOf(row)] as const]))
  const pairs: Array<readonly [EntityKey, EntityKey]> = []
  for (const [{ names }, rows] of answers) {
    for (const row of rows) {
      const [higher, lowers] = names(row)
      const top = ours.get(higher ?? "") ?? null
      for (const lower of lowers) {
        const bottom = ours.get(lower) ?? null
        if (top !== null && bottom !== null) pairs.push([top, bottom])
      }
    }
  }
  return stacksOf(pairs)
}
