/**
 * A spool that PostgreSQL has already, because it could not be emptied, on a real PostgreSQL: offered again at the next start
 * it changes nothing, whatever compaction and retention have done to its rows meanwhile. And a journal that is closed while
 * its spool is being drained touches the file no more. Found by lab/sim (lab/sim/seeds.txt).
 */
import assert from "node:assert/strict"
import { statSync } from "node:fs"
import { join } from "node:path"
import { describe, test, type TestContext } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { DbError, type DbShape } from "#engine/storage/db.ts"
import { NODE_DISK, type Disk } from "#engine/storage/disk.ts"
import { openJournal, type Journal } from "#engine/storage/journal.ts"
import { rowOf } from "#engine/storage/journal-row.ts"
import * as codec from "#engine/tenant/journal-codec.ts"
import type { TenantId } from "#protocol/id.ts"
import type { Sequenced } from "#twin/input.ts"

const ticks = (from: number, count: number): readonly Sequenced[] =>
  Array.from({ length: count }, (_, i) => ({ seq: from + i, input: { kind: "tick", atMs: from + i } }))

const readAll = async (journal: Journal): Promise<readonly Sequenced[]> => {
  const all: Sequenced[] = []
  for await (const batch of journal.readFrom(1)) all.push(...batch)
  return all
}

/** A disk on which no file can be cut while `isBroken`. */
const uncut = (isBroken: () => boolean): Disk => ({
  ...NODE_DISK,
  open: async (path) => {
    const file = await NODE_DISK.open(path)
    return {
      ...file,
      truncate: async (length) => {
        if (isBroken()) throw new Error("EIO: truncate")
        await file.truncate(length)
      },
    }
  },
})

describe("a spool that could not be emptied", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()
  const spoolFile = (tenant: TenantId): string => join(it.dataDir, "spool", `${tenant}.log`)

  interface Opened {
    readonly journal: Journal
    readonly close: () => Promise<void>
    /** The database refuses to write. */
    away: boolean
    /** Resolves when the log has such a line. */
    readonly said: (words: string) => Promise<void>
  }

  const open = async (t: TestContext, tenant: TenantId, disk: Disk): Promise<Opened> => {
    const scope = Scope.makeUnsafe()
    const close = (): Promise<void> => Effect.runPromise(Scope.close(scope, Exit.void))
    t.after(close)
    const log: string[] = []
    let heard = (): void => undefined
    const opened = { away: false, close } as { -readonly [K in keyof Opened]: Opened[K] }
    const db: DbShape = {
      ...it.db,
      ingest: (of) => (body) =>
        opened.away ? Effect.fail(new DbError({ code: "AWAY", message: "planned" })) : it.db.ingest(of)(body),
    }
    const line = (text: string): void => {
      log.push(text)
      heard()
    }
    const opening = openJournal({ db, tenant, dataDir: it.dataDir, codec, holder: "test", log: line, disk })
    opened.journal = await Effect.runPromise(Scope.provide(opening, scope))
    opened.said = async (words) => {
      while (!log.some((text) => text.includes(words))) await new Promise<void>((resolve) => (heard = resolve))
    }
    return opened
  }

  /** Twenty rows that went through the spool into the table, and are in the spool's file still. */
  const left = async (t: TestContext): Promise<TenantId> => {
    const tenant = await it.newTenant()
    const first = await open(
      t,
      tenant,
      uncut(() => true),
    )
    for (let seq = 1; seq <= 10; seq++) await first.journal.append(ticks(seq, 1))
    first.away = true
    for (let seq = 11; seq <= 30; seq++) await first.journal.append(ticks(seq, 1))
    first.away = false
    await first.said("could not be emptied")
    await first.journal.append(ticks(31, 1))
    await first.close()
    assert.ok(statSync(spoolFile(tenant)).size > 0)
    return tenant
  }

  const sql = (tenant: TenantId, text: string, values: readonly unknown[] = []): Promise<unknown> =>
    Effect.runPromise(it.db.ingest(tenant)((tx) => tx.query(text, [tenant, ...values])))

  const check = async (t: TestContext, tenant: TenantId, expected: readonly Sequenced[]): Promise<void> => {
    const second = await open(t, tenant, NODE_DISK)
    assert.equal(await second.journal.lastSeq(), 31)
    assert.equal(statSync(spoolFile(tenant)).size, 0)
    assert.deepEqual(await readAll(second.journal), expected)
    await second.journal.append(ticks(32, 2))
    assert.deepEqual(await readAll(second.journal), [...expected, ...ticks(32, 2)])
  }

  test("[W11] is offered again at the next start and changes nothing", async (t) => {
    await check(t, await left(t), ticks(1, 31))
  })

  test("[W11] nor when the compactor has made one row of many meanwhile", async (t) => {
    const tenant = await left(t)
    const { seq, count, epoch, atMs, data } = rowOf(ticks(1, 25), 1, codec)
    await sql(tenant, "delete from journal where tenant_id = $1 and seq <= 25")
    const values = [seq, count, epoch, atMs, data]
    await sql(
      tenant,
      "insert into journal (tenant_id, seq, count, epoch, at_ms, data) values ($1, $2, $3, $4, $5, $6)",
      values,
    )
    await check(t, tenant, ticks(1, 31))
  })

  test("[W11] nor when retention has deleted its rows", async (t) => {
    const tenant = await left(t)
    await sql(tenant, "delete from journal where tenant_id = $1 and seq <= 20")
    const second = await open(t, tenant, NODE_DISK)
    const kept: Sequenced[] = []
    for await (const batch of second.journal.readFrom(21)) kept.push(...batch)
    assert.deepEqual(kept, ticks(21, 11))
    const { rows } = await Effect.runPromise(
      it.db.tenant(tenant)((tx) =>
        tx.query("select min(seq)::int as first from journal where tenant_id = $1", [tenant]),
      ),
    )
    assert.deepEqual(rows, [{ first: 21 }])
  })

  test("a journal that was closed touches the spool's file no more, nor hangs", async (t) => {
    const tenant = await it.newTenant()
    let closed = false
    const late: string[] = []
    const disk: Disk = {
      ...NODE_DISK,
      open: async (path) => {
        const file = await NODE_DISK.open(path)
        const noted = (call: string): void => {
          if (closed) late.push(call)
        }
        return {
          ...file,
          truncate: (length) => {
            noted("truncate")
            return file.truncate(length)
          },
          close: async () => {
            closed = true
            await file.close()
          },
        }
      },
    }
    const first = await open(t, tenant, disk)
    first.away = true
    for (let seq = 1; seq <= 10; seq++) await first.journal.append(ticks(seq, 1))
    first.away = false
    await first.close()
    await assert.rejects(first.journal.append(ticks(11, 1)), /closed/)
    assert.deepEqual(late, [])
    const second = await open(t, tenant, NODE_DISK)
    assert.deepEqual(await readAll(second.journal), ticks(1, 10))
  })
})
