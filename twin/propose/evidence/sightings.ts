/**
 * Forwarding tables of all bridges, read as who hears whom on which port. A MAC says which device sent a frame; it says
 * which of its ports only when the device is no bridge itself, because a bridge sends with one address out of all of them.
 * What two devices claim to own is nobody's.
 */
import { portBelow } from "#twin/propose/evidence/evidence.ts"
import type { Said } from "#twin/propose/said.ts"

/** A device heard on a port: the port that it sends from, as far as its address tells. */
export type Farther = string | null

export interface PortHears {
  /** As hints name it; null = several ports below, as of a bond. */
  readonly end: string | null
  readonly devices: Map<string, Farther>
  /** Hosts that are no devices of ours. */
  others: boolean
  /** Not all is known: somebody may stand there who is not told. */
  more: boolean
}

export interface Table {
  readonly said: Said
  readonly ports: ReadonlyMap<string, PortHears>
  /** On which of these ports a device is heard. */
  readonly portsOf: ReadonlyMap<string, readonly string[]>
}

export interface Sightings {
  /** By device, of those that have a table, in the order of the inventory. */
  readonly tables: ReadonlyMap<string, Table>
  /** In whose tables a device stands. */
  readonly heardBy: ReadonlyMap<string, ReadonlySet<string>>
}

/** On which ports of `near` a port of `device` may be heard: an address that does not say from which is of any. */
export const heardFrom = ({ ports, portsOf }: Table, device: string, from: string): readonly string[] =>
  (portsOf.get(device) ?? []).filter((at) => [from, null].includes(ports.get(at)?.devices.get(device) ?? null))

/**
 * No bridge with a table stands between `near` and that port of `device`: it would have learned the address as `near` did.
 * `near` hears nobody else on its port, so that others who have learned it and are heard elsewhere stand beyond `near`.
 */
export const isNextTo = ({ tables, heardBy }: Sightings, near: Table, device: string, from: string): boolean =>
  [...(heardBy.get(device) ?? [])].every(
    (other) =>
      other === near.said.device ||
      heardFrom(tables.get(other) as Table, device, from).length === 0 ||
      near.portsOf.get(other)?.length === 1,
  )

/** Null when no device has a table. */
export const sightingsOf = (all: readonly Said[]): Sightings | null => {
  const bridges = all.filter(({ bridge }) => bridge !== undefined)
  if (bridges.length === 0) return null
  const owners = ownersOf(all)
  const tables = new Map(bridges.map((said) => [said.device, tableOf(said, owners)]))
  const heardBy = new Map<string, Set<string>>()
  for (const [device, { portsOf }] of tables) {
    for (const heard of portsOf.keys()) {
      const known = heardBy.get(heard)
      if (known === undefined) heardBy.set(heard, new Set([device]))
      else known.add(device)
    }
  }
  return { tables, heardBy }
}

interface Owner {
  readonly said: Said
  /** The one port that sends with it; null = any of several. */
  readonly port: string | null
}

const ownersOf = (all: readonly Said[]): ReadonlyMap<string, Owner | null> => {
  const owners = new Map<string, Owner | null>()
  for (const said of all) {
    for (const [name, mac] of said.macs ?? []) {
      const port = said.bridge === undefined ? portBelow(said, name) : null
      const known = owners.get(mac)
      if (known === undefined) owners.set(mac, { said, port })
      else if (known === null || known.said !== said) owners.set(mac, null)
      else if (known.port !== port) owners.set(mac, { said, port: null })
    }
  }
  return owners
}

/** Several bridge ports over one cable, as one for each VLAN, are that cable. */
const tableOf = (said: Said, owners: ReadonlyMap<string, Owner | null>): Table => {
  const ports = new Map<string, PortHears>()
  for (const [name, hosts] of said.bridge ?? []) {
    const end = portBelow(said, name)
    const at = end ?? name
    const port = ports.get(at) ?? { end, devices: new Map<string, Farther>(), others: false, more: false }
    ports.set(at, port)
    port.others ||= hosts.others
    port.more ||= hosts.more
    for (const mac of hosts.macs) {
      const owner = owners.get(mac) ?? null
      // The address of nobody, or of two: somebody is there, and nobody knows who.
      if (owner === null) port.more = true
      else if (owner.said !== said) hear(port.devices, owner)
    }
  }
  const portsOf = new Map<string, string[]>()
  for (const [at, { devices }] of ports)
    for (const device of devices.keys()) portsOf.set(device, [...(portsOf.get(device) ?? []), at])
  return { said, ports, portsOf }
}

const hear = (devices: Map<string, Farther>, { said: { device }, port }: Owner): void => {
  const known = devices.get(device)
  devices.set(device, known === undefined || known === port ? port : null)
}
