/** [I6] Windows, changes and mutes over real HTTP on a real database: who may, what silences when, what the twin is told. */
import assert from "node:assert/strict"
import test, { before, beforeEach, describe } from "node:test"
import { MAY_BECOME } from "#engine/maintenance/change-states.ts"
import { NOW_MS, useRulesServer } from "#engine/rules/rules-server.fixture.ts"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"
import { CHANGE_STATES, type MaintenanceWindow, type Silence } from "#protocol/maintenance.ts"

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

interface Row {
  readonly window: MaintenanceWindow
  readonly active: boolean
  readonly next: { readonly fromMs: number; readonly toMs: number } | null
  readonly updatedBy: string
}
const rowOf = (body: unknown): Row => body as Row
const rowsOf = (body: unknown): readonly Row[] => (body as { items: readonly Row[] }).items

const fields = (more: Partial<MaintenanceWindow> = {}): Omit<MaintenanceWindow, "id" | "changeState"> => ({
  kind: "maintenance",
  title: "New power supply",
  note: "ticket 4711",
  scope: {},
  sparesCritical: false,
  startsAtMs: NOW_MS + HOUR,
  durationSeconds: 7_200,
  recurrence: { every: "never" },
  timeZone: "America/Sao_Paulo",
  untilMs: null,
  ...more,
})

describe("[I6] maintenance by REST", { skip: NO_POSTGRES }, () => {
  const server = useRulesServer()
  let noc: string
  let viewer: string
  let bound: string
  let stranger: string
  before(() => {
    const { a, b } = server
    noc = server.as({ tenant: a, userId: "noc", roles: ["noc"] })
    viewer = server.as({ tenant: a, userId: "viewer", roles: ["viewer"] })
    bound = server.as({ tenant: a, userId: "bound", roles: ["noc"], sites: ["pop-2"] })
    stranger = server.as({ tenant: b, userId: "stranger" })
  })
  beforeEach(() => {
    server.clock.ms = NOW_MS
  })
  const ask = (...args: Parameters<typeof server.ask>) => server.ask(...args)
  const plan = async (more: Partial<MaintenanceWindow> = {}, who = noc): Promise<Row> => {
    const { status, body, text } = await ask(who, "POST", "/maintenance", fields(more))
    assert.equal(status, 200, text)
    return rowOf(body)
  }
  const read = async (id: string, who = noc): Promise<Row> => rowOf((await ask(who, "GET", `/maintenance/${id}`)).body)
  const silence = (id: string): Silence | undefined =>
    server
      .judgement(server.a)
      .silences()
      .silences.find((one) => one.id === id)

  test("[I6] planned, read with its tag, changed carefully, told to the twin, removed", async () => {
    const made = await plan({ scope: { by_site_ids: ["pop-1"] }, sparesCritical: true })
    const { id } = made.window
    assert.deepEqual(made.window, { id, ...fields({ scope: { by_site_ids: ["pop-1"] }, sparesCritical: true }) })
    assert.deepEqual([made.active, made.updatedBy], [false, "noc"])
    assert.deepEqual(made.next, { fromMs: NOW_MS + HOUR, toMs: NOW_MS + 3 * HOUR })
    assert.deepEqual(silence(id), {
      id,
      kind: "maintenance",
      reason: "New power supply: ticket 4711",
      scope: { by_site_ids: ["pop-1"] },
      sparesCritical: true,
      times: [[NOW_MS + HOUR, NOW_MS + 3 * HOUR]],
    })
    const got = await ask(viewer, "GET", `/maintenance/${id}`)
    const longer = fields({ durationSeconds: 10_800 })
    assert.equal((await ask(noc, "PUT", `/maintenance/${id}`, longer, { "if-match": '"x"' })).status, 412)
    const put = await ask(noc, "PUT", `/maintenance/${id}`, longer, { "if-match": got.etag! })
    assert.equal(put.status, 200, put.text)
    assert.deepEqual(silence(id)?.times, [[NOW_MS + HOUR, NOW_MS + 4 * HOUR]])
    assert.equal((await ask(noc, "DELETE", `/maintenance/${id}`, undefined, { "if-match": got.etag! })).status, 412)
    assert.equal((await ask(noc, "DELETE", `/maintenance/${id}`)).status, 204)
    assert.equal(silence(id), undefined)
    assert.equal((await ask(noc, "GET", `/maintenance/${id}`)).status, 404)
  })

  test("[I6] the same request with one key plans one window", async () => {
    const send = () => ask(noc, "POST", "/maintenance", fields({ title: "Once" }), { "idempotency-key": "k-1" })
    const [first, second] = [await send(), await send()]
    assert.equal(rowOf(first.body).window.id, rowOf(second.body).window.id)
    const found = rowsOf((await ask(noc, "GET", "/maintenance?q=once")).body)
    assert.equal(found.length, 1)
  })

  test("[I6] who may: the noc plans, a viewer reads, another tenant finds nothing", async () => {
    const { window } = await plan()
    assert.equal((await ask(viewer, "POST", "/maintenance", fields())).status, 403)
    assert.equal((await ask(viewer, "GET", `/maintenance/${window.id}`)).status, 200)
    for (const [method, path, body] of [
      ["GET", "", undefined],
      ["PUT", "", fields()],
      ["DELETE", "", undefined],
      ["POST", "/end", undefined],
      ["POST", "/state", { state: "canceled" }],
    ] as const)
      assert.equal((await ask(stranger, method, `/maintenance/${window.id}${path}`, body)).status, 404, method + path)
    assert.equal(rowsOf((await ask(stranger, "GET", "/maintenance")).body).length, 0)
    assert.equal((await ask(noc, "GET", "/maintenance/not-a-uuid")).status, 404)
  })

  test("[I6] whoever is bound to sites plans for these, sees what covers them, and changes nothing else", async () => {
    const [elsewhere, everywhere] = [await plan({ scope: { by_site_ids: ["pop-1"] } }), await plan()]
    assert.equal((await ask(bound, "POST", "/maintenance", fields())).status, 422)
    assert.equal((await ask(bound, "POST", "/maintenance", fields({ scope: { by_site_ids: ["pop-1"] } }))).status, 422)
    const { r1, r2 } = server.devices
    assert.equal((await ask(bound, "POST", "/maintenance", fields({ scope: { by_device_ids: [r1] } }))).status, 422)
    const own = await plan({ scope: { by_device_ids: [r2] } }, bound)
    await plan({ scope: { by_site_ids: ["pop-2"] } }, bound)
    assert.equal((await ask(bound, "GET", `/maintenance/${elsewhere.window.id}`)).status, 404)
    assert.equal((await ask(bound, "GET", `/maintenance/${everywhere.window.id}`)).status, 200)
    assert.equal((await ask(bound, "DELETE", `/maintenance/${everywhere.window.id}`)).status, 422)
    assert.equal((await ask(bound, "DELETE", `/maintenance/${own.window.id}`)).status, 204)
    const ids = rowsOf((await ask(bound, "GET", "/maintenance?limit=1000")).body).map(({ window }) => window.id)
    assert.ok(ids.includes(everywhere.window.id) && !ids.includes(elsewhere.window.id))
  })

  test("[I6] what cannot be is refused in words", async () => {
    const refused = async (more: Partial<MaintenanceWindow>, words: RegExp) => {
      const { status, body } = await ask(noc, "POST", "/maintenance", fields(more))
      assert.equal(status, 422, JSON.stringify(more))
      assert.match(body.detail, words)
    }
    await refused({ timeZone: "Mars/Olympus" }, /IANA/)
    await refused({ startsAtMs: NOW_MS - DAY, durationSeconds: 60 }, /over already/)
    await refused({ untilMs: NOW_MS + DAY }, /recur/)
    await refused({ recurrence: { every: "day" }, untilMs: NOW_MS }, /before the first/)
    await refused({ kind: "change", recurrence: { every: "day" } }, /once/)
    await refused({ startsAtMs: NOW_MS + 4_000 * DAY }, /ten years/)
    await refused({ rule: "no-such-rule" }, /no such rule/)
    const { window } = await plan()
    const kind = await ask(noc, "PUT", `/maintenance/${window.id}`, fields({ kind: "mute" }))
    assert.match(kind.body.detail, /stays one/)
    for (const body of [{}, { ...fields(), durationSeconds: 59 }, { ...fields(), scope: { by_roles: ["king"] } }])
      assert.equal((await ask(noc, "POST", "/maintenance", body)).status, 400)
  })

  test("[I6] a window that recurs: its next occurrences are with the twin, two months at most, at one local time", async () => {
    const { window } = await plan({ recurrence: { every: "week", on: ["sat"] } })
    const times = silence(window.id)?.times ?? []
    assert.ok(times.length === 9 || times.length === 8, String(times.length))
    for (const [fromMs, toMs] of times) {
      assert.equal(toMs - fromMs, 2 * HOUR)
      assert.equal((fromMs - NOW_MS - HOUR) % (7 * DAY), 0, "Brazil has no daylight saving")
    }
    const daily = await plan({ recurrence: { every: "day" }, untilMs: NOW_MS + 10 * DAY })
    assert.equal(silence(daily.window.id)?.times.length, 10)
  })

  test("[I6] ended by hand: what goes on now is over, the next one comes", async () => {
    const { window } = await plan({ recurrence: { every: "day" }, startsAtMs: NOW_MS - HOUR })
    assert.equal((await read(window.id)).active, true)
    const ended = await ask(noc, "POST", `/maintenance/${window.id}/end`)
    assert.equal(ended.status, 200, ended.text)
    assert.equal(rowOf(ended.body).active, false)
    assert.deepEqual(rowOf(ended.body).next, { fromMs: NOW_MS + 23 * HOUR, toMs: NOW_MS + 25 * HOUR })
    assert.deepEqual(silence(window.id)?.times.slice(0, 2), [
      [NOW_MS - HOUR, NOW_MS],
      [NOW_MS + 23 * HOUR, NOW_MS + 25 * HOUR],
    ])
    assert.equal((await ask(noc, "POST", `/maintenance/${window.id}/end`)).status, 409)
    server.clock.ms = NOW_MS + 24 * HOUR
    assert.equal((await read(window.id)).active, true)
  })

  test("[I6] a change silences from its beginning by hand to its end by hand, and no longer than planned", async () => {
    const { window } = await plan({ kind: "change", startsAtMs: NOW_MS - HOUR })
    const state = (to: string) => ask(noc, "POST", `/maintenance/${window.id}/state`, { state: to })
    assert.equal(window.changeState, "planned")
    assert.equal((await read(window.id)).active, false, "planned work that nobody began hides nothing")
    assert.equal(silence(window.id), undefined)
    const begun = await state("in_progress")
    assert.deepEqual([rowOf(begun.body).active, rowOf(begun.body).window.changeState], [true, "in_progress"])
    assert.deepEqual(silence(window.id)?.times, [[NOW_MS, NOW_MS + HOUR]])
    server.clock.ms = NOW_MS + HOUR
    assert.equal((await read(window.id)).active, false, "longer than it was said to")
    server.clock.ms = NOW_MS + MINUTE
    const done = await state("completed")
    assert.deepEqual(
      [rowOf(done.body).active, rowOf(done.body).next],
      [false, { fromMs: NOW_MS - HOUR, toMs: NOW_MS + HOUR }],
    )
    assert.equal(silence(window.id), undefined)
    assert.equal((await ask(noc, "PUT", `/maintenance/${window.id}`, fields({ kind: "change" }))).status, 422)
  })

  test("[I6] the life of a change is a total table: every move of every state is as it says", async () => {
    const way: Record<(typeof CHANGE_STATES)[number], readonly string[]> = {
      planned: [],
      in_progress: ["in_progress"],
      completed: ["in_progress", "completed"],
      canceled: ["canceled"],
    }
    for (const from of CHANGE_STATES)
      for (const to of CHANGE_STATES) {
        const { window } = await plan({ kind: "change" })
        const move = (state: string) => ask(noc, "POST", `/maintenance/${window.id}/state`, { state })
        for (const step of way[from]) assert.equal((await move(step)).status, 200)
        assert.equal((await move(to)).status, MAY_BECOME[from][to] ? 200 : 409, `${from} to ${to}`)
      }
    const { window } = await plan()
    assert.equal((await ask(noc, "POST", `/maintenance/${window.id}/state`, { state: "canceled" })).status, 409)
    const late = await plan({ kind: "change" })
    server.clock.ms = NOW_MS + 3 * HOUR
    const refused = await ask(noc, "POST", `/maintenance/${late.window.id}/state`, { state: "in_progress" })
    assert.equal(refused.status, 409)
    assert.match(refused.body.detail, /over/)
  })

  test("[I6] lists: newest first, in pages, by kind and by whether they are over", async () => {
    const all = rowsOf((await ask(noc, "GET", "/maintenance?limit=1000")).body)
    const ids = all.map(({ window }) => window.id)
    assert.deepEqual(ids, ids.toSorted().toReversed())
    const paged: string[] = []
    let cursor = ""
    for (;;) {
      const { body } = await ask(noc, "GET", `/maintenance?limit=3${cursor}`)
      paged.push(...rowsOf(body).map(({ window }) => window.id))
      const { next } = body as unknown as { next: string | null }
      if (next === null) break
      cursor = `&cursor=${next}`
    }
    assert.deepEqual(paged, ids)
    const changes = rowsOf((await ask(noc, "GET", "/maintenance?kind=change&limit=1000")).body)
    assert.ok(changes.length > 0 && changes.every(({ window }) => window.kind === "change"))
    const over = rowsOf((await ask(noc, "GET", "/maintenance?when=over&limit=1000")).body).length
    const current = rowsOf((await ask(noc, "GET", "/maintenance?when=current&limit=1000")).body).length
    assert.ok(over > 0 && current > 0)
    assert.equal(over + current, all.length)
  })

  test("[I6] the calendar: occurrences in order, of the windows beside them, at most a thousand", async () => {
    const calendar = async (fromMs: number, toMs: number) =>
      (await ask(viewer, "GET", `/maintenance/calendar?from=${fromMs}&to=${toMs}`)) as unknown as {
        status: number
        body: {
          items: ReadonlyArray<{ window: string; fromMs: number; toMs: number }>
          windows: readonly MaintenanceWindow[]
          truncated: boolean
        }
      }
    const { body } = await calendar(NOW_MS, NOW_MS + 30 * DAY)
    const starts = body.items.map(({ fromMs }) => fromMs)
    assert.ok(starts.length > 40)
    assert.deepEqual(
      starts,
      starts.toSorted((a, b) => a - b),
    )
    assert.deepEqual(new Set(body.items.map(({ window }) => window)), new Set(body.windows.map(({ id }) => id)))
    assert.equal(body.truncated, false)
    for (const one of body.windows) assert.notEqual(one.changeState, "canceled")
    for (let nth = 0; nth < 3; nth++) await plan({ recurrence: { every: "day" } })
    const year = await calendar(NOW_MS, NOW_MS + 400 * DAY)
    assert.deepEqual([year.body.items.length, year.body.truncated], [1_000, true])
    assert.equal((await calendar(NOW_MS, NOW_MS)).status, 400)
    assert.equal((await calendar(NOW_MS, NOW_MS + 401 * DAY)).status, 400)
  })

  test("[S6] every act is on record by its name", async () => {
    const actions = new Set((await server.acts()).map(({ action }) => action))
    for (const one of ["create", "update", "delete", "state", "end"]) assert.ok(actions.has(`maintenance.${one}`), one)
  })
})
