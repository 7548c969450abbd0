/** The typed client: what it asks, and what it makes of every answer. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { OPERATIONS } from "#protocol/rest-generated.ts"
import { makeRest, NO_ANSWER, requestOf } from "#protocol/rest.ts"
import type { OperationId, RestRequest, RestResponse } from "#protocol/rest.ts"

const answering = (response: Partial<RestResponse>) => {
  const asked: RestRequest[] = []
  const rest = makeRest((request) => {
    asked.push(request)
    return Promise.resolve({ status: 200, header: () => null, body: "", ...response })
  })
  return { rest, asked }
}

test("[O13] a request has its method, its path with every parameter encoded, its query and its body", async () => {
  const { rest, asked } = answering({
    body: '{"items":[],"next":null}',
    header: (name) => (name === "etag" ? '"7"' : null),
  })
  const answer = await rest("network.devices", { query: { q: "são & <b>", limit: 10, cursor: undefined } })
  assert.deepEqual(answer, { ok: true, status: 200, value: { items: [], next: null }, etag: '"7"' })
  assert.deepEqual(asked, [
    { method: "GET", path: "/api/v1/devices?q=s%C3%A3o%20%26%20%3Cb%3E&limit=10", headers: {}, body: null },
  ])
  await rest("inventory.updateDevice", {
    params: { id: "a/../b" },
    headers: { "if-match": '"7"' },
    body: { name: "core1" },
  })
  assert.deepEqual(asked[1], {
    method: "PATCH",
    path: "/api/v1/devices/a%2F..%2Fb",
    headers: { "if-match": '"7"', "content-type": "application/json" },
    body: '{"name":"core1"}',
  })
})

test("[O13] whatever stands in a parameter, the path names the same resource and no other", () => {
  const route = OPERATIONS["network.device"].path.split("/").length
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", minLength: 1 }).filter((it) => it.isWellFormed()),
      (id) => {
        if (id === "." || id === "..")
          return assert.throws(() => requestOf("network.device", { params: { id } }), RangeError)
        const { path } = requestOf("network.device", { params: { id } })
        assert.equal(path.split("/").length, route)
        assert.equal(decodeURIComponent(path.slice(path.lastIndexOf("/") + 1)), id)
        assert.ok(!/[?#\s]/.test(path))
      },
    ),
  )
})

test("[O13] every operation can be asked, and no `{name}` is left in its path", () => {
  for (const id of Object.keys(OPERATIONS) as OperationId[]) {
    const names = [...OPERATIONS[id].path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!)
    const { path, body } = requestOf(id, { params: Object.fromEntries(names.map((name) => [name, "x"])) })
    assert.ok(path.startsWith("/api/v1/") && !/[{}]/.test(path), id)
    assert.equal(body === null, !OPERATIONS[id].hasBody)
    for (const name of names) assert.throws(() => requestOf(id, { params: { [name]: "" } }), RangeError, id)
  }
})

test("[O13] a refusal is its problem, with the time to wait", async () => {
  const body = JSON.stringify({
    type: "urn:heliograph:quota-exceeded",
    title: "A quota",
    status: 429,
    quota: "max_devices",
  })
  const { rest } = answering({ status: 429, body, header: (name) => (name === "retry-after" ? "30" : null) })
  const answer = await rest("network.status")
  assert.ok(!answer.ok)
  assert.equal(answer.problem["quota"], "max_devices")
  assert.equal(answer.retryAfterS, 30)
})

test("[O13] any bytes as an answer become an answer, and no answer is one too", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 100, max: 599 }), fc.oneof(fc.string(), fc.json()), async (status, body) => {
      const answer = await answering({ status, body }).rest("network.status")
      assert.equal(answer.status, status)
      if (answer.ok) assert.ok(status >= 200 && status < 300)
      else assert.equal(typeof answer.problem.title, "string")
    }),
  )
  const silent = makeRest(() => Promise.reject(new Error("ECONNREFUSED")))
  assert.equal((await silent("network.status")).status, NO_ANSWER)
})
