/** Recordings are served as they were recorded: in order, to the last bit, and whatever is asked of the agent. */
import assert from "node:assert/strict"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import fc from "fast-check"
import { startChild } from "#lab/drive/child.ts"
import { ReplayAgent } from "#lab/replay/agent.ts"
import { readReplayOptions } from "#lab/replay/main.ts"
import { parseRecording } from "#lab/replay/recording.ts"
import { compareOid, parseOid } from "#lab/snmp/mib.ts"
import { PDU } from "#lab/snmp/pdu.ts"
import { COMMUNITY, numberOf, parseAnswer, requestBytes } from "#lab/snmp/probe.fixture.ts"
import type { Answer } from "#lab/snmp/probe.fixture.ts"

const recording = (...lines: readonly string[]) => parseRecording(Buffer.from(lines.join("\n"), "latin1"))

const asked = (agent: ReplayAgent, type: number, oids: readonly string[], first = 0, second = 0): Answer => {
  const bytes = agent.answer(requestBytes(type, oids, first, second))
  assert.ok(bytes !== null)
  return parseAnswer(Buffer.from(bytes))
}

const arbitraryOid = fc
  .array(fc.oneof(fc.nat({ max: 200 }), fc.nat({ max: 0xffff_ffff })), { minLength: 1, maxLength: 12 })
  .map((arcs) => ["1", "3", ...arcs].join("."))

test("a walk by GETNEXT and one by GETBULK give every recorded value once, in OID order", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(arbitraryOid, { maxLength: 60 }),
      fc.integer({ min: 1, max: 30 }),
      (oids, repetitions) => {
        const { values } = recording(...oids.map((oid, i) => `${oid}|70|${BigInt(i) * 2n ** 50n}`))
        const agent = new ReplayAgent(values, COMMUNITY)
        const wanted = oids.toSorted((a, b) => compareOid(parseOid(a), parseOid(b)))
        for (const [type, second] of [
          [PDU.getNext, 0],
          [PDU.getBulk, repetitions],
        ] as const) {
          const seen: string[] = []
          for (let at = "1.0"; ;) {
            const { varbinds } = asked(agent, type, [at], 0, second)
            const found = varbinds.filter(({ tag }) => tag === 0x46)
            for (const varbind of found) {
              seen.push(varbind.oid)
              assert.equal(BigInt(`0x${varbind.value.toString("hex")}`), BigInt(oids.indexOf(varbind.oid)) * 2n ** 50n)
            }
            if (found.length < varbinds.length || varbinds.length === 0) break
            at = seen.at(-1)!
          }
          assert.deepEqual(seen, wanted)
        }
      },
    ),
    { numRuns: 60 },
  )
})

test("values of every type keep what was recorded, to the octet and to the 64th bit", () => {
  const { values, unreadable } = recording(
    "1.3.1|2|-2147483648",
    "1.3.2|4|wan: STCable | (\xe9th1)",
    "1.3.3|4x|00ff80",
    "1.3.4|6|1.3.6.1.4.1.14988.1",
    "1.3.5|64|10.0.0.255",
    "1.3.6|65|4294967295",
    "1.3.7|70|18446744073709551615",
    "1.3.8|4|",
    "1.3.9|2|0",
    "1.3.10|64x|0a000001\r",
  )
  const agent = new ReplayAgent(values, COMMUNITY)
  const { varbinds } = asked(agent, PDU.get, [
    "1.3.1",
    "1.3.2",
    "1.3.3",
    "1.3.4",
    "1.3.5",
    "1.3.6",
    "1.3.7",
    "1.3.8",
    "1.3.9",
    "1.3.10",
  ])
  assert.equal(unreadable, 0)
  assert.deepEqual(
    varbinds.map(({ tag, value }) => `${tag.toString(16)} ${value.toString("hex")}`),
    [
      "2 80000000",
      `4 ${Buffer.from("wan: STCable | (\xe9th1)", "latin1").toString("hex")}`,
      "4 00ff80",
      "6 2b06010401f50c01",
      "40 0a0000ff",
      "41 00ffffffff",
      "46 00ffffffffffffffff",
      "4 ",
      "2 00",
      "40 0a000001",
    ],
  )
})

test("lines that cannot be served as recorded are counted and named, not guessed at; the last of two counts", () => {
  const { values, unreadable, unreadableLines, repeated } = recording(
    "1.3.1|2|7",
    "",
    "# comment",
    "1.3.2|2|99999999999",
    "1.3.3|70|18446744073709551616",
    "1.3.4|4x|abc",
    "1.3.5|64|10.0.0.256",
    "1.3.6|2:numeric|rate=1",
    "4294967296.3|2|1",
    "1.3.7|2|",
    "1.3.1|2|8",
  )
  assert.deepEqual([unreadable, repeated, values.length], [8, 1, 1])
  assert.deepEqual(unreadableLines, [3, 4, 5, 6, 7])
  assert.equal(numberOf(asked(new ReplayAgent(values, COMMUNITY), PDU.get, ["1.3.1"]).varbinds[0]!), 8)
})

test("what was not recorded is noSuchInstance, behind the end endOfMibView, another community silence", () => {
  const { values } = recording("1.3.5|2|1")
  const agent = new ReplayAgent(values, COMMUNITY)
  assert.equal(asked(agent, PDU.get, ["1.3.4"]).varbinds[0]?.tag, 0x81)
  assert.equal(asked(agent, PDU.getNext, ["1.3.5"]).varbinds[0]?.tag, 0x82)
  assert.equal(asked(agent, PDU.set, ["1.3.5"]).errorStatus, 17)
  assert.equal(new ReplayAgent(values, "other").answer(requestBytes(PDU.get, ["1.3.5"])), null)
})

test("no bytes from the network throw, and none make an answer larger than a datagram", () => {
  const { values } = recording(...Array.from({ length: 300 }, (_, i) => `1.3.6.1.${i}|4|${"x".repeat(i * 3)}`))
  const agent = new ReplayAgent(values, COMMUNITY)
  const honest = requestBytes(PDU.getBulk, ["1.3.6.1"], -5, 2 ** 31 - 1)
  assert.ok((agent.answer(honest)?.length ?? 0) <= 1_472)
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.nat({ max: honest.length - 1 }),
      fc.nat({ max: 255 }),
      (noise, at, octet) => {
        agent.answer(Buffer.from(noise))
        const bent = Buffer.from(honest)
        bent[at] = octet
        assert.ok((agent.answer(bent)?.length ?? 0) <= 65_507)
      },
    ),
  )
})

test("an unusable command line says what is wrong", () => {
  assert.throws(() => readReplayOptions(["a.snmprec"]), /usage: .*replay FILE/)
  assert.throws(() => readReplayOptions(["a", "--listen", "127.0.0.1"]), /--listen takes ADDRESS:PORT/)
  assert.throws(() => readReplayOptions(["a", "--listen", "127.0.0.1:70000"]), /--listen takes/)
  assert.deepEqual(readReplayOptions(["a", "--listen", "[::1]:16100"]), {
    file: "a",
    address: "::1",
    port: 16_100,
    community: "public",
  })
})

test(
  "the command prints one line when it is ready, and ends by SIGTERM and by the end of its stdin",
  { timeout: 60_000 },
  async (t) => {
    const directory = mkdtempSync(join(tmpdir(), "heliograph-replay-"))
    t.after(() => rmSync(directory, { recursive: true }))
    const file = join(directory, "one.snmprec")
    writeFileSync(file, "1.3.6.1.2.1.1.1.0|4|router\nnonsense\n")
    for (const how of ["SIGTERM", "stdin"]) {
      const child = startChild(["lab/cli.ts", "replay", file, "--listen", "127.0.0.1:0"], {})
      t.after(() => child.stop("SIGKILL"))
      const line = await child.line(() => true, 30_000)
      assert.match(
        line,
        /^listening on 127\.0\.0\.1:\d+: 1 values of .*; 1 lines not understood \(line 2\), 0 repeated$/,
      )
      const gone = once(child.process, "exit")
      if (how === "SIGTERM") child.process.kill("SIGTERM")
      else child.process.stdin?.end()
      assert.deepEqual(await gone, [0, null])
      assert.equal(child.lines.length, 1)
    }
  },
)
