/**
 * Neighbours heard on a wire: LLDP (IEEE 802.1AB: bridges do not forward it, so that it speaks of the very next device),
 * MNDP and CDP, which a switch in between may pass on. Who hears two others on one port sits on a shared segment.
 */
import type { EvidenceKind, Hint, Surroundings } from "#twin/propose/evidence/evidence.ts"
import { portBelow } from "#twin/propose/evidence/evidence.ts"
import type { Heard, Said } from "#twin/propose/said.ts"
import type { Who } from "#twin/propose/who.ts"

const WEIGHT = { lldp: 0.88, mndp: 0.6, cdp: 0.6, discovery: 0.6 } as const
/** On a port that hears several. */
const SHARED_WEIGHT = 0.3

const hintsOf =
  (by: Heard["by"]) =>
  ({ said, who }: Surroundings): readonly Hint[] =>
    said.flatMap((own) => {
      const heard = own.heard.filter((one) => one.by === by)
      const perPort = new Map<string, number>()
      for (const { interface: port } of heard) perPort.set(port ?? "", (perPort.get(port ?? "") ?? 0) + 1)
      return heard.flatMap((one): Hint[] => {
        const other = remoteOf(one, who)
        if (other === null || other === own) return []
        const shared = one.interface === null || (perPort.get(one.interface) ?? 0) > 1
        return [hintOf(own, one, other, shared ? SHARED_WEIGHT : WEIGHT[by], who)]
      })
    })

/** A name that two devices bear may still be told apart by the address. */
export const remoteOf = ({ remoteName, remoteAddress }: Heard, who: Who): Said | null => {
  const byAddress = remoteAddress === null ? null : who.byAddress(remoteAddress)
  const byName = remoteName === null ? null : who.byName(remoteName)
  if (byAddress !== null && byName !== null && byAddress !== byName) return null
  return byName ?? byAddress
}

const hintOf = (own: Said, heard: Heard, other: Said, weight: number, who: Who): Hint => {
  const port = heard.interface === null ? null : portBelow(own, heard.interface)
  const far = who.portOf(other, heard.remotePort)
  const at = heard.interface === null ? "" : ` on ${heard.interface}`
  const its = heard.remotePort === null ? "" : `, which names its port ${heard.remotePort}`
  return {
    kind: heard.by,
    a: { device: own.device, interface: port },
    b: { device: other.device, interface: far === null ? null : portBelow(other, far) },
    weight,
    text: `${own.name} hears ${other.name} by ${heard.by.toUpperCase()}${at}${its}`,
  }
}

export const LLDP: EvidenceKind = { kind: "lldp", hints: hintsOf("lldp") }
export const MNDP: EvidenceKind = { kind: "mndp", hints: hintsOf("mndp") }
export const CDP: EvidenceKind = { kind: "cdp", hints: hintsOf("cdp") }
export const DISCOVERY: EvidenceKind = { kind: "discovery", hints: hintsOf("discovery") }
