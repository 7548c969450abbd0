/**
 * The life of tenants, as the platform's administrators live it through the API and the machine's owner through the local
 * channel: made and running at once, changed, suspended and resumed, looked into by a time-boxed grant, removed for good.
 * Acts on other tenants stand in the audit of the administrator's own; a grant stands in both.
 */
import { existsSync, readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { Doors } from "#engine/access/doors.ts"
import { etagOf, fitsIfMatch } from "#engine/api/etag.ts"
import { Unavailable } from "#engine/api/ports.ts"
import { Changed, Conflict, Forbidden, NotFound, Refused } from "#engine/api/problems.ts"
import { recordAct, type Act, type Actor } from "#engine/audit/act.ts"
import type { Log } from "#engine/log.ts"
import { homeOf, type By } from "#engine/people/by.ts"
import { insertInvitation, INVITATION_HOURS } from "#engine/people/invitations.ts"
import type { Quotas, QuotaUse } from "#engine/quota/quotas.ts"
import { removeAnchorsOf } from "#engine/signing/anchor-file.ts"
import { DbError, type DbShape, type Tx } from "#engine/storage/db.ts"
import { setGrant } from "#engine/storage/sessions.ts"
import {
  changeTenant,
  createTenant,
  findTenant,
  listTenants,
  type NewTenant,
  type TenantChange,
  type TenantRecord,
} from "#engine/storage/tenants.ts"
import { uuidv7 } from "#engine/storage/uuidv7.ts"
import { removeRows } from "#engine/tenancy/offboard.ts"
import { writeOverrides } from "#engine/tenancy/rows.ts"
import type { Running } from "#engine/tenancy/running.ts"
import type { Standings } from "#engine/tenancy/standings.ts"
import type { TenantId } from "#protocol/id.ts"
import { isLimit, isQuota, type QuotaName, type Tier } from "#protocol/quota.ts"

/** Counts are null while the tenant's own database is away. */
export interface TenantView extends TenantRecord {
  readonly devices: number | null
  readonly links: number | null
  readonly users: number | null
  readonly ownDatabase: boolean
}
export interface QuotaList {
  readonly tier: Tier
  readonly items: readonly QuotaUse[]
}

export interface Tenancy {
  /** By slug, ascending, those after `after`. */
  readonly list: (page: {
    readonly after: string | null
    readonly limit: number
  }) => Effect.Effect<readonly TenantView[], Unavailable>
  readonly get: (slug: string) => Effect.Effect<TenantView, NotFound | Unavailable>
  readonly create: (
    by: Acting,
    wanted: NewTenant,
  ) => Effect.Effect<
    { readonly tenant: TenantView; readonly invitationToken: string },
    Conflict | Refused | Unavailable
  >
  readonly update: (
    by: Acting,
    slug: string,
    change: TenantChange,
    ifMatch: string | undefined,
  ) => Effect.Effect<TenantView, NotFound | Refused | Changed | Unavailable>
  /** Rows deleted, by table. */
  readonly offboard: (
    by: Acting,
    slug: string,
    sure: { readonly confirm: string; readonly reason: string },
  ) => Effect.Effect<Readonly<Record<string, number>>, NotFound | Refused | Unavailable>
  readonly enter: (
    by: By,
    slug: string,
    grant: { readonly reason: string; readonly minutes: number },
  ) => Effect.Effect<void, NotFound | Forbidden | Unavailable>
  /** Ends the grant of this session before its time. NotFound = there is none. */
  readonly leave: (by: By) => Effect.Effect<void, NotFound | Unavailable>
  readonly quotas: (slug: string) => Effect.Effect<QuotaList, NotFound | Unavailable>
  readonly setQuotas: (
    by: Acting,
    slug: string,
    wanted: Readonly<Record<string, number | null>>,
  ) => Effect.Effect<QuotaList, NotFound | Refused | Unavailable>
}

/** `home` = in whose audit it stands. */
export interface Acting {
  readonly home: TenantId
  readonly actor: Actor
}
export const actingAs = (by: By): Acting => ({ home: homeOf(by.principal), actor: by.actor })

export interface TenancyOptions {
  readonly db: DbShape
  readonly dataDir: string
  readonly standings: Standings
  readonly running: Running
  readonly quotas: Quotas
  readonly doors: Doors
  readonly log: Log
  readonly nowMs: () => number
  /** Of the databases that hold rows of this tenant; null = it has one of its own and that is away. */
  readonly ownerUrls: (slug: string) => readonly string[] | null
  readonly hasOwnDatabase: (slug: string) => boolean
  /** See RoutedDb. */
  readonly tenantChanged: (tenant: TenantId) => Effect.Effect<void, DbError>
}

export const tenantEtag = ({ name, tier, suspended }: TenantRecord): string => etagOf([name, tier, suspended])

export const makeTenancy = (options: TenancyOptions): Effect.Effect<Tenancy> =>
  // Acts of the platform are rare: they take turns, and none of them sees another one half done.
  Effect.map(Semaphore.make(1), (turns) => {
    const inTurn = turns.withPermits(1)
    return {
      list: ({ after, limit }) =>
        Effect.gen(function* () {
          const all = yield* listTenants(options.db)
          const page = all.filter(({ slug }) => after === null || slug > after).slice(0, limit)
          return yield* Effect.forEach(page, (record) => viewOf(options, record), { concurrency: 4 })
        }).pipe(Effect.catchTag("DbError", away)),
      get: (slug) =>
        Effect.flatMap(need(options, slug), (record) => viewOf(options, record)).pipe(Effect.catchTag("DbError", away)),
      create: (by, wanted) => inTurn(create(options, by, wanted)),
      update: (by, slug, change, ifMatch) => inTurn(update(options, by, slug, change, ifMatch)),
      offboard: (by, slug, sure) => inTurn(offboard(options, by, slug, sure)),
      enter: (by, slug, grant) => inTurn(enter(options, by, slug, grant)),
      leave: (by) => inTurn(leave(options, by)),
      quotas: (slug) =>
        Effect.flatMap(need(options, slug), ({ id }) => quotaList(options, id)).pipe(Effect.catchTag("DbError", away)),
      setQuotas: (by, slug, wanted) => inTurn(setQuotas(options, by, slug, wanted)),
    }
  })

/** The limits in force and what is used of each; people and keys are counted in the database. */
export const quotaList = (
  { db, quotas, nowMs }: Pick<TenancyOptions, "db" | "quotas" | "nowMs">,
  tenant: TenantId,
): Effect.Effect<QuotaList, DbError> =>
  db.tenant(tenant)(async (tx) => {
    const { rows } = await tx.query<{ users: number; keys: number }>(
      `select ((select count(*) from app_user where tenant_id = $1)
           + (select count(*) from invitation where tenant_id = $1 and expires_ms > $2))::int as users,
         (select count(*) from api_key where tenant_id = $1 and (expires_ms is null or expires_ms > $2))::int as keys`,
      [tenant, nowMs()],
    )
    const counted: Partial<Record<QuotaName, number>> = {
      max_users: rows[0]?.users ?? 0,
      max_api_keys: rows[0]?.keys ?? 0,
    }
    const items = quotas.used(tenant).map((use) => ({ ...use, used: counted[use.name] ?? use.used }))
    return { tier: quotas.tier(tenant), items }
  })

const away = (error: { readonly message: string }): Effect.Effect<never, Unavailable> =>
  Effect.fail(new Unavailable({ detail: error.message }))

const need = ({ db }: TenancyOptions, slug: string): Effect.Effect<TenantRecord, NotFound | DbError> =>
  Effect.flatMap(findTenant(db, slug), (found) =>
    found === null ? Effect.fail(new NotFound({})) : Effect.succeed(found),
  )

const viewOf = ({ db, hasOwnDatabase }: TenancyOptions, record: TenantRecord): Effect.Effect<TenantView> =>
  db
    .tenant(record.id)(async (tx) => {
      const { rows } = await tx.query<{ devices: number; links: number; users: number }>(
        `select (select count(*)::int from device where tenant_id = $1) as devices,
           (select count(*)::int from link where tenant_id = $1) as links,
           (select count(*)::int from app_user where tenant_id = $1) as users`,
        [record.id],
      )
      return rows[0] ?? UNKNOWN
    })
    .pipe(
      Effect.orElseSucceed(() => UNKNOWN),
      Effect.map((counts) => ({ ...record, ...counts, ownDatabase: hasOwnDatabase(record.slug) })),
    )
const UNKNOWN = { devices: null, links: null, users: null }

/** The act and its row in the audit of who does it: when the act fails there is no row. */
const audited = <A, E>(
  { db }: TenancyOptions,
  { home, actor }: Acting,
  describe: (done: A) => Act,
  act: Effect.Effect<A, E>,
): Effect.Effect<A, E | DbError> =>
  db.tenant(home)((tx) => Effect.tap(act, (done) => inTx(() => recordAct(tx, home, actor, describe(done)))))

const inTx = <A>(body: () => Promise<A>): Effect.Effect<A, DbError> =>
  Effect.tryPromise({
    try: body,
    catch: (error) =>
      error instanceof DbError ? error : new DbError({ code: "XX000", message: "an act could not be recorded" }),
  })

const objectOf = ({ id, slug }: TenantRecord): Act["object"] => ({ kind: "tenant", id, name: slug })

const create = (options: TenancyOptions, by: Acting, wanted: NewTenant) =>
  Effect.gen(function* () {
    const { db, standings, running, nowMs } = options
    const made = yield* audited(
      options,
      by,
      ({ record }) => ({
        action: "tenant.create",
        object: objectOf(record),
        before: null,
        after: { slug: record.slug, name: record.name, tier: record.tier },
      }),
      Effect.gen(function* () {
        const record = yield* createTenant(db, wanted)
        const invitation = {
          note: "first administrator",
          roles: ["tenant_admin"],
          sites: null,
          hours: INVITATION_HOURS,
        }
        const { token } = yield* db.tenant(record.id)<{ readonly token: string }, Refused>((tx: Tx) =>
          insertInvitation(tx, record.id, invitation, null, by.actor.name, nowMs()),
        )
        return { record, token }
      }),
    )
    yield* standings.load(made.record)
    yield* running.start(made.record)
    return { tenant: yield* viewOf(options, made.record), invitationToken: made.token }
  }).pipe(
    Effect.catchTags({
      TenantRefused: ({ message }) =>
        Effect.fail(/exists/.test(message) ? new Conflict({ detail: message }) : new Refused({ detail: message })),
      DbError: away,
      TenantNotStarted: away,
      MasterKeyUnusable: away,
      VaultRefused: away,
    }),
  )

const update = (options: TenancyOptions, by: Acting, slug: string, change: TenantChange, ifMatch: string | undefined) =>
  Effect.gen(function* () {
    const { db, standings } = options
    const before = yield* need(options, slug)
    if (!fitsIfMatch(ifMatch, tenantEtag(before))) return yield* new Changed({})
    // Nobody may lock the platform's own door behind themselves.
    if (change.suspended === true && before.id === by.home)
      return yield* new Refused({ detail: "this is your own tenant: it cannot be suspended from within" })
    const after = { ...before, ...change }
    if (tenantEtag(after) === tenantEtag(before)) {
      // One that was imported beside the running engine is taken up by asking for it again.
      if (change.suspended === false) yield* resume(options, before)
      return yield* viewOf(options, before)
    }
    const changed = yield* audited<TenantRecord, NotFound | DbError>(
      options,
      by,
      (record) => ({
        action: "tenant.update",
        object: objectOf(record),
        before: seen(before),
        after: seen(record),
      }),
      Effect.flatMap(changeTenant(db, before.id, change), (record) =>
        record === null ? Effect.fail(new NotFound({})) : Effect.succeed(record),
      ),
    )
    standings.know(changed)
    yield* options.tenantChanged(changed.id)
    if (changed.suspended && !before.suspended) yield* suspend(options, changed)
    if (!changed.suspended) yield* resume(options, changed)
    return yield* viewOf(options, changed)
  }).pipe(Effect.catchTags({ DbError: away, TenantNotStarted: away, MasterKeyUnusable: away, VaultRefused: away }))

const seen = ({ name, tier, suspended }: TenantRecord) => ({ name, tier, suspended })

/** Also after any other change: what it changed is in force when this returns. */
const resume = ({ standings, running }: TenancyOptions, record: TenantRecord) =>
  Effect.andThen(standings.load(record), running.start(record))

/** Nobody of it is admitted from now on; its sessions end for good, its programs' keys work again when it is resumed. */
const suspend = ({ db, doors, running }: TenancyOptions, { id }: TenantRecord): Effect.Effect<void, DbError> =>
  Effect.gen(function* () {
    doors.forget({ tenant: id })
    yield* running.stop(id)
    yield* db.tenant(id)((tx) => tx.query("delete from session where tenant_id = $1", [id]))
  })

const offboard = (
  options: TenancyOptions,
  by: Acting,
  slug: string,
  { confirm, reason }: { readonly confirm: string; readonly reason: string },
) =>
  Effect.gen(function* () {
    const { db, standings, running, doors, dataDir } = options
    const record = yield* need(options, slug)
    if (confirm !== slug) return yield* new Refused({ detail: "`confirm` is not the slug of this tenant" })
    if (record.id === by.home) return yield* new Refused({ detail: "this is your own tenant: leave it to another one" })
    const urls = options.ownerUrls(slug)
    if (urls === null) return yield* new Unavailable({ detail: "the tenant's own database is away" })
    // On record before it begins: what cannot be undone must not be done unseen.
    yield* audited(
      options,
      by,
      () => ({ action: "tenant.offboard", object: objectOf(record), before: seen(record), after: null, reason }),
      changeTenant(db, record.id, { suspended: true }),
    )
    standings.know({ ...record, suspended: true })
    doors.forget({ tenant: record.id })
    yield* running.stop(record.id)
    const rows: Record<string, number> = {}
    for (const url of urls)
      for (const [table, count] of Object.entries(yield* removeRows(url, record.id)))
        rows[table] = (rows[table] ?? 0) + count
    yield* Effect.sync(() => removeFiles(dataDir, record.id))
    standings.forget(record.id)
    return rows
  }).pipe(Effect.catchTags({ DbError: away, OffboardFailed: away }))

const removeFiles = (dataDir: string, tenant: TenantId): void => {
  const spool = join(dataDir, "spool")
  // Also what a takeover has set aside: every file of the tenant opens with its id.
  for (const file of existsSync(spool) ? readdirSync(spool) : [])
    if (file.startsWith(tenant)) rmSync(join(spool, file), { recursive: true, force: true })
  removeAnchorsOf(dataDir, tenant)
}

const enter = (
  options: TenancyOptions,
  by: By,
  slug: string,
  { reason, minutes }: { readonly reason: string; readonly minutes: number },
) =>
  Effect.gen(function* () {
    const { db, doors, running, nowMs } = options
    const { principal, actor } = by
    const record = yield* need(options, slug)
    const home = homeOf(principal)
    if (principal.credential.kind !== "session")
      return yield* new Forbidden({ detail: "only a person's session may look into another tenant" })
    if (record.id === home) return yield* new Forbidden({ detail: "this is your own tenant" })
    if (!running.services.has(record.id)) return yield* new Unavailable({ detail: "that tenant does not run" })
    const grant = { id: uuidv7(), tenant: record.id, reason, untilMs: nowMs() + minutes * 60_000 }
    const act: Act = {
      action: "tenant.enter",
      object: objectOf(record),
      before: null,
      after: { grant: grant.id, untilMs: grant.untilMs },
      reason,
    }
    const session = { userId: principal.userId, id: principal.credential.id }
    const granted = yield* db.tenant(home)((tx) =>
      Effect.gen(function* () {
        const given = yield* inTx(() => setGrant(tx, home, session, grant))
        if (!given) return false
        yield* inTx(() => recordAct(tx, home, actor, act))
        // The tenant that is looked into learns of it first: when its row cannot be written there is no grant.
        yield* db.tenant(record.id)((theirs) => recordAct(theirs, record.id, actor, act))
        return true
      }),
    )
    if (!granted) return yield* new Forbidden({ detail: "this session has ended" })
    doors.forget({ credentialId: principal.credential.id })
  }).pipe(Effect.catchTag("DbError", away))

/** On record where the entering is: whoever was looked into sees when it ended. */
const leave = ({ db, doors }: TenancyOptions, { principal, actor }: By) =>
  Effect.gen(function* () {
    const { grant, tenant } = principal
    if (grant === null) return yield* new NotFound({})
    const record = (yield* listTenants(db)).find(({ id }) => id === tenant)
    // One that was removed meanwhile has no audit any more.
    const object = record === undefined ? { kind: "tenant", id: tenant, name: tenant } : objectOf(record)
    const act: Act = {
      action: "tenant.leave",
      object,
      before: { grant: grant.id, untilMs: grant.untilMs },
      after: null,
      reason: grant.reason,
    }
    const session = { userId: principal.userId, id: principal.credential.id }
    const left = yield* db.tenant(grant.home)((tx) =>
      Effect.gen(function* () {
        if (!(yield* inTx(() => setGrant(tx, grant.home, session, null)))) return false
        yield* inTx(() => recordAct(tx, grant.home, actor, act))
        if (record !== undefined) yield* db.tenant(tenant)((theirs) => recordAct(theirs, tenant, actor, act))
        return true
      }),
    )
    doors.forget({ credentialId: principal.credential.id })
    if (!left) return yield* new NotFound({})
  }).pipe(Effect.catchTag("DbError", away))

const setQuotas = (
  options: TenancyOptions,
  by: Acting,
  slug: string,
  wanted: Readonly<Record<string, number | null>>,
) =>
  Effect.gen(function* () {
    const { db, standings, quotas } = options
    const record = yield* need(options, slug)
    for (const [name, most] of Object.entries(wanted)) {
      if (!isQuota(name))
        return yield* new Refused({ detail: `there is no quota ${JSON.stringify(name.slice(0, 64))}` })
      if (most !== null && !isLimit(most))
        return yield* new Refused({ detail: `${name}: use a whole number from 0 on, or null for the tier's own` })
    }
    const names = Object.keys(wanted) as QuotaName[]
    yield* standings.load(record)
    const before = Object.fromEntries(names.map((name) => [name, quotas.limit(record.id, name)]))
    yield* audited(
      options,
      by,
      () => ({ action: "tenant.set-quotas", object: objectOf(record), before, after: wanted }),
      db.tenant(record.id)((tx) => writeOverrides(tx, record.id, wanted)),
    )
    yield* standings.load(record)
    return yield* quotaList(options, record.id)
  }).pipe(Effect.catchTag("DbError", away))
