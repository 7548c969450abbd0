/**
 * The hot state of a whole tenant as typed arrays by slot: what the map draws and the stream sends.
 * Written only by applying the deltas of successful steps, in round order, so that they are a pure function of the journal.
 */
import type { ColumnDelta } from "#twin/step.ts"
import { packStatus, UNKNOWN_STATUS } from "#protocol/status.ts"
import { packUtil, UTIL_UNKNOWN } from "#protocol/wire.ts"

export interface Columns {
  /** packStatus bytes, by device slot. */
  readonly nodeStatus: Uint8Array
  /** Unix seconds of the newest answer, 0 = never. */
  readonly nodeSeenS: Uint32Array
  readonly linkStatus: Uint8Array
  /** packUtil half percents; 255 = unknown. */
  readonly linkUtilAB: Uint8Array
  readonly linkUtilBA: Uint8Array
}

export const makeColumns = (nodes: number, links: number): Columns => ({
  nodeStatus: new Uint8Array(nodes).fill(packStatus(UNKNOWN_STATUS)),
  nodeSeenS: new Uint32Array(nodes),
  linkStatus: new Uint8Array(links).fill(packStatus(UNKNOWN_STATUS)),
  linkUtilAB: new Uint8Array(links).fill(UTIL_UNKNOWN),
  linkUtilBA: new Uint8Array(links).fill(UTIL_UNKNOWN),
})

/** Writes one delta; true when a byte really changed. A slot outside the columns is a defect and throws. */
export const applyColumnDelta = (columns: Columns, delta: ColumnDelta): boolean => {
  if (delta.column === "node") {
    if (delta.slot >= columns.nodeStatus.length) throw new RangeError(`node slot ${delta.slot}`)
    const changed =
      set(columns.nodeStatus, delta.slot, packStatus(delta.status)) | set(columns.nodeSeenS, delta.slot, delta.seenS)
    return changed !== 0
  }
  if (delta.slot >= columns.linkStatus.length) throw new RangeError(`link slot ${delta.slot}`)
  const changed =
    set(columns.linkStatus, delta.slot, packStatus(delta.status)) |
    set(columns.linkUtilAB, delta.slot, packUtil(delta.utilAB)) |
    set(columns.linkUtilBA, delta.slot, packUtil(delta.utilBA))
  return changed !== 0
}

const set = (column: Uint8Array | Uint32Array, slot: number, value: number): 0 | 1 => {
  if (column[slot] === value) return 0
  column[slot] = value
  return 1
}
