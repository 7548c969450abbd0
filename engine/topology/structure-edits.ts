/**
 * What single edits of declared structure do: plans on what is stored, as all edits of the inventory are
 * (engine/inventory-api/edits.ts), so that they get a revision, an audit entry and a twin that follows. Throws EditRefused.
 */
import { etagOf, fitsIfMatch } from "#engine/api/etag.ts"
import type { Reach } from "#engine/inventory-api/declared.ts"
import { changedMeanwhile, notFound, refused } from "#engine/inventory-api/edit-refused.ts"
import { actOf, planned, type Plan } from "#engine/inventory-api/edits.ts"
import { NO_EDIT } from "#engine/storage/inventory-change.ts"
import { same, type Stored } from "#engine/storage/inventory-rows.ts"
import {
  itemsOf,
  structureKey,
  type StructureKind,
  type StructureKinds,
  type StructureRow,
} from "#engine/storage/structure-rows.ts"
import { checked, membersOf, StructureWrong } from "#engine/topology/structure-check.ts"
import { STRUCTURE_MAX } from "#protocol/structure.ts"

/** In the audit. */
const WORD: Readonly<Record<StructureKind, string>> = {
  srlg: "srlg",
  group: "dependency-group",
  provider: "provider",
  service: "service",
}

/** As one caller may see it: members that are gone, or that stand elsewhere, are left out. */
export const seenItem = <K extends StructureKind>(
  stored: Stored,
  reach: Reach,
  item: StructureKinds[K],
): StructureKinds[K] => {
  const members = membersOf(stored, reach)
  return Object.fromEntries(
    Object.entries(item).map(([field, value]) => {
      const isMember = members[field]
      return [field, isMember === undefined ? value : (value as readonly string[]).filter(isMember)]
    }),
  ) as unknown as StructureKinds[K]
}

export const allOf = <K extends StructureKind>(stored: Stored, reach: Reach, kind: K): readonly StructureKinds[K][] =>
  itemsOf(stored.structure, kind).map((item) => seenItem(stored, reach, item))

export const oneOf = <K extends StructureKind>(
  stored: Stored,
  reach: Reach,
  kind: K,
  id: string,
): StructureKinds[K] => {
  const found = stored.structure.get(structureKey(kind, id))
  if (found === undefined) throw notFound()
  return seenItem(stored, reach, (found as StructureRow<K>).item)
}

export const putStructure =
  <K extends StructureKind>(
    reach: Reach,
    kind: K,
    wanted: StructureKinds[K],
    ifMatch: string | undefined,
  ): Plan<StructureKinds[K]> =>
  (stored) => {
    wholeNetwork(reach)
    const key = structureKey(kind, wanted.id)
    const found = stored.structure.get(key) as StructureRow<K> | undefined
    const old = found === undefined ? null : seenItem(stored, reach, found.item)
    if (!fitsIfMatch(ifMatch, old === null ? null : etagOf(old))) throw changedMeanwhile()
    const item = accepted(stored, reach, kind, wanted)
    if (old === null && itemsOf(stored.structure, kind).length >= STRUCTURE_MAX)
      throw refused(`there are ${STRUCTURE_MAX} of these already`)
    const row: StructureRow<K> = { kind, item }
    stored.structure.set(key, row)
    const action = `${WORD[kind]}.${old === null ? "create" : "update"}`
    const edit = found !== undefined && same(found.item, item) ? NO_EDIT : { ...NO_EDIT, structure: [row] }
    return planned(edit, actOf(action, WORD[kind], item.id, item.name, old, item), item)
  }

export const removeOne =
  (reach: Reach, kind: StructureKind, id: string): Plan<null> =>
  (stored) => {
    wholeNetwork(reach)
    const old = stored.structure.get(structureKey(kind, id))
    if (old === undefined) throw notFound()
    stored.structure.delete(structureKey(kind, id))
    const act = actOf(`${WORD[kind]}.delete`, WORD[kind], id, old.item.name, old.item, null)
    return planned({ ...NO_EDIT, removedStructure: [{ kind, id }] }, act, null)
  }

const accepted = <K extends StructureKind>(
  stored: Stored,
  reach: Reach,
  kind: K,
  wanted: StructureKinds[K],
): StructureKinds[K] => {
  try {
    return checked(membersOf(stored, reach), kind, wanted)
  } catch (cause) {
    throw cause instanceof StructureWrong ? refused(cause.message) : cause
  }
}

/** They join what lies in several sites. */
const wholeNetwork = ({ sites }: Reach): void => {
  if (sites !== null) throw refused("whoever sees some sites only cannot change what joins sites")
}
