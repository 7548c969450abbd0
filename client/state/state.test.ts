/** The store and the lists that the screens are made from. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { makeFixtureNetwork, statusByte } from "#client/e2e/fixture-network.ts"
import { deviceRows } from "#client/state/device-rows.ts"
import { formatRoute, parseRoute } from "#client/state/route.ts"
import { plain, search } from "#client/state/search.ts"
import { browserLanguage } from "#client/state/settings.ts"
import { troubleOf } from "#client/state/trouble.ts"
import { makeTwinStore } from "#client/state/twin-store.ts"
import type { TwinState, TwinStore } from "#client/state/twin-store.ts"
import type { EventView } from "#protocol/view.ts"
import type { Delta, Snap } from "#protocol/wire.ts"

const network = makeFixtureNetwork(80, 3, 1_000)
const snap = (seq: number, epoch = 1): Snap => {
  const fresh = makeFixtureNetwork(80, 3, 1_000)
  return { kind: "SNAP", epoch, seq, atMs: seq, part: 0, parts: 1, events: [], ...fresh, counts: fresh.counts() }
}
const delta = (base: number, seq: number, node: number, status: number, links: readonly number[] = []): Delta => ({
  kind: "DELTA",
  epoch: 1,
  base,
  seq,
  atMs: seq,
  nodes: { slot: Uint32Array.of(node), status: Uint8Array.of(status), seenS: Uint32Array.of(9) },
  links: {
    slot: Uint32Array.from(links),
    status: new Uint8Array(links.length).fill(status),
    utilAB: new Uint8Array(links.length),
    utilBA: new Uint8Array(links.length),
  },
  counts: network.counts(),
})
const DOWN = statusByte("down", "critical")
const stateOf = (store: TwinStore): TwinState => {
  const state = store.state()
  assert.ok(state !== null)
  return state
}

test("a keyframe replaces, a delta changes, listeners hear of both", () => {
  const store = makeTwinStore()
  const heard: string[] = []
  store.listen({
    replaced: () => heard.push("replaced"),
    changed: ({ slot }) => heard.push(`changed ${slot}`),
    happened: () => {},
  })
  assert.equal(store.apply(delta(1, 2, 4, DOWN)), "gap", "nothing applies before the keyframe")
  store.apply(snap(1))
  store.apply(delta(1, 2, 4, DOWN))
  assert.equal(stateOf(store).nodes.status[4], DOWN)
  assert.deepEqual(heard, ["replaced", "changed 4"])
  assert.equal(store.apply(delta(5, 6, 4, DOWN)), "gap")
  assert.equal(store.apply(delta(1, 2, 4, DOWN)), "applied", "what is known already is no gap")
  assert.equal(store.stats.deltas, 1)
})

test("a new socket of the same epoch is a resume, unless a keyframe comes", () => {
  const store = makeTwinStore()
  store.welcomed(1)
  store.apply(snap(1))
  store.welcomed(1)
  store.apply(delta(1, 2, 0, DOWN))
  assert.deepEqual({ ...store.stats }, { keyframes: 1, deltas: 1, resumes: 1 })
  store.welcomed(1)
  store.apply(snap(9))
  assert.deepEqual({ ...store.stats }, { keyframes: 2, deltas: 1, resumes: 1 })
  store.welcomed(2)
  store.apply(snap(1, 2))
  assert.equal(store.stats.resumes, 1, "another epoch is no resume")
})

test("what is wrong now: empty when all is well", () => {
  const store = makeTwinStore()
  store.apply(snap(1))
  assert.deepEqual(troubleOf(stateOf(store)), [])
})

test("links of a dead router fold into its row; a link between living ones has its own", () => {
  const store = makeTwinStore()
  store.apply(snap(1))
  const state = stateOf(store)
  const dead = state.links.b[0] as number
  const mine = [...state.links.id.keys()].filter((slot) => state.links.a[slot] === dead || state.links.b[slot] === dead)
  const other = [...state.links.id.keys()].find((slot) => !mine.includes(slot)) as number
  const broken = [...mine, other].sort((a, b) => a - b)
  store.apply(delta(1, 2, dead, DOWN, broken))
  const rows = troubleOf(stateOf(store))
  assert.deepEqual(
    rows.map(({ kind, id, folded }) => ({ kind, id, folded })),
    [
      { kind: "device", id: state.nodes.id[dead], folded: mine.length },
      { kind: "link", id: state.links.id[other], folded: 0 },
    ],
  )
})

test("[X1] a row's cause and age come from its newest event, and are absent without one", () => {
  const store = makeTwinStore()
  store.apply(snap(1))
  store.apply(delta(1, 2, 7, DOWN))
  assert.equal(troubleOf(stateOf(store))[0]?.sinceMs, null)
  const event = (id: string, atMs: number): EventView => ({
    id,
    atMs,
    type: "device.reachable.changed",
    severity: "critical",
    subject: network.nodes.id[7] as string,
    subjectKind: "device",
    entity: "",
    old: "ok",
    new: "down",
    raw: null,
    source: "twin",
  })
  store.apply({ kind: "EVENT", epoch: 1, base: 2, seq: 3, atMs: 3, events: [event("3-0", 100), event("3-1", 200)] })
  assert.equal(troubleOf(stateOf(store))[0]?.sinceMs, 200)
})

test("search ignores case and accents and puts the start of a name first", () => {
  const store = makeTwinStore()
  store.apply(snap(1))
  const state = stateOf(store)
  assert.equal(search(state, "sao p")[0]?.title, "São Paulo")
  for (const [slot, name] of state.nodes.name.entries()) {
    const found = search(state, name.toLowerCase())
    assert.equal(found[0]?.kind, "device")
    assert.equal(found[0]?.slot, slot)
  }
  assert.deepEqual(search(state, "   "), [])
  assert.deepEqual(search(state, "no such thing"), [])
  assert.equal(plain("ÇÃÉ"), "cae")
})

test("the device table: worst first, every word of the filter must match", () => {
  const store = makeTwinStore()
  store.apply(snap(1))
  store.apply(delta(1, 2, 33, DOWN))
  const state = stateOf(store)
  const rows = deviceRows(state, "", (role) => role)
  assert.equal(rows.length, 80)
  assert.equal(rows[0]?.id, state.nodes.id[33])
  const some = deviceRows(state, "sao core", (role) => role)
  assert.ok(some.length > 0 && some.every(({ site, role }) => site.startsWith("São") && role === "core"))
})

test("an address survives the way there and back, and a broken one opens the map", () => {
  const plainObject = { noNullPrototype: true }
  const camera = fc.record(
    {
      longitude: fc.integer({ min: -180, max: 180 }),
      latitude: fc.integer({ min: -85, max: 85 }),
      zoom: fc.integer({ min: 0, max: 20 }),
    },
    plainObject,
  )
  const selection = fc.record(
    { kind: fc.constantFrom("device" as const, "link" as const), id: fc.string({ minLength: 1 }) },
    plainObject,
  )
  fc.assert(
    fc.property(fc.constantFrom("map", "devices"), fc.option(selection), fc.option(camera), (screen, chosen, at) => {
      const route = {
        screen,
        tab: chosen === null ? "users" : null,
        selection: chosen,
        camera: at,
        moment: null,
        item: null,
      }
      assert.deepEqual(parseRoute(formatRoute(route)), route)
    }),
  )
  fc.assert(fc.property(fc.string(), (text) => void parseRoute(text)))
  assert.deepEqual(parseRoute("#/map?at=1,x,3"), {
    screen: "map",
    tab: null,
    selection: null,
    camera: null,
    moment: null,
    item: null,
  })
})

test("[U7] Portuguese comes first; English for who asks for it", () => {
  assert.equal(browserLanguage(["pt-PT", "en"]), "pt-BR")
  assert.equal(browserLanguage(["en-GB", "pt"]), "en")
  assert.equal(browserLanguage(["de", "fr"]), "pt-BR")
})
