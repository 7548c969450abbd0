/** No partition is dropped on a guess: what every tenant chose counts, also of one that does not run. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import * as Effect from "effect/Effect"
import { makeQuotas } from "#engine/quota/quotas.ts"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { longestKept } from "#engine/tenancy/longest-kept.ts"
import { DAY_MS, makeStandings } from "#engine/tenancy/standings.ts"

describe("the longest retention", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()
  const defaults = { sampleDays: 14, eventDays: 90, journalHours: 24, sessionHours: 12 }
  const fresh = () => {
    const quotas = makeQuotas(() => 0)
    return makeStandings(it.db, quotas, defaults)
  }

  test("[W10] it is read from the database for tenants that nobody has loaded, suspended ones too", async () => {
    await it.newTenant()
    assert.deepEqual(await Effect.runPromise(longestKept(it.db, fresh())), {
      samples: 14 * DAY_MS,
      events: 90 * DAY_MS,
    })
    const tenant = await it.newTenant()
    await Effect.runPromise(
      it.db.engine((tx) => tx.query("update tenant set suspended = true where tenant_id = $1", [tenant])),
    )
    await Effect.runPromise(
      it.db.tenant(tenant)((tx) =>
        tx.query(
          `insert into tenant_settings (tenant_id, rev, sample_days, event_days, journal_days, subscriber_identities, subscriber_days, session_hours)
           values ($1, 1, 20, 100, 1, false, 7, 12)`,
          [tenant],
        ),
      ),
    )
    const kept = await Effect.runPromise(longestKept(it.db, fresh()))
    assert.deepEqual(kept, { samples: 20 * DAY_MS, events: 100 * DAY_MS })
  })

  test("[W10] nothing is known while one tenant's settings cannot be read", async () => {
    const standings = fresh()
    const broken = { ...standings, load: () => Effect.fail({ _tag: "away" } as never) }
    assert.equal(await Effect.runPromise(longestKept(it.db, broken)), null)
  })
})
