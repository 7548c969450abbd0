/**
 * What the API and the stream need from the rest of the engine, as small ports: storage and tenants implement them,
 * engine/start.ts wires them, tests give their own. Every method is bound to one tenant or one session, so that a
 * handler has no way to ask across tenants.
 */
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Data from "effect/Data"
import type { Principal } from "#engine/access/principal.ts"
import type { SecondFactorNeeded, TooManyAttempts, WrongCredentials } from "#engine/api/problems.ts"
import type { Actor } from "#engine/audit/act.ts"
import type { ImportDocument, ImportMode, ImportReport } from "#engine/import/document.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"
import type { IncidentsOf } from "#engine/storage/events.ts"
import type { PingPlan, ServiceProbe } from "#engine/probes/plan.ts"
import type { DeviceId, TenantId } from "#protocol/id.ts"
import type { EventView } from "#protocol/view.ts"

/** Something the request needs is away (the database is restarting). Answers 503; `detail` is one line without secrets. */
export class Unavailable extends Data.TaggedError("Unavailable")<{ readonly detail: string }> {}

/** Somebody who wants in, by a password. */
export interface SignInAttempt {
  readonly name: string
  readonly password: Redacted.Redacted
  /** Six digits or a recovery code; null = none given. */
  readonly code: string | null
  /** Slug, where several tenants have the name. */
  readonly tenant: string | null
  /** The address that it comes from. */
  readonly source: string
}

/** A session just opened: the token is given out this once and kept only as a hash. */
export interface OpenedSession {
  readonly token: string
  readonly id: string
  readonly expiresAtMs: number
  readonly user: { readonly id: string; readonly name: string; readonly tenant: TenantId }
}

export interface Accounts {
  /**
   * Wrong passwords and unknown users cost the same work and get the same answer. Attempts that come too early or too
   * many are refused with the time to wait.
   */
  readonly signIn: (
    attempt: SignInAttempt,
  ) => Effect.Effect<OpenedSession, WrongCredentials | SecondFactorNeeded | TooManyAttempts | Unavailable>
  /** Ends the session that asks; the door is told by the handler. */
  readonly signOut: (principal: Principal, actor: Actor) => Effect.Effect<void, Unavailable>
  /** Whether this person has a second factor, and whether a role of theirs demands one. */
  readonly secondFactor: (
    principal: Principal,
  ) => Effect.Effect<{ readonly enabled: boolean; readonly required: boolean }, Unavailable>
}

export interface Twins {
  /** Null when this tenant's twin does not run here. */
  readonly byTenant: (tenant: TenantId) => LiveTwin | null
  readonly all: () => readonly LiveTwin[]
}

/** A stored series of one metric of one entity of one device. */
export interface HistoryQuery {
  readonly device: string
  /** EntityKey; "" = the device. */
  readonly entity: string
  /** Name in protocol/metric.ts; rates are derived from stored counters. */
  readonly metric: string
  readonly fromMs: number
  readonly toMs: number
  /** At most this many points come back (PRODUCT.md U9: 600). */
  readonly pointsMax: number
}
/** Column-wise, ascending in time. A bucket without samples is null in all three, never zero. */
export interface HistorySeries {
  readonly unit: string
  /** 0 = every point is one sample, as measured; else atMs is the start of each bucket. */
  readonly bucketMs: number
  readonly atMs: readonly number[]
  readonly min: ReadonlyArray<number | null>
  readonly max: ReadonlyArray<number | null>
  readonly avg: ReadonlyArray<number | null>
}
export interface HistoryReader {
  /** Null when the tenant has no such device or the metric cannot be stored. No samples = no points. */
  readonly read: (tenant: TenantId, query: HistoryQuery) => Effect.Effect<HistorySeries | null, Unavailable>
}

export interface EventQuery {
  /** Device or link id. */
  readonly subject: string | null
  /** Only of these devices and links, and of these incidents; null = of all. */
  readonly subjects: readonly string[] | null
  readonly incidents: IncidentsOf | null
  readonly type: string | null
  readonly fromMs: number | null
  readonly toMs: number | null
  /** `id` of the last event of the page before. */
  readonly before: string | null
  readonly limit: number
}
export interface EventReader {
  /** Newest first. */
  readonly page: (tenant: TenantId, query: EventQuery) => Effect.Effect<readonly EventView[], Unavailable>
}

/** What of a device is probed. */
export interface ProbePlan {
  readonly device: DeviceId
  readonly ping: PingPlan | null
  readonly probes: readonly ServiceProbe[]
}
export interface ProbePlans {
  /** Empty while the tenant is not running here. */
  readonly of: (tenant: TenantId) => readonly ProbePlan[]
}

/** Why an import was not applied, in words for the operator. */
export class ImportFailed extends Data.TaggedError("ImportFailed")<{ readonly detail: string }> {}

export interface Importer {
  /** Applies a checked document to storage and to the running twin. */
  readonly apply: (
    tenantSlug: string | null,
    document: ImportDocument,
    mode: ImportMode,
  ) => Effect.Effect<ImportReport, ImportFailed | Unavailable>
}
