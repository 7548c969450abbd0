/** [T2] [I11] /stream for somebody of some sites: events of incidents that touch these, in words that name nothing else. */
import assert from "node:assert/strict"
import { test } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { makeDoors } from "#engine/access/doors.ts"
import type { Principal } from "#engine/access/principal.ts"
import { principalOf } from "#engine/api/accounts.fixture.ts"
import { testDeps } from "#engine/api/deps.fixture.ts"
import { makeHttp } from "#engine/http/server.ts"
import { incident } from "#engine/incidents/incident.fixture.ts"
import { silentLog } from "#engine/log.ts"
import { makeMetrics } from "#engine/metrics/registry.ts"
import { makeFakeTwin } from "#engine/stream/fake-twin.fixture.ts"
import { makeStream } from "#engine/stream/stream.ts"
import { hello, openViewer } from "#engine/stream/viewer.fixture.ts"
import type { LiveTwin, RoundNotice } from "#engine/tenant/live-twin.ts"
import { siteView } from "#engine/tenant/site-view.ts"
import { siteId } from "#protocol/id.ts"
import type { CauseMember, IncidentView } from "#protocol/incident.ts"
import type { EventView } from "#protocol/view.ts"

/** Devices by turns in s0 and s1, and incidents that the test makes. */
const twoSites = () => {
  const fake = makeFakeTwin("t", 4, 0)
  const whole = fake.inventory()
  const inventory = {
    ...whole,
    sites: ["s0", "s1"].map((id) => ({ id: siteId(id), name: `site ${id}`, latitude: 0, longitude: 0 })),
    devices: whole.devices.map((device, slot) => ({ ...device, site: siteId(`s${slot % 2}`) })),
  }
  const held = new Map<string, IncidentView>()
  const listeners = new Set<(notice: RoundNotice) => void>()
  let recent: readonly EventView[] = []
  let seq = fake.seq()
  const twin: LiveTwin = {
    ...fake,
    inventory: () => inventory,
    seq: () => seq,
    recentEvents: () => recent,
    incident: (id) => held.get(id) ?? null,
    onRound: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const at = (slot: number): string => inventory.devices[slot]!.id
  /** Of one device; its name stands in the title. */
  const open = (id: string, slot: number, type: string, also: number = slot): void => {
    const member: CauseMember = { fault: "router", kind: "device", id: at(slot), name: inventory.devices[slot]!.name }
    const plain = incident()
    const view = incident({
      id,
      title: `${member.name} is down`,
      state: "open",
      causes: [{ ...plain.causes[0]!, members: [member], evidence: [] }],
      impact: { ...plain.impact, sites: [], devices: [at(also)], links: [] },
      symptoms: [],
      timeline: [],
    })
    held.set(id, view)
    seq++
    const event: EventView = {
      id: type === "incident.opened" ? id : `${seq}-0`,
      atMs: 1_700_000_000_000 + seq,
      type,
      severity: "critical",
      subject: "",
      subjectKind: "tenant",
      entity: type === "incident.opened" ? "" : id,
      old: null,
      new: "open",
      raw: view.title,
      source: "twin",
    }
    recent = [...recent, event]
    const notice = {
      epoch: fake.epoch(),
      seq,
      atMs: event.atMs,
      nodes: [],
      links: [],
      events: [event],
      topologyChanged: false,
      touched: new Set<string>(),
      incidents: [],
    }
    for (const listener of listeners) listener(notice)
  }
  return { twin, open, names: inventory.devices.map(({ name }) => name) }
}

test("[T2] a view of a site has the events of its incidents; of what stands elsewhere the title says nothing", () => {
  const { twin, open, names } = twoSites()
  const heard: RoundNotice[] = []
  const view = siteView(twin, ["s1"], "bothEnds")
  view.onRound((notice) => heard.push(notice))
  open("101-0", 1, "incident.opened")
  open("102-0", 0, "incident.opened")
  open("103-0", 0, "incident.updated", 3)
  assert.deepEqual(
    heard.flatMap(({ events }) => events.map(({ type, raw }) => [type, raw])),
    [
      ["incident.opened", `${names[1]} is down`],
      ["incident.updated", "Incident with a cause outside your sites or unknown"],
    ],
  )
  assert.equal(heard.length, 2, "a round of another site's incident is not heard")
  assert.deepEqual(
    view.recentEvents(),
    heard.flatMap(({ events }) => events),
  )
  assert.ok(
    heard.every((notice) => !("incidents" in notice)),
    "what storage hears is nobody else's",
  )
  assert.equal(view.incident?.("102-0"), null)
  assert.equal(view.incident?.("101-0")?.title, `${names[1]} is down`)
  // Without one that knows incidents nothing is told rather than everything.
  const { incident: _unknown, ...blind } = twin
  assert.deepEqual(siteView(blind, ["s1"]).recentEvents(), [])
})

test("[T2] on the wire: whoever is bound to a site hears of its incidents, and no byte of another's", async () => {
  const { twin, open, names } = twoSites()
  const session = { id: "s", user: { id: "u", name: "u", tenant: twin.tenant.id }, expiresAtMs: Date.now() + 3_600_000 }
  const who: Principal = { ...principalOf(session, ["technician"]), sites: ["s1"] }
  const doors = makeDoors(() => Effect.succeed(who), Date.now)
  const metrics = makeMetrics()
  const twins = { byTenant: () => twin, all: () => [twin] }
  const common = { doors, metrics, log: silentLog, publicUrl: null, nowMs: Date.now, twins }
  const scope = Scope.makeUnsafe()
  const { stream, http } = await Effect.runPromise(
    Scope.provide(
      Effect.gen(function* () {
        const made = yield* makeStream({ ...common, viewersMax: 10, limits: { frameGapMs: 5, urgentGapMs: 5 } })
        const serving = { metricsToken: null, staticDir: null, basemapPath: () => null, ready: () => true }
        const served = yield* makeHttp({
          host: "127.0.0.1",
          port: 0,
          api: testDeps(common),
          metrics,
          stream: made,
          ...serving,
        } as never)
        return { stream: made, http: served }
      }),
      scope,
    ),
  )
  stream.attach(twin)
  open("100-0", 0, "incident.opened")
  const viewer = await openViewer(`${http.url}/stream`, { cookie: "heliograph_session=x" })
  viewer.send(hello())
  await viewer.until(() => viewer.state.nodes !== null && viewer.state.seq > 0)
  open("101-0", 0, "incident.opened")
  open("102-0", 1, "incident.opened")
  open("103-0", 0, "incident.updated", 3)
  const titles = (): readonly (string | null)[] =>
    viewer.frames.flatMap((frame) => (frame.kind === "EVENT" ? frame.events.map(({ raw }) => raw) : []))
  await viewer.until(() => titles().length >= 2)
  assert.deepEqual(titles(), [`${names[1]} is down`, "Incident with a cause outside your sites or unknown"])
  const bytes = Buffer.concat(viewer.bytes).toString("latin1")
  for (const foreign of [names[0]!, names[2]!]) assert.ok(!bytes.includes(foreign), foreign)
  await viewer.close()
  await Effect.runPromise(Scope.close(scope, Exit.void))
})
