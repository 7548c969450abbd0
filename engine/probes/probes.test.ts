import assert from "node:assert/strict"
import { createServer } from "node:net"
import { test } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Entry } from "#engine/address-book.ts"
import type { Target } from "#engine/collectors/target.ts"
import { makeLog } from "#engine/log.ts"
import { fakeFping } from "#engine/probes/fake-fping.fixture.ts"
import type { FoundPing } from "#engine/probes/ping-tool.ts"
import type { Burst } from "#engine/probes/recheck.ts"
import { makeProbes } from "#engine/probes/probes.ts"
import type { Probes } from "#engine/probes/probes.ts"
import { deviceId, tenantId } from "#protocol/id.ts"
import { metricById } from "#protocol/metric.ts"
import type { DeviceInput } from "#twin/input.ts"

type Cleaner = { readonly after: (clean: () => Promise<void>) => void }

const starting = async (
  t: Cleaner,
  found: FoundPing,
  burst?: Burst,
): Promise<{ readonly probes: Probes; readonly log: string[] }> => {
  const scope = Scope.makeUnsafe()
  t.after(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  const lines: string[] = []
  const log = makeLog({ level: "info", format: "text", write: (line) => lines.push(line) })
  const more = burst === undefined ? {} : { burst }
  const probes = makeProbes({ log, find: () => Promise.resolve(found), ...more })
  return { probes: await Effect.runPromise(probes.pipe(Scope.provide(scope))), log: lines }
}

interface Inbox {
  readonly entries: (targets: readonly Partial<Target>[]) => readonly Entry[]
  /** `name up` of each report so far, and `name polled` of each confirm-poll. */
  readonly said: string[]
  readonly inputs: DeviceInput[]
  readonly until: (is: () => boolean) => Promise<void>
  /** What the inbox answers. */
  takes: boolean
}

/** A tenant whose inbox notes what it gets. */
const tenant = (id: string): Inbox => {
  const waiting = new Set<() => void>()
  const nudge = (): void => [...waiting].forEach((check) => check())
  const inbox: Inbox = {
    said: [],
    inputs: [],
    takes: true,
    until: (is) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!is()) return
          waiting.delete(check)
          resolve()
        }
        waiting.add(check)
        check()
      }),
    entries: (targets) =>
      targets.map((more) => {
        const target: Target = {
          device: deviceId("r1"),
          name: "r1",
          address: "192.0.2.1",
          pollSeconds: 30,
          snmp: null,
          routeros: null,
          ping: { intervalSeconds: 1 },
          ...more,
        }
        const submit = (input: DeviceInput): boolean => {
          if (inbox.takes) {
            inbox.inputs.push(input)
            inbox.said.push(`${input.device} ${rowsOf(input)["device.up"] ?? "values"}`)
          }
          nudge()
          return inbox.takes
        }
        const pollNow = (): void => {
          inbox.said.push(`${target.device} polled`)
          nudge()
        }
        return { tenant: tenantId(id), target, sink: { submit }, pollNow, readNow: () => false }
      }),
  }
  return inbox
}

const rowsOf = (input: DeviceInput): Readonly<Record<string, number>> => {
  assert.equal(input.kind, "poll")
  if (input.kind !== "poll") return {}
  return Object.fromEntries([...input.metric].map((id, row) => [metricById(id)?.name, input.value[row]]))
}

const set = (probes: Probes, id: string, entries: readonly Entry[]): Promise<void> =>
  Effect.runPromise(probes.setTenant(tenantId(id), entries))

test("the first answer, three losses in a row and life again are told, and confirmed by a poll", async (t) => {
  const fake = await fakeFping(t, "well")
  const { probes } = await starting(t, { tool: fake.tool, why: "" })
  const mine = tenant("a")
  await set(probes, "a", mine.entries([{}]))
  await mine.until(() => mine.said.length >= 1)
  await fake.kill("192.0.2.1")
  await mine.until(() => mine.said.includes("r1 polled"))
  await fake.revive("192.0.2.1")
  await mine.until(() => mine.said.filter((word) => word === "r1 polled").length === 2)
  assert.deepEqual(mine.said, ["r1 1", "r1 0", "r1 polled", "r1 1", "r1 polled"])
  const down = rowsOf(mine.inputs[1] as DeviceInput)
  assert.ok((down["probe.ping.loss_pct"] as number) >= 15 && (down["probe.ping.rtt_ms"] as number) === 1.5)
  assert.equal(probes.stats.devices, 1)
  assert.ok(probes.stats.lost >= 3 && probes.stats.answered >= 2)
})

test("a rarely pinged device that lost a ping is looked at again at once: down by that, or by nothing", async (t) => {
  const fake = await fakeFping(t, "well")
  const lost = { tool: "fping", rttsMs: [null, null, null], figures: null, error: null } as const
  const results = [{ ...lost, error: "it could not ask" }, { ...lost, rttsMs: [null, 1, null] }, lost] as const
  let bursts = 0
  const burst: Burst = (to, count) => {
    assert.deepEqual([to.text, count], ["192.0.2.1", 3])
    // What says nothing does not turn the device; it is looked at again after its next first loss.
    return Promise.resolve(results[bursts++] ?? lost)
  }
  const { probes } = await starting(t, { tool: fake.tool, why: "" }, burst)
  const mine = tenant("a")
  await set(probes, "a", mine.entries([{ ping: { intervalSeconds: 10 } }]))
  for (let round = 1; round <= 3; round++) {
    const told = mine.said.length
    await mine.until(() => mine.said.length > told || round > 1)
    const before = mine.said.filter((word) => word === "r1 polled").length
    await fake.kill("192.0.2.1")
    await mine.until(() => mine.said.filter((word) => word === "r1 polled").length > before)
    await fake.revive("192.0.2.1")
    await mine.until(() => mine.said.filter((word) => word === "r1 polled").length > before + 1)
  }
  assert.equal(bursts, 3)
})

test("a device that is pinged often is not looked at twice", async (t) => {
  const fake = await fakeFping(t, "well")
  const { probes } = await starting(t, { tool: fake.tool, why: "" }, () => assert.fail("a burst"))
  const mine = tenant("a")
  await set(probes, "a", mine.entries([{ ping: { intervalSeconds: 2 } }]))
  await mine.until(() => mine.said.length >= 1)
  await fake.kill("192.0.2.1")
  await mine.until(() => mine.said.includes("r1 polled"))
})

test("[C10] one address of two tenants and two devices is asked once, and each inbox gets only its own devices", async (t) => {
  const fake = await fakeFping(t, "well")
  const { probes } = await starting(t, { tool: fake.tool, why: "" })
  const [a, b] = [tenant("a"), tenant("b")]
  await set(probes, "a", a.entries([{ device: deviceId("a1") }, { device: deviceId("a2") }]))
  await set(probes, "b", b.entries([{ device: deviceId("b1") }, { device: deviceId("b2"), ping: null }]))
  await Promise.all([a.until(() => a.said.length >= 2), b.until(() => b.said.length >= 1)])
  assert.deepEqual(a.said.toSorted(), ["a1 1", "a2 1"])
  assert.deepEqual(b.said, ["b1 1"])
  assert.equal(probes.stats.devices, 3)
  // The second tenant's address was known already: nobody was disturbed.
  assert.equal((await fake.starts()).length, 1)
})

test("a change of the inventory keeps the windows of what stays, and tells nothing twice", async (t) => {
  const fake = await fakeFping(t, "well")
  const { probes } = await starting(t, { tool: fake.tool, why: "" })
  const mine = tenant("a")
  await set(probes, "a", mine.entries([{}]))
  await mine.until(() => mine.said.length >= 1)
  await set(probes, "a", mine.entries([{}, { device: deviceId("r2"), address: "192.0.2.2" }]))
  await mine.until(() => mine.said.includes("r2 1"))
  assert.deepEqual(mine.said, ["r1 1", "r2 1"])
  await set(probes, "a", [])
  assert.equal(probes.stats.devices, 0)
})

test("a report that a full inbox refused is told by the next ping", async (t) => {
  const fake = await fakeFping(t, "well")
  const { probes } = await starting(t, { tool: fake.tool, why: "" })
  const mine = tenant("a")
  mine.takes = false
  await set(probes, "a", mine.entries([{}]))
  await mine.until(() => probes.stats.refused >= 2)
  mine.takes = true
  await mine.until(() => mine.said.length >= 1)
  assert.deepEqual(mine.said, ["r1 1"])
})

test("where nothing can ping, that is said once and nobody is called anything", async (t) => {
  const { probes, log } = await starting(t, { tool: null, why: "fping is not installed; ping is not installed" })
  const mine = tenant("a")
  await set(probes, "a", mine.entries([{}]))
  await set(probes, "a", mine.entries([{}, { device: deviceId("r2") }]))
  assert.equal(probes.tool, null)
  assert.equal(probes.stats.devices, 0)
  assert.deepEqual(mine.said, [])
  assert.equal(log.length, 1)
  assert.match(log[0] ?? "", /devices are not pinged; install fping.*fping is not installed/)
})

test("an address that is no unicast literal is not pinged and not probed", async (t) => {
  const fake = await fakeFping(t, "well")
  const { probes } = await starting(t, { tool: fake.tool, why: "" })
  const mine = tenant("a")
  const odd = ["-f", "router1", "224.0.0.1", "fe80::1%eth0", "192.0.2.1\n192.0.2.9"]
  const tcp = { kind: "tcp", port: 22, intervalSeconds: 10 } as const
  await set(probes, "a", mine.entries(odd.map((address, n) => ({ device: deviceId(`r${n}`), address, probes: [tcp] }))))
  assert.equal(probes.stats.devices, 0)
  assert.equal(probes.stats.services().beats, 0)
  assert.deepEqual(await fake.starts(), [])
})

test("[X1] a service's probe runs on its beat against the device's address, and its failure is a value", async (t) => {
  const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1")
  t.after(() => new Promise((closed) => server.close(() => closed(undefined))))
  await new Promise((up) => server.once("listening", up))
  const { port } = server.address() as { readonly port: number }
  const { probes } = await starting(t, { tool: null, why: "none" })
  const mine = tenant("a")
  // One second: the plan's own bound of ten is the import's.
  const tcp = { kind: "tcp", port, intervalSeconds: 1 } as const
  const http = { kind: "http", tls: false, port, path: "/", host: null, status: null, intervalSeconds: 1 } as const
  await set(probes, "a", mine.entries([{ address: "127.0.0.1", ping: null, probes: [tcp, http] }]))
  await mine.until(() => new Set(mine.inputs.map((input) => Object.keys(rowsOf(input))[0])).size === 2)
  const rows = Object.assign({}, ...mine.inputs.map(rowsOf)) as Record<string, number>
  assert.equal(rows["probe.tcp.up"], 1)
  assert.ok((rows["probe.tcp.connect_ms"] as number) < 5_000)
  assert.deepEqual([rows["probe.http.up"], rows["probe.http.status"]], [0, undefined], "a server that hangs up")
  assert.ok(!("device.up" in rows))
})
