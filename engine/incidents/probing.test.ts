/** Questions of a twin carried out: after the commit only, of its own devices only, bounded, answered as an input. */
import assert from "node:assert/strict"
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Entry } from "#engine/address-book.ts"
import { answerProbes, PINGS_AT_ONCE } from "#engine/incidents/probing.ts"
import type { ProbingStats } from "#engine/incidents/probing.ts"
import { makeQuickPing, PINGS } from "#engine/incidents/quick-ping.ts"
import type { QuickPing } from "#engine/incidents/quick-ping.ts"
import { tenantInfo } from "#engine/tenant/network.fixture.ts"
import type { LiveTwin, RoundNotice } from "#engine/tenant/live-twin.ts"
import { makeToldNotices } from "#engine/tenant/told-notices.ts"
import { deviceId } from "#protocol/id.ts"
import type { ProbeRequest } from "#twin/incident/question.ts"
import type { ProbedInput } from "#twin/input.ts"

const NOW_MS = 1_760_000_000_000
const own = tenantInfo("1")
const foreign = tenantInfo("2")

interface Bench {
  readonly tell: (...asks: readonly ProbeRequest[]) => void
  readonly said: ProbedInput[]
  readonly read: string[]
  readonly taken: number[]
  readonly stats: ProbingStats
  readonly close: () => Promise<void>
}

interface Options {
  readonly ping?: QuickPing
  readonly entry?: Partial<Entry> | null
  readonly reads?: boolean
  readonly quota?: boolean
}

const bench = async ({ ping, entry = {}, reads = true, quota = true }: Options = {}): Promise<Bench> => {
  const listeners = new Set<(notice: RoundNotice) => void>()
  const said: ProbedInput[] = []
  const read: string[] = []
  const taken: number[] = []
  const scope = Scope.makeUnsafe()
  const submit: LiveTwin["submit"] = (input) => input.kind === "probed" && said.push(input) > 0
  const stats = await Effect.runPromise(
    Scope.provide(
      answerProbes({
        twin: {
          tenant: own,
          submit,
          onRound: (listener) => {
            listeners.add(listener)
            return () => void listeners.delete(listener)
          },
        },
        entryOf: (device) =>
          entry === null
            ? null
            : {
                tenant: own.id,
                target: {
                  device,
                  name: device,
                  address: "127.0.0.1",
                  pollSeconds: 60,
                  snmp: null,
                  routeros: null,
                  ping: { intervalSeconds: 10 },
                },
                sink: { submit: () => true },
                pollNow: () => assert.fail("a question is no confirm-poll"),
                readNow: () => {
                  read.push(device)
                  return reads
                },
                ...entry,
              },
        quotas: {
          take: (tenant, name, amount = 1) => {
            assert.deepEqual([tenant, name], [own.id, "max_probe_pps"])
            taken.push(amount)
            return quota
          },
        },
        ping: ping ?? (() => Promise.resolve({ outcome: "answered", rttMs: 3 })),
        nowMs: () => NOW_MS,
      }),
      scope,
    ),
  )
  const tell = (...asks: readonly ProbeRequest[]): void => {
    for (const listener of listeners) listener(noticeOf(asks))
  }
  return { tell, said, read, taken, stats, close: () => Effect.runPromise(Scope.close(scope, Exit.void)) }
}

const noticeOf = (asks: readonly ProbeRequest[], seq = 1): RoundNotice => ({
  epoch: 1,
  seq,
  atMs: NOW_MS,
  nodes: [],
  links: [],
  events: [],
  topologyChanged: false,
  touched: new Set(),
  asks,
})

const request = (change: Partial<ProbeRequest> = {}): ProbeRequest => ({
  incident: "7-1",
  question: 1,
  device: deviceId("r1"),
  ask: "ping",
  atMs: NOW_MS - 10,
  untilMs: NOW_MS + 2_990,
  ...change,
})

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test("[issue 7.3] a ping's answer, silence and failure are inputs with who asked, when and what came", async () => {
  const results: ReadonlyArray<readonly [Awaited<ReturnType<QuickPing>>, ProbedInput["outcome"], number | null]> = [
    [{ outcome: "answered", rttMs: 3.5 }, "answered", 3.5],
    [{ outcome: "silent" }, "silent", null],
    [null, "tool", null],
  ]
  for (const [result, outcome, rttMs] of results) {
    const { tell, said, taken, close } = await bench({ ping: () => Promise.resolve(result) })
    tell(request({ question: 3 }))
    await turn()
    assert.deepEqual(said, [
      {
        kind: "probed",
        atMs: NOW_MS,
        incident: "7-1",
        question: 3,
        device: "r1",
        source: "probe",
        startedMs: NOW_MS,
        outcome,
        rttMs,
      },
    ])
    assert.deepEqual(taken, [PINGS])
    await close()
  }
})

test("[issue 7.3] a read goes to the device's own collectors, whose poll is the answer; one that rests is refused", async () => {
  const one = await bench()
  one.tell(request({ ask: "read" }))
  assert.deepEqual([one.read, one.said], [["r1"], []])
  const two = await bench({ reads: false })
  two.tell(request({ ask: "read" }))
  assert.deepEqual(
    two.said.map(({ outcome, rttMs }) => [outcome, rttMs]),
    [["busy", null]],
  )
  await one.close()
  await two.close()
})

test("[issue 7.3] nobody is asked whom the operator has not given, who is another tenant's, or who is not to be pinged", async () => {
  const plain = {
    device: deviceId("r1"),
    name: "r1",
    address: "127.0.0.1",
    pollSeconds: 60,
    snmp: null,
    routeros: null,
  }
  for (const entry of [
    null,
    { tenant: foreign.id },
    { target: { ...plain, ping: null } },
    { target: plain },
    { target: { ...plain, address: "example.net", ping: { intervalSeconds: 10 } } },
    { target: { ...plain, address: "224.0.0.5", ping: { intervalSeconds: 10 } } },
  ]) {
    const { tell, said, close } = await bench({ entry, ping: () => assert.fail("it was pinged") })
    tell(request())
    assert.deepEqual(
      said.map(({ outcome }) => outcome),
      ["forbidden"],
    )
    await close()
  }
  const { tell, said, read, close } = await bench({ entry: { tenant: foreign.id } })
  tell(request({ ask: "read" }))
  assert.deepEqual([read, said.map(({ outcome }) => outcome)], [[], ["forbidden"]])
  await close()
})

test("[issue 7.3] the tenant's rate of packets holds, and so many at once", async () => {
  const poor = await bench({ quota: false, ping: () => assert.fail("it was pinged") })
  poor.tell(request())
  assert.deepEqual(
    poor.said.map(({ outcome }) => outcome),
    ["quota"],
  )
  await poor.close()
  const open: Array<() => void> = []
  const ping: QuickPing = () => new Promise((resolve) => open.push(() => resolve({ outcome: "silent" })))
  const { tell, said, stats, close } = await bench({ ping })
  tell(...Array.from({ length: PINGS_AT_ONCE + 3 }, (_, n) => request({ question: n + 1 })))
  assert.equal(open.length, PINGS_AT_ONCE)
  assert.deepEqual(
    said.map(({ outcome }) => outcome),
    ["busy", "busy", "busy"],
  )
  open.splice(0).forEach((done) => done())
  await turn()
  assert.deepEqual([stats.asked, stats.silent, stats.refused], [PINGS_AT_ONCE, PINGS_AT_ONCE, 3])
  tell(request({ question: 99 }))
  assert.equal(open.length, 1)
  await close()
})

test("[issue 7.3] what nobody waits for any more is not sent, and the end of the engine stops what is under way", async () => {
  const signals: AbortSignal[] = []
  const ping: QuickPing = (_to, signal) =>
    new Promise((resolve) => {
      signals.push(signal)
      signal.addEventListener("abort", () => resolve(null))
    })
  const { tell, said, stats, close } = await bench({ ping })
  tell(request({ untilMs: NOW_MS }))
  assert.deepEqual([stats.late, signals.length], [1, 0])
  tell(request())
  await close()
  await turn()
  assert.deepEqual([signals[0]?.aborted, said], [true, []])
  tell(request())
  assert.equal(signals.length, 1)
})

test("[issue 7.3] a question is heard of when its input is durable, and not before", async () => {
  let durable = 0
  let commit = (): void => undefined
  const heard: number[] = []
  const told = makeToldNotices({
    notify: ({ seq, asks }) => void heard.push(...(asks ?? []).map(() => seq)),
    durableSeq: () => durable,
    whenDurable: () => new Promise((resolve) => (commit = resolve)),
  })
  told.tell(noticeOf([request()], 5))
  await turn()
  assert.deepEqual(heard, [])
  durable = 5
  commit()
  await turn()
  assert.deepEqual(heard, [5])
})

test("[issue 7.3] real pings of this machine are answered in time; a program that says nothing says nothing", async (t) => {
  const never = new AbortController().signal
  const local = await makeQuickPing()({ text: "127.0.0.1", family: 4 }, never)
  if (local === null) t.diagnostic("nothing here can ping")
  else assert.ok(local.outcome === "answered" && local.rttMs < 2_000, JSON.stringify(local))
  assert.equal(
    await makeQuickPing(() => Promise.resolve({ tool: null, why: "" }))({ text: "127.0.0.1", family: 4 }, never),
    null,
  )
  const folder = await mkdtemp(join(tmpdir(), "heliograph-quick-"))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, "fping")
  const speaking = async (script: string): ReturnType<QuickPing> => {
    await writeFile(file, `#!/bin/sh\n${script}\n`)
    await chmod(file, 0o755)
    const tool = { kind: "fping", file } as const
    return makeQuickPing(() => Promise.resolve({ tool, why: "" }))({ text: "192.0.2.1", family: 4 }, never)
  }
  const line = (seq: number, rest: string): string => `echo "192.0.2.1 : [${seq}], ${rest}"`
  const lost = "timed out (NaN avg, 100% loss)"
  const came = "64 bytes, 2.00 ms (2.00 avg, 0% loss)"
  assert.deepEqual(await speaking(`${line(0, lost)}; ${line(1, lost)}; exit 1`), { outcome: "silent" })
  assert.deepEqual(await speaking(`${line(0, lost)}; ${line(1, came)}; exit 1`), { outcome: "answered", rttMs: 2 })
  assert.deepEqual(await speaking(`echo "192.0.2.9 : [0], ${came}"; exit 1`), { outcome: "silent" })
  assert.equal(await speaking(`echo "can't create socket" >&2; exit 4`), null)
})
