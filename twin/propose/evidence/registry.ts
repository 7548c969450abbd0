/** The kinds of evidence for a link. To add one: its file, and a line here. */
import { BGP, OSPF } from "#twin/propose/evidence/routing.ts"
import type { EvidenceKind } from "#twin/propose/evidence/evidence.ts"
import { CDP, DISCOVERY, LLDP, MNDP } from "#twin/propose/evidence/heard.ts"
import { SUBNET } from "#twin/propose/evidence/subnet.ts"

export const EVIDENCE: readonly EvidenceKind[] = [LLDP, MNDP, CDP, DISCOVERY, SUBNET, OSPF, BGP]
