/** [I12] The calibration table: the twin's and the table's confirmations are one count, in SQL and here alike. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import * as Effect from "effect/Effect"
import fc from "fast-check"
import { anyVerdict, incident, LINK, plain } from "#engine/incidents/incident.fixture.ts"
import {
  bucketOf,
  BUCKETS,
  calibrationOf,
  readVerdicts,
  type Calibration,
} from "#engine/incidents/calibration-table.ts"
import { storeIncidents } from "#engine/incidents/stored-incidents.ts"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import type { IncidentView, Verdict } from "#protocol/incident.ts"

const ALWAYS = { from: null, to: null }
const confirmed = (id: string, verdict: Verdict | null, atMs = 5): IncidentView =>
  incident({ id, confirmed: verdict === null ? null : { by: "ana", atMs, members: [LINK], note: "", verdict } })
/** As verdictOf makes them: nothing named, nothing said. */
const real = anyVerdict.map((one): Verdict => {
  const { fault, confidence, isRight } = plain(one)
  if (fault === null || confidence === null) return { fault: null, confidence: null, isRight: false }
  // Hundredths: the table keeps millionths, which must not fall into another bucket.
  return { fault, confidence: Math.round(confidence * 100) / 100, isRight }
})

test("each confidence has its bucket", () => {
  assert.deepEqual([0, 0.49, 0.5, 0.79, 0.95, 0.989, 0.99, 1].map(bucketOf), [0, 0, 1, 2, 5, 5, 6, 6])
})

test("[I12] right and wrong, what was said, what was not named, and the squared error", () => {
  const said = (confidence: number, isRight: boolean): Verdict => ({ fault: "link", confidence, isRight })
  const views = [
    said(0.9, true),
    said(0.92, false),
    said(0.99, true),
    { fault: null, confidence: null, isRight: false },
  ].map((verdict, n) => confirmed(`${n}-0`, verdict))
  const table = calibrationOf([], [...views, confirmed("9-0", null)], ALWAYS)
  assert.deepEqual(
    table.rows.map(({ fault, from, to, right, wrong }) => [fault, from, to, right, wrong]),
    [
      ["link", 0.9, 0.95, 1, 1],
      ["link", 0.99, 1, 1, 0],
    ],
  )
  assert.ok(Math.abs(table.rows[0]!.said - 0.91) < 1e-9)
  assert.deepEqual([table.confirmed, table.right, table.unnamed], [4, 2, 1])
  assert.ok(Math.abs(table.brier! - (0.01 + 0.8464 + 0.0001) / 3) < 1e-9)
  assert.equal(calibrationOf([], [], ALWAYS).brier, null)
  assert.equal(calibrationOf([], views, { from: 6, to: null }).confirmed, 0)
})

describe("[I12] in the table", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()
  test("[I12] whichever of them the twin still holds, the count is the same; time and sites bound it", async () => {
    const verdicts = fc.sample(real, 80)
    const views = verdicts.map((verdict, n) => confirmed(`${n}-0`, verdict, n))
    const tenant = await it.newTenant()
    await Effect.runPromise(
      storeIncidents(
        it.db,
        tenant,
        views.map((view, n) => ({ seq: 1, view, sites: [n % 2 === 0 ? "a" : "b"] })),
      ),
    )
    const read = (
      without: readonly string[],
      range: { from: number | null; to: number | null } = ALWAYS,
      sites: readonly string[] | null = null,
    ) => Effect.runPromise(it.db.tenant(tenant)((tx) => readVerdicts(tx, tenant, without, range, sites)))
    /** SQL sums in another order, of what is kept to a millionth. */
    const same = (one: Calibration, other: Calibration): void => {
      const exact = ({ rows, brier: _brier, ...counts }: Calibration) => [
        counts,
        rows.map(({ said: _said, ...row }) => row),
      ]
      assert.deepEqual(exact(one), exact(other))
      const sums = ({ rows, brier }: Calibration) => [brier ?? 0, ...rows.map(({ said }) => said)]
      for (const [at, sum] of sums(one).entries()) assert.ok(Math.abs(sum - sums(other)[at]!) < 1e-5)
    }
    const wanted = calibrationOf([], views, ALWAYS)
    for (const held of [0, 17, 80]) {
      const stored = await read(views.slice(0, held).map(({ id }) => id))
      same(calibrationOf(stored, views.slice(0, held), ALWAYS), wanted)
    }
    const range = { from: 10, to: 19 }
    assert.equal(calibrationOf(await read([], range), [], range).confirmed, 10)
    assert.equal(calibrationOf(await read([], ALWAYS, ["b"]), [], ALWAYS).confirmed, 40)
    assert.equal(
      wanted.rows.every(({ from }) => (BUCKETS as readonly number[]).includes(from)),
      true,
    )
  })
})
