/** [I11] [I12] Incidents that are over, over the whole engine: pages, one, report, late words, whose they are to see, feedback. */
import assert from "node:assert/strict"
import { before, describe, test } from "node:test"
import * as Effect from "effect/Effect"
import { incident } from "#engine/incidents/incident.fixture.ts"
import { readIncident, storeIncidents } from "#engine/incidents/stored-incidents.ts"
import { call, somebody, useTwoTenants, type Somebody } from "#engine/isolation/two-tenants.fixture.ts"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"
import { appendEvents } from "#engine/storage/events.ts"
import { siteView } from "#engine/tenant/site-view.ts"
import { sitesOf } from "#engine/incidents/sites-of.ts"
import { incidentOf } from "#protocol/view.ts"
import type { EventView } from "#protocol/view.ts"
import type { CauseMember, IncidentRow, IncidentView } from "#protocol/incident.ts"

interface Answer<A> {
  readonly status: number
  readonly body: A
}
interface List {
  readonly items: readonly IncidentRow[]
  readonly next: string | null
}
interface Feedback {
  readonly rows: ReadonlyArray<{ fault: string; from: number; right: number; wrong: number; said: number }>
  readonly confirmed: number
  readonly unnamed: number
  readonly shifts: ReadonlyArray<{ fault: string; confirmations: number; right: number; shift: number }>
  readonly log: ReadonlyArray<{ incident: string; by: string; fault: string; from: number; to: number }>
}

interface Events {
  readonly items: readonly EventView[]
  readonly next: string | null
}

describe("[I12] incidents that are over", { skip: NO_POSTGRES }, () => {
  const it = useTwoTenants()
  const people: Record<string, Somebody> = {}
  let device: Readonly<Record<string, string>> = {}
  const get = async <A>(who: string, path: string): Promise<Answer<A>> => {
    const answer = await call(it, "GET", path, people[who]!.headers)
    return { status: answer.status, body: (await answer.json()) as A }
  }
  const send = async <A>(who: string, method: string, path: string, body?: object): Promise<Answer<A>> => {
    const answer = await call(it, method, path, { ...people[who]!.headers, origin: it.url }, body)
    const text = await answer.text()
    return { status: answer.status, body: (text === "" ? null : JSON.parse(text)) as A }
  }
  const twin = () => it.engine.tenants().find((one) => one.twin.tenant.id === it.a.id)!.twin
  const nextRound = (): Promise<void> =>
    new Promise((heard) => {
      const stop = twin().onRound(() => {
        stop()
        heard()
      })
    })
  const router = (name: string): CauseMember => ({ fault: "router", kind: "device", id: device[name]!, name })
  /** Of a router: its cause, its only symptom. */
  const ended = (n: number, name: string, change: Partial<IncidentView> = {}): IncidentView => {
    const plain = incident()
    return incident({
      id: `${n}-0`,
      title: `${name} is down`,
      startsAtMs: n * 3_600_000,
      endsAtMs: n * 3_600_000 + 60_000,
      causes: [{ ...plain.causes[0]!, members: [router(name)], evidence: [] }],
      impact: { ...plain.impact, sites: [], devices: [], links: [] },
      symptoms: [{ ...plain.symptoms[0]!, device: device[name]!, deviceName: name }],
      timeline: [{ atMs: n * 3_600_000, action: "opened", by: "", text: `${name} is down`, device: device[name]! }],
      ...change,
    })
  }
  const store = (...views: readonly IncidentView[]) =>
    Effect.runPromise(
      storeIncidents(
        it.db,
        it.a.id,
        views.map((view) => ({ seq: 1, view, sites: sitesOf(view, twin().inventory()) })),
      ),
    )
  const boundTo = async (roles: readonly string[], sites: readonly string[]): Promise<Somebody> => {
    const who = await somebody(it, it.a, roles)
    await Effect.runPromise(
      it.db.tenant(it.a.id)((tx) =>
        tx.query("update app_user set sites = $3 where tenant_id = $1 and user_id = $2", [it.a.id, who.userId, sites]),
      ),
    )
    return who
  }
  const nameOf = (who: string): string => `user-${people[who]!.userId}-${it.a.canary}`

  before(async () => {
    device = Object.fromEntries(
      twin()
        .inventory()
        .devices.map(({ id, name }) => [name.split("-")[0]!, id as string]),
    )
    people["noc"] = await somebody(it, it.a, ["noc"])
    people["engineer"] = await somebody(it, it.a, ["engineer"])
    people["viewer"] = await somebody(it, it.a, ["viewer"])
    const { sites, devices } = twin().inventory()
    assert.ok(sites.length >= 2 && devices.every(({ site }) => site === sites[0]!.id))
    people["here"] = await boundTo(["noc"], [sites[0]!.id])
    people["there"] = await boundTo(["noc"], [sites[1]!.id])
    people["stranger"] = await somebody(it, it.b, ["noc"])
    const views = Array.from({ length: 25 }, (_, n) => ended(n + 1, `r${(n % 2) + 1}`))
    await store(...views, ended(90, "r3", { causes: [], title: "of unknown cause" }))
  })

  test("[I12] the list has them in pages, by state, time and cause; open ones come first and counts are of these", async () => {
    const paged: string[] = []
    for (let cursor = ""; ;) {
      const { status, body } = await get<List>("viewer", `/api/v1/incidents?state=closed&limit=7${cursor}`)
      assert.equal(status, 200)
      paged.push(...body.items.map(({ id }) => id))
      if (body.next === null) break
      cursor = `&cursor=${body.next}`
    }
    assert.deepEqual(paged, ["90-0", ...Array.from({ length: 25 }, (_, n) => `${25 - n}-0`)])
    const hour = 3_600_000
    const slice = await get<List>("viewer", `/api/v1/incidents?state=closed&from=${3 * hour}&to=${5 * hour}`)
    assert.deepEqual(
      slice.body.items.map(({ id }) => id),
      ["5-0", "4-0", "3-0"],
    )
    const unknown = await get<List>("viewer", "/api/v1/incidents?cause=unknown")
    assert.deepEqual(
      unknown.body.items.map(({ id }) => id),
      ["90-0"],
    )
    const words = await get<List>("viewer", "/api/v1/incidents?q=UNKNOWN%20cause")
    assert.deepEqual(
      words.body.items.map(({ id }) => id),
      ["90-0"],
    )
    assert.equal((await get("viewer", "/api/v1/incidents?cursor=bm9uZQ")).status, 400)
    assert.equal((await get("viewer", "/api/v1/incidents?cause=gremlins")).status, 400)
    assert.equal((await get<List>("viewer", "/api/v1/incidents?q=%00")).status, 200)
  })

  test("[I12] any of them opens, with its report; one that never was, and another tenant's, do not exist", async () => {
    const one = await get<IncidentView>("viewer", "/api/v1/incidents/3-0")
    assert.deepEqual(one.body, ended(3, "r1"))
    const report = await get<{ text: string; file: string }>("viewer", "/api/v1/incidents/3-0/postmortem")
    assert.ok(report.body.text.startsWith("# r1 is down"))
    const json = await get<{ text: string }>("viewer", "/api/v1/incidents/3-0/postmortem?format=json")
    assert.deepEqual((JSON.parse(json.body.text) as { incident: unknown }).incident, ended(3, "r1"))
    assert.equal((await get("viewer", "/api/v1/incidents/999-0")).status, 404)
    for (const path of ["3-0", "3-0/postmortem"])
      assert.equal((await get("stranger", `/api/v1/incidents/${path}`)).status, 404)
    assert.deepEqual((await get<List>("stranger", "/api/v1/incidents?state=closed")).body.items, [])
    assert.equal((await send("stranger", "POST", "/api/v1/incidents/3-0/notes", { text: "mine" })).status, 404)
  })

  test("[I12] whoever is bound to sites sees what touches these, and nothing else exists", async () => {
    assert.equal((await get<List>("here", "/api/v1/incidents?state=closed&limit=1000")).body.items.length, 26)
    assert.deepEqual((await get<List>("there", "/api/v1/incidents?state=closed")).body.items, [])
    for (const path of ["3-0", "3-0/postmortem", "3-0/assignees"])
      assert.equal((await get("there", `/api/v1/incidents/${path}`)).status, 404, path)
    assert.equal((await send("there", "POST", "/api/v1/incidents/3-0/notes", { text: "mine" })).status, 404)
    // One that both of two sites share is cut.
    const other = twin().inventory().sites[1]!.id as string
    const both = ended(50, "r1", { impact: { ...incident().impact, sites: [other], devices: [], links: [] } })
    await store(both)
    const { body } = await get<List>("there", "/api/v1/incidents?state=closed")
    assert.deepEqual(
      body.items.map(({ id, cause }) => [id, cause?.members[0]?.name]),
      [["50-0", "outside your sites"]],
    )
    const text = JSON.stringify([body, (await get("there", "/api/v1/incidents/50-0")).body])
    for (const foreign of [device["r1"]!, "r1 is down"]) assert.ok(!text.includes(foreign), foreign)
  })

  test("[S1] [I12] events of incidents: whoever is bound to sites hears of those that touch these, as they may read them", async () => {
    const other = twin().inventory().sites[1]!.id as string
    const both = ended(70, "r1", { impact: { ...incident().impact, sites: [other], devices: [], links: [] } })
    await store(both, ended(71, "r2"))
    const event = (id: string, entity: string, type = "incident.updated"): EventView => ({
      id,
      atMs: 1_000,
      type,
      severity: "major",
      subject: it.a.id,
      subjectKind: "tenant",
      entity,
      old: null,
      new: "open",
      raw: "r1 is down",
      source: "twin",
    })
    const ours = [
      event("70-0", "", "incident.opened"),
      event("71-0", "", "incident.opened"),
      event("71-1", "71-0"),
      event("72-0", "70-0"),
      // Of one that nobody has any more.
      event("73-0", "999-0"),
      // No incident, though it says so: only what is of the tenant is.
      { ...event("74-0", "70-0"), subject: "019a0000-0000-7000-8000-00000000dead", subjectKind: "device" as const },
    ]
    await Effect.runPromise(appendEvents(it.db, it.a.id, ours))
    const names = new Set(ours.map(({ id }) => id))
    const heard = async (who: string, limit: number): Promise<readonly EventView[]> => {
      const all: EventView[] = []
      for (let cursor = ""; ;) {
        const page = await get<Events>(who, `/api/v1/events?limit=${limit}&to=1000${cursor}`)
        assert.equal(page.status, 200)
        all.push(...page.body.items.filter(({ id }) => names.has(id)))
        if (page.body.next === null) return all
        cursor = `&cursor=${page.body.next}`
      }
    }
    const told = async (who: string, limit = 500) => (await heard(who, limit)).map(({ id, raw }) => [id, raw])
    const outside = "Incident with a cause outside your sites or unknown"
    for (const limit of [500, 1]) {
      assert.deepEqual(await told("there", limit), [
        ["72-0", outside],
        ["70-0", outside],
      ])
      assert.deepEqual(await told("here", limit), [
        ["72-0", "r1 is down"],
        ["71-1", "r2 is down"],
        ["71-0", "r2 is down"],
        ["70-0", "r1 is down"],
      ])
    }
    assert.equal((await told("viewer")).length, ours.length, "whoever sees all sees all")
    assert.deepEqual(await told("stranger"), [])
  })

  test("[I11] words after the end stay; what needs an open one is refused and leaves no row in the audit", async () => {
    const noted = await send<IncidentView>("noc", "POST", "/api/v1/incidents/7-0/notes", { text: "the fuse was old" })
    assert.equal(noted.status, 200)
    assert.deepEqual(noted.body.timeline.at(-1)?.text, "the fuse was old")
    assert.equal(noted.body.timeline.at(-1)?.by, nameOf("noc"))
    const again = await get<IncidentView>("viewer", "/api/v1/incidents/7-0")
    assert.deepEqual(again.body, noted.body)
    assert.deepEqual(
      (await get<List>("viewer", "/api/v1/incidents?q=fuse")).body.items.map(({ id }) => id),
      ["7-0"],
    )
    const acts = async (): Promise<readonly string[]> =>
      Effect.runPromise(
        it.db.tenant(it.a.id)(async (tx) => {
          const sql = "select action from audit_entry where tenant_id = $1 and object_id = '7-0' order by seq"
          return (await tx.query<{ action: string }>(sql, [it.a.id])).rows.map(({ action }) => action)
        }),
      )
    assert.deepEqual(await acts(), ["incident.note"])
    assert.equal((await send("noc", "PUT", "/api/v1/incidents/7-0/ack", {})).status, 422)
    assert.equal((await send("noc", "POST", "/api/v1/incidents/7-0/close", { note: "x" })).status, 422)
    assert.deepEqual(await acts(), ["incident.note"])
  })

  test("[I12] what it truly was stands beside what was said; the table counts it, and the twin learns it, corrections too", async () => {
    const confirm = (id: string, members: readonly CauseMember[]) =>
      send<IncidentView>("engineer", "PUT", `/api/v1/incidents/${id}/confirmation`, { members, note: "seen on site" })
    const right = await confirm("9-0", [router("r1")])
    assert.equal(right.status, 200)
    assert.deepEqual(right.body.confirmed?.verdict, { fault: "router", confidence: 0.97, isRight: true })
    for (const n of [11, 13, 15, 17, 19])
      assert.equal((await confirm(`${n}-0`, [router("r2")])).body.confirmed?.verdict?.isRight, false)
    assert.deepEqual((await confirm("90-0", [router("r3")])).body.confirmed?.verdict, {
      fault: null,
      confidence: null,
      isRight: false,
    })
    const told = (await get<Feedback>("viewer", "/api/v1/incidents/feedback")).body
    assert.deepEqual(
      told.rows.map(({ fault, from, right: good, wrong }) => [fault, from, good, wrong]),
      [["router", 0.95, 1, 5]],
    )
    assert.ok(Math.abs(told.rows[0]!.said - 0.97) < 1e-9)
    assert.deepEqual([told.confirmed, told.unnamed], [7, 1])
    assert.deepEqual(
      told.shifts.map(({ fault, confirmations, right: good }) => [fault, confirmations, good]),
      [["router", 6, 1]],
    )
    assert.ok(told.shifts[0]!.shift < 0, "it was too sure")
    assert.ok(told.log.length >= 2 && told.log[0]!.by === nameOf("engineer"))
    assert.equal(told.log[0]!.to, told.shifts[0]!.shift)
    // Somebody was mistaken: what it had taught is taken back.
    for (const n of [11, 13, 15, 17, 19])
      assert.equal((await confirm(`${n}-0`, [router("r1")])).body.confirmed?.verdict?.isRight, true)
    const corrected = (await get<Feedback>("viewer", "/api/v1/incidents/feedback")).body
    assert.deepEqual(
      corrected.rows.map((row) => [row.right, row.wrong]),
      [[6, 0]],
    )
    assert.deepEqual(
      corrected.shifts.map((one) => [one.confirmations, one.right, one.shift >= 0]),
      [[6, 6, true]],
    )
    const bound = (await get<Feedback>("there", "/api/v1/incidents/feedback")).body
    assert.deepEqual([bound.confirmed, bound.shifts, bound.log], [0, [], []])
    assert.equal((await get<Feedback>("stranger", "/api/v1/incidents/feedback")).body.confirmed, 0)
    const long = await get<Feedback>("viewer", "/api/v1/incidents/feedback?to=1")
    assert.equal(long.body.confirmed, 0)
  })

  test("[I11] who may be given it: people who see it, in pages; nobody else is listed or taken", async () => {
    const names = async (more = ""): Promise<readonly string[]> => {
      const found: string[] = []
      for (let cursor = ""; ;) {
        const { status, body } = await get<{ items: ReadonlyArray<{ name: string }>; next: string | null }>(
          "noc",
          `/api/v1/incidents/3-0/assignees?limit=2${more}${cursor}`,
        )
        assert.equal(status, 200)
        found.push(...body.items.map(({ name }) => name))
        if (body.next === null) return found
        cursor = `&cursor=${body.next}`
      }
    }
    const wanted = ["admin", ...["noc", "engineer", "viewer", "here"].map(nameOf)]
    assert.deepEqual((await names()).toSorted(), wanted.toSorted())
    assert.deepEqual(await names(`&q=${people["here"]!.userId.toUpperCase()}`), [nameOf("here")])
    assert.equal((await get("viewer", "/api/v1/incidents/3-0/assignees")).status, 403)
  })

  test("[I11] [I12] an open one goes to whoever sees it, and stands in the table when it is closed", async () => {
    const rule = {
      id: "silent",
      rule_schema_version: "1",
      name: "silent",
      enabled: true,
      severity: "critical",
      scope: {},
      condition: { type: "absent", metric: "device.cpu_pct", seconds: 1 },
      for_seconds: 0,
      recover_seconds: 0,
      cooldown_seconds: 0,
      annotations: { summary_template: "silence of {{device}}", runbook_url: "https://example.net/runbook" },
    }
    people["admin"] = await somebody(it, it.a, ["tenant_admin"])
    assert.equal((await send("admin", "PUT", "/api/v1/alert-rules/silent", rule)).status, 200)
    const open = async (): Promise<string | undefined> =>
      (await get<List>("viewer", "/api/v1/incidents?state=open")).body.items[0]?.id
    let id = await open()
    for (; id === undefined; id = await open()) await nextRound()
    const assign = async (user: string): Promise<number> =>
      (await send("noc", "PUT", `/api/v1/incidents/${id}/assignee`, { user })).status
    assert.equal(await assign(nameOf("there")), 422, "of other sites")
    assert.equal(await assign("nobody"), 422)
    assert.equal(await assign(nameOf("stranger")), 422, "of another tenant")
    assert.equal(await assign(nameOf("here")), 200)
    assert.equal(await assign(nameOf("viewer")), 200)
    const closed = await send<IncidentView>("noc", "POST", `/api/v1/incidents/${id}/close`, { note: "a drill" })
    assert.equal(closed.body.state, "closed")
    const stored = () => Effect.runPromise(it.db.tenant(it.a.id)((tx) => readIncident(tx, it.a.id, id)))
    let row = await stored()
    // The table follows: it may have had an earlier end of the same one.
    const isLast = (): boolean => (row?.view.updatedAtMs ?? 0) >= closed.body.updatedAtMs
    for (; !isLast(); row = await stored()) await nextRound()
    assert.ok(row !== null)
    assert.deepEqual([row.view.assignee, row.view.state], [nameOf("viewer"), "closed"])
    assert.ok(row.seq > 0)
    assert.deepEqual(row.sites, [twin().inventory().sites[0]!.id])
    // Stream and REST tell whoever is bound to the site of the same.
    const siteOf = (n: number): string => twin().inventory().sites[n]!.id
    const onStream = (n: number): readonly string[] =>
      siteView(twin(), [siteOf(n)])
        .recentEvents()
        .flatMap((event) => (incidentOf(event) === id ? [event.id] : []))
    const inRest = async (who: string): Promise<readonly string[]> =>
      (await get<Events>(who, "/api/v1/events?limit=500")).body.items.flatMap((event) =>
        incidentOf(event) === id ? [event.id] : [],
      )
    assert.ok(onStream(0).length >= 2)
    const missing = async (): Promise<boolean> => {
      const rest = await inRest("here")
      return onStream(0).some((one) => !rest.includes(one))
    }
    while (await missing()) await nextRound()
    assert.deepEqual([onStream(1), await inRest("there")], [[], []])
    // In the list it stands once, whoever has it.
    const { items } = (await get<List>("viewer", "/api/v1/incidents?state=closed&limit=1000")).body
    assert.equal(items.filter((one) => one.id === id).length, 1)
  })
})
