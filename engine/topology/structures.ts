/** Declared structure by REST: edits of the inventory like any other (structure-edits.ts says what each does). */
import type { InventoryApi } from "#engine/inventory-api/inventory-api.ts"
import type { StructureApi } from "#engine/topology/structure-api.ts"
import { allOf, oneOf, putStructure, removeOne } from "#engine/topology/structure-edits.ts"

export const makeStructures = (inventory: Pick<InventoryApi, "read" | "edit">): StructureApi => ({
  all: (who, kind) => inventory.read(who, (stored) => allOf(stored, who, kind)),
  get: (who, kind, id) => inventory.read(who, (stored) => oneOf(stored, who, kind, id)),
  put: (who, kind, wanted, ifMatch) => inventory.edit(who, putStructure(who, kind, wanted, ifMatch)),
  remove: (who, kind, id) => inventory.edit(who, removeOne(who, kind, id)),
})
