/**
 * Who a name or an address belongs to, among the tenant's devices. What two devices claim at once belongs to nobody: a
 * wrong neighbour is worse than none (W3 asks for precision first).
 */
import type { Said } from "#twin/propose/said.ts"

export interface Who {
  readonly byName: (name: string) => Said | null
  readonly byAddress: (address: string) => Said | null
  readonly byDevice: (device: string) => Said | null
  /** The interface of a device that somebody else calls `port`; null = none, or several. */
  readonly portOf: (said: Said, port: string | null) => string | null
}

export const whoIsWho = (all: readonly Said[]): Who => {
  const names = new Map<string, Said | null>()
  const addresses = new Map<string, Said | null>()
  const devices = new Map(all.map((said) => [said.device, said]))
  for (const said of all) {
    for (const name of new Set(said.names.flatMap(spellings))) claim(names, name, said)
    const own = new Set([said.management, ...said.addresses.map(({ address }) => address)])
    for (const address of own) claim(addresses, address, said)
  }
  return {
    byName: (name) => {
      const exact = names.get(name.toLowerCase())
      return exact ?? (exact === undefined ? (names.get(firstLabel(name)) ?? null) : null)
    },
    byAddress: (address) => addresses.get(address.toLowerCase()) ?? null,
    byDevice: (device) => devices.get(device) ?? null,
    portOf: (said, port) => {
      if (port === null || port === "") return null
      if (said.interfaces.includes(port)) return port
      const alike = said.interfaces.filter((name) => name.toLowerCase() === port.toLowerCase())
      return alike.length === 1 ? (alike[0] as string) : null
    },
  }
}

/** A router calls itself `core1` or `core1.isp.example`, and neighbours cut the domain or not. */
const spellings = (name: string): readonly string[] => [name.toLowerCase(), firstLabel(name)]
const firstLabel = (name: string): string => {
  const [label = name] = name.toLowerCase().split(".")
  // `10.0.0.1` is an address, not a host called `10`.
  return /^\d+$/.test(label) ? name.toLowerCase() : label
}

const claim = (claims: Map<string, Said | null>, key: string, said: Said): void => {
  if (key === "") return
  const known = claims.get(key)
  claims.set(key, known === undefined || known === said ? said : null)
}
