/** Every kind of fault the lab knows. A new one is a file and a line. */
import { congest } from "#lab/faults/congest.ts"
import { cut } from "#lab/faults/cut.ts"
import { dropPppoe } from "#lab/faults/drop-pppoe.ts"
import type { FaultKind } from "#lab/faults/fault.ts"
import { flap } from "#lab/faults/flap.ts"
import { isolate } from "#lab/faults/isolate.ts"
import { kill } from "#lab/faults/kill.ts"
import { lose } from "#lab/faults/lose.ts"

export const FAULTS: readonly FaultKind[] = [cut, kill, flap, congest, isolate, dropPppoe, lose]
