/**
 * The lines that fping and ping print, read without trust: what does not look exactly like a result is nothing.
 * Sources: fping 5.1 (`fping -l`, src/fping.c), iputils 20221126 and BusyBox 1.35 ping.
 */

/** One ping of one address; `rttMs` null = it was not answered. */
export interface PingLine {
  readonly address: string
  /** From 0. */
  readonly seq: number
  readonly rttMs: number | null
}

/** A longer line is none of theirs. */
export const PING_LINE_MAX = 256
/** Longer round trips than any time-out of ours are nonsense. */
const RTT_MS_MAX = 3_600_000

const FPING = /^([0-9A-Fa-f.:]{2,45}) {0,64}: \[(\d{1,9})\], (?:timed out|\d{1,6} bytes, (\d[\d.e+]{0,15}) ms) \((.*)$/

/**
 * `192.0.2.1 : [7], 64 bytes, 0.23 ms (0.23 avg, 0% loss)` or `... : [7], timed out (NaN avg, 100% loss)`.
 * An answer that came from another address (`[<- 203.0.113.9]`) is not the device's. Null for every other line,
 * duplicates among them.
 */
export const fpingLine = (line: string): PingLine | null => {
  if (line.length > PING_LINE_MAX) return null
  const [, address, seq, rtt, rest] = FPING.exec(line) ?? []
  if (address === undefined || rest === undefined) return null
  if (rtt === undefined || rest.includes("[<-")) return { address, seq: Number(seq), rttMs: null }
  const rttMs = milliseconds(rtt)
  return rttMs === null ? null : { address, seq: Number(seq), rttMs }
}

const PING = /^\d{1,6} bytes from ([0-9A-Fa-f.:]{2,45}): (?:icmp_)?seq=(\d{1,9}) .{0,40}time=(\d[\d.]{0,15}) ms(.*)$/

/** `64 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=0.033 ms`; duplicates (`(DUP!)`) and everything else are null. */
export const pingLine = (line: string): PingLine | null => {
  if (line.length > PING_LINE_MAX) return null
  const [, address, seq, rtt, rest] = PING.exec(line) ?? []
  if (address === undefined || rtt === undefined || rest?.includes("DUP") === true) return null
  const rttMs = milliseconds(rtt)
  return rttMs === null ? null : { address, seq: Number(seq), rttMs }
}

const milliseconds = (text: string): number | null => {
  const ms = Number(text)
  return ms >= 0 && ms <= RTT_MS_MAX ? ms : null
}
