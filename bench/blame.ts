/**
 * Who was late: the engine, the emulated network that shares the machine with it, or the machine itself. Linux tells of each
 * process how long its main thread was ready and got no core (/proc/PID/schedstat, nanoseconds); a small SNMP question to
 * one emulated router, asked all the time, tells how long the lab takes to answer; the engine's own metrics tell of its
 * garbage collection. Without /proc nothing is blamed on the machine.
 */
import { createSocket } from "node:dgram"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { loadavg } from "node:os"
import { monitorEventLoopDelay } from "node:perf_hooks"

/** Seconds that the process's main thread has waited for a core so far; null where /proc does not tell. */
export const starvedSeconds = (pid: number): number | null => {
  try {
    const waitedNs = Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[1])
    return Number.isFinite(waitedNs) ? waitedNs / 1e9 : null
  } catch {
    return null
  }
}

export const loadAverage = (): number => Math.round((loadavg()[0] ?? 0) * 10) / 10

/** What one interval showed. Shares are of the interval's length; null = not known here. */
export interface Seen {
  readonly engineStarved: number | null
  readonly labStarved: number | null
  readonly gc: number
  readonly labSlowestMs: number
}

/** A share of the interval above which the machine is to blame, and an answer above which the lab is. */
const STARVED = 0.15
const LAB_SLOW_MS = 500

export const blame = ({ engineStarved, labStarved, gc, labSlowestMs }: Seen): string => {
  if ((engineStarved ?? 0) > STARVED) return "the machine: the engine was ready and got no core"
  if (labSlowestMs > LAB_SLOW_MS)
    return (labStarved ?? 0) > STARVED ? "the machine: the lab was ready and got no core" : "the lab: slow answers"
  return gc > STARVED ? "the engine: garbage collection" : "the engine"
}

export interface LabWatch {
  /** Slowest answer since the last call, ms; what is still unanswered counts with its age. This process's own delay is taken off. */
  readonly slowestMs: () => number
  readonly close: () => void
}

const ASK_EVERY_MS = 50

/** Asks one v2c router of the lab for its uptime all the time. */
export const watchLab = async (address: string, port: number, community: string): Promise<LabWatch> => {
  const socket = createSocket("udp4")
  socket.bind(0)
  await once(socket, "listening")
  const own = monitorEventLoopDelay({ resolution: 10 })
  own.enable()
  const askedMs = new Map<number, number>()
  let slowest = 0
  let id = 0
  socket.on("error", () => undefined)
  socket.on("message", (answer) => {
    const id = requestIdOf(answer)
    const asked = askedMs.get(id)
    if (asked !== undefined) slowest = Math.max(slowest, performance.now() - asked)
    askedMs.delete(id)
  })
  const timer = setInterval(() => {
    id = (id % 0x7f_ffff) + 1
    askedMs.set(id + ID_BASE, performance.now())
    socket.send(uptimeQuestion(community, id + ID_BASE), port, address, () => undefined)
  }, ASK_EVERY_MS)
  return {
    slowestMs: () => {
      const nowMs = performance.now()
      for (const asked of askedMs.values()) slowest = Math.max(slowest, nowMs - asked)
      askedMs.clear()
      const found = Math.max(0, slowest - own.max / 1e6)
      slowest = 0
      own.reset()
      return Math.round(found)
    },
    close: () => {
      clearInterval(timer)
      own.disable()
      socket.close()
    },
  }
}

/** Ids of four octets without a sign, so that they stand at one place of fixed length. */
const ID_BASE = 0x4000_0000
const UPTIME = [0x2b, 6, 1, 2, 1, 1, 3, 0]

/** GET sysUpTime.0, version 2c. Every length is below 128 for communities of up to 60 octets. */
const uptimeQuestion = (community: string, id: number): Buffer => {
  const item = (tag: number, ...contents: number[]): number[] => [tag, contents.length, ...contents]
  const binding = item(0x30, ...item(6, ...UPTIME), 5, 0)
  const ids = [0x02, 4, id >>> 24, (id >>> 16) & 255, (id >>> 8) & 255, id & 255]
  const pdu = item(0xa0, ...ids, ...item(2, 0), ...item(2, 0), ...item(0x30, ...binding))
  return Buffer.from(item(0x30, ...item(2, 1), ...item(4, ...Buffer.from(community)), ...pdu))
}

/** Of an answer; its lengths may be short or long, but an INTEGER of these four octets is nowhere else. */
const requestIdOf = (answer: Buffer): number => {
  const at = answer.indexOf(ID_HEAD)
  return at < 0 || at + 6 > answer.length ? 0 : answer.readUInt32BE(at + 2)
}
const ID_HEAD = Buffer.from([0x02, 4, ID_BASE >>> 24])
