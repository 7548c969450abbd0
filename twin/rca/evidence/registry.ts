/** Every kind of evidence. The order gives the numbers of what is observed; add at the end. */
import { answer } from "#twin/rca/evidence/answer.ts"
import { bgp } from "#twin/rca/evidence/bgp.ts"
import { change } from "#twin/rca/evidence/change.ts"
import { flap } from "#twin/rca/evidence/flap.ts"
import { hot } from "#twin/rca/evidence/hot.ts"
import type { EvidenceKind } from "#twin/rca/evidence/kind.ts"
import { ospf } from "#twin/rca/evidence/ospf.ts"
import { ping } from "#twin/rca/evidence/ping.ts"
import { port } from "#twin/rca/evidence/port.ts"
import { queue } from "#twin/rca/evidence/queue.ts"
import { reboot } from "#twin/rca/evidence/reboot.ts"
import { shut } from "#twin/rca/evidence/shut.ts"

export const EVIDENCE: readonly EvidenceKind[] = [port, shut, ospf, bgp, answer, ping, hot, queue, flap, reboot, change]
