/**
 * The rows of declared structure (protocol/structure.ts): read with the inventory, written with its revision. Bodies were
 * checked by whoever wrote them (engine/topology/structure-edits.ts, engine/import).
 */
import type { Tx } from "#engine/storage/db.ts"
import type { TenantId } from "#protocol/id.ts"
import type {
  DeclaredGroup,
  DeclaredProvider,
  DeclaredService,
  DeclaredSrlg,
  DeclaredStructure,
} from "#protocol/structure.ts"

export interface StructureKinds {
  readonly srlg: DeclaredSrlg
  readonly group: DeclaredGroup
  readonly provider: DeclaredProvider
  readonly service: DeclaredService
}
export type StructureKind = keyof StructureKinds

export interface StructureRow<K extends StructureKind = StructureKind> {
  readonly kind: K
  readonly item: StructureKinds[K]
}
export interface StructureName {
  readonly kind: StructureKind
  readonly id: string
}

export const structureKey = (kind: StructureKind, id: string): string => `${kind} ${id}`

export const readStructure = async (tx: Tx, tenant: TenantId): Promise<Map<string, StructureRow>> => {
  const { rows } = await tx.query<{ kind: StructureKind; structure_id: string; body: object }>(
    "select kind, structure_id, body from declared_structure where tenant_id = $1",
    [tenant],
  )
  return new Map(
    rows.map(({ kind, structure_id, body }) => [
      structureKey(kind, structure_id),
      { kind, item: { ...body, id: structure_id } as StructureKinds[StructureKind] },
    ]),
  )
}

export const writeStructure = async (tx: Tx, tenant: TenantId, rows: readonly StructureRow[]): Promise<void> => {
  const last = new Map(rows.map((row) => [structureKey(row.kind, row.item.id), row]))
  const plain = [...last.values()].map(({ kind, item: { id, ...body } }) => ({ kind, id, body }))
  await tx.query(
    `insert into declared_structure (tenant_id, kind, structure_id, body)
     select $1::uuid, kind, id, body from jsonb_to_recordset($2::jsonb) as r(kind text, id text, body jsonb)
     on conflict (tenant_id, kind, structure_id) do update set body = excluded.body`,
    [tenant, JSON.stringify(plain)],
  )
}

export const removeStructure = async (tx: Tx, tenant: TenantId, names: readonly StructureName[]): Promise<void> => {
  await tx.query(
    `delete from declared_structure d using jsonb_to_recordset($2::jsonb) as r(kind text, id text)
     where d.tenant_id = $1 and d.kind = r.kind and d.structure_id = r.id`,
    [tenant, JSON.stringify(names)],
  )
}

/** For the twin: sorted by id; a kind of which there is none is absent (protocol/inventory.ts). */
export const structureOf = (rows: ReadonlyMap<string, StructureRow>): DeclaredStructure => {
  const of = <K extends StructureKind>(kind: K): readonly StructureKinds[K][] => itemsOf(rows, kind)
  const [srlgs, groups, providers, services] = [of("srlg"), of("group"), of("provider"), of("service")]
  return {
    ...(srlgs.length > 0 ? { srlgs } : {}),
    ...(groups.length > 0 ? { groups } : {}),
    ...(providers.length > 0 ? { providers } : {}),
    ...(services.length > 0 ? { services } : {}),
  }
}

export const itemsOf = <K extends StructureKind>(
  rows: ReadonlyMap<string, StructureRow>,
  kind: K,
): readonly StructureKinds[K][] =>
  [...rows.values()]
    .filter((row): row is StructureRow<K> => row.kind === kind)
    .map(({ item }) => item)
    .toSorted((x, y) => (x.id < y.id ? -1 : 1))
