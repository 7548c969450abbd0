/**
 * The SNMP agent of a recording: RFC 1901 v2c around the lab's command responder (RFC 3416), over a sorted list instead
 * of tables. It says what the device said, holes, odd indexes and frozen counters included. What is no request for it,
 * it drops and counts.
 */
import { BerError, Reader, TAG, Writer, oidBytes } from "#lab/snmp/ber.ts"
import type { Oid } from "#lab/snmp/ber.ts"
import { compareOid } from "#lab/snmp/mib.ts"
import { readRequest, respondFrom } from "#lab/snmp/pdu.ts"
import type { View } from "#lab/snmp/pdu.ts"
import type { RecordedValue } from "#lab/replay/recording.ts"

const V2C = 1
/** Octets of one answer, as routers cut theirs: an Ethernet frame's UDP payload. Raised for a longer single value. */
const ANSWER_MAX = 1472
/** Everything of a message that is not a VarBind, with the longest community. */
const ENVELOPE = 300
const DATAGRAM_MAX = 65_507

export class ReplayAgent {
  answered = 0
  /** Datagrams that were no request with this community. */
  dropped = 0
  private readonly values: readonly RecordedValue[]
  private readonly community: Buffer
  private readonly limit: number
  private readonly out: Writer

  /** `values` in OID order. */
  constructor(values: readonly RecordedValue[], community: string) {
    const longest =
      values.reduce((max, { oid, content }) => Math.max(max, oidBytes(oid).length + content.length), 0) + 16
    this.values = values
    this.community = Buffer.from(community)
    this.limit = Math.min(DATAGRAM_MAX, Math.max(ANSWER_MAX, longest + ENVELOPE))
    this.out = new Writer(this.limit + longest)
  }

  /** The answer, or null when there is none to give. A view into a buffer of this agent: send or copy it at once. */
  answer(datagram: Buffer): Buffer | null {
    try {
      const message = new Reader(datagram).into(TAG.sequence)
      if (message.integer() !== V2C || !message.octets().equals(this.community)) return this.drop()
      const request = readRequest(message)
      const { out } = this
      out.at = 0
      const whole = out.open(TAG.sequence)
      out.integer(V2C)
      out.octets(this.community)
      respondFrom(request, new Place(this.values), out, this.limit)
      out.close(whole)
      this.answered++
      return out.bytes.subarray(0, out.at)
    } catch (cause) {
      if (!(cause instanceof BerError)) throw cause
      return this.drop()
    }
  }

  private drop(): null {
    this.dropped++
    return null
  }
}

/** A place in the sorted values. */
class Place implements View {
  private readonly values: readonly RecordedValue[]
  private at = 0

  constructor(values: readonly RecordedValue[]) {
    this.values = values
  }

  fork(): Place {
    return new Place(this.values)
  }

  get valid(): boolean {
    return this.at < this.values.length
  }

  /** What was not recorded cannot be told apart: an instance beside others of its column, or an object unknown there. */
  find(oid: Oid): "found" | "noSuchObject" | "noSuchInstance" {
    this.at = firstBehind(this.values, oid, false)
    const found = this.values[this.at]
    return found !== undefined && compareOid(found.oid, oid) === 0 ? "found" : "noSuchInstance"
  }

  seekBehind(oid: Oid): void {
    this.at = firstBehind(this.values, oid, true)
  }

  next(): boolean {
    if (this.at + 1 >= this.values.length) return false
    this.at++
    return true
  }

  write(out: Writer): void {
    const { oid, tag, content } = this.values[this.at]!
    const varbind = out.open(TAG.sequence)
    out.octets(oidBytes(oid), TAG.oid)
    out.octets(content, tag)
    out.close(varbind)
  }

  oid(): Oid {
    return this.values[this.at]!.oid
  }
}

/** First value behind `oid`, or at it unless `strictly`. */
const firstBehind = (values: readonly RecordedValue[], oid: Oid, strictly: boolean): number => {
  let low = 0
  let high = values.length
  while (low < high) {
    const middle = (low + high) >> 1
    const order = compareOid(values[middle]!.oid, oid)
    if (order < 0 || (strictly && order === 0)) low = middle + 1
    else high = middle
  }
  return low
}
