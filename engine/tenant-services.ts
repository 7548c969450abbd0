/**
 * All that belongs to one tenant, around its twin: journal, history, events, snapshots, and the fleet that polls its
 * devices. The twin's runtime may crash and be rebuilt; what stands here finds the runtime of the moment. Nothing in it
 * can name another tenant (law 3).
 */
import { hostname } from "node:os"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { AddressBook } from "#engine/address-book.ts"
import type { ProbePlan } from "#engine/api/ports.ts"
import type { Collector, Sink } from "#engine/collectors/collector.ts"
import { makeBridgeHostsGate } from "#engine/privacy/bridge-hosts.ts"
import { discreetSink } from "#engine/privacy/discreet.ts"
import { openSubscribers, PRIVATE, type PrivacySettings } from "#engine/privacy/subscribers.ts"
import { makeFleetStats, type FleetStats } from "#engine/collectors/fleet-stats.ts"
import { FLEET_DEFAULTS, runFleet, type FleetControl } from "#engine/collectors/fleet.ts"
import type { Config } from "#engine/config.ts"
import type { ImportDocument, ImportMode, ImportReport } from "#engine/import/document.ts"
import type { Log } from "#engine/log.ts"
import { deviceReach, reachableTargets, wrongDeviceAddress, type WrongAddress } from "#engine/net/reach.ts"
import type { Probes } from "#engine/probes/probes.ts"
import {
  afterIncidents,
  keepIncidents,
  makeIncidentWriter,
  type IncidentWriter,
} from "#engine/incidents/incident-writer.ts"
import { answerProbes } from "#engine/incidents/probing.ts"
import { makeQuickPing } from "#engine/incidents/quick-ping.ts"
import { storeIncidents } from "#engine/incidents/stored-incidents.ts"
import { makeIngestGate, type IngestGate, type IngestStats } from "#engine/quota/ingest-gate.ts"
import type { QuotaPassed, Quotas } from "#engine/quota/quotas.ts"
import { perSecond, stretchProbes } from "#engine/quota/stretch-probes.ts"
import type { DbError, DbShape } from "#engine/storage/db.ts"
import { appendEvents } from "#engine/storage/events.ts"
import { openHistory, type History, type ReadElsewhere } from "#engine/storage/history.ts"
import {
  changeInventory,
  type AddressRefused,
  type Changed,
  type Changing,
  type Planned,
} from "#engine/storage/inventory-change.ts"
import { inventoryOf, type Stored } from "#engine/storage/inventory-rows.ts"
import {
  loadInventory,
  loadTargets,
  LOCAL_IMPORT,
  planImport,
  type Imported,
  type ImportRefused,
} from "#engine/storage/inventory.ts"
import { openJournal, type Journal, type JournalStatus } from "#engine/storage/journal.ts"
import { openSnapshots, type SnapshotStore } from "#engine/storage/snapshots.ts"
import { makeTargetOpener } from "#engine/storage/targets.ts"
import type { MasterKeyUnusable, TenantKey, Vault, VaultRefused } from "#engine/storage/vault.ts"
import { decodeBatch, encodeBatch } from "#engine/tenant/journal-codec.ts"
import { writeEvents } from "#engine/tenant/event-writer.ts"
import { makeFollower } from "#engine/tenant/inventory-follower.ts"
import type { LiveTwin, TenantInfo } from "#engine/tenant/live-twin.ts"
import type { JournalPort } from "#engine/tenant/ports.ts"
import type { LoadTenant, TenantNotStarted, Tenants } from "#engine/tenant/registry.ts"
import type { TenantNotice, TenantRuntimeStats } from "#engine/tenant/runtime.ts"
import type { RetentionMs } from "#engine/tenancy/standings.ts"
import { upkeepForever } from "#engine/upkeep.ts"
import type { QuotaName } from "#protocol/quota.ts"

export interface TenantServices {
  readonly twin: LiveTwin
  /** Null while the runtime is being rebuilt. */
  readonly history: () => History | null
  readonly fleetStats: FleetStats
  readonly stats: () => TenantRuntimeStats | null
  /** Null while the runtime is being rebuilt. */
  readonly journalStatus: () => JournalStatus | null
  /** Values journaled by polls since the start. */
  readonly samples: () => number
  /** What the quotas held back or left out of what its devices said. */
  readonly ingest: () => IngestStats
  /** What of each device is probed. */
  readonly probePlans: () => readonly ProbePlan[]
  /** Stores a document; twin and fleet follow when it changed something. */
  readonly importDocument: (
    document: ImportDocument,
    mode: ImportMode,
  ) => Effect.Effect<
    ImportReport,
    ImportRefused | AddressRefused | QuotaPassed | VaultRefused | MasterKeyUnusable | TopologyRefused | DbError
  >
  /** Stores any change of the inventory; twin and fleet follow when it changed something. */
  readonly change: ChangeInventory
  /** Which addresses its devices cannot have, as of now. */
  readonly wrongAddress: () => WrongAddress
}

/** `plan` throws tagged errors of its own, which come out as E. */
export type ChangeInventory = <A, E = never>(
  changing: Changing,
  plan: (stored: Stored, key: () => Promise<TenantKey>) => Promise<Planned<A>>,
) => Effect.Effect<
  Changed<A>,
  E | AddressRefused | QuotaPassed | VaultRefused | MasterKeyUnusable | TopologyRefused | DbError
>

/** The twin did not take the new inventory: it is being rebuilt. It stands in the database, and the twin follows soon. */
export class TopologyRefused extends Data.TaggedError("TopologyRefused")<{ readonly message: string }> {}

export interface TenantEnvironment {
  readonly config: Config
  readonly db: DbShape
  readonly vault: Vault
  readonly log: Log
  readonly tenants: Tenants
  readonly collectors: readonly Collector[]
  readonly book: AddressBook
  readonly probes: Probes
  readonly quotas: Quotas
  /** How long its rows are kept now; asked at each removal. */
  readonly retentionMs: (tenant: TenantInfo) => RetentionMs
  /** What the tenant chose about its subscribers; absent = counts only. */
  readonly privacy?: (tenant: TenantInfo) => Effect.Effect<PrivacySettings, unknown>
  /** Reads charts in another thread; absent = in this one. */
  readonly readChart?: (tenant: TenantInfo, ...read: Parameters<ReadElsewhere>) => ReturnType<ReadElsewhere>
}

/** One for the process: it looks for a tool once. */
const quickPing = makeQuickPing()

/** Room for changes of the inventory within one life of a runtime. */
const EPOCHS_PER_LIFE = 2 ** 20

/** Starts the tenant's twin from what is stored, then its fleet. */
export const openTenant = (
  environment: TenantEnvironment,
  tenant: TenantInfo,
): Effect.Effect<TenantServices, TenantNotStarted | MasterKeyUnusable | VaultRefused | DbError, Scope.Scope> =>
  Effect.gen(function* () {
    const { config, db, vault, tenants, book, probes, quotas } = environment
    const log = environment.log.with({ tenant: tenant.slug })
    const now: Moment = { history: null, journal: null, snapshots: null, samples: 0 }
    const incidents = makeIncidentWriter({
      store: (some) => storeIncidents(db, tenant.id, some),
      onRefused: (incident, cause) =>
        log.error("an incident cannot be stored and is in the journal only", { incident, cause }),
      onGivenUp: (count) => log.warn("incidents were not stored while the database was away", { incidents: count }),
    })
    const twin = yield* tenants.open(tenant.id, load(environment, tenant, log, now, incidents))
    yield* writeEvents({
      twin,
      recoveredEvents: () => tenants.runtime(tenant.id)?.recoveredEvents() ?? [],
      append: (events) => appendEvents(db, tenant.id, events),
      onGivenUp: (events) => log.warn("events were not stored while the database was away", { events }),
      onRetry: (cause) => log.debug("events wait for the database", { cause }),
    })
    yield* keepIncidents({
      writer: incidents,
      twin,
      recovered: () => tenants.runtime(tenant.id)?.recoveredIncidents() ?? [],
      held: () => tenants.incidents(tenant.id)?.list() ?? [],
      onRetry: (cause) => log.debug("incidents wait for the database", { cause }),
    })
    const retention = () => environment.retentionMs(tenant)
    yield* Effect.forkScoped(
      upkeepForever({ db, tenant: tenant.id, stores: () => now, retention, log, nowMs: Date.now }),
    )

    const settings = environment.privacy?.(tenant) ?? Effect.succeed(PRIVATE)
    const subscribers = yield* openSubscribers({ db, vault, tenant: tenant.id, settings, log, nowMs: Date.now })
    const gate = makeIngestGate({ tenant: tenant.id, quotas, sink: twin })
    yield* Effect.addFinalizer(() => Effect.sync(gate.close))
    // The only way into this twin for what devices say.
    const hosts = makeBridgeHostsGate()
    const sink = discreetSink(gate.sink, subscribers.naming, hosts)
    const fleetStats = makeFleetStats()
    const fleet = yield* runFleet({
      targets: [],
      collectors: environment.collectors,
      sink,
      settings: { ...FLEET_DEFAULTS, deadlineMs: config.pollTimeoutMs },
      stats: fleetStats,
    })
    const probed: Probed = { plans: [], perSecond: 0 }
    yield* tellUse(quotas, tenants, twin, probed)
    const keepOnly: IngestGate["keepOnly"] = (devices) => [gate, hosts].forEach((one) => one.keepOnly(devices))
    const follow = followTargets(environment, tenant, sink, { keepOnly }, fleet, log, probed)
    yield* follow(null)
    yield* answerProbes({ twin, entryOf: book.byDevice, quotas, ping: quickPing, nowMs: Date.now })
    const change = yield* makeChange(environment, tenant, twin, follow)
    yield* Effect.addFinalizer(() => Effect.sync(() => book.set(tenant.id, [])))
    yield* Effect.addFinalizer(() => probes.setTenant(tenant.id, []))
    return {
      twin,
      history: () => now.history,
      fleetStats,
      stats: () => tenants.runtime(tenant.id)?.stats() ?? null,
      journalStatus: () => now.journal?.status() ?? null,
      samples: () => now.samples,
      ingest: gate.stats,
      probePlans: () => probed.plans,
      change,
      wrongAddress: () => wrongAddressFor(environment, tenant),
      importDocument: (document, mode) =>
        Effect.map(
          change<Imported, ImportRefused>(
            { by: LOCAL_IMPORT, dryRun: mode.dryRun, quota: (name, wanted) => quotas.refusal(tenant.id, name, wanted) },
            planImport(document, { defaultPollSeconds: config.pollSeconds, ...mode }),
          ),
          ({ answer }) => answer.report,
        ),
    }
  })

/**
 * Stores a change, then lets twin and fleet follow (inventory-follower.ts). Not interrupted in between, so that whoever
 * goes away leaves no twin behind its inventory.
 */
const makeChange = (
  environment: TenantEnvironment,
  tenant: TenantInfo,
  twin: LiveTwin,
  follow: Follow,
): Effect.Effect<ChangeInventory, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { db, vault } = environment
    const writing = yield* Semaphore.make(1)
    const followed = yield* makeFollower((stored: Stored) =>
      Effect.andThen(
        Effect.tryPromise({
          try: () => twin.setInventory(stored.rev, inventoryOf(stored)),
          catch: (cause) => new TopologyRefused({ message: cause instanceof Error ? cause.message : String(cause) }),
        }),
        follow(stored),
      ),
    )
    return (changing, plan) =>
      Effect.uninterruptible(
        Effect.gen(function* () {
          // The database makes them take turns too; whoever waits here holds none of its connections meanwhile.
          const wrongAddress = wrongAddressFor(environment, tenant)
          const store = changeInventory(db, vault, tenant.id, { ...changing, wrongAddress }, plan)
          const done = yield* writing.withPermits(1)(store)
          if (done.stored !== null) yield* followed(done.stored)
          return done
        }),
      )
  })

/** What is probed now. */
interface Probed {
  plans: readonly ProbePlan[]
  perSecond: number
}

/** Which of the totals' use this tenant can tell. */
const tellUse = (
  quotas: Quotas,
  tenants: Tenants,
  twin: LiveTwin,
  probed: Probed,
): Effect.Effect<void, never, Scope.Scope> => {
  const { id } = twin.tenant
  const targets = (): number =>
    probed.plans.reduce((sum, { ping, probes }) => sum + probes.length + (ping === null ? 0 : 1), 0)
  const gauges: ReadonlyArray<readonly [QuotaName, () => number]> = [
    ["max_devices", () => twin.inventory().devices.length],
    ["max_links", () => twin.inventory().links.length],
    ["max_probe_targets", targets],
    ["max_probe_pps", () => probed.perSecond],
    ["mailbox_depth", () => tenants.runtime(id)?.stats().inbox.waiting ?? 0],
  ]
  return Effect.asVoid(
    Effect.acquireRelease(
      Effect.sync(() => gauges.map(([name, read]) => quotas.gauge(id, name, read))),
      (forget) => Effect.sync(() => forget.forEach((one) => one())),
    ),
  )
}

/** What the runtime of the moment stores into. */
interface Moment {
  history: History | null
  journal: Journal | null
  snapshots: SnapshotStore | null
  samples: number
}

/** Opens the tenant's storage anew for every life of its runtime; the lease fences off whoever had it before. */
const load = (
  environment: TenantEnvironment,
  tenant: TenantInfo,
  log: Log,
  now: Moment,
  incidents: IncidentWriter,
): LoadTenant =>
  Effect.gen(function* () {
    const { db, config, quotas } = environment
    const tell = (line: string): void => log.info(line)
    const journal = yield* openJournal({
      db,
      tenant: tenant.id,
      dataDir: config.dataDir,
      codec: { encodeBatch, decodeBatch },
      holder: `${hostname()} pid ${process.pid}`,
      log: tell,
    })
    const { readChart } = environment
    const readElsewhere: ReadElsewhere | undefined = readChart && ((...read) => readChart(tenant, ...read))
    const history = yield* openHistory({ db, tenant: tenant.id, journal, log: tell, readElsewhere })
    const snapshots = openSnapshots(db, tenant.id, journal.lease)
    const { rev, inventory } = yield* loadInventory(db, tenant.id)
    Object.assign(now, { history, journal, snapshots })
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => void Object.assign(now, { history: null, journal: null, snapshots: null })),
    )
    return {
      tenant,
      rev,
      inventory,
      epochBase: journal.lease.epoch * EPOCHS_PER_LIFE,
      journal: remembering(journal, history, now),
      snapshots: afterIncidents(snapshots, incidents),
      snapshotEveryMs: config.snapshotSeconds * 1_000,
      eventsMax: () => quotas.limit(tenant.id, "mailbox_depth"),
      onNotice: (notice) => tellNotice(log, notice),
      onFailed: (error) => log.error("the twin stopped and is rebuilt from snapshot and journal", { cause: error }),
    }
  })

/** A journal whose durable polls go on into the history. */
const remembering = (journal: Journal, history: History, now: Moment): JournalPort => ({
  append: async (batch) => {
    await journal.append(batch)
    for (const { seq, input } of batch) {
      if (input.kind !== "poll") continue
      history.append(seq, input)
      now.samples += input.value.length
    }
  },
  readFrom: (seq) => journal.readFrom(seq),
  lastSeq: () => journal.lastSeq(),
})

const tellNotice = (log: Log, { kind, subject, detail }: TenantNotice): void =>
  kind === "actor-released" || kind === "journal-room"
    ? log.info(`twin: ${kind}`, { subject, detail })
    : log.warn(`twin: ${kind}`, { subject, detail })

/** Where a device of this tenant cannot be; who asks holds it for one request, for interfaces come and go. */
const wrongAddressFor = ({ config }: Pick<TenantEnvironment, "config">, tenant: TenantInfo): WrongAddress =>
  wrongDeviceAddress(mayLoopback(config, tenant))

const mayLoopback = (config: Config, tenant: TenantInfo): boolean => tenant.demo || config.loopbackTargets === "allow"

/** Lets the collectors follow what stands there; null = read it. */
type Follow = (stored: Stored | null) => Effect.Effect<void, MasterKeyUnusable | VaultRefused | DbError>

/** Fleet, address book and probes follow the stored inventory. */
const followTargets = (
  { config, db, vault, book, probes, quotas }: TenantEnvironment,
  tenant: TenantInfo,
  sink: Sink,
  gate: Pick<IngestGate, "keepOnly">,
  fleet: FleetControl,
  log: Log,
  probed: Probed,
): Follow => {
  const opener = makeTargetOpener()
  const refused = ({ what }: VaultRefused): void =>
    log.error("a stored credential cannot be opened; import the device again", { what })
  const read = loadTargets(db, vault, tenant.id, refused, opener)
  return Effect.fnUntraced(function* (known) {
    // Whatever must be opened is read with its key in one transaction: a rotation may have sealed it anew meanwhile.
    const stored = known === null || opener.needsKey(known) ? yield* read : opener.targets(known, null, refused)
    const allowed = reachableTargets(stored, deviceReach(mayLoopback(config, tenant)), log)
    const { targets, factor } = stretchProbes(allowed, quotas.limit(tenant.id, "max_probe_pps"))
    if (factor > 1) {
      quotas.exceeded(tenant.id, "max_probe_pps")
      log.warn("more probes are asked for than the tenant may send: all of them are sent less often", { factor })
    }
    probed.perSecond = perSecond(targets)
    gate.keepOnly(new Set(targets.map(({ device }) => device)))
    yield* fleet.setTargets(targets)
    probed.plans = targets.map(({ device, ping, probes }) => ({ device, ping: ping ?? null, probes: probes ?? [] }))
    const entries = targets.map((target) => ({
      tenant: tenant.id,
      target,
      sink,
      pollNow: () => fleet.pollNow(target.device),
      readNow: () => fleet.readNow(target.device),
    }))
    book.set(tenant.id, entries)
    yield* probes.setTenant(tenant.id, entries)
  })
}
