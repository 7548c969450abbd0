/**
 * The SNMP collector: opens a client of the right version for a device on the shared sockets and turns its polls into
 * PollInputs. Retries across polls, pace and breakers are the schedule's business; here every poll ends in time.
 */
import { performance } from "node:perf_hooks"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { DeviceId } from "#protocol/id.ts"
import type { UnreachableInput } from "#twin/input.ts"
import type { Collector, Poller } from "#engine/collectors/collector.ts"
import { PollFailed } from "#engine/collectors/collector.ts"
import { inOrder } from "#engine/collectors/target.ts"
import type { SnmpCredential, Target } from "#engine/collectors/target.ts"
import { makeWaitingRoom } from "#engine/collectors/snmp/bridge.ts"
import type { WaitingRoom } from "#engine/collectors/snmp/bridge.ts"
import type { SnmpClient } from "#engine/collectors/snmp/client.ts"
import { SnmpFailed } from "#engine/collectors/snmp/client.ts"
import { makeOrderedPoller } from "#engine/collectors/snmp/credential-order.ts"
import type { OpenedClient } from "#engine/collectors/snmp/credential-order.ts"
import type { GateCounts } from "#engine/collectors/snmp/gate.ts"
import { addCounts, makeGateCounts } from "#engine/collectors/snmp/gate.ts"
import { placeOf } from "#engine/collectors/schedule.ts"
import { openClient } from "#engine/collectors/snmp/open-client.ts"
import { makeDevicePoller } from "#engine/collectors/snmp/poller.ts"
import type { UdpCounts, UdpPool } from "#engine/collectors/snmp/udp.ts"
import { makeUdpPool } from "#engine/collectors/snmp/udp.ts"

export interface SnmpCollector extends Collector {
  /** What the gate counted for each open device. */
  readonly gates: ReadonlyMap<DeviceId, GateCounts>
  /** The sum of all of them, and of those that are closed. */
  readonly totals: () => GateCounts
  readonly udp: UdpCounts
  readonly sockets: () => number
}

export interface SnmpCollectorOptions {
  readonly pool?: UdpPool
}

export const makeSnmpCollector = (options: SnmpCollectorOptions = {}): SnmpCollector => {
  const pool = options.pool ?? makeUdpPool()
  const gates = new Map<DeviceId, GateCounts>()
  const closed = makeGateCounts()
  const room = makeWaitingRoom()

  const acquire = (target: Target, credential: SnmpCredential): { poller: Poller; close: () => void } => {
    const counts = makeGateCounts()
    const { poller, end } = pollerOf(target, inOrder(credential), (one) => {
      const client = openClient(pool, target.address, one, counts)
      return { client, poller: makePoller(target.device, client, room) }
    })
    gates.set(target.device, counts)
    const close = (): void => {
      end()
      addCounts(closed, counts)
      if (gates.get(target.device) === counts) gates.delete(target.device)
    }
    return { poller, close }
  }

  return {
    source: "snmp",
    open: (target) => {
      const { snmp } = target
      if (snmp === null) return null
      const acquired = Effect.acquireRelease(
        Effect.sync(() => acquire(target, snmp)),
        ({ close }) => Effect.sync(close),
      )
      return Effect.map(acquired, ({ poller }) => poller)
    },
    gates,
    totals: () => {
      const sum = makeGateCounts()
      for (const counts of [closed, ...gates.values()]) addCounts(sum, counts)
      return sum
    },
    udp: pool.counts,
    sockets: pool.sockets,
  }
}

/** The collector of this process. */
export const snmpCollector: SnmpCollector = makeSnmpCollector()

/** Several credentials are tried in their order. */
const pollerOf = (
  { name }: Target,
  credentials: readonly SnmpCredential[],
  open: (credential: SnmpCredential) => OpenedClient,
): { readonly poller: Poller; readonly end: () => void } => {
  const [only, ...others] = credentials
  if (only === undefined || others.length > 0) {
    const poller = makeOrderedPoller({ device: name, credentials, open })
    return { poller, end: poller.close }
  }
  const { client, poller } = open(only)
  return { poller, end: () => client.close() }
}

const makePoller = (device: DeviceId, client: SnmpClient, room: WaitingRoom): Poller => {
  const poller = makeDevicePoller(client, placeOf(device), room)
  const poll = Effect.fnUntraced(function* (deadlineMs: number) {
    const startedMs = yield* Clock.currentTimeMillis
    const finish = yield* Effect.tryPromise({
      try: () => poller.poll(performance.now() + deadlineMs),
      catch: (error) => error,
    }).pipe(
      Effect.catch((error) => (error instanceof SnmpFailed ? Effect.fail(pollFailed(error)) : Effect.die(error))),
      Effect.onInterrupt(() => Effect.sync(() => client.cancel())),
    )
    const atMs = yield* Clock.currentTimeMillis
    return finish(device, startedMs, atMs)
  })
  return { poll }
}

const REASONS: Readonly<Record<SnmpFailed["reason"], UnreachableInput["reason"]>> = {
  timeout: "timeout",
  refused: "refused",
  auth: "auth",
  protocol: "protocol",
  status: "protocol",
  closed: "timeout",
}

const pollFailed = ({ reason, detail }: SnmpFailed): PollFailed => new PollFailed({ reason: REASONS[reason], detail })
