/** [I12] The report of an incident: the same for the same incident, whole, and harmless whatever is written in it. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { anyIncident, incident, LINK } from "#engine/incidents/incident.fixture.ts"
import { escaped, postmortemOf } from "#engine/incidents/postmortem.ts"

test("[I12] JSON holds the whole incident, to the character", () => {
  fc.assert(
    fc.property(anyIncident, (view) => {
      const { text, mediaType, file } = postmortemOf(view, "json")
      assert.deepEqual((JSON.parse(text) as { incident: unknown }).incident, view)
      assert.equal(mediaType, "application/json")
      assert.match(file, /^incident-\d+-\d+\.json$/)
    }),
  )
})

test("[I12] Markdown says when, why, what it cost, what people did, and who says what it truly was", () => {
  const verdict = { fault: "link", confidence: 0.97, isRight: true } as const
  const view = incident({
    assignee: "ana",
    confirmed: { by: "rui", atMs: 9_000_000, members: [LINK], note: "a digger", verdict },
    timeline: [{ atMs: 2_000_000, action: "noted", by: "ana", text: "on my way" }],
    impact: {
      ...incident().impact,
      subscribers: { count: 3_200, quality: "measured", atMs: 900_000 },
      subscribersPart: 0.25,
    },
  })
  const { text } = postmortemOf(view, "markdown")
  assert.equal(postmortemOf(view, "markdown").text, text)
  const plain = text.replaceAll("\\", "")
  for (const words of [
    "# Link r1:e1 – r2:e1 is cut",
    "closed, warn",
    "1970-01-01T00:16:40.000Z",
    "after 1 h 0 min",
    "Confirmed by rui",
    "a digger",
    "Predicted (primary, 97 %)",
    "3200 (measured",
    "25 % of all",
    "noted by ana: on my way",
    "Symptoms (1, of which 1 were told to nobody)",
  ])
    assert.ok(plain.includes(words), words)
})

test("[S9] nothing that a device or a person wrote is more than text: no HTML, no link, no heading, no row of the table", () => {
  const hostile = "<script>x</script>\n# big\n| a | b | [x](javascript:alert(1)) `code` ![i](http://x) &lt;"
  const out = escaped(hostile)
  assert.ok(!/[\r\n<>]/.test(out))
  assert.ok(!/(^|[^\\])[`*_[\]()#|!]/.test(out), out)
  fc.assert(
    fc.property(anyIncident, (view) => {
      const { text } = postmortemOf({ ...view, title: hostile, assignee: hostile }, "markdown")
      assert.ok(!text.includes("<script"))
      assert.equal(text.split("\n").filter((line) => line.startsWith("# ")).length, 1)
      assert.equal(text.split("\n").filter((line) => line.startsWith("| Assigned")).length, 1)
    }),
  )
})
