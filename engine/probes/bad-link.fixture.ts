/**
 * A bad link in user space, for kernels without sch_netem: a TUN interface whose packets socat brings here by UDP. Each echo
 * request (RFC 792) is answered after a delay, or never. Which of both, and how late, is drawn from its sequence number: two
 * programs that ping through it at the same time meet the same fate, and differ by what they measure, not by their luck. A
 * process of its own, so that a busy test delays nobody.
 *
 * `node bad-link.fixture.ts LOSS_PERCENT DELAY_MS JITTER_MS SEED`: prints its port; ends when its standard input does.
 */
import * as dgram from "node:dgram"
import process from "node:process"

const [lossPercent = 0, delayMs = 0, jitterMs = 0, seed = 1] = process.argv.slice(2).map(Number)

/** mulberry32 (Tommy Ettinger): 0 to 1. */
const diceOf = (start: number): (() => number) => {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Milliseconds until the answer to the request of this number; null = lost. */
const fateOf = (sequence: number): number | null => {
  const dice = diceOf(Math.imul(sequence + 1, 0x9e3779b1) ^ seed)
  if (dice() * 100 < lossPercent) return null
  // Mean 0, standard deviation 1 (Irwin-Hall of 12).
  const normal = Array.from({ length: 12 }, dice).reduce((sum, one) => sum + one, -6)
  return Math.max(0, delayMs + jitterMs * normal)
}

const ICMP = 1
const ECHO_REQUEST = 8

/** The answer to an IPv4 echo request, or null for anything else. */
const answerTo = (packet: Buffer): Buffer | null => {
  const header = ((packet[0] ?? 0) & 15) * 4
  if ((packet[0] ?? 0) >> 4 !== 4 || packet.length < header + 8) return null
  if (packet[9] !== ICMP || packet[header] !== ECHO_REQUEST) return null
  const answer = Buffer.from(packet)
  packet.copy(answer, 12, 16, 20)
  packet.copy(answer, 16, 12, 16)
  answer[header] = 0
  answer.writeUInt16BE(0, header + 2)
  answer.writeUInt16BE(checksum(answer.subarray(header)), header + 2)
  return answer
}

/** RFC 1071. Swapping its addresses leaves the IP header's own as it was. */
const checksum = (bytes: Buffer): number => {
  let sum = 0
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

const socket = dgram.createSocket({ type: "udp4", recvBufferSize: 1 << 20 })
socket.on("message", (packet, from) => {
  const answer = answerTo(packet)
  const lateMs = answer === null ? null : fateOf(answer.readUInt16BE(((answer[0] ?? 0) & 15) * 4 + 6))
  if (answer === null || lateMs === null) return
  setTimeout(() => socket.send(answer, from.port, from.address), lateMs)
})
socket.bind(0, "127.0.0.1", () => console.log(socket.address().port))
process.stdin.on("end", () => process.exit()).resume()
