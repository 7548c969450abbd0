/**
 * The shape of every collector. A collector turns one device's protocol into the registry's vocabulary and nothing
 * else: when to poll, how often to retry, when to give up for a while is schedule.ts's and breaker.ts's business.
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Data from "effect/Data"
import type { EntityKey } from "#protocol/id.ts"
import type { DeviceInput, PollInput, UnreachableInput } from "#twin/input.ts"
import type { Source } from "#protocol/view.ts"
import type { Target } from "#engine/collectors/target.ts"

/** One failed poll. `detail` is one line for an operator and holds no secret. */
export class PollFailed extends Data.TaggedError("PollFailed")<{
  readonly reason: UnreachableInput["reason"]
  readonly detail: string
}> {}

/**
 * One reading of a device's forwarding tables, subscribers' MACs and all. It travels beside the poll as far as the gate
 * (engine/privacy/bridge-hosts.ts), which keeps what is the tenant's own; neither inbox nor journal know it.
 */
export interface BridgeReading {
  /** Every port of its bridges, those that hear nobody as well. */
  readonly ports: readonly EntityKey[]
  /** Host i is heard on `ports[port[i]]` and is called `mac[i]` (protocol/bridge.ts). */
  readonly port: Uint16Array
  readonly mac: Float64Array
  /** False = the table has more rows than were read. */
  readonly isWhole: boolean
}

export interface Collected extends PollInput {
  /** Null = the device has no such table; absent = it was not read now. */
  readonly bridge?: BridgeReading | null
}

/** Rows of forwarding tables that one reading takes. */
export const BRIDGE_ROWS_MAX = 10_000

/** An open relation with one device (a session, a socket share, caches of names). */
export interface Poller {
  /** One whole poll. Ends within `deadlineMs` whatever the device does. Never two at once: the schedule sees to it. */
  readonly poll: (deadlineMs: number) => Effect.Effect<Collected, PollFailed>
}

export interface Collector {
  readonly source: Source
  /** Null when the target has no credential for this collector. */
  readonly open: (target: Target) => Effect.Effect<Poller, never, Scope.Scope> | null
}

/**
 * Where inputs go: the tenant's inbox. False = refused because the inbox is full (counted there):
 * a poll is dropped (the next one is fresher), an event must be offered again by its listener.
 */
export interface Sink {
  /** `durable` is called once when the input survives a kill -9, and never when it was given up: answers wait for it. */
  readonly submit: (input: DeviceInput, durable?: () => void) => boolean
}
