/**
 * The interfaces of one router as columns: levels (oper, admin, speed, rates) and, per source, the counters of its last
 * poll. IF-MIB (RFC 2863) words. Row order is the order of discovery; a name is the identity, ifIndex is not.
 */
import type { EntityKey } from "#protocol/id.ts"
import type { Source } from "#protocol/view.ts"
import { metricId } from "#protocol/metric.ts"
import type { ValueTable } from "#twin/values.ts"
import { emptyTable, layoutOf } from "#twin/values.ts"

/** Counters of one source's last poll, row by row of the interface table. */
export interface SourceCounters {
  readonly source: Source
  /** Time of each row's sample; 0 = none. */
  readonly atMs: Float64Array
  /** rows x COUNTERS; NaN = not reported. */
  readonly value: Float64Array
  /** ifCounterDiscontinuityTime, s; NaN = not reported. */
  readonly discontinuity: Float64Array
  /** 32, 64, or 0 = not reported. */
  readonly bits: Uint8Array
}

export interface InterfaceTable {
  readonly keys: readonly EntityKey[]
  readonly aliases: ReadonlyArray<string | null>
  readonly levels: ValueTable
  readonly counters: readonly SourceCounters[]
  /** Bits of the sources that listed this row in their newest poll. */
  readonly listedBy: Uint8Array
}

export const INTERFACE_LAYOUT = layoutOf("interface", [
  metricId("interface.counter_bits"),
  metricId("interface.counter_discontinuity_seconds"),
])

export const NO_INTERFACES: InterfaceTable = {
  keys: [],
  aliases: [],
  levels: emptyTable(0, INTERFACE_LAYOUT.width),
  counters: [],
  listedBy: new Uint8Array(0),
}
