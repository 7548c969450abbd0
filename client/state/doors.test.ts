/** The pure parts behind the doors' screens: steps of the sign-in, answers, invitations, diffs, bars, forms. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { toAnswer } from "#client/state/api.ts"
import type { Failure } from "#client/state/api.ts"
import { diffOf, DIFF_FIELDS } from "#client/state/audit-diff.ts"
import { credentialBody } from "#client/state/credential-body.ts"
import type { CredentialFields } from "#client/state/credential-body.ts"
import { formatOf, mistakesOf } from "#client/state/import-format.ts"
import { tokenOf } from "#client/state/invitation.ts"
import { allPages, joinPages, LIST_ROWS } from "#client/state/pages.ts"
import { byNeed, fillOf } from "#client/state/quota-bar.ts"
import { adviceFor, isSilent, judge, LATE_MS } from "#client/state/setup-advice.ts"
import { FIRST_STEP, nextStep, outcomeOf, waitLeftS } from "#client/state/sign-in-step.ts"
import { slugOf } from "#client/state/slug.ts"
import { qrPath } from "#client/ui/qr-path.ts"
import type { DeviceView } from "#protocol/view.ts"

const failure = (status: number, kind: string, more: Partial<Failure> = {}): Failure => ({
  ok: false,
  status,
  kind,
  reason: "",
  retryAfterS: null,
  fields: {},
  ...more,
})

test("[S4] the sign-in: password, then the code; a wrong code keeps the password's step", () => {
  const asked = nextStep(FIRST_STEP, failure(401, "second-factor-needed"), 0)
  assert.deepEqual([asked.step, asked.said], ["code", "nothing"])
  const wrong = nextStep(asked, failure(401, "wrong-credentials"), 0)
  assert.deepEqual([wrong.step, wrong.said], ["code", "wrong-code"])
  assert.deepEqual(nextStep(FIRST_STEP, failure(401, "wrong-credentials"), 0).said, "wrong")
  assert.equal(nextStep(FIRST_STEP, failure(401, ""), 0).said, "wrong", "a 401 without a body, of a proxy")
  assert.equal(nextStep(FIRST_STEP, failure(0, ""), 0).said, "offline")
  assert.equal(nextStep(FIRST_STEP, failure(503, "unavailable"), 0).said, "other")
})

test("[S9] too many attempts: the door is shut for exactly as long as the engine said", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 86_400 }), fc.integer({ min: 0, max: 2e12 }), (seconds, now) => {
      const shut = nextStep(FIRST_STEP, failure(429, "too-many-attempts", { retryAfterS: seconds }), now)
      assert.equal(waitLeftS(shut, now), seconds)
      assert.equal(waitLeftS(shut, now + seconds * 1_000 - 1), 1)
      assert.equal(waitLeftS(shut, now + seconds * 1_000), 0)
      assert.equal(waitLeftS(nextStep(shut, failure(401, "wrong-credentials"), now), now), 0)
    }),
  )
})

test("[S5] only the engine's own words are told to who comes back from the identity provider", () => {
  assert.equal(outcomeOf("?signin=refused"), "refused")
  assert.equal(outcomeOf("?signin=<script>"), null)
  assert.equal(outcomeOf(""), null)
})

test("an answer is a value or a kind of problem; Retry-After wins over the body", () => {
  const body = { type: "urn:heliograph:quota-exceeded", title: "T", status: 429, quota: "max_users", retryAfterS: 9 }
  const answer = toAnswer({ ok: false, status: 429, problem: body, retryAfterS: null })
  assert.ok(!answer.ok)
  assert.deepEqual([answer.kind, answer.retryAfterS, answer.reason], ["quota-exceeded", 9, "T"])
  const header = toAnswer({ ok: false, status: 429, problem: body, retryAfterS: 30 })
  assert.equal(!header.ok && header.retryAfterS, 30)
  const foreign = toAnswer({
    ok: false,
    status: 502,
    problem: { type: "about:blank", title: "Bad Gateway", status: 502 },
    retryAfterS: null,
  })
  assert.equal(!foreign.ok && foreign.kind, "")
})

test("an invitation's token comes from the fragment only, and is bounded", () => {
  assert.equal(tokenOf("#/invitation?token=hgi_a.b"), "hgi_a.b")
  assert.equal(tokenOf("#/map?token=hgi_a.b"), null)
  assert.equal(tokenOf("#/invitation"), null)
  assert.equal(tokenOf(`#/invitation?token=${"x".repeat(129)}`), null)
  fc.assert(fc.property(fc.string(), (text) => void tokenOf(text)))
})

test("[S6] a diff names what differs, by path, and nothing that is the same", () => {
  assert.deepEqual(
    diffOf({ a: 1, keep: "x", deep: { one: 1, two: [1] } }, { a: 2, keep: "x", deep: { two: [1], three: null } }),
    [
      { path: "a", before: "1", after: "2" },
      { path: "deep.one", before: "1", after: null },
      { path: "deep.three", before: null, after: "null" },
    ],
  )
  assert.deepEqual(diffOf(null, { roles: ["noc", "viewer"] }), [{ path: "roles", before: null, after: "noc, viewer" }])
  const wide = Object.fromEntries(Array.from({ length: 999 }, (_, at) => [`f${at}`, at]))
  assert.equal(diffOf(null, wide).length, DIFF_FIELDS)
  const anything = fc.option(fc.dictionary(fc.string(), fc.jsonValue()))
  fc.assert(
    fc.property(anything, anything, (before, after) => {
      assert.deepEqual(diffOf(before, before), [])
      for (const change of diffOf(before, after)) assert.notEqual(change.before, change.after)
    }),
  )
})

test("[T5] a bar is calm below 80 %, warned from there, full at its limit; the fullest comes first", () => {
  assert.deepEqual(fillOf({ used: 79, limit: 100 }), { share: 0.79, level: "calm" })
  assert.equal(fillOf({ used: 80, limit: 100 }).level, "warned")
  assert.equal(fillOf({ used: 99, limit: 100 }).level, "warned")
  assert.deepEqual(fillOf({ used: 100, limit: 100 }), { share: 1, level: "full" })
  assert.deepEqual(fillOf({ used: null, limit: 100 }), { share: null, level: "calm" })
  assert.deepEqual(fillOf({ used: 0, limit: 0 }), { share: 1, level: "full" })
  fc.assert(
    fc.property(fc.nat(), fc.nat(), (used, limit) => {
      const { share } = fillOf({ used, limit })
      assert.ok(share !== null && share >= 0 && share <= 1)
    }),
  )
  const quota = (name: string, used: number | null, exceeded = 0) => ({
    name,
    unit: "",
    limit: 10,
    used,
    enforced: "A",
    exceeded,
  })
  const order = byNeed([quota("a", null), quota("b", 1), quota("c", 9), quota("d", 9, 5)]).map(({ name }) => name)
  assert.deepEqual(order, ["d", "c", "b", "a"])
})

test("pages join without doubles and within their bound", async () => {
  const id = (row: { id: number }) => String(row.id)
  const joined = joinPages(
    { items: [{ id: 1 }, { id: 2 }], next: "x" },
    { items: [{ id: 2 }, { id: 3 }], next: null },
    id,
  )
  assert.deepEqual(joined, { items: [{ id: 1 }, { id: 2 }, { id: 3 }], next: null })
  const asked: (string | undefined)[] = []
  const all = await allPages<number>((cursor) => {
    asked.push(cursor)
    return Promise.resolve({ ok: true, etag: null, value: { items: Array(1_000).fill(7), next: "more" } })
  })
  assert.equal(all.ok && all.value.length, LIST_ROWS, "an endless list ends")
  assert.equal(asked.length, LIST_ROWS / 1_000)
  const refused = failure(503, "unavailable")
  assert.equal(await allPages(() => Promise.resolve(refused)), refused)
})

test("[T8] a document is JSON by its first sign, whatever its file was called; mistakes come by line", () => {
  assert.equal(formatOf('\uFEFF \n {"sites":[]}'), "json")
  assert.equal(formatOf("[1]"), "json")
  assert.equal(formatOf('\uFEFF\n<?xml version="1.0"?><graphml/>'), "graphml")
  assert.equal(formatOf("name,address\nA,10.0.0.1"), "csv")
  const row = { line: 3, path: "devices[0]", message: "no" }
  assert.deepEqual(mistakesOf(failure(422, "import-invalid", { fields: { errors: [row, { line: "x" }], total: 9 } })), {
    rows: [row],
    total: 9,
  })
  assert.equal(mistakesOf(failure(422, "refused")), null)
  assert.equal(mistakesOf(null), null)
})

test("[S7] a credential holds only what its kind and level have; no privacy without authentication", () => {
  const fields: CredentialFields = {
    version: "3",
    community: "c0mmunity",
    user: "u",
    authProtocol: "sha256",
    authPassword: "auth-pass",
    privProtocol: "aes",
    privPassword: "priv-pass",
    password: "p",
    port: "",
    tls: true,
  }
  assert.deepEqual(credentialBody("snmp", { ...fields, version: "2c", port: "1161" }), {
    version: "2c",
    community: "c0mmunity",
    port: 1161,
  })
  assert.deepEqual(Object.keys(credentialBody("snmp", fields)), [
    "version",
    "user",
    "authProtocol",
    "authPassword",
    "privProtocol",
    "privPassword",
  ])
  assert.deepEqual(credentialBody("snmp", { ...fields, authProtocol: "" }), { version: "3", user: "u" })
  assert.deepEqual(credentialBody("routeros", fields), { user: "u", password: "p", tls: true })
})

test("[U8] the first device is up, awaited or late; the advice fits what was asked of it", () => {
  const view = { health: "ok", sources: [] } as unknown as DeviceView
  assert.equal(judge(view, 0), "up")
  assert.equal(judge(null, 0), "waiting")
  assert.equal(judge({ ...view, health: "unknown" }, LATE_MS), "late")
  assert.equal(judge({ ...view, health: "down" }, LATE_MS - 1), "waiting")
  const sources = (snmp: boolean) => ({
    ...view,
    sources: [
      { source: "probe", up: true },
      { source: "snmp", up: snmp },
    ],
  })
  assert.equal(isSilent(sources(false) as unknown as DeviceView), true, "a ping is no answer to SNMP")
  assert.equal(isSilent(sources(true) as unknown as DeviceView), false)
  assert.equal(isSilent(null), false)
  assert.equal(adviceFor(null, [])[0], "setup.advice.credential")
  assert.ok(adviceFor(null, ["snmp"]).includes("setup.advice.snmp"))
  assert.ok(!adviceFor(null, ["snmp"]).includes("setup.advice.routeros"))
})

test("a short name is made from any name", () => {
  assert.equal(slugOf("São Carlos Fibra Ltda."), "sao-carlos-fibra-ltda")
  assert.equal(slugOf("  "), "")
  fc.assert(fc.property(fc.string(), (name) => assert.match(slugOf(name), /^([a-z0-9]+(-[a-z0-9]+)*)?$/)))
})

test("a QR code's path draws exactly its dark modules", () => {
  const row = fc.array(fc.boolean(), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 6 }), (rows) => {
      const drawn = new Set<string>()
      for (const [, x, y, width] of qrPath(rows).matchAll(/M(\d+) (\d+)h(\d+)v1H\d+z/g)) {
        for (let at = 0; at < Number(width); at++) drawn.add(`${Number(x) + at} ${y}`)
      }
      const dark = rows.flatMap((cells, y) => cells.flatMap((on, x) => (on ? [`${x} ${y}`] : [])))
      assert.deepEqual([...drawn].sort(), dark.sort())
    }),
  )
})
