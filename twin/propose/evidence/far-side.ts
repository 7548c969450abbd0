/**
 * What a router, which has no bridge table, says of its own side of a cable on which one bridge hears it: it routes there
 * with somebody, over a subnet made for two (RFC 3021), and nothing that it says names anybody but that bridge. Then the
 * one who hears it is the other end, though it tells no address. An SVI that carries a subnet of its own, on a device
 * whose table cannot be read, looks like a port here, as it does to a common subnet.
 */
import type { Surroundings } from "#twin/propose/evidence/evidence.ts"
import { portBelow } from "#twin/propose/evidence/evidence.ts"
import { remoteOf } from "#twin/propose/evidence/heard.ts"
import { membersBySubnet } from "#twin/propose/evidence/subnet.ts"
import { ownAddresses } from "#twin/propose/said.ts"
import type { OwnAddress, Said } from "#twin/propose/said.ts"

/** /30 and /126: room for two hosts; /31 and /127 have exactly two. */
const POINT_TO_POINT_BITS = 2

/** The subnet over which `far` routes on `port`, when all that it says there fits `near`; null = not so, or unsaid. */
export type FarSide = (far: string, port: string, near: string) => string | null

/** Subnets of all are gathered when the first one is asked for: most networks never ask. */
export const farSideOf = ({ said, who }: Surroundings): FarSide => {
  let members: ReturnType<typeof membersBySubnet> | null = null
  return (device, port, near) => {
    const far = who.byDevice(device)
    const subnets = far === null ? [] : pointToPoint(far, port)
    if (far === null || subnets.length === 0) return null
    members ??= membersBySubnet(said)
    const isShared = subnets.some((own) =>
      (members?.get(own.subnet) ?? []).some((one) => one.own !== own && one.said.device !== near),
    )
    if (isShared || hearsAnother(far, port, near, who)) return null
    return routesWithOne(far, port, subnets, near, who) ? (subnets[0] as OwnAddress).subnet : null
  }
}

/** Of the port itself; none when it holds a LAN too, of which anybody may be a part. */
const pointToPoint = (far: Said, port: string): readonly OwnAddress[] => {
  const own = far.addresses.filter((one) => one.interface === port && one.hostBits > 0)
  const small = own.filter(({ hostBits }) => hostBits <= POINT_TO_POINT_BITS)
  // An IPv6 /64 is what many give to a wire.
  return own.some((one) => !small.includes(one) && !one.address.includes(":")) ? [] : small
}

const hearsAnother = (far: Said, port: string, near: string, who: Surroundings["who"]): boolean =>
  far.heard.some(
    (one) => one.interface !== null && portBelow(far, one.interface) === port && remoteOf(one, who)?.device !== near,
  )

/** At least one neighbour is up there, no two, and none that is known as somebody else. */
const routesWithOne = (
  far: Said,
  port: string,
  subnets: readonly OwnAddress[],
  near: string,
  who: Surroundings["who"],
): boolean => {
  const there = far.routing.filter(
    ({ kind, up, interface: over, remote }) =>
      up && (kind === "ospf" ? over !== null && portBelow(far, over) === port : isWithin(remote, subnets)),
  )
  const isStranger = (remote: string): boolean => {
    const other = who.byAddress(remote)
    return other !== null && other.device !== near
  }
  return (
    there.length > 0 &&
    there.filter(({ kind }) => kind === "ospf").length <= 1 &&
    !there.some(({ remote }) => isStranger(remote))
  )
}

const isWithin = (remote: string, subnets: readonly OwnAddress[]): boolean =>
  subnets.some(({ subnet }) => {
    const length = subnet.slice(subnet.indexOf("/") + 1)
    return ownAddresses("", `${remote}/${length}`).some((one) => one.subnet === subnet)
  })
