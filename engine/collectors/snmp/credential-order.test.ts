/** [C23] The next credential is tried in its order; [C2] without a storm of retries. */
import assert from "node:assert/strict"
import type { TestContext } from "node:test"
import { test } from "node:test"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { deviceId } from "#protocol/id.ts"
import type { PollFailed, Poller } from "#engine/collectors/collector.ts"
import { makeOrderedPoller, PASS_EVERY_MS } from "#engine/collectors/snmp/credential-order.ts"
import { makeSnmpCollector } from "#engine/collectors/snmp/collector.ts"
import { device } from "#engine/collectors/snmp/device-cells.fixture.ts"
import { makeGateCounts } from "#engine/collectors/snmp/gate.ts"
import { openClient } from "#engine/collectors/snmp/open-client.ts"
import { makeDevicePoller } from "#engine/collectors/snmp/poller.ts"
import type { Agent } from "#engine/collectors/snmp/recorded-agent.fixture.ts"
import { startAgent } from "#engine/collectors/snmp/recorded-agent.fixture.ts"
import { makeUdpPool } from "#engine/collectors/snmp/udp.ts"
import { SnmpFailed } from "#engine/collectors/snmp/client.ts"
import { PollFailed as Failed } from "#engine/collectors/collector.ts"
import type { SnmpCredential, Target } from "#engine/collectors/target.ts"
import { asOne } from "#engine/collectors/target.ts"

const v2c = (port: number, community: string): SnmpCredential => ({ version: "2c", port, community })
/** Closing it twice is no mistake. */
const agentOf = async (t: TestContext, community: string, port?: number): Promise<Agent> => {
  const agent = await startAgent(cells, { community, ...(port === undefined ? {} : { port }) })
  let isOpen = true
  const close = (): void => {
    if (isOpen) agent.close()
    isOpen = false
  }
  t.after(close)
  return { ...agent, close }
}
const cells = device(100, [{ index: 1, name: "ether1" }])

interface Bench {
  readonly poll: () => Promise<string>
  /** Credentials opened so far, in order. */
  readonly opened: readonly string[]
  readonly forward: (ms: number) => void
  readonly lines: readonly string[]
}

/** A poller on a clock of its own; `poll` tells the failure's reason and words, or "read". */
const bench = (t: TestContext, agent: Agent, communities: readonly string[]): Bench => {
  const pool = makeUdpPool()
  const opened: string[] = []
  const lines: string[] = []
  let nowMs = 0
  const poller = makeOrderedPoller({
    device: "core-1",
    credentials: communities.map((community) => v2c(agent.port, community)),
    nowMs: () => nowMs,
    open: (credential) => {
      opened.push(credential.version === "2c" ? credential.community : "v3")
      const client = openClient(pool, agent.address, credential, makeGateCounts())
      const own = makeDevicePoller(client)
      const poll: Poller["poll"] = (deadlineMs) =>
        Effect.tryPromise({
          try: async () => (await own.poll(performance.now() + deadlineMs))(deviceId("d"), 0, 1),
          catch: (error) => new Failed({ reason: "timeout", detail: (error as SnmpFailed).detail }),
        })
      return { client, poller: { poll } }
    },
  })
  t.after(() => poller.close())
  const capture = Logger.make(({ message }) => void lines.push(String(message)))
  return {
    opened,
    lines,
    forward: (ms) => (nowMs += ms),
    poll: () =>
      Effect.runPromise(
        poller.poll(2_400).pipe(
          Effect.map(() => "read"),
          Effect.catch(({ reason, detail }: PollFailed) => Effect.succeed(`${reason}: ${detail}`)),
          Effect.provide(Logger.layer([capture])),
        ),
      ),
  }
}

test("[C23] at first contact the credentials are asked in their order, and the one that works stays", async (t) => {
  const agent = await agentOf(t, "third")
  const { poll, opened, lines } = bench(t, agent, ["first-SECRET", "second-SECRET", "third"])
  assert.equal(await poll(), "read")
  assert.deepEqual(opened, ["first-SECRET", "second-SECRET", "third"])
  assert.equal(await poll(), "read")
  assert.equal(opened.length, 3)
  assert.deepEqual(lines, ["core-1: SNMP answers to credential 3 of 3 (v2c)"])
})

test("[C23] the first that works is used, though others would too", async (t) => {
  const agent = await agentOf(t, "first")
  const { poll, opened } = bench(t, agent, ["first", "second"])
  assert.equal(await poll(), "read")
  assert.deepEqual(opened, ["first"])
})

test("[C2] [C23] when none works there is one pass a minute, and its words hold no secret", async (t) => {
  const agent = await agentOf(t, "other")
  const { poll, opened, forward, lines } = bench(t, agent, ["first-SECRET", "second-SECRET"])
  const said = await poll()
  assert.match(said, /^timeout: none of 2 credentials opens it: 1 \(v2c\): .*; 2 \(v2c\): /)
  assert.ok(!said.includes("SECRET") && !lines.join().includes("SECRET"))
  assert.equal(opened.length, 2)
  for (let polls = 0; polls < 3; polls++) assert.doesNotMatch(await poll(), /none of/)
  assert.equal(opened.length, 2, "in between only the first one polls")
  forward(PASS_EVERY_MS - 1)
  await poll()
  assert.equal(opened.length, 2)
  forward(1)
  assert.match(await poll(), /none of 2/)
  assert.equal(opened.length, 3)
})

test("[C23] a community that is changed on the router is followed to the next credential, a minute later at most", async (t) => {
  const agent = await agentOf(t, "old")
  const { poll, forward, opened } = bench(t, agent, ["old", "new"])
  assert.equal(await poll(), "read")
  agent.close()
  await agentOf(t, "new", agent.port)
  assert.match(await poll(), /^timeout/)
  assert.deepEqual(opened, ["old"])
  forward(PASS_EVERY_MS)
  assert.equal(await poll(), "read")
  assert.deepEqual(opened, ["old", "new"])
})

test("[C23] the collector polls a device by the second credential, v3 before it, and closes what it opened", async (t) => {
  const agent = await agentOf(t, "right")
  const collector = makeSnmpCollector()
  const usm = { version: "3", port: agent.port, user: "u", authProtocol: "sha", authPassword: "password-1" } as const
  const target: Target = {
    device: deviceId("d"),
    name: "core-1",
    address: agent.address,
    pollSeconds: 10,
    snmp: asOne([usm, v2c(agent.port, "right")]),
    routeros: null,
  }
  const input = await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const poller = yield* collector.open(target) ?? assert.fail("no poller")
        return yield* poller.poll(3_000)
      }),
    ).pipe(Effect.provide(Logger.layer([]))),
  )
  assert.ok(input.entities.includes("if:ether1" as never))
  assert.equal(collector.sockets(), 0)
})
