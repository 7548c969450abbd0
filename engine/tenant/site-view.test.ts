/** What somebody of some sites sees: everything of theirs, nothing of the others', in every part of a LiveTwin. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import type { LiveTwin, RoundNotice } from "#engine/tenant/live-twin.ts"
import { RESTRICTED_EPOCHS, siteView } from "#engine/tenant/site-view.ts"
import { deviceId, linkId, siteId, tenantId } from "#protocol/id.ts"
import type { Inventory } from "#protocol/inventory.ts"
import { HEALTH, packStatus } from "#protocol/status.ts"
import type { EventView } from "#protocol/view.ts"
import { packUtil } from "#protocol/wire.ts"
import type { Columns } from "#twin/columns.ts"

interface Plan {
  /** Site of each device. */
  readonly at: readonly number[]
  readonly links: ReadonlyArray<readonly [number, number]>
  readonly mine: readonly number[]
}
const SITES = 4
const plan: fc.Arbitrary<Plan> = fc.array(fc.nat({ max: SITES - 1 }), { minLength: 1, maxLength: 12 }).chain((at) =>
  fc.record({
    at: fc.constant(at),
    links: fc.array(fc.tuple(fc.nat({ max: at.length - 1 }), fc.nat({ max: at.length - 1 })), { maxLength: 20 }),
    mine: fc.subarray([0, 1, 2, 3]),
  }),
)

const siteOf = (index: number) => siteId(`site-${index}`)
const device = (index: number) => deviceId(`device-${String(index).padStart(3, "0")}`)
const link = (index: number) => linkId(`link-${String(index).padStart(3, "0")}`)

const inventoryOf = ({ at, links }: Plan): Inventory => ({
  sites: Array.from({ length: SITES }, (_, index) => ({
    id: siteOf(index),
    name: `Site ${index}`,
    latitude: 0,
    longitude: 0,
  })),
  devices: at.map((site, index) => ({
    id: device(index),
    name: `r${String(index).padStart(3, "0")}`,
    address: "10.0.0.1",
    site: siteOf(site),
    roles: ["core"],
    pollSeconds: 10,
    sources: [],
  })),
  links: links.map(([a, b], index) => ({
    id: link(index),
    a: { device: device(a), interface: `a${index}` },
    b: { device: device(b), interface: `b${index}` },
    capacityBps: null,
  })),
})

/** Every column tells its own slot, so that a wrong slot shows. */
const columnsOf = ({ at, links }: Plan): Columns => ({
  nodeStatus: Uint8Array.from(at, (_, slot) =>
    packStatus({ health: HEALTH[slot % HEALTH.length]!, severity: "cleared", maintenance: false, stale: false }),
  ),
  nodeSeenS: Uint32Array.from(at, (_, slot) => slot + 1),
  linkStatus: Uint8Array.from(links, (_, slot) =>
    packStatus({ health: slot % 2 === 0 ? "down" : "ok", severity: "cleared", maintenance: false, stale: false }),
  ),
  linkUtilAB: Uint8Array.from(links, (_, slot) => packUtil((slot % 10) / 10)),
  linkUtilBA: Uint8Array.from(links, (_, slot) => slot),
})

const event = (subject: string, kind: EventView["subjectKind"]): EventView => ({
  id: `1-${subject}`,
  atMs: 1,
  type: "x",
  severity: "major",
  subject,
  subjectKind: kind,
  entity: "",
  old: null,
  new: null,
  raw: null,
  source: "twin",
})

const twinOf = (wanted: Plan) => {
  let inventory = inventoryOf(wanted)
  const columns = columnsOf(wanted)
  const listeners = new Set<(notice: RoundNotice) => void>()
  const subjects = [
    ...wanted.at.map((_, index) => event(device(index), "device")),
    ...wanted.links.map((_, index) => event(link(index), "link")),
    event("t", "tenant"),
  ]
  const twin: LiveTwin = {
    tenant: { id: tenantId("t"), slug: "t", name: "T", demo: false },
    epoch: () => 5,
    seq: () => 9,
    inventory: () => inventory,
    columns: () => columns,
    counts: () => assert.fail("the counts of the whole are not told"),
    recentEvents: () => subjects,
    view: ({ id }) => ({ kind: "device", id }) as never,
    submit: () => assert.fail("a view never submits"),
    setInventory: () => assert.fail("a view never changes anything"),
    onRound: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const tell = (notice: Partial<RoundNotice>): void => {
    for (const listener of listeners)
      listener({
        epoch: 5,
        seq: 9,
        atMs: 1,
        nodes: [],
        links: [],
        events: [],
        topologyChanged: false,
        touched: new Set(),
        ...notice,
      })
  }
  return { twin, subjects, tell, listeners, replace: (next: Plan) => (inventory = inventoryOf(next)) }
}

test("[T2] devices of the sites, links with an end there, and columns that still belong to their rows", () => {
  fc.assert(
    fc.property(plan, fc.constantFrom("oneEnd", "bothEnds"), (wanted, rule) => {
      const { twin } = twinOf(wanted)
      const mine = new Set(wanted.mine)
      const isMine = (index: number): boolean => mine.has(wanted.at[index]!)
      const view = siteView(
        twin,
        wanted.mine.map((index) => siteOf(index)),
        rule as "oneEnd" | "bothEnds",
      )
      const devices = wanted.at.flatMap((_, index) => (isMine(index) ? [index] : []))
      const links = wanted.links.flatMap(([a, b], index) =>
        (rule === "oneEnd" ? isMine(a) || isMine(b) : isMine(a) && isMine(b)) ? [index] : [],
      )
      const { inventory, columns } = { inventory: view.inventory(), columns: view.columns() }
      assert.deepEqual(
        inventory.sites.map((site) => site.id),
        wanted.mine.map((index) => siteOf(index)),
      )
      assert.deepEqual(
        inventory.devices.map((one) => one.id),
        devices.map((index) => device(index)),
      )
      assert.deepEqual(
        inventory.links.map((one) => one.id),
        links.map((index) => link(index)),
      )
      assert.deepEqual(
        [...columns.nodeSeenS],
        devices.map((slot) => slot + 1),
      )
      assert.deepEqual([...columns.linkUtilBA], links)
      assert.equal(columns.nodeStatus.length, devices.length)
      assert.deepEqual(view.counts(), {
        routers: devices.length,
        routersUp: devices.filter((slot) => slot % HEALTH.length === 1 || slot % HEALTH.length === 2).length,
        links: links.length,
        linksDown: links.filter((slot) => slot % 2 === 0).length,
        linksHot: links.filter((slot) => slot % 10 >= 8).length,
        sites: mine.size,
        subscribers: null,
      })
    }),
  )
})

test("[T2] events, details and rounds: only of what is seen, in own slots, and never of the tenant as a whole", () => {
  fc.assert(
    fc.property(plan, (wanted) => {
      const { twin, subjects, tell, listeners } = twinOf(wanted)
      const view = siteView(
        twin,
        wanted.mine.map((index) => siteOf(index)),
      )
      const seen = new Set<string>([...view.inventory().devices, ...view.inventory().links].map((one) => one.id))
      for (const { subject } of subjects) {
        const kind = subject.startsWith("link") ? "link" : "device"
        assert.equal(view.view({ kind, id: subject }) === null, !seen.has(subject))
      }
      assert.deepEqual(
        view.recentEvents().map((one) => one.subject),
        subjects.map((one) => one.subject).filter((subject) => seen.has(subject)),
      )
      const heard: RoundNotice[] = []
      const stop = view.onRound((notice) => heard.push(notice))
      tell({
        nodes: wanted.at.map((_, slot) => slot),
        links: wanted.links.map((_, slot) => slot),
        events: subjects,
        touched: new Set(subjects.map((one) => one.subject)),
      })
      assert.equal(heard.length, seen.size > 0 ? 1 : 0)
      for (const notice of heard) {
        assert.deepEqual(
          notice.nodes,
          view.inventory().devices.map((_, slot) => slot),
        )
        assert.deepEqual(
          notice.links,
          view.inventory().links.map((_, slot) => slot),
        )
        assert.deepEqual([...notice.touched].toSorted(), [...seen].toSorted())
        assert.equal(notice.epoch, view.epoch())
      }
      stop()
      assert.equal(listeners.size, 0)
    }),
  )
})

test("a round of other sites is not heard, a new inventory always is, and its slots are the new ones", () => {
  const first: Plan = { at: [0, 1, 0], links: [[0, 2]], mine: [0] }
  const { twin, tell, replace } = twinOf(first)
  const view = siteView(twin, ["site-0"])
  const heard: RoundNotice[] = []
  view.onRound((notice) => heard.push(notice))
  tell({ nodes: [1], touched: new Set([device(1)]) })
  assert.equal(heard.length, 0)
  tell({ nodes: [1, 2] })
  assert.deepEqual(heard.at(-1)!.nodes, [1])
  replace({ at: [1, 1, 0], links: [], mine: [0] })
  tell({ topologyChanged: true })
  assert.equal(heard.length, 2)
  assert.deepEqual(
    view.inventory().devices.map((one) => one.id),
    [device(2)],
  )
  tell({ nodes: [2] })
  assert.deepEqual(heard.at(-1)!.nodes, [0])
})

test("a view has epochs of its own, takes no input and changes nothing; no site is nothing", async () => {
  const { twin } = twinOf({ at: [0], links: [], mine: [0] })
  const view = siteView(twin, [])
  assert.equal(view.epoch(), 5 + RESTRICTED_EPOCHS)
  assert.ok(Number.isSafeInteger(RESTRICTED_EPOCHS + 2 ** 51))
  assert.equal(view.submit({} as never), false)
  await assert.rejects(view.setInventory(1, { sites: [], devices: [], links: [] }))
  assert.deepEqual(view.inventory(), { sites: [], devices: [], links: [] })
})
