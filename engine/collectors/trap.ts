/**
 * Listens for SNMP notifications (v1, v2c, v3; traps and informs) and hands typed inputs to the tenant's inbox. Only
 * devices known by their source address are heard, only with the community or user that they are polled with, each within
 * its quota. Every datagram ends in exactly one counter. A full inbox pushes back: what waits is bounded and offered
 * again. An inform is answered when it is durable and not before, so that its sender repeats what a crash may have lost.
 */
import * as dgram from "node:dgram"
import { isIPv6 } from "node:net"
import { performance } from "node:perf_hooks"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { DeviceId } from "#protocol/id.ts"
import type { TrapInput } from "#twin/input.ts"
import type { Log } from "#engine/log.ts"
import { silentLog } from "#engine/log.ts"
import type { Sink } from "#engine/collectors/collector.ts"
import { makeLanes, type LaneOf } from "#engine/collectors/lanes.ts"
import { inOrder } from "#engine/collectors/target.ts"
import type { SnmpCredential } from "#engine/collectors/target.ts"
import type { Message, Pdu, V3 } from "#engine/collectors/snmp/ber.ts"
import { decodeMessage, PDU } from "#engine/collectors/snmp/ber.ts"
import type { QuotaSettings } from "#engine/collectors/syslog/quota.ts"
import { makeQuota } from "#engine/collectors/syslog/quota.ts"
import { trapInput } from "#engine/collectors/trap/notification.ts"
import type { OwnEngine, UsmRefusal, UsmSender } from "#engine/collectors/trap/usm-receiver.ts"
import { makeOwnEngine, makeUsmSender, receiveV3 } from "#engine/collectors/trap/usm-receiver.ts"

/** The port could not be opened. `detail` says what to do. */
export class TrapListenFailed extends Data.TaggedError("TrapListenFailed")<{
  readonly host: string
  readonly port: number
  readonly detail: string
}> {}

/**
 * received = the sum of `dropped` + reports + accepted + defects + (v3 messages waiting for their first key), and
 * accepted = submitted + waiting() + lost.
 */
export interface TrapStats {
  received: number
  readonly dropped: Record<TrapDrop, number>
  /** v3 Reports sent: discovery of our engine, or its time. */
  reports: number
  accepted: number
  submitted: number
  /** Informs answered. */
  answered: number
  /** Given up because the inbox stayed full. */
  lost: number
  /** Datagrams that ended in a bug of ours; contained, because anybody may send them. */
  defects: number
  /** Newest addresses that are no device of ours, with their datagrams; at most UNKNOWN_MAX. */
  readonly unknownSources: Map<string, number>
}

export type TrapDrop =
  | "unknownSource"
  | "portZero"
  | "overQuota"
  | "ber"
  /** Version that the device is not configured for. */
  | "version"
  | "community"
  /** Neither trap nor inform, or one that names no notification. */
  | "pdu"
  /** Too many v3 messages waited for their first key. */
  | "backlog"
  | Exclude<UsmRefusal, "pdu">

export const makeTrapStats = (): TrapStats => ({
  received: 0,
  dropped: {
    unknownSource: 0,
    portZero: 0,
    overQuota: 0,
    ber: 0,
    version: 0,
    community: 0,
    pdu: 0,
    backlog: 0,
    user: 0,
    level: 0,
    engine: 0,
    digest: 0,
    window: 0,
    decrypt: 0,
  },
  reports: 0,
  accepted: 0,
  submitted: 0,
  answered: 0,
  lost: 0,
  defects: 0,
  unknownSources: new Map(),
})

/** A device that may send notifications, with the credential it is polled with. */
export interface TrapSource {
  readonly device: DeviceId
  readonly snmp: SnmpCredential | null
}

export interface TrapOptions {
  /** Address to listen on, e.g. `0.0.0.0` or `::`. */
  readonly host: string
  /** 0 = any free one. */
  readonly port: number
  /** The device with this source address (IPv4 in plain form), or null. Called for each datagram: keep it a look-up. */
  readonly resolve: (address: string) => TrapSource | null
  readonly sink: Sink
  /** Whose notifications wait behind each other when an inbox is full; default all. */
  readonly laneOf?: LaneOf
  readonly stats: TrapStats
  /** Told of each notification at once, e.g. to confirm it by a poll. */
  readonly onTrap?: (trap: TrapInput) => void
  readonly quota?: QuotaSettings
  readonly log?: Log
}

export interface TrapListener {
  readonly port: number
  /** Bytes that the kernel really granted; 4 MiB are asked for. */
  readonly receiveBufferBytes: number
  /** Notifications waiting for room in the inbox. */
  readonly waiting: () => number
}

const RECEIVE_BUFFER_BYTES = 4 << 20
/** A link flap storm of a large router, and no more. */
export const TRAP_QUOTA: QuotaSettings = { linesPerSecond: 100, burst: 1_000, sources: 100_000 }
/** Notifications waiting for a full inbox; the newest are refused beyond it. */
export const WAITING_MAX = 2_000
const RETRY_MS = 50
const UNKNOWN_MAX = 256
const UNKNOWN_LOG_MS = 60_000
/** v3 messages that wait for a key to be derived, which takes milliseconds, once per password. */
const KEY_BACKLOG_MAX = 256
/** Senders whose v3 state is kept; the oldest goes first and only loses its time window. */
const SENDERS_MAX = 20_000

export const trapListener = (options: TrapOptions): Effect.Effect<TrapListener, TrapListenFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const socket = yield* Effect.acquireRelease(openSocket(options), (socket) => Effect.sync(() => socket.close()))
    const reply: Reply = (bytes, to) => socket.send(bytes, to.port, to.address, () => undefined)
    const intake = makeIntake(options, yield* Clock.Clock, reply)
    socket.on("message", (bytes, from) => {
      try {
        intake.take(bytes, from)
      } catch {
        options.stats.defects++
      }
    })
    socket.on("error", () => undefined)
    const timer = setInterval(intake.retry, RETRY_MS)
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        clearInterval(timer)
        intake.close()
      }),
    )
    return {
      port: socket.address().port,
      receiveBufferBytes: socket.getRecvBufferSize(),
      waiting: intake.waiting,
    }
  })

type Reply = (bytes: Buffer, to: dgram.RemoteInfo) => void
/** Hands a notification on; `answer` (null for a trap) goes out once it is durable. */
type Deliver = (source: TrapSource, pdu: Pdu, answer: Buffer | null, from: dgram.RemoteInfo) => void

interface Intake {
  readonly take: (bytes: Buffer, from: dgram.RemoteInfo) => void
  readonly retry: () => void
  readonly waiting: () => number
  /** Offers what waits a last time and takes nothing more. */
  readonly close: () => void
}

const makeIntake = (options: TrapOptions, clock: Clock.Clock, reply: Reply): Intake => {
  const { stats, log = silentLog } = options
  const quota = makeQuota(options.quota ?? TRAP_QUOTA)
  const unknown = makeUnknown(stats, log)
  const outbox = makeOutbox(options)
  const usm = makeUsm(stats, reply)
  let isOpen = true

  const deliver: Deliver = (source, pdu, answer, from) => {
    const input = trapInput(pdu, source.device, Math.floor(clock.currentTimeMillisUnsafe()))
    if (input === null) return void stats.dropped.pdu++
    stats.accepted++
    options.onTrap?.(input)
    if (answer === null) return outbox.submit(input)
    outbox.submit(input, () => {
      // The journal may outlive the port.
      if (!isOpen) return
      stats.answered++
      reply(answer, from)
    })
  }

  const take = (bytes: Buffer, from: dgram.RemoteInfo): void => {
    if (!isOpen) return
    stats.received++
    const address = plainAddress(from.address)
    if (from.port === 0) return void stats.dropped.portZero++
    const source = options.resolve(address)
    if (source === null) return unknown(address)
    if (!quota(source.device, performance.now())) return void stats.dropped.overQuota++
    const message = decodeMessage(bytes)
    if (typeof message === "string") return void stats.dropped.ber++
    if (message.v3 !== null) return usm(source, bytes, { ...message, v3: message.v3 }, from, deliver)
    takePlain(source, bytes, message, from)
  }

  /** v1 and v2c. */
  const takePlain = (source: TrapSource, bytes: Buffer, message: Message, from: dgram.RemoteInfo): void => {
    const { pdu } = message
    const communities = inOrder(source.snmp).flatMap((one) => (one.version === "2c" ? [one.community] : []))
    if (communities.length === 0) return void stats.dropped.version++
    if (!communities.some((one) => Buffer.from(one, "utf8").equals(message.community)))
      return void stats.dropped.community++
    const isInform = message.version === 1 && pdu?.type === PDU.inform
    const isTrap = pdu?.type === (message.version === 0 ? PDU.trapV1 : PDU.trapV2)
    if (pdu === null || (!isInform && !isTrap)) return void stats.dropped.pdu++
    if (!isInform) return deliver(source, pdu, null, from)
    // RFC 3416 s4.2.7: the answer is the inform itself under another PDU tag.
    const answer = Buffer.from(bytes)
    answer[pdu.offset] = PDU.response
    deliver(source, pdu, answer, from)
  }

  const close = (): void => {
    isOpen = false
    outbox.retry()
  }
  return { take, retry: outbox.retry, waiting: outbox.waiting, close }
}

/** IPv4 as IPv4, also on a socket that takes both. */
const plainAddress = (address: string): string => (address.startsWith("::ffff:") ? address.slice(7) : address)

/** Counts strangers; says so once a minute at most. */
const makeUnknown = (stats: TrapStats, log: Log): ((address: string) => void) => {
  let saidMs = Number.NEGATIVE_INFINITY
  return (address) => {
    stats.dropped.unknownSource++
    const { unknownSources } = stats
    const before = unknownSources.get(address) ?? 0
    unknownSources.delete(address)
    if (unknownSources.size >= UNKNOWN_MAX) unknownSources.delete(unknownSources.keys().next().value ?? "")
    unknownSources.set(address, before + 1)
    if (performance.now() - saidMs < UNKNOWN_LOG_MS) return
    saidMs = performance.now()
    log.warn("SNMP notifications from addresses that are no device of ours: dropped", {
      address,
      dropped: stats.dropped.unknownSource,
    })
  }
}

interface Outbox {
  readonly submit: (input: TrapInput, durable?: () => void) => void
  readonly retry: () => void
  readonly waiting: () => number
}

const makeOutbox = ({ sink, stats, laneOf }: TrapOptions): Outbox => {
  const lanes = makeLanes<TrapInput>(sink, WAITING_MAX, laneOf)
  return {
    submit: (input, durable) => {
      const became = lanes.submit(input, durable)
      if (became === "taken") stats.submitted++
      else if (became === "lost") stats.lost++
    },
    retry: () => void lanes.retry(() => stats.submitted++),
    waiting: () => lanes.waiting().length,
  }
}

type UsmIntake = (
  source: TrapSource,
  bytes: Buffer,
  message: Message & { readonly v3: V3 },
  from: dgram.RemoteInfo,
  deliver: Deliver,
) => void

/** v3: keeps each sender's keys and clock, and waits for keys that are still being made. */
const makeUsm = (stats: TrapStats, reply: Reply): UsmIntake => {
  const own: OwnEngine = makeOwnEngine(performance.now())
  const senders = new Map<DeviceId, { credential: SnmpCredential; sender: UsmSender }>()
  let backlog = 0

  const senderOf = ({ device, snmp }: TrapSource): UsmSender | null => {
    // Of several credentials the first of v3: a router's notifications come from one user.
    const usm = inOrder(snmp).find((one) => one.version === "3")
    if (snmp === null || usm === undefined) return null
    const known = senders.get(device)
    if (known?.credential === snmp) return known.sender
    const sender = makeUsmSender(usm)
    if (senders.size >= SENDERS_MAX) senders.delete(senders.keys().next().value as DeviceId)
    senders.set(device, { credential: snmp, sender })
    return sender
  }

  const receive: UsmIntake = (source, bytes, message, from, deliver) => {
    const sender = senderOf(source)
    if (sender === null) return void stats.dropped.version++
    if (sender.isReady()) return judge(sender, source, bytes, message, from, deliver)
    if (backlog >= KEY_BACKLOG_MAX) return void stats.dropped.backlog++
    void judgeLater(sender, source, bytes, message, from, deliver)
  }

  const judgeLater = async (sender: UsmSender, ...rest: Parameters<UsmIntake>): Promise<void> => {
    backlog++
    try {
      await sender.ready
      judge(sender, ...rest)
    } catch {
      stats.defects++
    } finally {
      backlog--
    }
  }

  const judge: (sender: UsmSender, ...rest: Parameters<UsmIntake>) => void = (
    sender,
    source,
    bytes,
    message,
    from,
    deliver,
  ) => {
    const verdict = receiveV3(own, sender, bytes, message, performance.now())
    if (verdict.kind === "refused") {
      stats.dropped[verdict.why]++
    } else if (verdict.kind === "report") {
      stats.reports++
      reply(verdict.reply, from)
    } else deliver(source, verdict.pdu, verdict.reply, from)
  }
  return receive
}

const openSocket = ({ host, port }: TrapOptions): Effect.Effect<dgram.Socket, TrapListenFailed> =>
  Effect.callback((resume) => {
    const type = isIPv6(host) ? "udp6" : "udp4"
    const socket = dgram.createSocket({ type, recvBufferSize: RECEIVE_BUFFER_BYTES })
    socket.once("error", (error) => {
      socket.close()
      resume(Effect.fail(listenFailed(host, port, error)))
    })
    socket.bind(port, host, () => {
      socket.removeAllListeners("error")
      resume(Effect.succeed(socket))
    })
  })

const listenFailed = (host: string, port: number, error: NodeJS.ErrnoException): TrapListenFailed => {
  const advice: Record<string, string> = {
    EACCES: "ports below 1024 need the capability CAP_NET_BIND_SERVICE: choose another port, or grant it",
    EADDRINUSE: "another program (snmptrapd?) listens there: stop it, or choose another port",
    EADDRNOTAVAIL: "this machine has no such address: choose one of its own, or 0.0.0.0",
  }
  const code = error.code ?? error.name
  return new TrapListenFailed({ host, port, detail: `SNMP traps UDP ${host}:${port}: ${advice[code] ?? code}` })
}
