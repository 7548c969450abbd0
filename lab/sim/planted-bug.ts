/** Where the simulation can be wrapped by a bug: one hook per place where real code hands something over. */
import type { ActorClock } from "#engine/actors/clock.ts"
import type { Collector } from "#engine/collectors/collector.ts"
import type { History } from "#engine/storage/history.ts"
import type { DbShape } from "#engine/storage/db.ts"
import type { Judgement, LiveTwin } from "#engine/tenant/live-twin.ts"
import type { JournalPort, SnapshotPort } from "#engine/tenant/ports.ts"
import type { TenantRuntime } from "#engine/tenant/runtime.ts"
import type { Database } from "#lab/sim/database.ts"
import type { SimDisk } from "#lab/sim/disk.ts"
import type { Life, Loop } from "#lab/sim/loop.ts"
import type { TenantTables } from "#lab/sim/tables.ts"
import type { Tenancy } from "#lab/sim/tenancy.ts"
import type { EventView } from "#protocol/view.ts"
import type { BEHAVIOURS } from "#twin/cells.ts"
import type { DeviceInput } from "#twin/input.ts"

/** Of one life of a tenant's runtime. */
export interface Place {
  readonly database: Database
  readonly loop: Loop
  readonly life: Life
  readonly tenancy: Tenancy
  /** How many lives it has had, this one included. */
  readonly starts: number
}

export type Submit = (input: DeviceInput) => boolean
export type WriteEvents = (events: readonly EventView[]) => Promise<void>

export interface PlantedBug {
  readonly name: string
  /** What somebody would have got wrong, and where. */
  readonly about: string
  readonly db?: (db: DbShape, place: Place) => DbShape
  /** The database as an engine of an older epoch sees it. */
  readonly ghost?: (db: DbShape, epoch: number) => DbShape
  readonly disk?: (disk: SimDisk) => void
  readonly journal?: (port: JournalPort, place: Place) => JournalPort
  readonly snapshots?: (port: SnapshotPort, place: Place) => SnapshotPort
  readonly history?: (history: History, place: Place) => History
  readonly clock?: (clock: ActorClock, wallMs: () => number) => ActorClock
  /** The twin as the stream sees it. */
  readonly stream?: (twin: LiveTwin) => LiveTwin
  readonly eventTwin?: (twin: LiveTwin) => LiveTwin
  readonly recoveredEvents?: (runtime: TenantRuntime | null) => readonly EventView[]
  /** `elsewhere` is the first tenant's table. */
  readonly appendEvents?: (events: readonly EventView[], write: WriteEvents, elsewhere: WriteEvents) => Promise<void>
  readonly submit?: (submit: Submit) => Submit
  readonly collector?: (collector: Collector, place: Pick<Place, "loop" | "life">) => Collector
  /** The twin's judgement as people are answered by it. */
  readonly judgement?: (judgement: Judgement) => Judgement
  /** The fleet is not told of changes of the inventory. */
  readonly fleetStays?: true
  /** Whose hub a viewer of a tenant gets; `lot` is in [0, 1). */
  readonly hubOf?: (tenant: number, lot: number) => number
  /** Frames on their way to a viewer; null = lost. */
  readonly frame?: () => (bytes: Uint8Array) => Uint8Array | null
  /** Sockets that never tell how much waits in them. */
  readonly deafSockets?: true
  /** What the inbox believes to be its bound. */
  readonly eventsMax?: number
  /** What the database does to a tenant's tables when the engine dies. */
  readonly killed?: (tables: TenantTables) => void
  /** The twin's steps, in every fold: replay agrees, the truth does not. */
  readonly steps?: () => typeof BEHAVIOURS
  /** The twin's steps in the running engine only. */
  readonly liveSteps?: () => typeof BEHAVIOURS
}
