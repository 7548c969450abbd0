/** Proposals of now as the inbox shows them: named, with ids that fit a path, and only what the asker may see. */
import type { Editor } from "#engine/inventory-api/inventory-api.ts"
import type { LinkProposal, RoleProposal } from "#engine/topology/proposals-api.ts"
import type { TwinMoment } from "#engine/whatif/lean.ts"
import { proposalId } from "#engine/whatif/proposal-id.ts"
import type { Proposed } from "#engine/whatif/question.ts"
import { deviceId, linkId } from "#protocol/id.ts"
import type { Device } from "#protocol/inventory.ts"

export interface Open<P> {
  readonly id: string
  readonly evidenceKey: string
  readonly confidence: number
  readonly proposal: P
}

/** Longest proposal text of one kind of evidence, and how many are shown. */
const EVIDENCE_MAX = 20

export const openLinks = (
  { links }: Proposed,
  { world }: TwinMoment,
  { sites }: Editor,
): ReadonlyArray<Open<LinkProposal>> => {
  const { inventory, deviceSlot, linkSlot } = world.topology
  const device = (id: string): Device | undefined => inventory.devices[deviceSlot.get(deviceId(id)) ?? -1]
  const end = (it: { readonly device: string; readonly interface: string | null }) => ({
    device: it.device,
    deviceName: device(it.device)?.name ?? it.device,
    interface: it.interface,
  })
  const named = (id: string) => {
    const link = inventory.links[linkSlot.get(linkId(id)) ?? -1]
    const ends = link === undefined ? [] : [end(link.a), end(link.b)]
    return { id, name: ends.map((one) => `${one.deviceName} ${one.interface}`).join(" - ") }
  }
  return links.flatMap((one) => {
    const both = [device(one.a.device), device(one.b.device)]
    // The inventory may be another one than the proposals were made of.
    if (both.some((it) => it === undefined || (sites !== null && !sites.includes(it.site)))) return []
    const id = proposalId(one.id)
    const proposal: LinkProposal = {
      id,
      state: "open",
      a: end(one.a),
      b: end(one.b),
      confidence: one.confidence,
      evidence: one.evidence.slice(0, EVIDENCE_MAX),
      speedBps: one.speedBps,
      contradicts: one.contradicts === null ? null : named(one.contradicts),
      against: one.against,
      decided: null,
      link: null,
    }
    return [{ id, evidenceKey: one.evidenceKey, confidence: one.confidence, proposal }]
  })
}

export const openRoles = (
  { roles }: Proposed,
  { world }: TwinMoment,
  { sites }: Editor,
): ReadonlyArray<Open<RoleProposal>> => {
  const { inventory, deviceSlot } = world.topology
  return roles
    .flatMap((one) => {
      const device = inventory.devices[deviceSlot.get(deviceId(one.device)) ?? -1]
      if (device === undefined || (sites !== null && !sites.includes(device.site))) return []
      const id = proposalId(`role ${one.device} ${one.role}`)
      const proposal: RoleProposal = {
        id,
        state: "open",
        device: { id: device.id, name: device.name },
        role: one.role,
        declared: device.roles,
        confidence: one.confidence,
        because: one.because,
        decided: null,
      }
      return [{ id, evidenceKey: roleEvidence(one.role, one.because), confidence: one.confidence, proposal }]
    })
    .toSorted((x, y) => y.confidence - x.confidence || (x.proposal.device.name < y.proposal.device.name ? -1 : 1))
}

/** Counts come and go: 300 sessions are no other evidence than 299. Which AS somebody speaks with is. */
const roleEvidence = (role: string, because: string): string =>
  role === "edge" ? `${role}: ${because}` : `${role}: ${because.replaceAll(/\d+/g, "#")}`
