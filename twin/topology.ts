/**
 * The structure that an inventory declares, in the shapes that the twin's actors need. A slot is the index in
 * inventory.devices / inventory.links. Only a declared link is an edge: adjacencies never make one (W2).
 */
import type { DeviceId, LinkId } from "#protocol/id.ts"
import { EMPTY_INVENTORY } from "#protocol/inventory.ts"
import type { Inventory } from "#protocol/inventory.ts"
import type { LinkConfig } from "#twin/link.ts"
import type { RouterConfig } from "#twin/router.ts"
import type { TenantConfig } from "#twin/tenant.ts"
import { NO_TENANT } from "#twin/tenant.ts"

export interface Topology {
  /** Revision of the inventory; 0 = none yet. */
  readonly rev: number
  readonly inventory: Inventory
  readonly deviceSlot: ReadonlyMap<DeviceId, number>
  readonly linkSlot: ReadonlyMap<LinkId, number>
  /** By slot. */
  readonly routers: readonly RouterConfig[]
  readonly links: readonly LinkConfig[]
  readonly tenant: TenantConfig
}

export const EMPTY_TOPOLOGY: Topology = {
  rev: 0,
  inventory: EMPTY_INVENTORY,
  deviceSlot: new Map(),
  linkSlot: new Map(),
  routers: [],
  links: [],
  tenant: NO_TENANT,
}
