/**
 * Our own side of the snmp-cost benchmark, a child process of it: the v2c client with the gate on the shared sockets, one
 * GETBULK in flight per device; or, with `poll` as the first argument, whole polls of those devices (walks, memory,
 * PollInput). Arguments and dialogue are those of bench/snmp-cost/libnetsnmp.c. It lives here because a benchmark
 * imports nothing of the engine.
 */
import { readFileSync } from "node:fs"
import { performance } from "node:perf_hooks"
import process from "node:process"
import { createInterface } from "node:readline"
import { deviceId } from "#protocol/id.ts"
import type { SnmpClient } from "#engine/collectors/snmp/client.ts"
import { makeGateCounts } from "#engine/collectors/snmp/gate.ts"
import { oid } from "#engine/collectors/snmp/oid.ts"
import { makeDevicePoller } from "#engine/collectors/snmp/poller.ts"
import { makeUdpPool } from "#engine/collectors/snmp/udp.ts"
import { v2cClient } from "#engine/collectors/snmp/v2c.ts"
import type { Varbinds } from "#engine/collectors/snmp/varbinds.ts"

const DEADLINE_MS = 10_000
const DEVICE = deviceId("01890000-0000-7000-8000-000000000001")

const [what, file = "", maxRepetitions = "1", ...names] = process.argv.slice(2)
const oids = names.map(oid)
const pool = makeUdpPool()
const totals = { requests: 0, varbinds: 0, failures: 0, sum: 0 }

const clients = readFileSync(file, "utf8")
  .trim()
  .split("\n")
  .map((line) => {
    const [address = "", port = "", community = ""] = line.split(" ")
    return v2cClient({ pool, address, port: Number(port), community, counts: makeGateCounts() })
  })

/** One round trip and its values, each looked at, as whoever polls would. */
const asker = (client: SnmpClient) => async (): Promise<void> => {
  totals.requests++
  const answer = await client.bulk(0, Number(maxRepetitions), oids, performance.now() + DEADLINE_MS)
  for (let i = 0; i < answer.length; i++) totals.sum += answer.number(i) ?? 0
  totals.varbinds += answer.length
}

/** One whole poll. Every binding that arrived counts, whether the poll had a use for it or not. */
const poller = (client: SnmpClient) => {
  const counted = (answer: Varbinds): Varbinds => {
    totals.requests++
    totals.varbinds += answer.length
    return answer
  }
  const device = makeDevicePoller({
    ...client,
    get: async (...of) => counted(await client.get(...of)),
    bulk: async (...of) => counted(await client.bulk(...of)),
  })
  return async (): Promise<void> => {
    const finish = await device.poll(performance.now() + DEADLINE_MS)
    const { value } = finish(DEVICE, 0, 0)
    for (const one of value) totals.sum += one
  }
}

const turns = clients.map(what === "poll" ? poller : asker)

const playRound = async (perDevice: number): Promise<unknown> => {
  Object.assign(totals, { requests: 0, varbinds: 0, failures: 0 })
  const cpu = process.cpuUsage()
  const started = performance.now()
  await Promise.all(
    turns.map(async (turn) => {
      for (let left = perDevice; left > 0; left--) {
        try {
          await turn()
        } catch {
          totals.failures++
        }
      }
    }),
  )
  const { user, system } = process.cpuUsage(cpu)
  return { ...totals, cpuUs: user + system, wallMs: performance.now() - started }
}

console.log(JSON.stringify({ ready: clients.length }))
for await (const line of createInterface({ input: process.stdin }))
  console.log(JSON.stringify(await playRound(Number(line))))
process.exit(0)
