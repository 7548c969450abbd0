/** [S5] The sealed cookie between the way to the issuer and the way back: ours, fresh, once, and of this browser. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { FLOW_MS, makeFlowCookies } from "#engine/oidc/flow-cookie.ts"

const valueOf = (setCookie: string): string => setCookie.split(";")[0]!
const clocked = () => {
  const clock = { nowMs: 1_700_000_000_000 }
  return { clock, cookies: makeFlowCookies(true, () => clock.nowMs) }
}

test("[S5] what was begun is what is finished, once, within ten minutes", () => {
  const { clock, cookies } = clocked()
  const { flow, setCookie } = cookies.begin()
  clock.nowMs += FLOW_MS - 1
  assert.deepEqual(cookies.finish(`a=b; ${valueOf(setCookie)}`), flow)
  assert.equal(cookies.finish(valueOf(setCookie)), null)
  const late = cookies.begin()
  clock.nowMs += FLOW_MS
  assert.equal(cookies.finish(valueOf(late.setCookie)), null)
})

test("[S5] state, nonce and verifier have 256 bits each, are told apart, and never come again", () => {
  const { cookies } = clocked()
  const words = Array.from({ length: 300 }, () => Object.values(cookies.begin().flow) as string[]).flat()
  assert.equal(new Set(words).size, 900)
  for (const word of words) assert.match(word, /^[\w-]{43}$/)
})

test("[S5] the cookie tells nothing of the flow, and fits in what is read of a cookie", () => {
  const { cookies } = clocked()
  const { flow, setCookie } = cookies.begin()
  for (const word of Object.values(flow)) assert.ok(!setCookie.includes(word as string))
  assert.ok(valueOf(setCookie).length < 256)
  assert.match(makeFlowCookies(false, Date.now).begin().setCookie, /^heliograph_oidc=[\w-]+; .*SameSite=Lax$/)
})

test("[S5] property: a changed, foreign or invented cookie is no flow", () => {
  const { cookies } = clocked()
  const stranger = makeFlowCookies(true, () => 1_700_000_000_000)
  assert.equal(cookies.finish(undefined), null)
  assert.equal(cookies.finish(valueOf(stranger.begin().setCookie)), null)
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom("A", "z", "-", "0", ""), (at, put) => {
      const whole = valueOf(cookies.begin().setCookie)
      const start = whole.indexOf("=") + 1
      const place = start + (at % (whole.length - start))
      const changed = whole.slice(0, place) + put + whole.slice(place + 1)
      // The last character of base64url may spell the same bytes differently.
      const same = Buffer.from(changed.slice(start), "base64url").equals(Buffer.from(whole.slice(start), "base64url"))
      assert.equal(cookies.finish(changed) !== null, same)
    }),
  )
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (text) => {
      assert.equal(cookies.finish(`__Host-heliograph_oidc=${text}`), null)
    }),
  )
})

test("finished flows are remembered up to a bound, and only until they would expire", () => {
  const { clock, cookies } = clocked()
  const first = valueOf(cookies.begin().setCookie)
  assert.ok(cookies.finish(first))
  for (let nth = 0; nth < 9_999; nth++) cookies.finish(valueOf(cookies.begin().setCookie))
  assert.equal(cookies.finish(first), null)
  clock.nowMs += FLOW_MS
  assert.equal(cookies.finish(first), null)
})
