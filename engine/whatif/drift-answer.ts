/** Drift by name: where the inventory and what the network says disagree (twin/drift/drift.ts). */
import { momentOf } from "#engine/whatif/moment.ts"
import { proposalId } from "#engine/whatif/proposal-id.ts"
import type { Answers } from "#engine/whatif/question.ts"
import type { Seen } from "#engine/whatif/seen.ts"
import type { DriftKind } from "#engine/whatif/what-if-api.ts"
import { driftOf } from "#twin/drift/drift.ts"

const EVIDENCE_MAX = 8

export const driftAnswer = (seen: Seen, limit: number, kind: DriftKind | null): Answers["drift"] => {
  const { findings, checkedLinks, checkedDevices, agreeing } = driftOf(
    seen.world.topology,
    seen.cells,
    seen.atMs,
    seen.said,
    seen.proposed,
  )
  const wanted = kind === null ? findings : findings.filter((one) => one.kind === kind)
  const checked = checkedLinks + checkedDevices
  return {
    ...momentOf(seen),
    items: wanted.slice(0, limit).map((one) => ({
      kind: one.kind,
      link: one.link < 0 ? null : seen.link(one.link),
      device: one.device < 0 ? null : seen.device(one.device),
      interface: one.interface,
      confidence: one.confidence,
      text: one.text,
      evidence: one.evidence.slice(0, EVIDENCE_MAX),
      proposal: one.proposal === null ? null : proposalId(one.proposal),
    })),
    total: wanted.length,
    checked: { links: checkedLinks, devices: checkedDevices },
    agreement: checked === 0 ? null : agreeing / checked,
    assumptions: [
      "two ends of a link are read up to a poll apart: differences below a quarter are not told",
      "routers with customers or an exit are not balanced: traffic begins and ends there",
    ],
  }
}
