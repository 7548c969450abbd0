/** Stored events on a real PostgreSQL: newest first, page by page, hostile text included. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import * as Effect from "effect/Effect"
import type { EventView } from "#protocol/view.ts"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { appendEvents, listEvents, pruneEvents } from "#engine/storage/events.ts"

const run = Effect.runPromise
const event = (seq: number, index: number, more: Partial<EventView> = {}): EventView => ({
  id: `${seq}-${index}`,
  atMs: seq * 1000,
  type: "interface.oper.changed",
  severity: "major",
  subject: "019a0000-0000-7000-8000-000000000001",
  subjectKind: "device",
  entity: "if:ether1",
  old: "up",
  new: "down",
  raw: null,
  source: "trap",
  ...more,
})

describe("events", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()

  test("newest first in pages without overlap or hole; writing the same events again changes nothing", async () => {
    const tenant = await it.newTenant()
    const all = Array.from({ length: 1_200 }, (_, i) => event(Math.floor(i / 3) + 1, i % 3))
    await run(appendEvents(it.db, tenant, all))
    await run(appendEvents(it.db, tenant, all.slice(0, 700)))
    const paged: EventView[] = []
    for (let before: string | null = null; ; before = paged.at(-1)!.id) {
      const page: readonly EventView[] = await run(listEvents(it.db, tenant, { before, limit: 500 }))
      if (page.length === 0) break
      paged.push(...page)
    }
    assert.deepEqual(paged, all.toReversed())
  })

  test("filters by subject, type and time; the limit is bounded; a cursor that is none gives nothing", async () => {
    const tenant = await it.newTenant()
    const link = event(5, 0, { subject: "link-1", subjectKind: "link", type: "device.rebooted" })
    await run(appendEvents(it.db, tenant, [event(1, 0), event(2, 0), link, event(9, 0)]))
    const ids = async (query: Parameters<typeof listEvents>[2]) =>
      (await run(listEvents(it.db, tenant, query))).map(({ id }) => id)
    assert.deepEqual(await ids({ subject: "link-1" }), ["5-0"])
    assert.deepEqual(await ids({ type: "device.rebooted" }), ["5-0"])
    assert.deepEqual(await ids({ fromMs: 2_000, toMs: 5_000 }), ["5-0", "2-0"])
    assert.deepEqual(await ids({ limit: 1 }), ["9-0"])
    assert.deepEqual(await ids({ limit: 1e9 }), ["9-0", "5-0", "2-0", "1-0"])
    for (const before of ["", "x", "1-", "99999999999999999999-0", "1-1; drop table event"])
      assert.deepEqual(await ids({ before }), [])
  })

  test("one hostile line costs nobody else's event: NUL, half surrogates, a megabyte", async () => {
    const tenant = await it.newTenant()
    const hostile = event(2, 0, { raw: `\u0000\uD800 ${"A".repeat(1 << 20)}`, new: "\u0000", entity: "if:\uDC00" })
    await run(appendEvents(it.db, tenant, [event(1, 0), hostile, event(3, 0)]))
    const rows = await run(listEvents(it.db, tenant, {}))
    assert.deepEqual(
      rows.map(({ id }) => id),
      ["3-0", "2-0", "1-0"],
    )
    assert.equal(rows[1]!.raw!.length, 4_096)
    assert.ok(rows[1]!.raw!.startsWith("\uFFFD\uFFFD A"))
    assert.deepEqual([rows[1]!.new, rows[1]!.entity], ["\uFFFD", "if:\uFFFD"])
  })

  test("[T1] a tenant lists only its own; retention deletes only what is older", async () => {
    const [a, b] = [await it.newTenant(), await it.newTenant()]
    await run(
      appendEvents(
        it.db,
        a,
        Array.from({ length: 2_500 }, (_, i) => event(i + 1, 0)),
      ),
    )
    await run(appendEvents(it.db, b, [event(1, 0)]))
    assert.equal((await run(listEvents(it.db, b, {}))).length, 1)
    assert.equal(await run(pruneEvents(it.db, a, 2_400_000)), 2_399)
    assert.equal((await run(listEvents(it.db, a, { limit: 500 }))).length, 101)
    assert.equal((await run(listEvents(it.db, b, {}))).length, 1)
  })
})
