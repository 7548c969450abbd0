/**
 * One tenant's flood, in a thread of its own, so that who measures the other tenant does not wait behind it: syslog from an
 * address of one of its routers, and requests of one of its people, at fixed rates until it is told to stop.
 */
import { createSocket } from "node:dgram"
import { parentPort, workerData } from "node:worker_threads"
import { personOf } from "#lab/drive/onboard.ts"

export interface FloodOptions {
  readonly url: string
  readonly cookie: string
  /** Where the lines come from. */
  readonly address: string
  readonly syslogPort: number
  readonly linesPerS: number
  readonly requestsPerS: number
}
export interface Flooded {
  readonly lines: number
  readonly requests: number
  /** Answered with 429. */
  readonly refused: number
  readonly seconds: number
}

const STEP_MS = 20
/** Requests at once. */
const OPEN_MAX = 64

const flood = async (options: FloodOptions, stopped: Promise<void>): Promise<Flooded> => {
  const { url, cookie, address, syslogPort, linesPerS, requestsPerS } = options
  const person = personOf(url, cookie)
  const socket = createSocket("udp4")
  await new Promise<void>((ready) => socket.bind(0, address, ready))
  const sent = { lines: 0, requests: 0, refused: 0 }
  const startedMs = performance.now()
  const due = (perSecond: number): number => Math.floor(((performance.now() - startedMs) / 1_000) * perSecond)
  const open = new Set<Promise<void>>()
  const knock = (): void => {
    const asked = person.knock("/devices?limit=1000").then((status) => void (sent.refused += status === 429 ? 1 : 0))
    const closed: Promise<void> = asked.catch(() => undefined).finally(() => open.delete(closed))
    open.add(closed)
  }
  const timer = setInterval(() => {
    for (const wanted = due(linesPerS); sent.lines < wanted; sent.lines++)
      socket.send(`<30>flood line ${sent.lines}`, syslogPort, "127.0.0.1")
    for (const wanted = due(requestsPerS); sent.requests < wanted && open.size < OPEN_MAX; sent.requests++) knock()
  }, STEP_MS)
  await stopped
  clearInterval(timer)
  await Promise.all(open)
  socket.close()
  return { ...sent, seconds: (performance.now() - startedMs) / 1_000 }
}

if (parentPort !== null) {
  const port = parentPort
  const stopped = new Promise<void>((stop) => port.once("message", () => stop()))
  const done = await flood(workerData as FloodOptions, stopped)
  port.postMessage(done)
}
