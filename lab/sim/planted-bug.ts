/** Where the simulation can be wrapped by a bug: one hook per place where real code hands something over. */
import type { ActorClock } from "#engine/actors/clock.ts"
import type { Collector } from "#engine/collectors/collector.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"
import type { JournalPort, SnapshotPort } from "#engine/tenant/ports.ts"
import type { TenantRuntime } from "#engine/tenant/runtime.ts"
import type { Life, Loop } from "#lab/sim/loop.ts"
import type { Storage } from "#lab/sim/storage.ts"
import type { EventView } from "#protocol/view.ts"
import type { BEHAVIOURS } from "#twin/cells.ts"
import type { DeviceInput } from "#twin/input.ts"

export interface Place {
  readonly storage: Storage
  readonly loop: Loop
  readonly life: Life
}

export type Submit = (input: DeviceInput) => boolean

export interface PlantedBug {
  readonly name: string
  /** What somebody would have got wrong, and where. */
  readonly about: string
  readonly journal?: (port: JournalPort, place: Place) => JournalPort
  readonly snapshots?: (port: SnapshotPort, place: Place) => SnapshotPort
  readonly clock?: (clock: ActorClock, wallMs: () => number) => ActorClock
  readonly runtime?: (runtime: TenantRuntime) => TenantRuntime
  /** The twin as the stream sees it. */
  readonly stream?: (twin: LiveTwin) => LiveTwin
  readonly eventTwin?: (twin: LiveTwin) => LiveTwin
  readonly recoveredEvents?: (runtime: TenantRuntime | null) => readonly EventView[]
  readonly appendEvents?: (events: readonly EventView[], storage: Storage, life: Life) => Promise<void>
  readonly submit?: (submit: Submit) => Submit
  readonly collector?: (collector: Collector, place: Pick<Place, "loop" | "life">) => Collector
  /** Frames on their way to a viewer; null = lost. */
  readonly frame?: () => (bytes: Uint8Array) => Uint8Array | null
  /** Sockets that never tell how much waits in them. */
  readonly deafSockets?: true
  /** What the inbox believes to be its bound. */
  readonly eventsMax?: number
  /** What storage does to itself when the engine dies. */
  readonly killed?: (storage: Storage) => void
  /** The twin's steps, in every fold: replay agrees, the truth does not. */
  readonly steps?: () => typeof BEHAVIOURS
  /** The twin's steps in the running engine only. */
  readonly liveSteps?: () => typeof BEHAVIOURS
}
