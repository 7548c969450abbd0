/**
 * Whose device sent a datagram: management address to tenant and device, over all tenants. Two tenants may use the same
 * private range; a source that fits devices of two tenants is nobody's, so that no tenant ever sees another's message.
 */
import type { Sink } from "#engine/collectors/collector.ts"
import type { Target } from "#engine/collectors/target.ts"
import type { DeviceId, TenantId } from "#protocol/id.ts"

export interface Entry {
  readonly tenant: TenantId
  readonly target: Target
  /** The tenant's inbox. */
  readonly sink: Sink
  /** Asks the fleet to confirm what a message says. */
  readonly pollNow: () => void
  /** Asks the fleet for an answer now; false = it will not be asked (FleetControl.readNow). */
  readonly readNow: () => boolean
}

export interface AddressBook {
  /** Replaces what a tenant has in the book. */
  readonly set: (tenant: TenantId, entries: readonly Entry[]) => void
  /** Null = unknown, or claimed by more than one device. */
  readonly find: (address: string) => Entry | null
  readonly byDevice: (device: DeviceId) => Entry | null
  /** Hands each input to the inbox of its device's tenant; an input of a device that just left is dropped. */
  readonly sink: Sink
}

export const makeAddressBook = (): AddressBook => {
  const byTenant = new Map<TenantId, readonly Entry[]>()
  let byAddress = new Map<string, Entry | null>()
  let byDevice = new Map<DeviceId, Entry>()
  return {
    set: (tenant, entries) => {
      byTenant.set(tenant, entries)
      byAddress = new Map()
      byDevice = new Map()
      for (const entry of [...byTenant.values()].flat()) {
        const address = plainAddress(entry.target.address)
        byAddress.set(address, byAddress.has(address) ? null : entry)
        byDevice.set(entry.target.device, entry)
      }
    },
    find: (address) => byAddress.get(plainAddress(address)) ?? null,
    byDevice: (device) => byDevice.get(device) ?? null,
    sink: { submit: (input, durable) => byDevice.get(input.device)?.sink.submit(input, durable) ?? true },
  }
}

/** An IPv4 address that arrived on an IPv6 socket reads `::ffff:192.0.2.1`. */
const plainAddress = (address: string): string => {
  const lower = address.toLowerCase()
  return lower.startsWith("::ffff:") && lower.includes(".") ? lower.slice(7) : lower
}
