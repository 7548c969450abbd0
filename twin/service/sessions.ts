/**
 * The eBGP session that runs over one link to a provider: the peer of ours whose address is in the subnet of our port there,
 * or is the far device's own. No session is guessed: one that nothing lays on the link is not this link's.
 */
import type { Adjacency } from "#twin/adjacency.ts"
import { isAdjacencyUp } from "#twin/adjacency.ts"
import { interfaceKey } from "#protocol/id.ts"
import type { Cells } from "#twin/cells.ts"
import type { Attachment } from "#twin/service/plan.ts"
import type { Topology } from "#twin/topology.ts"

/** Up when one of them is; null = the router tells none there. */
export const sessionsUp = (topology: Topology, cells: Cells, attachment: Attachment): boolean | null => {
  const near = cells.routers.state(attachment.near)
  const own = addressesAt(cells, attachment.near, attachment.ifName)
  const far = new Set(farAddresses(topology, cells, attachment))
  const isHere = ({ remote }: Adjacency): boolean => {
    const address = remote.toLowerCase()
    return far.has(address) || own.some((one) => isInSubnet(address, one))
  }
  const here = near.adjacencies.filter((one) => one.kind === "bgp" && isHere(one))
  return here.length === 0 ? null : here.some(isAdjacencyUp)
}

/** `10.0.0.1/31` each. */
const addressesAt = (cells: Cells, slot: number, ifName: string): readonly string[] => {
  const { interfaces } = cells.routers.state(slot)
  const row = interfaces.keys.indexOf(interfaceKey(ifName))
  const text = row < 0 ? null : (interfaces.addresses?.[row] ?? null)
  return text === null || text === "" ? [] : text.split(", ")
}

/** Of its port on this link; a loopback address too, where it is the only link between the two. */
const farAddresses = ({ inventory, routers }: Topology, cells: Cells, attachment: Attachment): readonly string[] => {
  const { far, near, link } = attachment
  if (far < 0) return []
  const declared = inventory.links[link]!
  const id = inventory.devices[far]!.id
  const ifName = declared.a.device === id ? declared.a.interface : declared.b.interface
  const shared = (routers[near]?.ports ?? []).filter(({ link: other }) => {
    const { a, b } = inventory.links[other]!
    return a.device === id || b.device === id
  })
  const { addresses, keys } = cells.routers.state(far).interfaces
  const told =
    shared.length > 1
      ? addressesAt(cells, far, ifName)
      : keys.flatMap((_, row) => (addresses?.[row] ?? "").split(", ").filter((one) => one !== ""))
  return told.map((one) => (one.split("/")[0] ?? "").toLowerCase()).filter((one) => !one.startsWith("127."))
}

/** IPv4 only: the far end of an IPv6 link is known by its own address. */
const isInSubnet = (address: string, own: string): boolean => {
  const [host, length] = own.split("/")
  const [one, other] = [ipv4(address), ipv4(host ?? "")]
  const bits = Number(length)
  if (one === null || other === null || one === other || !(bits >= 8 && bits <= 31)) return false
  const size = 2 ** (32 - bits)
  return Math.floor(one / size) === Math.floor(other / size)
}

const ipv4 = (text: string): number | null => {
  const parts = text.split(".").map(Number)
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255)) return null
  return parts.reduce((sum, part) => sum * 256 + part, 0)
}
