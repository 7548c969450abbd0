/**
 * The same past under another topology, or judged by other rules: what would have been decided (PRODUCT.md, counterfactual
 * replay). One replay folds the journal as it was; a branch of it, taken at the first moment, folds the same inputs with the
 * other inventory or rules in place. What differs is the answer; the same inventory and rules give no difference at all.
 */
import type { ImportDocument, ImportLinkName } from "#engine/import/document.ts"
import type { Replay } from "#engine/replay/replay.ts"
import { SideBySide, type Compared } from "#engine/replay/side-by-side.ts"
import { pairKey } from "#engine/storage/inventory-rows.ts"
import { deviceId, linkId, siteId, type DeviceId, type LinkId } from "#protocol/id.ts"
import type { Device, Inventory, Link } from "#protocol/inventory.ts"
import type { Rule } from "#protocol/rule.ts"
import type { DeclaredStructure } from "#protocol/structure.ts"
import { checkRule } from "#twin/alert/check.ts"
import type { Input } from "#twin/input.ts"

/** What is otherwise than it was; null = as it was. */
export interface Otherwise {
  readonly inventory: Inventory | null
  /** What the tenant is judged by instead, made of what it was judged by then; the same list for the same list. */
  readonly rules: ((were: readonly Rule[]) => readonly Rule[]) | null
}

/** `replay` stands where the comparison begins; it is folded to `toMs`. */
export const compareDecisions = async (
  replay: Replay,
  { inventory, rules }: Otherwise,
  toMs: number,
): Promise<Compared> => {
  const sides = new SideBySide(replay)
  const { atMs, topology, judging } = replay.world
  const begin: Input[] = []
  if (inventory !== null) begin.push({ kind: "topology", atMs, rev: topology.rev + 1, inventory })
  const pack = rules?.(judging.rules) ?? judging.rules
  // Rules that are as they were are no news: even so the twin would look at everything anew, a little earlier than it did.
  if (!isSamePack(pack, judging.rules)) begin.push({ kind: "rules", atMs, rev: judging.rulesRev + 1, rules: pack })
  sides.hear(begin)
  const instead = (input: Input): readonly Input[] => {
    // The other inventory stays: a later change of the real one is part of what is compared against.
    if (input.kind === "topology" && inventory !== null) return []
    if (input.kind !== "rules" || rules === null) return [input]
    const judgedBy = rules(input.rules)
    return [isSamePack(judgedBy, input.rules) ? input : { ...input, rules: judgedBy }]
  }
  const inputs = await replay.runTo({ atMs: toMs }, (result, slice) => sides.follow(result, slice, instead))
  return sides.result(inputs)
}

/** By content; an order has no meaning. */
const isSamePack = (a: readonly Rule[], b: readonly Rule[]): boolean =>
  a === b || (a.length === b.length && contentOf(a) === contentOf(b))

const contentOf = (rules: readonly Rule[]): string =>
  rules
    .map((rule) => {
      const checked = checkRule(rule)
      return checked.ok ? checked.version : JSON.stringify(rule)
    })
    .sort()
    .join(" ")

/** `pack` alone. */
export const onlyThese = (pack: readonly Rule[]) => (): readonly Rule[] => pack

/** `more` beside what was there; of one id, the one of `more` counts. */
export const togetherWith = (more: readonly Rule[]): ((were: readonly Rule[]) => readonly Rule[]) => {
  const named = new Set(more.map(({ id }) => id))
  const made = new WeakMap<readonly Rule[], readonly Rule[]>()
  return (were) => {
    const known = made.get(were)
    if (known !== undefined) return known
    const rules = [...were.filter(({ id }) => !named.has(id)), ...more].toSorted((a, b) => (a.id < b.id ? -1 : 1))
    made.set(were, rules)
    return rules
  }
}

/**
 * An import document as an inventory of this tenant: what it names alike keeps its id, what is new gets an id made of its
 * name. Groups and services of a kind that it does not speak of stay as they are. Credentials play no part.
 */
export const inventoryOf = (document: ImportDocument, known: Inventory): Inventory => {
  const knownDevices = new Map(known.devices.map((device) => [device.name, device]))
  const devices = document.devices.map((device): Device => {
    const before = knownDevices.get(device.name)
    return {
      ...(before?.tags === undefined ? {} : { tags: before.tags }),
      id: before?.id ?? deviceId(`new ${device.name}`),
      name: device.name,
      address: device.address,
      site: siteId(device.site),
      roles: device.roles,
      pollSeconds: device.pollSeconds ?? before?.pollSeconds ?? 30,
      sources: before?.sources ?? [],
    }
  })
  const idOf = new Map(devices.map(({ name, id }) => [name, id]))
  const knownLinks = new Map(known.links.map((link) => [pairKey(link), link.id]))
  const links = document.links.flatMap(({ a, b, capacityBps }): Link[] => {
    const [from, to] = [idOf.get(a.device), idOf.get(b.device)]
    if (from === undefined || to === undefined) return []
    const link = { a: { device: from, interface: a.interface }, b: { device: to, interface: b.interface }, capacityBps }
    return [{ ...link, id: knownLinks.get(pairKey(link)) ?? linkId(`new ${pairKey(link)}`) }]
  })
  return {
    sites: document.sites.map((site) => ({ ...site, id: siteId(site.id) })).sort(byText(({ id }) => id)),
    devices: devices.sort(byText(({ name }) => name)),
    links: links.sort(byText(({ id }) => id)),
    ...structureOf(document, known, idOf, new Map(links.map((link) => [pairKey(link), link.id]))),
  }
}

/** Members by name become members by id; who is not in the document is no member. */
const structureOf = (
  document: ImportDocument,
  known: DeclaredStructure,
  deviceOf: ReadonlyMap<string, DeviceId>,
  linkOf: ReadonlyMap<string, LinkId>,
): DeclaredStructure => {
  const found = <A>(id: A | undefined): readonly A[] => (id === undefined ? [] : [id])
  const devices = (names: readonly string[]) => names.flatMap((name) => found(deviceOf.get(name)))
  const links = (names: readonly ImportLinkName[]) =>
    names.flatMap(({ a, b }) => {
      const [from, to] = [deviceOf.get(a.device), deviceOf.get(b.device)]
      if (from === undefined || to === undefined) return []
      return found(linkOf.get(pairKey({ a: { ...a, device: from }, b: { ...b, device: to } })))
    })
  const told = {
    srlgs: document.srlgs?.map((one) => ({ ...one, links: links(one.links), sites: one.sites.map(siteId) })),
    groups: document.groups?.map((one) => ({
      ...one,
      devices: devices(one.devices),
      links: links(one.links),
      dependants: devices(one.dependants),
    })),
    providers: document.providers?.map((one) => ({ ...one, devices: devices(one.devices), links: links(one.links) })),
    services: document.services?.map((one) => ({
      ...one,
      devices: devices(one.devices),
      links: links(one.links),
      sites: one.sites.map(siteId),
    })),
  }
  const structure: Record<string, unknown> = {}
  for (const kind of ["srlgs", "groups", "providers", "services"] as const) {
    const list = told[kind]?.sort(byText<{ readonly id: string }>(({ id }) => id)) ?? known[kind]
    if (list !== undefined && list.length > 0) structure[kind] = list
  }
  return structure
}

const byText =
  <T>(key: (item: T) => string) =>
  (a: T, b: T): number =>
    key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0
