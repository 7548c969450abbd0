/**
 * A poller on the npm package net-snmp alone, as its README shows it: one session per device, one GETBULK in flight on
 * each. Arguments and dialogue are those of libnetsnmp.c.
 */
import { readFileSync } from "node:fs"
import process from "node:process"
import { createInterface } from "node:readline"
import snmp from "net-snmp"

interface Varbind {
  readonly type: number
  readonly value: unknown
}

const [file = "", maxRepetitions = "1", ...oids] = process.argv.slice(2)
const sessions = readFileSync(file, "utf8")
  .trim()
  .split("\n")
  .map((line) => {
    const [address = "", port = "", community = ""] = line.split(" ")
    const session = snmp.createSession(address, community, {
      version: snmp.Version2c,
      port: Number(port),
      retries: 3,
      timeout: 2000,
    })
    // Without a listener, one stray datagram would end this process (notes/hostile.md S1).
    session.on("error", () => undefined)
    return session
  })

/** Every value is looked at, as whoever polls would; Counter64 comes as bytes. */
const numeric = ({ value }: Varbind): number => {
  if (typeof value === "number") return value
  if (!(value instanceof Uint8Array)) return 0
  let number = 0
  for (const byte of value) number = number * 256 + byte
  return number
}

const playRound = (perDevice: number): Promise<unknown> =>
  new Promise((done) => {
    const cpu = process.cpuUsage()
    const started = performance.now()
    const totals = { requests: 0, varbinds: 0, failures: 0, sum: 0 }
    let running = sessions.length
    for (const session of sessions) {
      let left = perDevice
      const ask = (): void => {
        if (left-- > 0) {
          totals.requests++
          session.getBulk(oids, 0, Number(maxRepetitions), answered)
        } else if (--running === 0) {
          const { user, system } = process.cpuUsage(cpu)
          done({ ...totals, cpuUs: user + system, wallMs: performance.now() - started })
        }
      }
      const answered = (error: unknown, answer: unknown): void => {
        if (error) totals.failures++
        else
          for (const column of answer as ReadonlyArray<Varbind | readonly Varbind[]>)
            for (const varbind of Array.isArray(column) ? (column as Varbind[]) : [column as Varbind]) {
              totals.sum += numeric(varbind)
              totals.varbinds++
            }
        ask()
      }
      ask()
    }
  })

console.log(JSON.stringify({ ready: sessions.length }))
for await (const line of createInterface({ input: process.stdin }))
  console.log(JSON.stringify(await playRound(Number(line))))
process.exit(0)
