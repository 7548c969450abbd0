import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import { eventOf } from "#engine/collectors/syslog/event.ts"
import { parseSyslog } from "#engine/collectors/syslog/header.ts"

const parse = (text: string) => parseSyslog(Buffer.from(text))

test("[C7] every form of header gives the same severity, topics and message", () => {
  const failure = "login failure for user guest from 192.168.88.17 via ssh"
  const critical = ["system", "error", "critical"]
  const forms: Array<[string, number, string[]]> = [
    [`system,error,critical ${failure}`, 3, critical],
    [`system,error,critical: ${failure}`, 3, critical],
    [`<27>Oct  2 17:36:35 MikroTik ${failure}`, 3, []],
    [`<27>Oct  2 17:36:35 MikroTik system,error,critical ${failure}`, 3, critical],
    [`<27>Oct 12 2026 17:36:35 MikroTik system,error,critical ${failure}`, 3, critical],
    [`<27>2025-01-15T14:23:45Z router system,error,critical ${failure}`, 3, critical],
    [`<27>2025-01-15T14:23:45.123+02:00 router ${failure}`, 3, []],
    [`<27>2025-01-15 14:23:45 router ${failure}`, 3, []],
    [`<27>system,error,critical ${failure}`, 3, critical],
    [`<27>1 2025-01-15T14:23:45Z router sshd 123 - - ${failure}`, 3, []],
    [`<27>1 - - - - - [a@1 k="]\\"\\]"][b] \uFEFF${failure}`, 3, []],
    [
      `Oct  2 17:36:35 MikroTik CEF:0|MikroTik|hAP ax^2|7.25beta5|10|system,error,critical|High|dvchost=MikroTik ` +
        `dvc=192.168.88.36 msg=${failure} app=ssh duser=guest outcome=failure src=192.168.88.17`,
      3,
      critical,
    ],
  ]
  for (const [text, severity, topics] of forms)
    assert.deepEqual(parse(text), { severity, topics, message: failure, raw: text.replaceAll("\uFEFF", " ") }, text)
})

test("[C7] RFC 5424 structured data is no message: any number of elements, quoted brackets, none at all; all of it is kept", () => {
  const head = "<165>1 2003-10-11T22:14:15.003Z host app 1 ID47 "
  const elements = [
    "-",
    '[exampleSDID@32473 iut="3" eventSource="Application" eventID="1011"]',
    '[a@1 x="\\] still inside"][b@1 y="\\"quoted\\""][c]',
  ]
  for (const data of elements) {
    const raw = `${head}${data} interface,info ether1 link down`
    const line = { severity: 5, topics: ["interface", "info"], message: "ether1 link down", raw }
    assert.deepEqual(parse(raw), line)
    assert.equal(parse(`${head}${data}`)?.message, "")
  }
  // Data that never end are no data: the text stays, whole.
  for (const broken of ['[a x="', "[a", '[a k="v" no end', "[a]junk"])
    assert.equal(parse(`${head}${broken}`)?.message.endsWith(broken), true)
})

test("[C7] a message without any header keeps all its text", () => {
  for (const text of ["hello", "something,else happened", "<999>x y", "<x>y", "<13", "1 2 3", "CEF:0|a|b"])
    assert.deepEqual(parse(text), { severity: 5, topics: [], message: text })
  assert.deepEqual(parse("interface,info ether1 link down"), {
    severity: 6,
    topics: ["interface", "info"],
    message: "ether1 link down",
    raw: "interface,info ether1 link down",
  })
  assert.equal(parse(""), null)
  assert.equal(parse("\0\r\n "), null)
})

test("[C7] hostile bytes: cut at 8 KiB, no control characters, no invalid UTF-8, and never a throw", () => {
  assert.deepEqual(parseSyslog(Buffer.from("a\u001b[2Jb\u202ec\0\xff", "latin1"))?.message.includes("\u001b"), false)
  assert.equal(parseSyslog(Buffer.alloc(100_000, "a"))?.message.length, 8_192)
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.constantFrom("", "<34>1 ", "<34>Oct  2 17:36:35 ", "CEF:0|"),
      (bytes, head) => {
        const line = parseSyslog(Buffer.concat([Buffer.from(head), bytes]))
        if (line === null) return
        eventOf(line)
        assert.ok(line.severity >= 0 && line.severity <= 7)
        assert.ok(line.message.isWellFormed())
        // oxlint-disable-next-line no-control-regex
        assert.doesNotMatch(line.message, /[\u0000-\u001f\u007f-\u009f]/)
      },
    ),
    { numRuns: 2_000 },
  )
})
