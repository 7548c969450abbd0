/**
 * Declared structure in documents: what an import's four lists change, and what an export writes. Members travel by name
 * (links by their ends), because ids are of one database: what one engine exports, another imports as the same.
 */
import type { Change, ImportDocument, ImportLinkName, ImportStructure } from "#engine/import/document.ts"
import { pairKey, same, type Stored } from "#engine/storage/inventory-rows.ts"
import { pgText } from "#engine/storage/pg-text.ts"
import {
  itemsOf,
  structureKey,
  type StructureKind,
  type StructureKinds,
  type StructureName,
  type StructureRow,
} from "#engine/storage/structure-rows.ts"
import { checked, membersOf, StructureWrong } from "#engine/topology/structure-check.ts"
import { deviceId, type DeviceId, type LinkId } from "#protocol/id.ts"
import { STRUCTURE_MAX } from "#protocol/structure.ts"

/** The key of each kind in a document. Services name providers, which therefore come first. */
const LISTS = { srlg: "srlgs", group: "groups", provider: "providers", service: "services" } as const
const KINDS = Object.keys(LISTS) as readonly StructureKind[]
const EVERYTHING = { sites: null, mayCredentials: true } as const

export interface StructurePlan {
  /** Absent = the document says nothing of any kind. */
  readonly change?: Change
  readonly rows: readonly StructureRow[]
  readonly removed: readonly StructureName[]
  /** `srlg duct-7`, as a preview says it. */
  readonly named: Readonly<Record<"added" | "updated" | "removed", readonly string[]>>
}

/** `stored` has the document's sites, devices and links already; it is left with the structure too. Throws StructureWrong. */
export const planStructure = (stored: Stored, document: ImportDocument, replace: boolean): StructurePlan => {
  const kinds = KINDS.filter((kind) => document[LISTS[kind]] !== undefined)
  const named = { added: [] as string[], updated: [] as string[], removed: [] as string[] }
  if (kinds.length === 0) return { rows: [], removed: [], named }
  const rows: StructureRow[] = []
  const removed: StructureName[] = []
  let unchanged = 0
  const members = membersOf(stored, EVERYTHING)
  const ids = idsOf(stored)
  for (const kind of kinds) {
    const wanted = wantedOf(ids, document, kind)
    if (replace) removed.push(...takeOut(stored, kind, new Set(wanted.map(({ id }) => id))))
    for (const one of wanted) {
      const item = toldOf(kind, one.id, () => checked(members, kind, one))
      const key = structureKey(kind, item.id)
      const old = stored.structure.get(key)
      stored.structure.set(key, { kind, item })
      if (old !== undefined && same(old.item, item)) unchanged++
      else {
        rows.push({ kind, item })
        named[old === undefined ? "added" : "updated"].push(`${kind} ${item.id}`)
      }
    }
    if (itemsOf(stored.structure, kind).length > STRUCTURE_MAX)
      throw new StructureWrong(`${LISTS[kind]}: there would be more than ${STRUCTURE_MAX}`)
  }
  named.removed.push(...removed.map(({ kind, id }) => `${kind} ${id}`))
  const [added, updated] = [named.added.length, named.updated.length]
  return { change: { added, updated, unchanged, removed: removed.length }, rows, removed, named }
}

const toldOf = <A>(kind: StructureKind, id: string, check: () => A): A => {
  try {
    return check()
  } catch (cause) {
    throw cause instanceof StructureWrong ? new StructureWrong(`${kind} ${id}: ${cause.message}`) : cause
  }
}

const takeOut = (stored: Stored, kind: StructureKind, kept: ReadonlySet<string>): readonly StructureName[] =>
  itemsOf(stored.structure, kind).flatMap(({ id }) => {
    if (kept.has(id)) return []
    stored.structure.delete(structureKey(kind, id))
    return [{ kind, id }]
  })

interface Ids {
  readonly device: (name: string) => DeviceId
  readonly link: (ends: ImportLinkName) => LinkId
}

/** The document was checked: what it names is there. A name that is not becomes an id that nobody has, and is refused. */
const idsOf = (stored: Stored): Ids => {
  const device = (name: string): DeviceId => stored.devices.get(pgText(name, 200))?.device.id ?? deviceId(name)
  return {
    device,
    link: ({ a, b }) => {
      const end = (side: typeof a) => ({ device: device(side.device), interface: pgText(side.interface, 200) })
      const key = pairKey({ a: end(a), b: end(b) })
      return stored.links.get(key)?.id ?? (key as LinkId)
    },
  }
}

const wantedOf = <K extends StructureKind>(ids: Ids, document: ImportDocument, kind: K): readonly StructureKinds[K][] =>
  (document[LISTS[kind]] ?? []).map((item) => {
    const fields = Object.entries(item).map(([field, value]) => {
      if (field === "links") return [field, (value as readonly ImportLinkName[]).map(ids.link)] as const
      if (field === "devices" || field === "dependants")
        return [field, (value as readonly string[]).map(ids.device)] as const
      return [field, value] as const
    })
    return Object.fromEntries(fields) as unknown as StructureKinds[K]
  })

/** All four lists, by id, empty ones too: a document that replaces then means all. Members that are gone are left out. */
export const structureDocument = (stored: Stored): ImportStructure => {
  const members = membersOf(stored, EVERYTHING)
  const names = new Map<string, string>([...stored.devices.values()].map(({ device, name }) => [device.id, name]))
  const links = new Map<string, ImportLinkName>(
    [...stored.links.values()].flatMap(({ id, a, b }) => {
      const [from, to] = [names.get(a.device), names.get(b.device)]
      if (from === undefined || to === undefined) return []
      return [[id, { a: { ...a, device: from }, b: { ...b, device: to } }] as const]
    }),
  )
  const written = (field: string, id: string): unknown =>
    field === "links" ? links.get(id) : field === "devices" || field === "dependants" ? names.get(id) : id
  const itemOf = (item: object): object =>
    Object.fromEntries(
      Object.entries(item).map(([field, value]) => {
        const isMember = members[field]
        if (isMember === undefined) return [field, value]
        const kept = (value as readonly string[]).filter(isMember).map((id) => written(field, id))
        return [field, byText(kept.filter((one) => one !== undefined))]
      }),
    )
  return Object.fromEntries(
    KINDS.map((kind) => {
      const items = itemsOf(stored.structure, kind).map((item) => itemOf(inOrder(item)))
      return [LISTS[kind], items.filter(isWhole)]
    }),
  )
}

/** Fields in one order, however the database keeps them: equal structure is equal bytes. */
const ORDER = ["id", "name", "kind", "mode", "k", "devices", "links", "sites", "providers", "dependants"]
const inOrder = (item: object): object =>
  Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => ORDER.indexOf(a) - ORDER.indexOf(b)))

/** A group whose members or dependants are all gone says nothing any more, and no import would take it. */
const isWhole = (item: object): boolean => {
  if (!("dependants" in item)) return true
  const { devices, links, dependants } = item as Record<"devices" | "links" | "dependants", readonly unknown[]>
  return devices.length + links.length > 0 && dependants.length > 0
}

/** Names sort alike in every database, ids do not. */
const byText = (items: readonly unknown[]): readonly unknown[] =>
  items
    .map((item) => [JSON.stringify(item), item] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, item]) => item)
