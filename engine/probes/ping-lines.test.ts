import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { literal } from "#engine/probes/address.ts"
import { fpingLine, PING_LINE_MAX, pingLine } from "#engine/probes/ping-lines.ts"
import { exceededFrom, hopLine } from "#engine/probes/traceroute.ts"

test("fping's lines, as 5.1 prints them", () => {
  const reads: ReadonlyArray<readonly [string, string, number, number | null]> = [
    ["127.0.0.1   : [0], 64 bytes, 0.037 ms (0.037 avg, 0% loss)", "127.0.0.1", 0, 0.037],
    ["192.0.2.1 : [7], 64 bytes, 12.3 ms (12.3 avg, 12% loss)", "192.0.2.1", 7, 12.3],
    ["2001:db8::1 : [1], timed out (NaN avg, 100% loss)", "2001:db8::1", 1, null],
    ["::1         : [70000], 64 bytes, 1234 ms (0.123 avg, 0% loss)", "::1", 70_000, 1_234],
    ["192.0.2.1 : [3], 64 bytes, 1.5 ms (1.5 avg, 0% loss) [<- 203.0.113.9]", "192.0.2.1", 3, null],
  ]
  for (const [line, address, seq, rttMs] of reads) assert.deepEqual(fpingLine(line), { address, seq, rttMs }, line)
})

test("lines of fping that are no result are nothing", () => {
  const lines = [
    "",
    "ICMP Host Unreachable from 10.0.0.1 for ICMP Echo sent to 192.0.2.1",
    "192.0.2.1 : duplicate for [0], 64 bytes, 0.1 ms",
    "192.0.2.1 : xmt/rcv/%loss = 2/2/0%, min/avg/max = 0.022/0.025/0.028",
    "foo: Name or service not known",
    "192.0.2.1 : [x], 64 bytes, 0.1 ms (0.1 avg, 0% loss)",
    "192.0.2.1 : [0], 64 bytes, -1 ms (0.1 avg, 0% loss)",
    "192.0.2.1 : [0], 64 bytes, 1e ms (0.1 avg, 0% loss)",
    "192.0.2.1 : [0], 64 bytes, 9e99 ms (0.1 avg, 0% loss)",
    "192.0.2.1 : [0], 64 bytes, 0.1",
    "192.0.2.1 : [9999999999], timed out (NaN avg, 100% loss)",
    "router1 : [0], timed out (NaN avg, 100% loss)",
    `192.0.2.1 ${" ".repeat(300)}: [0], timed out (NaN avg, 100% loss)`,
  ]
  for (const line of lines) assert.equal(fpingLine(line), null, line)
})

test("ping's lines, of iputils and BusyBox; errors and duplicates are nothing", () => {
  const seen = { address: "192.0.2.1", seq: 1, rttMs: 0.033 }
  assert.deepEqual(pingLine("64 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=0.033 ms"), seen)
  assert.deepEqual(pingLine("64 bytes from 192.0.2.1: seq=1 ttl=64 time=0.033 ms"), seen)
  assert.deepEqual(pingLine("64 bytes from ::1: icmp_seq=2 ttl=64 time=12 ms"), { address: "::1", seq: 2, rttMs: 12 })
  for (const line of [
    "64 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=0.033 ms (DUP!)",
    "From 192.0.2.1 icmp_seq=1 Time to live exceeded",
    "From 10.0.0.1 icmp_seq=1 Destination Host Unreachable",
    "PING 192.0.2.1 (192.0.2.1) 56(84) bytes of data.",
    "rtt min/avg/max/mdev = 0.015/0.015/0.015/0.000 ms",
    "64 bytes from evil (192.0.2.1): icmp_seq=1 ttl=64 time=0.033 ms",
  ])
    assert.equal(pingLine(line), null, line)
})

test("what is printed is read back: any address, seq and time", () => {
  const address = fc
    .oneof(fc.ipV4(), fc.ipV6())
    .map(literal)
    .filter((found) => found !== null)
  const seq = fc.nat(999_999_999)
  fc.assert(
    fc.property(address, seq, fc.option(fc.nat(3_600_000_000)), fc.nat(20), ({ text }, seq, micros, pad) => {
      const rttMs = micros === null ? null : micros / 1_000
      const what = rttMs === null ? "timed out" : `64 bytes, ${rttMs.toFixed(3)} ms`
      const line = `${text}${" ".repeat(pad)} : [${seq}], ${what} (0.5 avg, 0% loss)`
      assert.deepEqual(fpingLine(line), { address: text, seq, rttMs })
      if (rttMs !== null)
        assert.deepEqual(pingLine(`64 bytes from ${text}: icmp_seq=${seq} ttl=64 time=${rttMs.toFixed(3)} ms`), {
          address: text,
          seq,
          rttMs,
        })
    }),
  )
})

test("no line of any kind throws or takes long, and what is read is an address, a place and a time", () => {
  const piece = fc.constantFrom(
    "192.0.2.1",
    "::1",
    " ",
    ":",
    "[0]",
    ",",
    "64 bytes",
    "0.1 ms",
    "timed out",
    "(",
    "time=",
    "ms",
    "*",
    "From",
    "icmp_seq=1",
    "\u001b[2J",
    "1e9",
    "-f",
  )
  const line = fc.oneof(
    fc.string({ maxLength: 400 }),
    fc.array(piece, { maxLength: 40 }).map((list) => list.join(" ")),
    fc.array(piece, { maxLength: 40 }).map((list) => list.join("")),
    fc.constantFrom("0.".repeat(200), " ".repeat(PING_LINE_MAX), "1".repeat(500), `64 bytes from ${"1".repeat(200)}`),
  )
  fc.assert(
    fc.property(line, (text) => {
      for (const found of [fpingLine(text), pingLine(text)]) {
        if (found === null) continue
        assert.match(found.address, /^[0-9A-Fa-f.:]+$/)
        assert.ok(Number.isSafeInteger(found.seq) && found.seq >= 0)
        assert.ok(found.rttMs === null || (found.rttMs >= 0 && Number.isFinite(found.rttMs)))
      }
      const hop = hopLine(text)
      if (hop !== null) assert.ok(hop.addresses.every((address) => literal(address)?.text === address))
      const from = exceededFrom(text)
      if (from !== null) assert.equal(literal(from)?.text, from)
    }),
    { numRuns: 3_000 },
  )
})

test("hops, as traceroute -n prints them", () => {
  assert.deepEqual(hopLine(" 1  192.0.2.1  0.280 ms  0.226 ms"), {
    ttl: 1,
    addresses: ["192.0.2.1"],
    rttsMs: [0.28, 0.226],
  })
  assert.deepEqual(hopLine("12  192.0.2.1  1.5 ms 192.0.2.9  2.5 ms !H"), {
    ttl: 12,
    addresses: ["192.0.2.1", "192.0.2.9"],
    rttsMs: [1.5, 2.5],
  })
  assert.deepEqual(hopLine(" 3  * 2001:db8::1  3.0 ms"), { ttl: 3, addresses: ["2001:db8::1"], rttsMs: [3] })
  assert.deepEqual(hopLine(" 4  * *"), { ttl: 4, addresses: [], rttsMs: [] })
  for (const line of [
    "traceroute to 192.0.2.1 (192.0.2.1), 5 hops max, 60 byte packets",
    "",
    "1",
    "0 * *",
    "999 * *",
    "x *",
  ])
    assert.equal(hopLine(line), null, line)
  assert.equal(exceededFrom("From 192.0.2.1 icmp_seq=1 Time to live exceeded"), "192.0.2.1")
  assert.equal(exceededFrom("From 10.0.0.1 icmp_seq=1 Destination Host Unreachable"), null)
})
