/**
 * What it costs that engine ids are not stored (docs/collectors.md): every session's first request, which finds the agent's
 * engine, against its second, over real sockets to emulated agents of one process. Their work counts as well, so that the
 * engine's own cost is below what is told here.
 */
import assert from "node:assert/strict"
import { loadavg } from "node:os"
import process from "node:process"
import { test } from "node:test"
import { makeGateCounts } from "#engine/collectors/snmp/gate.ts"
import { SYS } from "#engine/collectors/snmp/mib.ts"
import { makeUdpPool } from "#engine/collectors/snmp/udp.ts"
import { v3Client } from "#engine/collectors/snmp/v3.ts"
import { Lab } from "#lab/lab.ts"

const SESSIONS = 2_000
const FLEET = 10_000
/** Sessions that ask at once, as a fleet that starts does. */
const TOGETHER = 100

test("an engine is found again by two packets; what that costs a fleet of 10,000 is told", async (t) => {
  const lab = await Lab.start({ routers: 200, seed: 5, net: "127.32", snmpPort: 0, apiPort: 0, clock: Date.now })
  t.after(() => lab.close())
  const agents = lab.isp.routers.flatMap(({ snmp, index }) =>
    snmp.version === "3" ? [{ credential: { ...snmp, port: 0 }, ...lab.fleet.endpoints[index]! }] : [],
  )
  assert.ok(agents.length > 10)
  const pool = makeUdpPool()
  const counts = makeGateCounts()
  const clients = Array.from({ length: SESSIONS }, (_, n) => {
    const { credential, address, snmpPort } = agents[n % agents.length]!
    return v3Client({ pool, address, port: snmpPort, credential, counts })
  })
  t.after(() => clients.forEach((client) => client.close()))
  const askAll = async (): Promise<{ readonly cpuUs: number; readonly wallMs: number; readonly packets: number }> => {
    const [cpu, started, sent] = [process.cpuUsage(), performance.now(), counts.sent]
    const queue = [...clients]
    const asker = async (): Promise<void> => {
      for (let client = queue.pop(); client !== undefined; client = queue.pop())
        await client.get([SYS.sysUpTime], performance.now() + 20_000)
    }
    await Promise.all(Array.from({ length: TOGETHER }, asker))
    const { user, system } = process.cpuUsage(cpu)
    return { cpuUs: user + system, wallMs: performance.now() - started, packets: counts.sent - sent }
  }
  // The passwords' own keys are made once per user, off the main thread, whatever is stored: before the clock starts.
  await Promise.all(
    clients.slice(0, agents.length).map((client) => client.get([SYS.sysUpTime], performance.now() + 20_000)),
  )
  const first = await askAll()
  const second = await askAll()
  const extraUs = (first.cpuUs - second.cpuUs) / SESSIONS
  const fleet = (ms: number): string => `${(((ms / SESSIONS) * FLEET) / 1_000).toFixed(1)} s`
  t.diagnostic(
    `load ${loadavg()[0]?.toFixed(1)}: a first request ${(first.cpuUs / SESSIONS).toFixed(0)} us of CPU with the agent's, a second ${(second.cpuUs / SESSIONS).toFixed(0)}; ${FLEET} sessions: first ${fleet(first.wallMs)}, second ${fleet(second.wallMs)}, ${((extraUs * FLEET) / 1e6).toFixed(1)} s of CPU more`,
  )
  // Repeats of a busy machine count, too: a third packet for each session would be a third of all.
  assert.ok(second.packets >= SESSIONS && first.packets < 2.5 * SESSIONS, `${first.packets} packets`)
})
