import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import { CORPUS } from "#engine/collectors/syslog/corpus.fixture.ts"
import { eventOf } from "#engine/collectors/syslog/event.ts"
import { parseSyslog } from "#engine/collectors/syslog/header.ts"

const read = (line: string) => {
  const parsed = parseSyslog(Buffer.from(line))
  return parsed === null ? null : eventOf(parsed)
}

test("[C7] the corpus' link, ospf, bgp and ppp lines become the right event with the right entity", () => {
  const meaning = CORPUS.filter(([, event]) => event !== null)
  assert.ok(meaning.length >= 60)
  // PRODUCT.md asks for 95 %; of a corpus that we wrote ourselves, all.
  for (const [line, event] of meaning) assert.deepEqual(read(line), event, line)
})

test("[C7] a line that means nothing to the twin becomes no event", () => {
  for (const [line, event] of CORPUS) if (event === null) assert.equal(read(line), null, line)
})

test("[C7] any text at all: an event or null, its names taken from the line", () => {
  const parts = fc.constantFrom(
    "neighbor ",
    "10.0.0.1",
    "2001:db8::1",
    " Up",
    " Down",
    "Nbr ",
    " -> ",
    "Full",
    "AdjChg: ",
    "%BGP-5-ADJCHANGE: ",
    " link down",
    "ether1",
    "login failure for user ",
    " from ",
    " via ",
    "Interface ",
    ", changed state to ",
    "up",
    "x",
    " ",
    "{",
    "}:",
    "state change ",
    " to ",
    "router-id: ",
    "<pppoe-u>: ",
    "connected",
    "authentication failed",
    "user ",
    "SNMP_TRAP_LINK_UP",
    "ifName ",
  )
  fc.assert(
    fc.property(
      fc.array(parts, { maxLength: 20 }),
      fc.nat(40),
      fc.constantFrom([], ["bgp"], ["pppoe", "ppp"], ["interface"]),
      (words, times, topics) => {
        // Repeated, so that a reader that looks back would be seen to hang.
        const message = words.join("").repeat(times).slice(0, 8_192)
        const event = eventOf({ topics, message })
        if (event === null || event.type === "rebooted") return
        const name =
          event.type === "interface" ? event.ifName : event.type === "auth-failed" ? event.user : event.remote
        assert.ok(message.includes(name))
      },
    ),
    { numRuns: 3_000 },
  )
})
