/** [T5] [T7] [T8] The life of tenants over a real database: made, changed, suspended, looked into, removed to the last row. */
import assert from "node:assert/strict"
import { mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import * as Effect from "effect/Effect"
import { Client } from "pg"
import { appendAnchors, readAnchors } from "#engine/signing/anchor-file.ts"
import { NO_POSTGRES, useTestDatabase } from "#engine/storage/database.fixture.ts"
import { appendEvents, pruneEvents } from "#engine/storage/events.ts"
import { insertChunks, pruneChunks } from "#engine/storage/history-table.ts"
import { seedEveryTable } from "#engine/storage/seed.fixture.ts"
import { rowsOf } from "#engine/tenancy/offboard.ts"
import { DAY_MS } from "#engine/tenancy/standings.ts"
import { tenantEtag } from "#engine/tenancy/tenancy.ts"
import { tenancyRig } from "#engine/tenancy/tenancy.fixture.ts"
import { tenantId, type TenantId } from "#protocol/id.ts"
import { QUOTAS } from "#protocol/quota.ts"

const run = Effect.runPromise
const failure = <A, E>(effect: Effect.Effect<A, E>): Promise<E> => run(Effect.flip(effect))

describe("tenants", { skip: NO_POSTGRES }, () => {
  const it = useTestDatabase()
  let owner: Client
  before(async () => {
    owner = new Client({ connectionString: it.database.ownerUrl })
    // The server may stop first.
    owner.on("error", () => {})
    await owner.connect()
    await owner.query("set search_path = heliograph")
  })
  after(() => owner.end())

  test("[T8] a tenant is made with an invitation, runs at once, and stands in the maker's audit", async () => {
    const rig = await tenancyRig(it)
    const made = await run(rig.tenancy.create(rig.acting, { slug: "acme", name: "ACME", demo: false, tier: "small" }))
    assert.match(made.invitationToken, /^hgi_/)
    assert.deepEqual([made.tenant.slug, made.tenant.tier, made.tenant.devices], ["acme", "small", 0])
    assert.deepEqual(rig.life, ["start acme"])
    assert.equal(rig.quotas.limit(made.tenant.id, "max_devices"), QUOTAS.max_devices.small)
    assert.deepEqual(
      (await rig.audit(rig.home)).map(({ action, object_name }) => [action, object_name]),
      [["tenant.create", "acme"]],
    )
    const again = await failure(rig.tenancy.create(rig.acting, { slug: "acme", name: "Other", demo: false }))
    const bad = await failure(rig.tenancy.create(rig.acting, { slug: "No Slug", name: "x", demo: false }))
    assert.deepEqual([again._tag, bad._tag], ["Conflict", "Refused"])
    assert.equal((await rig.audit(rig.home)).length, 1, "what failed is not on record as done")
    const list = await run(rig.tenancy.list({ after: "aa", limit: 1 }))
    assert.deepEqual(
      list.map(({ slug }) => slug),
      ["acme"],
    )
  })

  test("[T7] suspended: out of the door, stopped, sessions gone, every row kept; resumed: as before", async () => {
    const rig = await tenancyRig(it)
    const { tenant } = await run(rig.tenancy.create(rig.acting, { slug: "susp", name: "S", demo: false }))
    await seedEveryTable(owner, tenant.id)
    const before = await run(rowsOf(it.database.ownerUrl, tenant.id))
    const stale = await failure(rig.tenancy.update(rig.acting, "susp", { suspended: true }, '"other"'))
    assert.equal(stale._tag, "Changed")
    await run(rig.tenancy.update(rig.acting, "susp", { suspended: true }, tenantEtag(tenant)))
    assert.equal(rig.standings.isSuspended(tenant.id), true)
    assert.deepEqual(rig.forgotten, [{ tenant: tenant.id }])
    assert.deepEqual(await run(rowsOf(it.database.ownerUrl, tenant.id)), { ...before, session: 0 })
    await run(rig.tenancy.update(rig.acting, "susp", { suspended: false, tier: "medium" }, undefined))
    assert.deepEqual(rig.life, ["start susp", "stop", "start susp"])
    assert.equal(rig.standings.isSuspended(tenant.id), false)
    assert.equal(rig.quotas.limit(tenant.id, "max_links"), QUOTAS.max_links.medium)
    assert.equal(rig.quotas.limit(tenant.id, "max_devices"), 10, "what was set by hand outlives a change of tier")
    const own = await run(
      it.db.engine(async (tx) => (await tx.query("select slug from tenant where tenant_id = $1", [rig.home])).rows[0]),
    )
    const locked = await failure(rig.tenancy.update(rig.acting, String(own?.["slug"]), { suspended: true }, undefined))
    assert.equal(locked._tag, "Refused", "nobody locks the platform's own door")
  })

  test("[T5] quotas are set by hand, in force at once, checked, audited, and given back to the tier", async () => {
    const rig = await tenancyRig(it)
    const { tenant } = await run(
      rig.tenancy.create(rig.acting, { slug: "quot", name: "Q", demo: false, tier: "small" }),
    )
    const limitIn = (
      list: { readonly items: ReadonlyArray<{ name: string; limit: number; used: number | null }> },
      name: string,
    ) => list.items.find((item) => item.name === name)
    const set = await run(rig.tenancy.setQuotas(rig.acting, "quot", { max_devices: 7, max_links: 0 }))
    assert.deepEqual([limitIn(set, "max_devices")?.limit, limitIn(set, "max_links")?.limit], [7, 0])
    assert.equal(limitIn(set, "max_users")?.used, 1, "the open invitation counts")
    assert.equal(rig.quotas.refusal(tenant.id, "max_devices", 7), null)
    assert.equal(rig.quotas.refusal(tenant.id, "max_devices", 8)?._tag, "QuotaPassed")
    await run(rig.tenancy.setQuotas(rig.acting, "quot", { max_devices: null }))
    assert.equal(rig.quotas.limit(tenant.id, "max_devices"), QUOTAS.max_devices.small)
    for (const wrong of [{ nonsense: 1 }, { max_devices: -1 }, { max_devices: 1.5 }, { max_reports_per_day: 5 }])
      assert.equal((await failure(rig.tenancy.setQuotas(rig.acting, "quot", wrong)))._tag, "Refused")
    assert.deepEqual(
      (await rig.audit(rig.home)).map(({ action }) => action),
      ["tenant.create", "tenant.set-quotas", "tenant.set-quotas"],
    )
  })

  test("[T7] a tenant's settings stay within its quotas: N days yes, N + 1 no; a stale writer is refused", async () => {
    const rig = await tenancyRig(it)
    const { tenant } = await run(
      rig.tenancy.create(rig.acting, { slug: "sett", name: "S", demo: false, tier: "small" }),
    )
    const by = { ...rig.by, principal: { ...rig.by.principal, tenant: tenant.id } }
    const days = (samples: number) => ({
      retentionDays: { samples, events: 90, journal: 3 },
      subscriberIdentities: false,
      subscriberDays: 7,
      sessionHours: 8,
    })
    const { small } = QUOTAS.max_retention_days_samples
    const refused = await failure(rig.settings.put(by, days(small + 1), undefined))
    assert.equal(refused._tag, "QuotaPassed")
    assert.equal(rig.settings.get(tenant.id).etag, '"0"')
    const stored = await run(rig.settings.put(by, days(small), undefined))
    assert.deepEqual([stored.etag, rig.settings.get(tenant.id).settings.sessionHours], ['"1"', 8])
    assert.equal((await failure(rig.settings.put(by, days(5), '"0"')))._tag, "Changed")
    await run(rig.settings.put(by, days(5), '"1"'))
    assert.equal(rig.standings.retentionMs(tenant.id).samples, 5 * DAY_MS)
    assert.deepEqual(
      (await rig.audit(tenant.id)).map(({ action }) => action),
      ["settings.update", "settings.update"],
    )
    await run(rig.tenancy.setQuotas(rig.acting, "sett", { max_retention_days_samples: 2 }))
    assert.equal(rig.standings.retentionMs(tenant.id).samples, 2 * DAY_MS, "a quota set later shortens what was chosen")
  })

  test("[T7] two tenants with different retention: the next purge leaves exactly the rows due", async () => {
    const rig = await tenancyRig(it)
    const nowMs = Date.now()
    const keep = [3, 10]
    const tenants: TenantId[] = []
    for (const [index, samples] of keep.entries()) {
      const slug = `keep-${index}`
      const { tenant } = await run(rig.tenancy.create(rig.acting, { slug, name: slug, demo: false, tier: "large" }))
      tenants.push(tenant.id)
      const by = { ...rig.by, principal: { ...rig.by.principal, tenant: tenant.id } }
      const retentionDays = { samples, events: samples, journal: 1 }
      const rest = { subscriberIdentities: false, subscriberDays: 7, sessionHours: 8 }
      await run(rig.settings.put(by, { retentionDays, ...rest }, undefined))
      const device = "00000000-0000-4000-8000-0000000000dd"
      const aged = (age: number) => nowMs - age * DAY_MS - 1_000
      const chunks = Array.from({ length: 14 }, (_, age) => ({
        device,
        source: "snmp" as const,
        t0: aged(age),
        t1: aged(age),
        seq0: age,
        seq1: age,
        polls: 1,
        data: Buffer.alloc(4),
      }))
      await run(insertChunks(it.db, tenant.id, chunks, [], { neededSeq: 1, newestMs: nowMs }))
      const events = chunks.map(({ t0 }, age) => ({
        id: `${age + 1}-0`,
        atMs: t0,
        type: "device.rebooted",
        severity: "warning" as const,
        subject: device,
        subjectKind: "device" as const,
        entity: "",
        old: null,
        new: null,
        raw: null,
        source: "snmp" as const,
      }))
      await run(appendEvents(it.db, tenant.id, events))
    }
    for (const tenant of tenants) {
      const { samples, events } = rig.standings.retentionMs(tenant)
      await run(pruneChunks(it.db, tenant, nowMs - samples))
      await run(pruneEvents(it.db, tenant, nowMs - events))
    }
    const left = async (tenant: TenantId) => {
      const rows = await run(rowsOf(it.database.ownerUrl, tenant))
      return [rows["chunk"], rows["event"]]
    }
    // Ages 0, 1, 2 days and a second are younger than 3 days; and so on.
    assert.deepEqual(
      [await left(tenants[0]!), await left(tenants[1]!)],
      [
        [3, 3],
        [10, 10],
      ],
    )
  })

  test("[T8] break glass: a grant of minutes on this session, on record in both tenants; refusals leave none", async () => {
    const rig = await tenancyRig(it)
    const { tenant } = await run(rig.tenancy.create(rig.acting, { slug: "glass", name: "G", demo: false }))
    await run(rig.tenancy.enter(rig.by, "glass", { reason: "fault 12", minutes: 5 }))
    const grant = await rig.grantOf()
    assert.equal(grant?.tenant, tenant.id)
    assert.ok((grant?.untilMs ?? 0) > Date.now() && (grant?.untilMs ?? 0) <= Date.now() + 300_000)
    for (const where of [rig.home, tenant.id]) {
      const last = (await rig.audit(where)).at(-1)
      assert.deepEqual([last?.action, last?.reason], ["tenant.enter", "fault 12"])
    }
    assert.deepEqual(rig.forgotten.at(-1), { credentialId: rig.by.principal.credential.id })
    const inside = { ...rig.by.principal, tenant: tenant.id, grant: { ...grant!, home: rig.home } }
    await run(rig.tenancy.leave({ ...rig.by, principal: inside }))
    assert.equal(await rig.grantOf(), null)
    for (const where of [rig.home, tenant.id]) {
      const acts = await rig.audit(where)
      assert.deepEqual([acts.at(-1)?.action, acts.at(-1)?.reason], ["tenant.leave", "fault 12"])
      assert.equal(acts.filter(({ action }) => action === "tenant.leave").length, 1)
    }
    assert.deepEqual(rig.forgotten.at(-1), { credentialId: rig.by.principal.credential.id })
    assert.equal((await failure(rig.tenancy.leave(rig.by)))._tag, "NotFound", "nobody leaves where they are not")
    const key = {
      ...rig.by,
      principal: { ...rig.by.principal, credential: { ...rig.by.principal.credential, kind: "apiKey" as const } },
    }
    assert.equal((await failure(rig.tenancy.enter(key, "glass", { reason: "x", minutes: 1 })))._tag, "Forbidden")
    assert.equal((await failure(rig.tenancy.enter(rig.by, "nobody", { reason: "x", minutes: 1 })))._tag, "NotFound")
  })

  test("[T8] offboarding: keys first, 0 rows in every table, no spool, no anchor; others keep all; writers never wait", async (t) => {
    const rig = await tenancyRig(it)
    const leaving = (await run(rig.tenancy.create(rig.acting, { slug: "leaver", name: "L", demo: false }))).tenant
    const staying = (await run(rig.tenancy.create(rig.acting, { slug: "stayer", name: "S", demo: false }))).tenant
    for (const { id } of [leaving, staying]) {
      await seedEveryTable(owner, id)
      const anchor = { tenant: id, seq: 1, hash: "0".repeat(64), atMs: 1, keyId: "k", signature: "s" }
      appendAnchors(it.dataDir, [anchor])
      mkdirSync(join(it.dataDir, "spool"), { recursive: true })
      for (const name of [`${id}.log`, `${id}.log.fenced-1`]) writeFileSync(join(it.dataDir, "spool", name), "bytes")
    }
    // Enough that batches matter.
    await owner.query(
      `insert into event (tenant_id, seq, idx, at_ms, type, severity, subject, subject_kind, entity, source)
       select $1, s, 1, 1, 't', 'warning', 's', 'device', '', 'snmp' from generate_series(10, 20009) s`,
      [leaving.id],
    )
    const before = await run(rowsOf(it.database.ownerUrl, staying.id))
    for (const [table, count] of Object.entries(before)) assert.ok(count > 0, `${table} is not seeded`)

    assert.equal(
      (await failure(rig.tenancy.offboard(rig.acting, "leaver", { confirm: "levaer", reason: "r" })))._tag,
      "Refused",
    )
    const waits = writeMeanwhile(staying.id)
    const rows = await run(rig.tenancy.offboard(rig.acting, "leaver", { confirm: "leaver", reason: "contract ended" }))
    const slowestMs = await waits.stop()
    assert.deepEqual([rows["event"], rows["tenant"]], [20_001, 1])
    const left = await run(rowsOf(it.database.ownerUrl, leaving.id))
    assert.ok(Object.keys(left).length >= 28)
    assert.deepEqual(
      Object.entries(left).filter(([, count]) => count > 0),
      [],
    )
    const kept = await run(rowsOf(it.database.ownerUrl, staying.id))
    assert.deepEqual({ ...kept, event: 0 }, { ...before, event: 0 })
    assert.deepEqual(
      readdirSync(join(it.dataDir, "spool")).filter((name) => name.startsWith(leaving.id)),
      [],
    )
    assert.equal(readdirSync(join(it.dataDir, "spool")).filter((name) => name.startsWith(staying.id)).length, 2)
    assert.deepEqual(
      readAnchors(it.dataDir).anchors.map(({ tenant }) => tenant),
      [staying.id],
    )
    t.diagnostic(`20,001 rows went; the slowest of another tenant's writes took ${slowestMs.toFixed(1)} ms`)
    // None waited 100 ms for a lock: it would have been refused. The clock would count a busy disk, too.
    assert.ok(slowestMs > 0)
    const last = (await rig.audit(rig.home)).at(-1)
    assert.deepEqual([last?.action, last?.object_name, last?.reason], ["tenant.offboard", "leaver", "contract ended"])
    assert.equal((await failure(rig.tenancy.get("leaver")))._tag, "NotFound")
    assert.equal(rig.standings.of(leaving.id), null)
  })

  test("[T8] a removal that was cut off half way goes on where it stopped", async () => {
    const rig = await tenancyRig(it)
    const { tenant } = await run(rig.tenancy.create(rig.acting, { slug: "half", name: "H", demo: false }))
    await seedEveryTable(owner, tenant.id)
    await owner.query(
      "create table blocker (tenant_id uuid not null references tenant, id int, primary key (tenant_id, id))",
    )
    await owner.query("alter table blocker enable row level security, force row level security")
    await owner.query("create policy owner_all on blocker to heliograph_owner using (true) with check (true)")
    await owner.query("insert into blocker values ($1, 1)", [tenant.id])
    await owner.query(
      "create function nope() returns trigger language plpgsql as $$ begin raise exception 'secret 123'; end $$",
    )
    await owner.query("create trigger nope before delete on blocker for each row execute function nope()")
    const why = await failure(rig.tenancy.offboard(rig.acting, "half", { confirm: "half", reason: "r" }))
    assert.equal(why._tag, "Unavailable")
    assert.ok(!JSON.stringify(why).includes("secret 123"))
    assert.equal(rig.standings.isSuspended(tenant.id), true, "half removed is not open for business")
    const keys = await owner.query("select master_key_id from tenant_key where tenant_id = $1", [tenant.id])
    assert.ok(keys.rows.every(({ master_key_id }) => master_key_id === "destroyed"))
    await owner.query("drop table blocker; drop function nope()")
    await run(rig.tenancy.offboard(rig.acting, "half", { confirm: "half", reason: "r" }))
    const left = await run(rowsOf(it.database.ownerUrl, tenant.id))
    assert.deepEqual(
      Object.entries(left).filter(([, count]) => count > 0),
      [],
    )
  })

  /** Another tenant's events, one transaction after the other, until stopped: the longest wait, ms. */
  const writeMeanwhile = (tenant: TenantId) => {
    const state = { stopped: false }
    let slowestMs = 0
    const writing = (async () => {
      for (let seq = 100_000; !state.stopped; seq++) {
        const startedMs = performance.now()
        await run(
          it.db.ingest(tenantId(tenant))(async (tx) => {
            await tx.query("set local lock_timeout = '100ms'")
            await tx.query(
              `insert into event (tenant_id, seq, idx, at_ms, type, severity, subject, subject_kind, entity, source)
               values ($1, $2, 0, 1, 't', 'warning', 's', 'device', '', 'snmp')`,
              [tenant, seq],
            )
          }),
        )
        slowestMs = Math.max(slowestMs, performance.now() - startedMs)
      }
    })()
    return {
      stop: async () => {
        state.stopped = true
        await writing
        return slowestMs
      },
    }
  }
})
