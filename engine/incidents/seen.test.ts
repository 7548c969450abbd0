/** [T2] What somebody of some sites sees of an incident: it, when it touches these, and no name of what stands elsewhere. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { anyIncident, incident, LINK, ROUTER } from "#engine/incidents/incident.fixture.ts"
import { rowOf } from "#engine/incidents/row.ts"
import { cutToPlaces, placesOf, type SeenPlaces } from "#engine/incidents/seen.ts"
import { sitesOf } from "#engine/incidents/sites-of.ts"
import { deviceId, linkId, siteId } from "#protocol/id.ts"
import type { Inventory } from "#protocol/inventory.ts"

/** r1 at a, r2 at b, a link between them; c has nothing. */
const INVENTORY: Inventory = {
  sites: ["a", "b", "c"].map((id) => ({ id: siteId(id), name: `site ${id}`, latitude: 0, longitude: 0 })),
  devices: [
    ["r1", "a"],
    ["r2", "b"],
  ].map(([id, site]) => ({
    id: deviceId(id!),
    name: `router ${id}`,
    address: "192.0.2.1",
    site: siteId(site!),
    roles: ["core"],
    pollSeconds: 30,
    sources: ["snmp"],
  })),
  links: [
    {
      id: linkId("l1"),
      a: { device: deviceId("r1"), interface: "e1" },
      b: { device: deviceId("r2"), interface: "e1" },
      capacityBps: null,
    },
  ],
}
/** Of one site; links with an end there. */
const seenFrom = (...sites: readonly string[]): SeenPlaces => {
  const devices = INVENTORY.devices.filter(({ site }) => sites.includes(site))
  const ids = new Set(devices.map(({ id }) => id))
  return placesOf({
    sites: INVENTORY.sites.filter(({ id }) => sites.includes(id)),
    devices,
    links: INVENTORY.links.filter(({ a, b }) => ids.has(a.device) || ids.has(b.device)),
  })
}

test("[T2] an incident exists where it touches, and nowhere else", () => {
  const view = incident()
  assert.deepEqual(sitesOf(view, INVENTORY), ["b", "a"])
  assert.notEqual(cutToPlaces(view, seenFrom("a")), null)
  assert.notEqual(cutToPlaces(view, seenFrom("b")), null)
  assert.equal(cutToPlaces(view, seenFrom("c")), null)
  assert.equal(cutToPlaces(view, seenFrom()), null)
  const onlyCause = incident({ symptoms: [], impact: { ...view.impact, sites: [], devices: [], links: [] } })
  assert.notEqual(cutToPlaces(onlyCause, seenFrom("a")), null, "its cause stands there")
})

test("[T2] what stands elsewhere has no name: not in title, cause, evidence, reach, symptoms, timeline or confirmation", () => {
  const elsewhere = { ...ROUTER, id: "r2", name: "SECRET" }
  const view = incident({
    title: "SECRET is down",
    causes: [
      {
        ...incident().causes[0]!,
        members: [elsewhere],
        because: "SECRET",
        evidence: [{ ...incident().causes[0]!.evidence[1]!, text: "SECRET" }],
      },
    ],
    impact: {
      ...incident().impact,
      services: ["SECRET"],
      subscribers: { count: 7, quality: "measured", atMs: 1 },
      subscribersPart: 0.5,
    },
    symptoms: [
      incident().symptoms[0]!,
      { ...incident().symptoms[0]!, device: "r2", deviceName: "SECRET", why: "SECRET" },
    ].map((one) => ({ ...one, why: "SECRET" })),
    timeline: [
      { atMs: 1, action: "opened", by: "", text: "SECRET" },
      { atMs: 1, action: "alert", by: "", text: "SECRET", device: "r2" },
      { atMs: 1, action: "noted", by: "ana", text: "on my way" },
    ],
    confirmed: { by: "ana", atMs: 1, members: [elsewhere], note: "" },
    probing: [{ text: "SECRET", atMs: 1, answer: null }],
  })
  const seen = cutToPlaces(view, seenFrom("a"))
  assert.ok(seen !== null)
  assert.ok(!JSON.stringify([seen, rowOf(seen)]).includes("SECRET"), JSON.stringify(seen, null, 1))
  assert.deepEqual([seen.impact.subscribers, seen.impact.subscribersPart, seen.impact.services], [null, null, []])
  assert.deepEqual(
    seen.timeline.map(({ text }) => text),
    ["on my way"],
  )
  assert.deepEqual(
    cutToPlaces({ ...view, causes: [{ ...view.causes[0]!, members: [LINK] }] }, seenFrom("a"))?.title,
    view.title,
  )
})

test("[T2] for any incident: whoever sees it is of a site that it touches, and ids of elsewhere never show", () => {
  fc.assert(
    fc.property(anyIncident, fc.constantFrom("a", "b", "c"), (view, site) => {
      const places = seenFrom(site)
      const seen = cutToPlaces(view, places)
      const touched = sitesOf(view, INVENTORY)
      if (seen === null) return
      assert.ok(touched.includes(site), `${site} is not among ${touched.join()}`)
      const devices = [...seen.impact.devices, ...seen.symptoms.map(({ device }) => device)]
      assert.ok(devices.every((id) => places.devices.has(id)))
      assert.ok(seen.impact.links.every((id) => places.links.has(id)))
      assert.ok(seen.impact.sites.every((id) => places.sites.has(id)))
      for (const { members, evidence } of seen.causes) {
        assert.ok(
          members.every(
            ({ id, name, kind }) => id !== "" || kind === "srlg" || name === "outside your sites" || name === "",
          ),
        )
        assert.ok(evidence.every(({ device }) => device !== null && places.devices.has(device)))
      }
    }),
  )
})
