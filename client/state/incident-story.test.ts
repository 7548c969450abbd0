/** The story in reading order, evidence by what it says, symptoms by what explains them, and the reach in slots. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { siteIncident } from "#client/e2e/fixture-incidents.ts"
import { makeFixtureNetwork } from "#client/e2e/fixture-network.ts"
import { aroundOf, blastOf, extentOf, faultsOf, siteOfMember } from "#client/state/blast.ts"
import { evidenceOf, storyOf, symptomGroups } from "#client/state/incident-story.ts"
import type { TwinState } from "#client/state/twin-store.ts"
import { INCIDENT_ACTIONS } from "#protocol/incident.ts"
import type { EvidenceView, IncidentView, TimelineEntry } from "#protocol/incident.ts"

const entry = (part: Partial<TimelineEntry>): TimelineEntry => ({
  atMs: 0,
  action: "event",
  by: "",
  text: "t",
  ...part,
})

test("[I12] newest first; what the twin repeats is one line with a count, what people do never is", () => {
  const lines = storyOf([
    entry({ atMs: 1, action: "opened", text: "o" }),
    entry({ atMs: 2, action: "alert", text: "fires", device: "d" }),
    entry({ atMs: 3, action: "alert", text: "fires", device: "d" }),
    entry({ atMs: 4, action: "alert", text: "fires", device: "other" }),
    entry({ atMs: 5, action: "noted", by: "ana", text: "called" }),
    entry({ atMs: 6, action: "noted", by: "ana", text: "called" }),
  ])
  assert.deepEqual(
    lines.map(({ entry: { atMs }, count, firstMs, byHand }) => [atMs, count, firstMs, byHand]),
    [
      [6, 1, 6, true],
      [5, 1, 5, true],
      [4, 1, 4, false],
      [3, 2, 2, false],
      [1, 1, 1, false],
    ],
  )
})

test("[I12] no line is lost: counts add up, times never rise, a change of state is never folded", () => {
  const any = fc.record({
    atMs: fc.integer({ min: 0, max: 6 }),
    action: fc.constantFrom(...INCIDENT_ACTIONS, "event" as const, "alert" as const),
    by: fc.constantFrom("", "", "ana"),
    text: fc.constantFrom("a", "b"),
  })
  fc.assert(
    fc.property(fc.array(any, { maxLength: 40 }), (timeline) => {
      const lines = storyOf(timeline)
      assert.equal(
        lines.reduce((sum, { count }) => sum + count, 0),
        timeline.length,
      )
      lines.forEach((line, at) => {
        assert.ok(at === 0 || line.entry.atMs <= (lines[at - 1]?.firstMs ?? 0))
        assert.ok(line.firstMs <= line.entry.atMs)
        if (line.count > 1) assert.ok(line.entry.by === "" && !["opened", "closed"].includes(line.entry.action))
      })
    }),
  )
})

test("[I9] evidence: for, against, missing; newest first, what was never seen last", () => {
  const one = (standing: EvidenceView["standing"], atMs: number | null, text: string): EvidenceView => ({
    kind: "k",
    standing,
    atMs,
    device: null,
    entity: "",
    text,
  })
  const sorted = evidenceOf([
    one("for", 1, "old"),
    one("missing", null, "never"),
    one("for", null, "timeless"),
    one("for", 9, "new"),
    one("missing", 4, "once"),
    one("against", 2, "but"),
  ])
  const texts = (rows: readonly EvidenceView[]) => rows.map(({ text }) => text)
  assert.deepEqual(texts(sorted.for), ["new", "old", "timeless"])
  assert.deepEqual(texts(sorted.against), ["but"])
  assert.deepEqual(texts(sorted.missing), ["once", "never"])
})

const network = makeFixtureNetwork(60, 1, 0)
const state = {
  ...network,
  events: [],
  nodeById: new Map(network.nodes.id.map((id, slot) => [id, slot])),
  linkById: new Map(network.links.id.map((id, slot) => [id, slot])),
} as unknown as TwinState

test("[I7] what nothing explains stands apart and first; every symptom is in exactly one group", () => {
  const { symptoms } = siteIncident(network, 0, 1_000_000)
  const groups = symptomGroups([...symptoms, { ...(symptoms[0] as IncidentView["symptoms"][number]), explainedBy: 1 }])
  assert.deepEqual(
    groups.map(({ cause }) => cause),
    [null, 0, 1],
  )
  assert.equal(
    groups.reduce((sum, group) => sum + group.symptoms.length, 0),
    symptoms.length + 1,
  )
  for (const { symptoms: rows } of groups) {
    rows.forEach((one, at) => assert.ok(at === 0 || one.sinceMs >= (rows[at - 1]?.sinceMs ?? 0), "as it spread"))
  }
})

test("[U5] the reach: causes are no victims, unknown ids are left out, the extent holds what matters", () => {
  const view = siteIncident(network, 2, 1_000_000)
  const blast = blastOf(view, state)
  assert.equal(blast.causeNodes.size, 1)
  assert.equal(blast.causeLinks.size, 1)
  for (const slot of blast.causeNodes) assert.ok(!blast.nodes.has(slot))
  for (const slot of blast.causeLinks) assert.ok(!blast.links.has(slot))
  assert.equal(blast.nodes.size + 1, view.impact.devices.length)
  const extent = new Set(extentOf(blast, state))
  for (const slot of [...blast.causeNodes, ...blast.nodes]) assert.ok(extent.has(slot))
  const [link = -1] = blast.causeLinks
  assert.ok(extent.has(state.links.a[link] as number) && extent.has(state.links.b[link] as number))
  const gone = { ...view, impact: { ...view.impact, devices: ["gone"], links: ["gone"], sites: ["gone"] } }
  const left = blastOf(gone, state)
  assert.deepEqual([left.nodes.size, left.links.size, left.sites.size], [0, 0, 0])
})

test("[U5] around it: its neighbours, one link away, never more than asked for, the extent first", () => {
  const blast = blastOf(siteIncident(network, 2, 1_000_000), state)
  const extent = extentOf(blast, state)
  const around = aroundOf(blast, state, 500)
  for (const slot of around) {
    const near = [...state.links.id.keys()].some((link) => {
      const [a, b] = [state.links.a[link] as number, state.links.b[link] as number]
      return (a === slot && extent.includes(b)) || (b === slot && extent.includes(a))
    })
    assert.ok(extent.includes(slot) || near, `${slot} is not near`)
  }
  assert.ok(around.size > extent.length)
  assert.deepEqual([...aroundOf(blast, state, extent.length)], [...extent])
})

test("[U5] what a simulation of it assumes: the likeliest member of each cause, of every kind", () => {
  const cause = (kind: "device" | "link" | "site" | "srlg" | "interface", entity?: string) => ({
    members: [
      { fault: "router" as const, kind, id: "x", name: "", ...(entity === undefined ? {} : { entity }) },
      { fault: "link" as const, kind: "link" as const, id: "other", name: "" },
    ],
    confidence: 1,
    rank: "primary" as const,
    because: "",
    evidence: [],
    sinceMs: 0,
  })
  const causes = [cause("device"), cause("link"), cause("site"), cause("srlg"), cause("interface", "if:sfp-1")]
  assert.deepEqual(faultsOf({ causes }), [
    { kind: "router", device: "x" },
    { kind: "link", link: "x" },
    { kind: "site", site: "x" },
    { kind: "srlg", srlg: "x" },
    { kind: "interface", device: "x", interface: "sfp-1" },
  ])
  assert.deepEqual(faultsOf({ causes: [cause("interface"), { ...cause("link"), members: [] }] }), [])
})

test("[U5] where a cause stands: device, interface, link and site have a site; what is unknown has none", () => {
  const member = (kind: "device" | "link" | "site" | "srlg" | "interface", id: string) =>
    siteOfMember({ fault: "router", kind, id, name: "" }, state)
  assert.equal(member("device", network.nodes.id[5] as string), network.nodes.site[5])
  assert.equal(member("interface", network.nodes.id[5] as string), network.nodes.site[5])
  assert.equal(member("site", network.sites.id[3] as string), 3)
  assert.equal(member("link", network.links.id[0] as string), network.nodes.site[network.links.a[0] as number])
  for (const kind of ["device", "link", "site", "srlg"] as const) assert.equal(member(kind, "nowhere"), null)
})
