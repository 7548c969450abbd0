/**
 * `node engine/storage/history-bench.fixture.ts samples|charts JSON`: the journal and history of production on a PostgreSQL
 * of their own, fed with made polls, without collectors and twin. For the benchmarks of the same names; prints one line of
 * JSON. Times are what this process and the server's processes took, apart.
 */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { Client } from "pg"
import { openDb, type DbShape } from "#engine/storage/db.ts"
import { openHistory, type History, type ReadElsewhere } from "#engine/storage/history.ts"
import { openHistoryThread } from "#engine/storage/history-thread.ts"
import { compactJournal } from "#engine/storage/journal-compactor.ts"
import { openJournal } from "#engine/storage/journal.ts"
import { openDatabase } from "#engine/storage/launcher.ts"
import { migrate } from "#engine/storage/migrate.ts"
import { dropPartitions, ensurePartitions } from "#engine/storage/partitions.ts"
import { routerPolls } from "#engine/storage/polls.fixture.ts"
import { DAY_MS, floorTo } from "#engine/storage/rollup.ts"
import { createTenant } from "#engine/storage/tenants.ts"
import { uuidv7 } from "#engine/storage/uuidv7.ts"
import * as codec from "#engine/tenant/journal-codec.ts"
import { deviceId, interfaceKey, type DeviceId, type TenantId } from "#protocol/id.ts"
import type { PollInput } from "#twin/input.ts"

const scope = Scope.makeUnsafe()
const dataDir = mkdtempSync(join(tmpdir(), "heliograph-bench-"))
chmodSync(dataDir, 0o755)
const run = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>): Promise<A> =>
  Effect.runPromise(Scope.provide(effect, scope))

interface Stage {
  readonly ownerUrl: string
  readonly appUrl: string
  readonly db: DbShape
  readonly tenant: TenantId
  readonly devices: readonly DeviceId[]
}

const stage = async (devices: number): Promise<Stage> => {
  const { ownerUrl, appUrl, engineUrl } = await run(openDatabase({ dataDir, app: "heliograph", log: () => {} }))
  await run(migrate({ ownerUrl, dir: new URL("../../migrations", import.meta.url).pathname, log: () => {} }))
  const db = await run(openDb({ appUrl, engineUrl }))
  const { id: tenant } = await run(createTenant(db, { slug: "bench", name: "Bench", demo: false }))
  const ids = Array.from({ length: devices }, () => uuidv7())
  await run(
    db.tenant(tenant)(async (tx) => {
      await tx.query("insert into site values ($1, 'pop', 'POP', 0, 0)", [tenant])
      for (const id of ids)
        await tx.query("insert into device values ($1, $2::uuid, $2::uuid::text, '10.0.0.1', 'pop', '{core}', 30)", [
          tenant,
          id,
        ])
    }),
  )
  return { ownerUrl, appUrl, db, tenant, devices: ids.map(deviceId) }
}

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))] ?? 0

/** CPU seconds of every process whose working directory is the server's, the ended ones of its postmaster included. */
const serverCpuS = (): number => {
  let ticks = 0
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8")
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
      const isMaster = command.includes(dataDir)
      if (isMaster) ticks += Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14])
      else if (masters.has(fields[1]!)) ticks += Number(fields[11]) + Number(fields[12])
      if (isMaster) masters.add(pid)
    } catch {
      // It ended meanwhile.
    }
  }
  return ticks / 100
}
const masters = new Set<string>()

const sizes = async (ownerUrl: string): Promise<Record<string, number>> => {
  const client = new Client({ connectionString: ownerUrl })
  await client.connect()
  const out: Record<string, number> = {}
  for (const table of ["journal", "chunk", "rollup", "rollup_1m", "rollup_5m", "rollup_1h", "rollup_long"]) {
    const { rows } = await client.query<{ bytes: number }>(
      // Of a table without partitions the tree is empty.
      `select coalesce((select sum(pg_total_relation_size(relid)) from pg_partition_tree(to_regclass($1)) where isleaf),
         pg_total_relation_size(to_regclass($1)))::float8 as bytes`,
      [`heliograph.${table}`],
    )
    out[table] = rows[0]!.bytes
  }
  await client.end()
  return out
}

interface SamplesOptions {
  readonly devices: number
  readonly interfaces: number
  readonly hours: number
  readonly pollSeconds: number
  readonly purgeRows: number
}

const samples = async ({ devices, interfaces, hours, pollSeconds, purgeRows }: SamplesOptions): Promise<object> => {
  const it = await stage(devices)
  const rounds = Math.round((hours * 3_600) / pollSeconds)
  const fromMs = floorTo(Date.now(), DAY_MS) - DAY_MS
  const polls = it.devices.map((device, seed) =>
    routerPolls({ device, interfaces, polls: rounds, seed, fromMs, everyMs: pollSeconds * 1_000 }),
  )
  const journal = await run(
    openJournal({ db: it.db, tenant: it.tenant, dataDir, codec, holder: "bench", log: () => {} }),
  )
  const history = await run(openHistory({ db: it.db, tenant: it.tenant, journal, log: console.error }))
  await history.recovered
  const before = await sizes(it.ownerUrl)
  serverCpuS()
  const [startedMs, cpu, server] = [performance.now(), process.cpuUsage(), serverCpuS()]
  const flushMs: number[] = []
  let [seq, count] = [0, 0]
  for (let round = 0; round < rounds; round++) {
    // What arrives together becomes durable together, as in production.
    for (let from = 0; from < devices; from += 20) {
      const batch = polls.slice(from, from + 20).map((of) => ({ seq: ++seq, input: of[round]! as PollInput }))
      const at = performance.now()
      await journal.append(batch)
      flushMs.push(performance.now() - at)
      for (const { seq: of, input } of batch) {
        history.append(of, input)
        count += input.value.length
      }
    }
    while (history.status().unstored > 200) await new Promise((wake) => setTimeout(wake, 5))
  }
  await history.flush()
  const wallS = (performance.now() - startedMs) / 1_000
  const used = process.cpuUsage(cpu)
  const [engineS, serverS] = [(used.user + used.system) / 1e6, serverCpuS() - server]
  const after = await sizes(it.ownerUrl)
  const per = (table: string): number => (after[table]! - before[table]!) / count
  const compacted = await compact(it)
  return {
    samples: count,
    samples_per_s: count / wallS,
    samples_per_core_s: count / (engineS + serverS),
    engine_ns_per_sample: (engineS * 1e9) / count,
    postgres_ns_per_sample: (serverS * 1e9) / count,
    flush_ms_p50: quantile(flushMs, 0.5),
    flush_ms_p99: quantile(flushMs, 0.99),
    journal_bytes_per_sample: per("journal"),
    journal_compacted_bytes_per_sample: (compacted.bytes - before["journal"]!) / count,
    journal_polls_left_to_chunks_pct: (compacted.polls * 100) / seq,
    compact_ms_per_1000_polls: (compacted.ms * 1_000) / seq,
    chunk_bytes_per_sample: per("chunk"),
    rollup_5m_bytes_per_sample: per("rollup_5m"),
    rollup_1h_bytes_per_sample: per("rollup_1h"),
    rollup_long_bytes_per_sample: per("rollup_long"),
    ...(await purge(it, purgeRows)),
  }
}

/** All of the journal, as the upkeep does it bit by bit; bytes of the table and its index without what was deleted. */
const compact = async ({ ownerUrl, db, tenant }: Stage): Promise<{ bytes: number; polls: number; ms: number }> => {
  const at = performance.now()
  const everything = { beforeSeq: Number.MAX_SAFE_INTEGER, stretchesMax: Number.MAX_SAFE_INTEGER }
  const { polls } = await compactJournal({ db, tenant, codec, ...everything })
  const ms = performance.now() - at
  const client = new Client({ connectionString: ownerUrl })
  await client.connect()
  await client.query("vacuum full heliograph.journal")
  await client.end()
  return { bytes: (await sizes(ownerUrl))["journal"]!, polls, ms }
}

/** Writes beside the removal of a partition of so many rows. */
const purge = async ({ ownerUrl, db, tenant }: Stage, rows: number): Promise<Record<string, number>> => {
  const [old, now] = [floorTo(Date.now(), DAY_MS) + 100 * DAY_MS, floorTo(Date.now(), DAY_MS) + 200 * DAY_MS]
  await ensurePartitions(ownerUrl, old, old)
  await ensurePartitions(ownerUrl, now, now)
  const insert = (from: string, values: readonly unknown[]): Promise<unknown> =>
    run(
      db.ingest(tenant)((tx) =>
        tx.query(
          `insert into chunk (tenant_id, device_id, source, t0, t1, seq0, seq1, polls, data)
           select $1, gen_random_uuid(), 'snmp', $2::bigint + i, $2::bigint + i, 1, 1, 30, '\\x00' from ${from}`,
          [tenant, ...values],
        ),
      ),
    )
  for (let left = rows; left > 0; left -= 100_000)
    await insert(`generate_series(1, ${Math.min(left, 100_000)}) i`, [old])
  const writesMs: number[] = []
  const running = { yes: true }
  const writer = (async () => {
    while (running.yes) {
      const at = performance.now()
      await insert("generate_series(1, 1) i", [now + writesMs.length])
      writesMs.push(performance.now() - at)
    }
  })()
  await new Promise((wake) => setTimeout(wake, 300))
  const startedMs = performance.now()
  await dropPartitions(ownerUrl, { chunk: now - DAY_MS })
  const dropMs = performance.now() - startedMs
  await new Promise((wake) => setTimeout(wake, 300))
  running.yes = false
  await writer
  return { purge_ms: dropMs, purge_write_ms_p50: quantile(writesMs, 0.5), purge_write_ms_max: Math.max(...writesMs) }
}

interface ChartsOptions {
  readonly interfaces: number
  readonly days: number
  readonly pollSeconds: number
  readonly reads: number
}

const charts = async ({ interfaces, days, pollSeconds, reads }: ChartsOptions): Promise<object> => {
  const it = await stage(1)
  const device = it.devices[0]!
  const none = { readFrom: async function* () {}, lastSeq: async () => Number.MAX_SAFE_INTEGER }
  const { appUrl, tenant } = it
  const thread = await run(openHistoryThread())
  const readElsewhere: ReadElsewhere = (windows, query) => thread.read({ appUrl, tenant, windows, query })
  const history = await run(openHistory({ db: it.db, tenant, journal: none, log: console.error, readElsewhere }))
  await history.recovered
  const fromMs = floorTo(Date.now(), DAY_MS) - days * DAY_MS
  let seq = 0
  for (let day = 0; day < days; day++) {
    const made = routerPolls({
      device,
      interfaces,
      polls: DAY_MS / 1_000 / pollSeconds,
      seed: day,
      fromMs: fromMs + day * DAY_MS,
      everyMs: pollSeconds * 1_000,
    })
    for (const poll of made) history.append(++seq, poll)
    await new Promise((wake) => setImmediate(wake))
    while (history.status().unstored > 200) await new Promise((wake) => setTimeout(wake, 5))
  }
  await history.flush()
  const toMs = fromMs + days * DAY_MS - 1
  const query = { device, entity: interfaceKey("ether1"), metric: "interface.rx_bps", toMs, pointsMax: 600 }
  const timed = async (range: number, stat?: "p95", metric = query.metric) => {
    const ms: number[] = []
    let bytes = 0
    let points = 0
    for (let i = 0; i < reads; i++) {
      const at = performance.now()
      const asked = { ...query, metric, fromMs: Math.max(fromMs, toMs - range) }
      const chart = await history.read(stat === undefined ? asked : { ...asked, stat })
      ms.push(performance.now() - at)
      points = chart!.atMs.length
      bytes = JSON.stringify(chart).length
    }
    return { p50: quantile(ms, 0.5), p99: quantile(ms, 0.99), bytes, points }
  }
  const [day, month] = [await timed(DAY_MS), await timed(days * DAY_MS)]
  const [dayP95, monthP95] = [await timed(DAY_MS, "p95"), await timed(days * DAY_MS, "p95")]
  const raw = await timed(DAY_MS, undefined, "interface.rx_bytes_total")
  const [alone, beside] = await besideReport(it, history, { ...query, fromMs: toMs - 365 * DAY_MS }, reads)
  return {
    day_ms_p50: day.p50,
    day_ms_p99: day.p99,
    day_points: day.points,
    month_ms_p50: month.p50,
    month_ms_p99: month.p99,
    month_points: month.points,
    month_bytes: Math.max(month.bytes, monthP95.bytes),
    day_with_p95_ms_p50: dayP95.p50,
    month_with_p95_ms_p50: monthP95.p50,
    day_of_samples_ms_p50: raw.p50,
    write_ms_p99_alone: alone,
    write_ms_p99_beside_year_reports: beside,
  }
}

/** p99 of small durable writes without and with somebody who reads a year over and over. */
const besideReport = async (
  { db, tenant }: Stage,
  history: History,
  year: Parameters<History["read"]>[0],
  reads: number,
): Promise<readonly [alone: number, beside: number]> => {
  const writes = async (): Promise<number> => {
    const ms: number[] = []
    for (let i = 0; i < reads * 5; i++) {
      const at = performance.now()
      await run(
        db.ingest(tenant)((tx) =>
          tx.query("insert into chunk values ($1, gen_random_uuid(), 'snmp', $2, $2, 1, 1, 1, $3)", [
            tenant,
            Date.now(),
            Buffer.alloc(2_000),
          ]),
        ),
      )
      ms.push(performance.now() - at)
    }
    return quantile(ms, 0.99)
  }
  const alone = await writes()
  const running = { yes: true }
  const reader = (async () => {
    while (running.yes) await history.read(year)
  })()
  const beside = await writes()
  running.yes = false
  await reader
  return [alone, beside]
}

try {
  const options = JSON.parse(process.argv[3] ?? "{}") as SamplesOptions & ChartsOptions
  const figures = process.argv[2] === "samples" ? await samples(options) : await charts(options)
  process.stdout.write(`${JSON.stringify(figures)}\n`)
} finally {
  await Effect.runPromise(Scope.close(scope, Exit.void))
  rmSync(dataDir, { recursive: true, force: true })
}
