/** [I12] Closed incidents on a real PostgreSQL: they come back to the character, once, the newest of them, in pages. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import * as Effect from "effect/Effect"
import fc from "fast-check"
import { anyIncident, anyMember, anyVerdict, incident, LINK, plain } from "#engine/incidents/incident.fixture.ts"
import { rowOf } from "#engine/incidents/row.ts"
import {
  listIncidents,
  listWhole,
  pruneIncidents,
  readIncident,
  rewriteIncident,
  storeIncidents,
  type StoredFilter,
} from "#engine/incidents/stored-incidents.ts"
import { COLUMNS, lineOf, valuesOf, viewOf } from "#engine/incidents/stored-row.ts"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { decodeBatch, encodeBatch } from "#engine/tenant/journal-codec.ts"
import { hostileText, START_MS } from "#engine/tenant/network.fixture.ts"
import { wellFormed } from "#engine/tenant/well-formed.ts"
import type { TenantId } from "#protocol/id.ts"
import type { IncidentAct } from "#twin/incident/act.ts"
import type { IncidentInput } from "#twin/input.ts"

const run = Effect.runPromise
const ALL: StoredFilter = { sites: null, without: [], after: null, limit: 100 }

test("[I12] a row gives back the very incident and its line, whatever is written in it", () => {
  fc.assert(
    fc.property(anyIncident, (view) => {
      const values = valuesOf({ seq: 1, view, sites: [] })
      assert.equal(values.length, COLUMNS.length)
      assert.deepEqual(lineOf(values.at(-2) as string), rowOf(view))
      assert.deepEqual(viewOf(values.at(-1) as Buffer), view)
    }),
  )
})

test("[J1] what people do to incidents survives the journal, verdicts included", () => {
  const anyAct: fc.Arbitrary<IncidentAct> = fc.oneof(
    fc.record({ act: fc.constant("ack" as const), untilMs: fc.nat() }),
    fc.record({ act: fc.constant("unack" as const) }),
    fc.record({ act: fc.constant("assign" as const), user: fc.option(hostileText) }),
    fc.record({ act: fc.constant("note" as const), text: hostileText }),
    fc.record({ act: fc.constantFrom("escalate" as const, "close" as const), note: hostileText }),
    fc.record(
      {
        act: fc.constant("confirm" as const),
        members: fc.array(anyMember, { maxLength: 3 }),
        note: hostileText,
        verdict: anyVerdict,
        replaces: anyVerdict,
      },
      { requiredKeys: ["act", "members", "note"] },
    ),
  )
  fc.assert(
    fc.property(anyAct, hostileText, (act, by) => {
      const input: IncidentInput = wellFormed({
        kind: "incident",
        atMs: START_MS,
        incident: "1-0",
        by,
        act: plain(act),
      })
      assert.deepEqual(decodeBatch(encodeBatch([{ seq: 7, input }])), [{ seq: 7, input }])
    }),
  )
})

describe("[I12] the table of incidents", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()
  const store = (tenant: TenantId, ...some: Parameters<typeof storeIncidents>[2]) =>
    run(storeIncidents(it.db, tenant, some))
  const read = (tenant: TenantId, id: string) => run(it.db.tenant(tenant)((tx) => readIncident(tx, tenant, id)))
  const list = (tenant: TenantId, filter: Partial<StoredFilter> = {}) =>
    run(it.db.tenant(tenant)((tx) => listIncidents(tx, tenant, { ...ALL, ...filter })))
  const ids = async (tenant: TenantId, filter: Partial<StoredFilter> = {}) =>
    (await list(tenant, filter)).map(({ id }) => id)

  test("hostile words cost no row and no character; another tenant has none of it", async () => {
    const [tenant, other] = [await it.newTenant(), await it.newTenant()]
    const views = fc
      .sample(anyIncident, 60)
      .map((view, index) => ({ ...view, id: `${index + 1}-0`, state: "closed" as const }))
    await store(tenant, ...views.map((view) => ({ seq: 1, view, sites: ["\u0000\ud800"] })))
    for (const view of views) assert.deepEqual((await read(tenant, view.id))?.view, view)
    assert.equal((await list(tenant)).length, 60)
    assert.deepEqual(await list(other), [])
    assert.equal(await read(other, "1-0"), null)
  })

  test("the same again changes nothing, a newer one takes its place, an older one does not; a hole is filled once", async () => {
    const tenant = await it.newTenant()
    const first = incident()
    const later = incident({ title: "later", assignee: "ana" })
    await store(tenant, { seq: 5, view: first, sites: ["a"] })
    await store(tenant, { seq: 5, view: incident({ title: "never" }), sites: [] })
    assert.deepEqual(await read(tenant, "10-0"), { seq: 5, view: first, sites: ["a"] })
    await store(tenant, { seq: 9, view: later, sites: ["a", "b"] })
    await store(tenant, { seq: 7, view: first, sites: [] }, { seq: 0, view: first, sites: [] })
    assert.deepEqual(await read(tenant, "10-0"), { seq: 9, view: later, sites: ["a", "b"] })
    await store(tenant, { seq: 0, view: incident({ id: "11-0" }), sites: [] })
    assert.equal((await read(tenant, "11-0"))?.seq, 0)
    await store(tenant, { seq: 3, view: incident({ id: "11-0", title: "told" }), sites: [] })
    assert.equal((await read(tenant, "11-0"))?.view.title, "told")
  })

  test("one that opened again is the twin's until it closes", async () => {
    const tenant = await it.newTenant()
    await store(tenant, { seq: 5, view: incident(), sites: [] })
    await store(tenant, { seq: 6, view: incident({ state: "open", endsAtMs: null }), sites: [] })
    assert.equal(await read(tenant, "10-0"), null)
    assert.deepEqual(await list(tenant), [])
    await store(tenant, { seq: 8, view: incident({ title: "over again" }), sites: [] })
    assert.equal((await read(tenant, "10-0"))?.view.title, "over again")
  })

  test("what somebody says afterwards stays, whatever a replay writes again", async () => {
    const tenant = await it.newTenant()
    await store(tenant, { seq: 5, view: incident(), sites: ["a"] })
    const verdict = { fault: "link", confidence: 0.97, isRight: true } as const
    const said = incident({ confirmed: { by: "ana", atMs: 9_000_000, members: [LINK], note: "", verdict } })
    await run(it.db.tenant(tenant)((tx) => rewriteIncident(tx, tenant, { seq: 5, view: said, sites: ["a"] })))
    await store(tenant, { seq: 5, view: incident(), sites: ["a"] }, { seq: 4, view: incident(), sites: [] })
    assert.deepEqual(await read(tenant, "10-0"), { seq: 5, view: said, sites: ["a"] })
  })

  test("filters: severity, words, site, cause, whose, time; each leaves out what does not fit", async () => {
    const tenant = await it.newTenant()
    const one = incident({ id: "1-0", assignee: "ana", severity: "critical" })
    const two = incident({ id: "2-0", startsAtMs: 5_000_000, endsAtMs: 6_000_000, causes: [], title: "100% of_it" })
    const ack = { by: "ana", atMs: 1, untilMs: 2 }
    const three = incident({ id: "3-0", startsAtMs: 7_000_000, endsAtMs: 8_000_000, ack })
    await store(
      tenant,
      { seq: 1, view: one, sites: ["a"] },
      { seq: 1, view: two, sites: ["a", "b"] },
      { seq: 1, view: three, sites: ["c"] },
    )
    assert.deepEqual(await ids(tenant), ["3-0", "2-0", "1-0"])
    assert.deepEqual(await ids(tenant, { severity: "critical" }), ["1-0"])
    assert.deepEqual(await ids(tenant, { q: "100% OF_" }), ["2-0"])
    assert.deepEqual(await ids(tenant, { q: "%" }), ["2-0"], "no wildcard")
    assert.deepEqual(await ids(tenant, { q: "\u0000" }), [])
    assert.deepEqual(await ids(tenant, { site: "a" }), ["2-0", "1-0"])
    assert.deepEqual(await ids(tenant, { sites: ["b", "c"] }), ["3-0", "2-0"])
    assert.deepEqual(await ids(tenant, { sites: [] }), [])
    assert.deepEqual(await ids(tenant, { cause: "link" }), ["3-0", "1-0"])
    assert.deepEqual(await ids(tenant, { cause: "unknown" }), ["2-0"])
    assert.deepEqual(await ids(tenant, { mine: { who: "ana", is: true } }), ["3-0", "1-0"])
    assert.deepEqual(await ids(tenant, { mine: { who: "ana", is: false } }), ["2-0"])
    assert.deepEqual(await ids(tenant, { from: 6_000_000 }), ["3-0", "2-0"])
    assert.deepEqual(await ids(tenant, { to: 5_000_000 }), ["2-0", "1-0"])
    assert.deepEqual(await ids(tenant, { without: ["2-0"] }), ["3-0", "1-0"])
    const whole = await run(it.db.tenant(tenant)((tx) => listWhole(tx, tenant, { ...ALL, site: "c" })))
    assert.deepEqual(whole, [three])
  })

  test("pages without overlap or hole, also among many of one instant", async () => {
    const tenant = await it.newTenant()
    const views = Array.from({ length: 230 }, (_, n) => incident({ id: `${n}-${n % 7}`, startsAtMs: 1_000 * (n >> 5) }))
    await store(tenant, ...views.map((view) => ({ seq: 1, view, sites: [] })))
    const paged: string[] = []
    for (let after: StoredFilter["after"] = null; ;) {
      const page = await list(tenant, { after, limit: 41 })
      paged.push(...page.map(({ id }) => id))
      const last = page.at(-1)
      if (last === undefined) break
      after = { startsAtMs: last.startsAtMs, id: last.id }
    }
    const wanted = views.toSorted((a, b) => b.startsAtMs - a.startsAtMs || (a.id < b.id ? -1 : 1)).map(({ id }) => id)
    assert.deepEqual(paged, wanted)
  })

  test("retention takes what ended before, of this tenant only", async () => {
    const [tenant, other] = [await it.newTenant(), await it.newTenant()]
    const views = Array.from({ length: 1_203 }, (_, n) => incident({ id: `${n}-0`, endsAtMs: n }))
    await store(tenant, ...views.map((view) => ({ seq: 1, view, sites: [] })))
    await store(other, { seq: 1, view: incident({ endsAtMs: 1 }), sites: [] })
    assert.equal(await run(pruneIncidents(it.db, tenant, 1_200)), 1_200)
    assert.deepEqual((await ids(tenant)).toSorted(), ["1200-0", "1201-0", "1202-0"])
    assert.equal((await list(other)).length, 1)
  })
})
