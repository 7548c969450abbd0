/** The kinds of evidence for a link. To add one: its file, and a line here. */
import { BRIDGE } from "#twin/propose/evidence/bridge.ts"
import { BGP, OSPF } from "#twin/propose/evidence/routing.ts"
import type { EvidenceKind, SupportKind } from "#twin/propose/evidence/evidence.ts"
import { CDP, DISCOVERY, LLDP, MNDP } from "#twin/propose/evidence/heard.ts"
import { SITE } from "#twin/propose/evidence/site.ts"
import { SUBNET } from "#twin/propose/evidence/subnet.ts"

export const EVIDENCE: readonly EvidenceKind[] = [LLDP, MNDP, CDP, DISCOVERY, SUBNET, BRIDGE, OSPF, BGP]
export const SUPPORTS: readonly SupportKind[] = [SITE]
