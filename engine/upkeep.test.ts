/** [T7] Each tenant's storage keeps what its own retention says, and a replay reaches back exactly as far. */
import assert from "node:assert/strict"
import { describe, test, type TestContext } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { silentLog } from "#engine/log.ts"
import { openReplay } from "#engine/replay/replay.ts"
import { storedSource } from "#engine/replay/source.ts"
import { verifyTo } from "#engine/replay/verify.ts"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { appendEvents } from "#engine/storage/events.ts"
import { openHistory } from "#engine/storage/history.ts"
import { openJournal } from "#engine/storage/journal.ts"
import { openSnapshots } from "#engine/storage/snapshots.ts"
import { uuidv7 } from "#engine/storage/uuidv7.ts"
import * as codec from "#engine/tenant/journal-codec.ts"
import { poll, ring } from "#engine/tenant/network.fixture.ts"
import { encodeSnapshot } from "#engine/tenant/snapshot-codec.ts"
import { hashSnapshot } from "#engine/tenant/state-hash.ts"
import { upkeepOnce } from "#engine/upkeep.ts"
import { deviceId, type TenantId } from "#protocol/id.ts"
import { plainCells } from "#twin/cells.ts"
import type { Input, Sequenced } from "#twin/input.ts"
import { newWorld, runRound } from "#twin/round.ts"
import { snapshotTwin } from "#twin/snapshot.ts"

const HOUR = 3_600_000
const HOURS = 10
const DAY = 24 * HOUR
/** Events, one a day. */
const DAYS = 10
/** At night, when rows are deleted (engine/storage/partitions-keeper.ts says when). */
const NOW = new Date().setHours(3, 0, 0, 0)

describe("upkeep", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()

  /** Ten hours up to now: a poll of two routers a minute, a snapshot every ten. */
  const lived = async (t: TestContext) => {
    const tenant = await it.newTenant()
    const scope = Scope.makeUnsafe()
    t.after(() => Effect.runPromise(Scope.close(scope, Exit.void)))
    const base = ring(2)
    const inventory = {
      ...base,
      devices: base.devices.map((device) => ({ ...device, id: deviceId(uuidv7()) })),
      links: [],
    }
    const options = { db: it.db, tenant, dataDir: it.dataDir, codec, holder: "test", log: () => {} }
    const journal = await Effect.runPromise(Scope.provide(openJournal(options), scope))
    const history = await Effect.runPromise(Scope.provide(openHistory({ ...options, journal }), scope))
    const snapshots = openSnapshots(it.db, tenant, journal.lease)
    await history.recovered
    const fromMs = NOW - HOURS * HOUR
    const inputs: Input[] = [{ kind: "topology", atMs: fromMs, rev: 1, inventory }]
    for (let minute = 1; minute < HOURS * 60; minute++)
      for (const { id } of inventory.devices) inputs.push(poll(id, fromMs + minute * 60_000, { cpu: minute % 100 }))
    const [world, cells] = [newWorld(), plainCells()]
    for (let i = 0; i < inputs.length; i += 4) {
      const batch = inputs.slice(i, i + 4).map((input, j): Sequenced => ({ seq: i + j + 1, input }))
      runRound(world, cells, batch)
      await journal.append(batch)
      for (const { seq, input } of batch) if (input.kind === "poll") history.append(seq, input)
      if (i % 20 !== 0) continue
      const snapshot = snapshotTwin(world, cells)
      await snapshots.save(world.seq, world.atMs, await encodeSnapshot(snapshot), (await hashSnapshot(snapshot)).all)
    }
    await history.flush()
    const event = (day: number) => ({
      id: `${DAYS - day}-0`,
      atMs: NOW - day * DAY,
      type: "device.rebooted" as const,
      severity: "warning" as const,
      subject: inventory.devices[0]!.id,
      subjectKind: "device" as const,
      entity: "",
      old: null,
      new: null,
      raw: null,
      source: "snmp" as const,
    })
    await Effect.runPromise(
      appendEvents(
        it.db,
        tenant,
        Array.from({ length: DAYS }, (_, day) => event(day)),
      ),
    )
    return {
      tenant,
      stores: { journal, history, snapshots },
      fromMs,
      hash: (await hashSnapshot(snapshotTwin(world, cells))).all,
    }
  }
  type Lived = Awaited<ReturnType<typeof lived>>
  const tidy = (
    { tenant, stores }: Lived,
    hours: { samples: number; events: number; journal: number },
  ): Promise<unknown> => {
    const retention = () => ({
      samples: hours.samples * HOUR,
      events: hours.events * HOUR,
      journal: hours.journal * HOUR,
    })
    return Effect.runPromise(
      upkeepOnce({
        db: it.db,
        tenant,
        stores: () => stores,
        retention,
        log: silentLog,
        nowMs: () => NOW,
      }) as Effect.Effect<void>,
    )
  }
  const oldest = (tenant: TenantId, table: string, column: string): Promise<number> =>
    Effect.runPromise(
      it.db.tenant(tenant)(async (tx) => {
        const { rows } = await tx.query<{ at: number }>(
          `select min(${column})::float8 as at from ${table} where tenant_id = $1`,
          [tenant],
        )
        return rows[0]!.at
      }),
    )

  test("[T7] two tenants, two retentions: each keeps exactly its own days of events, hours of journal and checkpoints", async (t) => {
    const [long, short] = [await lived(t), await lived(t)]
    await tidy(long, { samples: 100, events: 100 * 24, journal: 100 })
    await tidy(short, { samples: 2, events: 3 * 24, journal: 2 })
    assert.equal(await oldest(long.tenant, "event", "at_ms"), NOW - 9 * DAY)
    // Deleted at night, the day after they are due.
    assert.equal(await oldest(short.tenant, "event", "at_ms"), NOW - 4 * DAY)
    // The checkpoint that serves the oldest hour asked for stays, and all behind it goes.
    const checkpoint = await oldest(short.tenant, "snapshot", "at_ms")
    assert.ok(checkpoint <= NOW - 2 * HOUR && checkpoint > NOW - 3.2 * HOUR, String(NOW - checkpoint))
    assert.ok((await oldest(short.tenant, "journal", "at_ms")) >= checkpoint - 2 * HOUR)
    assert.ok((await oldest(long.tenant, "snapshot", "at_ms")) < long.fromMs + HOUR)
    const chunks = await oldest(short.tenant, "chunk", "t1")
    assert.ok(chunks <= checkpoint, "as long as the journal needs their samples")
  })

  test("[7.4] after upkeep a replay of all that is kept is the live twin, at every mark; and again after the next upkeep", async (t) => {
    const one = await lived(t)
    for (const journal of [100, 4]) {
      await tidy(one, { samples: 1, events: 1, journal })
      const source = storedSource(it.db, one.tenant)
      const first = await source.checkpoint(0)
      const replay = await openReplay(source, first?.atMs ?? one.fromMs)
      const { instants, stateHash } = await verifyTo(source, replay, NOW)
      assert.ok(instants >= (journal === 100 ? 55 : 20), `${instants} marks`)
      assert.equal(stateHash, one.hash)
      await replay.close()
    }
  })
})
