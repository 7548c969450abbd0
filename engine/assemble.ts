/**
 * The whole engine, put together under one Scope: database, vault, tenants with their twins and fleets, listeners for
 * traps and syslog, HTTP and the stream. Order matters twice: nothing is served before it works, and closing the scope
 * takes everything down in reverse (no new inputs, twins flushed and saved, then the database).
 */
import { randomBytes } from "node:crypto"
import { resolve } from "node:path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { openAudit, type Audit } from "#engine/audit/audit.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { makeAddressBook } from "#engine/address-book.ts"
import { storedIdempotency } from "#engine/api/idempotency-store.ts"
import type { Importer, Twins } from "#engine/api/ports.ts"
import { makeLocalAdmin, type EngineStatus } from "#engine/api/local-admin.ts"
import { makeCollectors } from "#engine/collectors/registry.ts"
import type { SyslogListener } from "#engine/collectors/syslog/listener.ts"
import { downloadBasemap } from "#engine/basemap-download.ts"
import { ensureClientBundle, type ClientBundle } from "#engine/client-bundle.ts"
import type { Config } from "#engine/config.ts"
import { engineMetrics } from "#engine/engine-metrics.ts"
import { makeHttp } from "#engine/http/server.ts"
import { openIdentity, type Identity } from "#engine/identity.ts"
import { startWhenBack } from "#engine/isolation/open-when-back.ts"
import { openRoutedDb, type RoutedDb } from "#engine/isolation/routed-db.ts"
import { readTenantDatabases } from "#engine/isolation/tenant-databases-file.ts"
import { makeInventoryApi } from "#engine/inventory-api/inventory-api.ts"
import { listen } from "#engine/listeners.ts"
import type { Log } from "#engine/log.ts"
import { processMetrics } from "#engine/metrics/process.ts"
import { makeMetrics, type MetricsRegistry } from "#engine/metrics/registry.ts"
import { keepPin } from "#engine/keep-pin.ts"
import { keysWithin } from "#engine/programs/keys.ts"
import { makeReveal, type SubscriberReveal } from "#engine/privacy/reveal.ts"
import { storedPrivacy } from "#engine/privacy/settings.ts"
import { makeProbes } from "#engine/probes/probes.ts"
import { probeMetrics } from "#engine/probes/stats.ts"
import { quotaMetrics } from "#engine/quota/quota-metrics.ts"
import { makeQuotas } from "#engine/quota/quotas.ts"
import { measureStorage } from "#engine/quota/storage-use.ts"
import { platformTwin, tellExpiry } from "#engine/tls/tell-expiry.ts"
import { tellBreaches } from "#engine/quota/tell-breaches.ts"
import { usersWithin } from "#engine/quota/users-within.ts"
import { makeReplays, type Replays } from "#engine/replay/replays.ts"
import { makeJudging, type Judging } from "#engine/rules/judging.ts"
import { tellSelves } from "#engine/self/tell-selves.ts"
import { auditRls } from "#engine/storage/audit-rls.ts"
import { openHistoryThread } from "#engine/storage/history-thread.ts"
import { openDb, type DbShape } from "#engine/storage/db.ts"
import { openDatabase } from "#engine/storage/launcher.ts"
import { migrate } from "#engine/storage/migrate.ts"
import { keepPartitions } from "#engine/storage/partitions-keeper.ts"
import { createTenant, listTenants, type NewTenant, type TenantRecord } from "#engine/storage/tenants.ts"
import { createUser, hasUsers } from "#engine/storage/users.ts"
import { openVault, type Vault } from "#engine/storage/vault.ts"
import { tellDead } from "#engine/storage/vault-status.ts"
import { eventsOf, historyOf } from "#engine/stored-readers.ts"
import { makeStream, type Stream } from "#engine/stream/stream.ts"
import { makeImporter } from "#engine/import/importer.ts"
import { VERSION } from "#engine/version.ts"
import { keepCertificate } from "#engine/tls/keeper.ts"
import type { CertificateKeeper } from "#engine/tls/keeper.ts"
import { openTenant, type TenantEnvironment, type TenantServices } from "#engine/tenant-services.ts"
import { localTenants } from "#engine/tenancy/local-tenants.ts"
import { longestKept } from "#engine/tenancy/longest-kept.ts"
import { makeRunning } from "#engine/tenancy/running.ts"
import { makeSettings } from "#engine/tenancy/settings.ts"
import { makeStandings, shrunk } from "#engine/tenancy/standings.ts"
import { appUrlOf, ownerUrlsOf } from "#engine/tenancy/database-urls.ts"
import { makeTenancy } from "#engine/tenancy/tenancy.ts"
import { makeReasoning, type Reasoning } from "#engine/topology/reasoning.ts"
import { makeTenants } from "#engine/tenant/registry.ts"
import type { TenantInfo } from "#engine/tenant/live-twin.ts"
import type { TenantId } from "#protocol/id.ts"

/** The catalogue audit found a table that another tenant could read. The engine does not start over a hole. */
export class IsolationBroken extends Data.TaggedError("IsolationBroken")<{ readonly message: string }> {}

export interface Engine {
  readonly url: string
  readonly httpPort: number
  readonly trapPort: number
  readonly syslogPort: number
  /** Set only by the start that made the first user; shown once, stored nowhere. */
  readonly newPassword: string | null
  readonly importer: Importer
  /** Makes the tenant when it is not there, and runs it. */
  readonly ensureTenant: (tenant: NewTenant) => Effect.Effect<TenantInfo, unknown>
  readonly tenants: () => readonly TenantServices[]
  /** Crashes a tenant's runtime, as a defect would: for drills. False when it does not run. */
  readonly killTenant: (tenant: TenantId, reason: string) => boolean
}

export interface AssembleOptions {
  readonly config: Config
  readonly log: Log
  /** Owns the first user, when there is none yet. */
  readonly firstTenant: NewTenant
  /** A step is done: what, and how long it took. */
  readonly progress: (what: string, ms: number) => void
}

const ROOT = resolve(import.meta.dirname, "..")

export const assemble = (options: AssembleOptions) =>
  Effect.gen(function* () {
    const { config, log } = options
    const step = stopwatch(options.progress)
    // Side by side: the builder works in a process of its own, and a data directory in use is told at once.
    const [{ db, vault, homeOwnerUrl, homeAppUrl }, bundle] = yield* Effect.all(
      [openStorage(options, step), openBundle(options)],
      {
        concurrency: "unbounded",
      },
    )
    const metrics = makeMetrics()
    yield* processMetrics(metrics, VERSION)

    const tls = yield* openTls(options, metrics)
    const book = makeAddressBook()
    const probes = yield* makeProbes({ log })
    step(probes.tool === null ? "nothing here can ping" : `pings by ${probes.tool}`)
    const tenants = yield* makeTenants({})
    const quotas = makeQuotas(() => performance.now())
    const standings = makeStandings(db, quotas, config)
    // Filled once the stream is there, which a tenant's start and stop need.
    let running: Running = new Map<TenantId, TenantServices>()
    const twins: Twins = {
      byTenant: (tenant) => running.get(tenant)?.twin ?? null,
      all: () => [...running.values()].map((it) => it.twin),
    }
    // The syslog listener opens after the tenants: what their sessions hear before is dropped, like any line before the start.
    const ears: { hear: SyslogListener["hear"] } = { hear: () => undefined }
    const collectors = makeCollectors({
      onChange: (device) => book.byDevice(device)?.pollNow(),
      onLog: (device, topics, message) => ears.hear(device, topics, message),
      onPin: (device, fingerprint) => keepPin(db, book, log, device, fingerprint),
    })
    const storageUse = yield* measureStorage({ db, quotas, tenants: () => [...running.keys()], log })
    const charts = yield* openHistoryThread()
    const environment: TenantEnvironment = {
      config,
      db,
      vault,
      log,
      tenants,
      collectors,
      book,
      probes,
      quotas,
      retentionMs: ({ id }) => shrunk(standings.retentionMs(id), storageUse.share(id)),
      privacy: ({ id }) => storedPrivacy(db)(id),
      readChart: ({ id, slug }, windows, query) =>
        charts.read({ appUrl: appUrlOf(homeAppUrl, db, slug), tenant: id, windows, query }),
    }
    const identity = yield* openIdentity({
      config,
      db,
      vault,
      metrics,
      log,
      tls: tls !== null,
      isSuspended: standings.isSuspended,
      sessionHoursOf: (tenant) => standings.settings(tenant).sessionHours,
      admitUser: usersWithin(quotas, Date.now),
      admitKey: keysWithin((tenant, wanted) => quotas.refusal(tenant, "max_api_keys", wanted), Date.now),
      nowMs: Date.now,
    })
    const appUrl = (slug: string): string | null => appUrlOf(homeAppUrl, db, slug)
    const replays = yield* makeReplays({
      db,
      quotas,
      log,
      appUrl,
      runs: (tenant) => running.has(tenant),
      nowMs: Date.now,
      monotonicMs: () => performance.now(),
    })
    const stream = yield* makeStream({
      doors: identity.api.doors,
      twins,
      metrics,
      log,
      publicUrl: config.publicUrl,
      tls: tls !== null,
      viewersMax: config.viewersMax,
      quotas,
      replays,
      nowMs: Date.now,
    })
    const judging = makeJudging({
      db,
      quotas,
      log,
      judgements: { of: tenants.judgement, incidents: tenants.incidents },
      appUrl,
      nowMs: Date.now,
    })
    const open = (tenant: TenantInfo) => Effect.tap(openTenant(environment, tenant), () => judging.follow(tenant))
    const life = yield* makeRunning({ open, tenants, stream })
    running = life.services
    yield* tellBreaches(quotas, twins.byTenant, Date.now)
    const run = (tenant: TenantRecord) => Effect.andThen(standings.load(tenant), life.start(tenant))

    const stored = yield* listTenants(db)
    for (const tenant of stored) standings.know(tenant)
    yield* keepPartitions({
      ownerUrls: () => [homeOwnerUrl, ...[...db.own.values()].flatMap((own) => own.urls()?.ownerUrl ?? [])],
      longest: longestKept(db, standings),
      log,
      nowMs: Date.now,
    })
    for (const tenant of stored.filter(({ suspended }) => !suspended))
      yield* startWhenBack(db.own.get(tenant.slug) ?? null, run(tenant), log)
    step(`${running.size} ${running.size === 1 ? "tenant" : "tenants"}, ${deviceCount(running)} devices`)
    const { hear, ...listeners } = yield* listen(config, book, metrics, log, quotas, tls)
    ears.hear = hear
    const { trapPort, syslogPort, syslogTlsPort } = listeners
    const overTls = syslogTlsPort === null ? "" : `, on TLS ${syslogTlsPort}`
    step(`traps on UDP ${trapPort}, syslog on UDP and TCP ${syslogPort}${overTls}`)

    probeMetrics(metrics, probes)
    engineMetrics(
      metrics,
      () =>
        [...running.values()].map((it) => ({
          slug: it.twin.tenant.slug,
          runtime: it.stats(),
          fleet: it.fleetStats,
          samples: it.samples(),
        })),
      config.dataDir,
    )
    const ensureTenant = (wanted: NewTenant) =>
      Effect.gen(function* () {
        const known = (yield* listTenants(db)).find(({ slug }) => slug === wanted.slug)
        const tenant = known ?? (yield* createTenant(db, wanted))
        if (!running.has(tenant.id) && !tenant.suspended) yield* run(tenant)
        return tenant
      })
    // Before anything is served: whoever sees a healthy engine can sign in to it.
    const newPassword = yield* firstUser(options, db, ensureTenant)
    const platform = yield* platformTwin(db, twins)
    if (tls !== null) tellExpiry(tls, platform, Date.now)
    const { dataDir } = config
    yield* tellSelves({ tenants: () => running.values(), platform, dataDir, viewersDropped: stream.dropped })
    const importer = makeImporter(running)
    quotaMetrics(metrics, quotas, () => [...running.values()])
    const tenancy = yield* makeTenancy({
      db,
      dataDir: config.dataDir,
      standings,
      running: life,
      quotas,
      log,
      nowMs: Date.now,
      doors: identity.api.doors,
      ownerUrls: (slug) => ownerUrlsOf(homeOwnerUrl, db, slug),
      hasOwnDatabase: (slug) => db.own.has(slug),
      tenantChanged: db.tenantChanged,
    })
    const settings = makeSettings(db, standings, quotas, Date.now)
    const tenantIds = (): readonly TenantId[] => [...running.keys()]
    const audit = yield* openAudit({ db, dataDir: config.dataDir, quotas, tenants: tenantIds, log, nowMs: Date.now })
    const subscribers = makeReveal({ db, vault, settings: storedPrivacy(db), nowMs: Date.now })
    const inventory = makeInventoryApi({
      db,
      changeOf: (tenant) => running.get(tenant)?.change ?? null,
      wrongAddressOf: (tenant) => running.get(tenant)?.wrongAddress() ?? (() => null),
      defaultPollSeconds: config.pollSeconds,
      quotas,
    })
    const reasoning = yield* makeReasoning({ db, inventory, tenants, appUrl, nowMs: Date.now })
    const http = yield* serve({
      options,
      bundle,
      db,
      vault,
      metrics,
      tls,
      identity,
      audit,
      subscribers,
      replays,
      reasoning: { inventory, ...judging.api, ...reasoning },
      tenancy: { tenancy, settings, quotas },
      twins,
      stream,
      running,
    })
    yield* makeLocalAdmin({
      dataDir: config.dataDir,
      importer,
      tenants: localTenants(tenancy),
      status: () => statusOf(http.url, running),
      log,
    })
    step("web interface")
    const engine: Engine = {
      url: http.url,
      httpPort: http.port,
      ...listeners,
      newPassword,
      importer,
      ensureTenant,
      tenants: () => [...running.values()],
      killTenant: tenants.kill,
    }
    return engine
  })

type Running = ReadonlyMap<TenantId, TenantServices>
type Step = (what: string) => void

const stopwatch = (progress: AssembleOptions["progress"]): Step => {
  let startedMs = performance.now()
  return (what) => {
    const nowMs = performance.now()
    progress(what, nowMs - startedMs)
    startedMs = nowMs
  }
}

const deviceCount = (running: Running): number =>
  [...running.values()].reduce((sum, { twin }) => sum + twin.inventory().devices.length, 0)

const statusOf = (url: string, running: Running): EngineStatus => ({
  pid: process.pid,
  version: VERSION,
  url,
  uptimeS: Math.floor(process.uptime()),
  tenants: [...running.values()].map(({ twin }) => {
    const { slug, name, demo } = twin.tenant
    return { slug, name, demo, counts: twin.counts() }
  }),
})

const openBundle = ({ config, progress }: AssembleOptions) =>
  Effect.gen(function* () {
    const bundle = yield* ensureClientBundle(({ step, ms, cached }) =>
      progress(cached ? `${step}: as built before` : `${step}: built`, ms),
    )
    if (config.basemapUrl === null) return bundle
    const basemapPath = yield* downloadBasemap(config.basemapUrl, config.dataDir)
    return { ...bundle, basemapPath }
  })

/** Database, schema, the isolation audit, vault. */
const openStorage = ({ config, log }: AssembleOptions, step: Step) =>
  Effect.gen(function* () {
    const database = yield* openDatabase({
      dataDir: config.dataDir,
      ...(config.databaseUrl === null ? {} : { databaseUrl: Redacted.value(config.databaseUrl) }),
      app: "heliograph",
      log: (line) => log.info(line),
    })
    step(`PostgreSQL ${database.version} ${database.kind}`)
    const { applied } = yield* migrate({
      ownerUrl: database.ownerUrl,
      dir: resolve(ROOT, "migrations"),
      log: (line) => log.info(line),
    })
    const holes = yield* auditRls(database.ownerUrl)
    if (holes.length > 0) {
      const named = holes.map((hole) => JSON.stringify(hole)).join("; ")
      return yield* new IsolationBroken({
        message: `row level security does not hold: ${named}. Restore the schema by the migrations before starting.`,
      })
    }
    step(
      applied.length === 0
        ? "schema is current, isolation audit clean"
        : `schema: ${applied.length} migrations, isolation audit clean`,
    )
    const db = yield* openRoutedDb({
      home: yield* openDb({ appUrl: database.appUrl, engineUrl: database.engineUrl }),
      homeDatabase: database,
      databases: yield* readTenantDatabases(config.tenantDatabasesFile),
      migrations: resolve(ROOT, "migrations"),
      log: (line) => log.info(line),
    })
    const vaultOptions = {
      dataDir: config.dataDir,
      ...(config.masterKeyFile === null ? {} : { masterKeyFile: config.masterKeyFile }),
      dead: config.deadCredentials,
    }
    const vault = yield* openVault(db, vaultOptions)
    if (config.deadCredentials === "allow") yield* tellDead(db, vaultOptions, log)
    return { db, vault, homeOwnerUrl: database.ownerUrl, homeAppUrl: database.appUrl }
  })

const openTls = ({ config, log }: AssembleOptions, metrics: MetricsRegistry) =>
  config.tlsCertFile === null || config.tlsKeyFile === null
    ? Effect.succeed(null)
    : keepCertificate({
        certFile: config.tlsCertFile,
        keyFile: config.tlsKeyFile,
        log,
        metrics,
        nowMs: Date.now,
      })

interface Serving {
  readonly options: AssembleOptions
  readonly bundle: ClientBundle
  readonly db: DbShape
  readonly vault: Vault
  readonly metrics: MetricsRegistry
  readonly tls: CertificateKeeper | null
  readonly identity: Identity
  readonly audit: Audit
  readonly subscribers: SubscriberReveal
  readonly replays: Replays
  readonly reasoning: Judging["api"] & Reasoning & Pick<ApiDeps, "inventory">
  readonly tenancy: Pick<ApiDeps, "tenancy" | "settings" | "quotas">
  readonly twins: Twins
  readonly stream: Stream
  readonly running: Running
}

const serve = ({
  options,
  bundle,
  db,
  vault,
  metrics,
  tls,
  identity,
  audit,
  subscribers,
  replays,
  reasoning,
  tenancy,
  twins,
  stream,
  running,
}: Serving) => {
  const { config, log } = options
  return makeHttp({
    host: config.host,
    port: config.port,
    hsts: config.hsts,
    api: {
      ...identity.api,
      ...tenancy,
      ...reasoning,
      audit,
      subscribers,
      replays,
      twins,
      history: historyOf(running),
      events: eventsOf(db),
      idempotency: storedIdempotency({ db, vault, nowMs: Date.now }),
      probePlans: { of: (tenant) => running.get(tenant)?.probePlans() ?? [] },
      log,
      version: VERSION,
      publicUrl: config.publicUrl,
      tls: tls !== null,
      sessionHours: config.sessionHours,
      nowMs: Date.now,
    },
    tls,
    oidc: identity.oidc,
    metrics,
    metricsToken: config.metricsToken,
    staticDir: bundle.staticDir,
    basemapPath: () => bundle.basemapPath,
    stream,
    ready: () => true,
  })
}

/** Whoever starts the first engine runs the platform and its first tenant. */
const FIRST_USER_ROLES = ["platform_admin", "tenant_admin"] as const

/** The very first start makes the first tenant and its administrator; the password is returned, never stored in clear. */
const firstUser = (
  { config, firstTenant }: AssembleOptions,
  db: RoutedDb,
  ensureTenant: (tenant: NewTenant) => Effect.Effect<TenantInfo, unknown>,
) =>
  Effect.gen(function* () {
    if (yield* hasUsers(db)) return null
    // Users may be in a database that is away: then this is not the first start.
    if ([...db.own.values()].some((it) => it.state().kind === "away")) return null
    const tenant = yield* ensureTenant(firstTenant)
    const made = config.adminPassword === null ? randomBytes(12).toString("base64url") : null
    const password = made ?? Redacted.value(config.adminPassword as Redacted.Redacted)
    yield* createUser(db, tenant.id, { name: config.adminUser, password, roles: FIRST_USER_ROLES })
    return made
  })
