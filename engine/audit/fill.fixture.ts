/**
 * `node engine/audit/fill.fixture.ts ROWS`: appends acts to the only tenant of the data directory in the environment, many
 * in one statement, with the chain as production writes it. For the benchmark of `heliograph audit verify`.
 */
import process from "node:process"
import * as Effect from "effect/Effect"
import { chainedOf, COLUMNS, entryOf, GENESIS, hashOf, type Entry, type Row } from "#engine/audit/entry.ts"
import { openToolStorage } from "#engine/cli/storage.ts"
import { loadConfig } from "#engine/config.ts"
import { listTenants } from "#engine/storage/tenants.ts"
import type { TenantId } from "#protocol/id.ts"

const ROWS_PER_STATEMENT = 5_000

/** What a change of a device leaves: the usual size of an act. */
const entryAt = (seq: number): Entry =>
  entryOf(
    seq,
    { kind: "user", id: "0193a5c1-7d00-7000-8000-000000000001", name: "ada", source: "192.0.2.17" },
    {
      action: "device.update",
      object: { kind: "device", id: "0193a5c1-7d00-7000-8000-00000000abcd", name: `core-${seq % 1000}` },
      before: { name: `core-${seq % 1000}`, address: "10.0.0.1", pollSeconds: 30 },
      after: { name: `core-${seq % 1000}`, address: "10.0.0.2", pollSeconds: 10 + (seq % 50) },
    },
    1_700_000_000_000 + seq,
  )

const INSERT = `insert into audit_entry (tenant_id, seq, at_ms, actor_kind, actor_id, actor_name, source, action,
    object_kind, object_id, object_name, before, after, reason, previous, hash)
  select $1, a, b, c, d, e, f, g, h, i, j, k, l, m, decode(n, 'hex'), decode(o, 'hex') from unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::text[], $11::text[], $12::json[], $13::json[], $14::text[], $15::text[], $16::text[])
    as given (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o)`

const program = Effect.gen(function* () {
  const loaded = loadConfig({ env: process.env })
  if (loaded._tag !== "Config") throw new Error("the settings are wrong")
  const { db } = yield* openToolStorage(loaded.config, () => undefined)
  const [tenant] = yield* listTenants(db)
  if (tenant === undefined) throw new Error("there is no tenant")
  yield* fill(db, tenant.id, Number(process.argv[2]))
})

const fill = (
  db: Effect.Success<ReturnType<typeof openToolStorage>>["db"],
  tenant: TenantId,
  rows: number,
): Effect.Effect<void, unknown> =>
  Effect.gen(function* () {
    const last = yield* db.tenant(tenant)(async (tx) => {
      const found = await tx.query<Row & Record<string, unknown>>(
        `select ${COLUMNS} from audit_entry where tenant_id = $1 order by seq desc limit 1`,
        [tenant],
      )
      return found.rows[0] === undefined ? null : chainedOf(found.rows[0])
    })
    let hash = last?.hash ?? GENESIS
    let seq = last?.seq ?? 0
    for (let left = rows; left > 0; left -= ROWS_PER_STATEMENT) {
      const columns: unknown[][] = Array.from({ length: 15 }, () => [])
      for (let n = 0; n < Math.min(left, ROWS_PER_STATEMENT); n++) {
        const entry = entryAt(++seq)
        const previous = hash
        hash = hashOf(tenant, previous, entry)
        const { actor, object } = entry
        const values = [entry.seq, entry.atMs, actor.kind, actor.id, actor.name, actor.source, entry.action]
        const rest = [object.kind, object.id, object.name, entry.before, entry.after, entry.reason, previous, hash]
        for (const [place, value] of [...values, ...rest].entries()) columns[place]!.push(value)
      }
      yield* db.tenant(tenant)((tx) => tx.query(INSERT, [tenant, ...columns]))
    }
  })

await Effect.runPromise(Effect.scoped(program))
