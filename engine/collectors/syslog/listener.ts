/**
 * Listens for syslog on UDP, TCP and TLS and hands typed inputs to the tenant's inbox (PRODUCT.md C7, C8). Only known
 * devices are heard, known by their address, never by what a message claims. Nothing is lost in silence: every line
 * ends in exactly one counter (SyslogStats says which), down to what the kernel dropped before we could read it.
 */
import * as dgram from "node:dgram"
import { readFileSync } from "node:fs"
import { isIPv6 } from "node:net"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { DeviceId } from "#protocol/id.ts"
import type { SyslogInput } from "#twin/input.ts"
import type { Sink } from "#engine/collectors/collector.ts"
import { makeLanes, type LaneOf } from "#engine/collectors/lanes.ts"
import type { Folder, FoldSettings } from "#engine/collectors/syslog/fold.ts"
import type { Quota, QuotaSettings } from "#engine/collectors/syslog/quota.ts"
import type { Echo, EchoSettings, Way } from "#engine/collectors/syslog/echo.ts"
import type { SyslogLine } from "#engine/collectors/syslog/header.ts"
import { ECHO_DEFAULTS, makeEcho } from "#engine/collectors/syslog/echo.ts"
import { eventOf } from "#engine/collectors/syslog/event.ts"
import { FOLD_DEFAULTS, makeFolder } from "#engine/collectors/syslog/fold.ts"
import { MESSAGE_MAX_BYTES } from "#engine/collectors/syslog/frames.ts"
import { parseLogRow, parseSyslog } from "#engine/collectors/syslog/header.ts"
import { makeQuota, QUOTA_DEFAULTS } from "#engine/collectors/syslog/quota.ts"
import type { SyslogListenFailed, TcpSettings, TlsPort } from "#engine/collectors/syslog/streams.ts"
import { listenFailed, serveStreams } from "#engine/collectors/syslog/streams.ts"

/**
 * received = unknownSource + empty + overQuota + echoes + filtered + accepted, and
 * accepted = the counts of all inputs that the sink took + folding() + waiting() + lost.
 */
export interface SyslogStats {
  received: number
  /** From an address that is no device of ours. */
  unknownSource: number
  /** Nothing in it but unsafe characters. */
  empty: number
  overQuota: number
  /** Heard already: by syslog and over the API of the same router. */
  echoes: number
  /** Less grave than the filter lets through, and no typed event. */
  filtered: number
  accepted: number
  /** Longer than 8 KiB: the rest was cut off. Counted in `received` as well. */
  truncated: number
  /** Inputs that the sink took. */
  submitted: number
  /** Lines given up because the inbox stayed full. */
  lost: number
  tcpConnections: number
  /** Connections refused: too many, or from an unknown address. */
  tcpRefused: number
  /** Connections closed for a stream that is no syslog. */
  badStreams: number
  /** Handshakes that failed: another protocol, no common version or cipher, or our certificate was refused. */
  tlsFailed: number
}

export const makeSyslogStats = (): SyslogStats => ({
  received: 0,
  unknownSource: 0,
  empty: 0,
  overQuota: 0,
  echoes: 0,
  filtered: 0,
  accepted: 0,
  truncated: 0,
  submitted: 0,
  lost: 0,
  tcpConnections: 0,
  tcpRefused: 0,
  badStreams: 0,
  tlsFailed: 0,
})

export interface SyslogOptions {
  /** Address to listen on, e.g. `0.0.0.0` or `::`. */
  readonly host: string
  /** The same for UDP and TCP; 0 = any free one each. */
  readonly port: number
  /** The device with this management address (IPv4 in plain form), or null. */
  readonly resolve: (address: string) => DeviceId | null
  readonly sink: Sink
  readonly stats: SyslogStats
  /** Whose lines wait behind each other when an inbox is full; default all. */
  readonly laneOf?: LaneOf
  /** False = the device's tenant is over its quota of lines; the line is counted in `overQuota`. */
  readonly admit?: (device: DeviceId) => boolean
  /** Told of each typed event at once, e.g. to confirm it by a poll. */
  readonly onEvent?: (device: DeviceId, event: NonNullable<SyslogInput["event"]>) => void
  readonly quota?: QuotaSettings
  readonly fold?: FoldSettings
  readonly echo?: EchoSettings
  readonly filter?: FilterSettings
  readonly tcp?: TcpSettings
  /** Syslog over TLS (RFC 5425) on a port of its own; null or absent = none. */
  readonly tls?: TlsPort | null
}

export interface FilterSettings {
  /**
   * RFC 5424 severity, 0 (emergency) to 7 (debug): a graver or equal line is kept. A typed event is always kept, as
   * RouterOS calls the fall of a link `info`.
   */
  readonly severityMax: number
  /** Lines are kept as events and are no evidence: they change no state and hence never alert. */
  readonly eventOnly: boolean
}
export const FILTER_DEFAULTS: FilterSettings = { severityMax: 7, eventOnly: false }

export interface SyslogListener {
  /**
   * A row of a device's own log, followed over its API (routeros/poller.ts, onLog): the same way as a line over the
   * wire from here on, and heard once when both come.
   */
  readonly hear: (device: DeviceId, topics: string, message: string) => void
  readonly udpPort: number
  readonly tcpPort: number
  /** Null = there is none. */
  readonly tlsPort: number | null
  /** Bytes that the kernel really granted; 4 MiB are asked for. */
  readonly receiveBufferBytes: number
  /** Datagrams that the kernel dropped because the buffer was full; null where it does not say (other than Linux). */
  readonly kernelDrops: () => number | null
  /** Lines waiting for room in the inbox. */
  readonly waiting: () => number
  /** Repeats held back by folding. */
  readonly folding: () => number
}

const RECEIVE_BUFFER_BYTES = 4 << 20
/** Inputs of one tenant waiting for its full inbox. UDP cannot push back: beyond this they are lost, counted. TCP is paused before. */
export const WAITING_MAX = 10_000
const PAUSE_TCP_AT = WAITING_MAX / 2
const RETRY_MS = 50
const EXPIRE_MS = 500

export const syslogListener = (
  options: SyslogOptions,
): Effect.Effect<SyslogListener, SyslogListenFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const intake = makeIntake(options, yield* Clock.Clock)
    const udp = yield* Effect.acquireRelease(openUdp(options), (socket) => Effect.sync(() => socket.close()))
    const { port: udpPort } = udp.address()
    const tcpPort = options.port === 0 ? 0 : udpPort
    const streams = yield* serveStreams(options, tcpPort, intake)

    udp.on("message", (bytes, { address }) => intake.take(bytes, address, false))
    udp.on("error", () => undefined)
    const timers = [setInterval(intake.retry, RETRY_MS), setInterval(intake.expire, EXPIRE_MS)]
    intake.onRoom(streams.resume)
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        timers.forEach((timer) => clearInterval(timer))
        intake.finish()
      }),
    )
    return {
      hear: intake.hear,
      udpPort,
      tcpPort: streams.tcpPort,
      tlsPort: streams.tlsPort,
      receiveBufferBytes: udp.getRecvBufferSize(),
      kernelDrops: () => readKernelDrops(udpPort),
      waiting: intake.waiting,
      folding: intake.folding,
    }
  })

// --- from bytes to the sink

export interface Intake {
  /** One message from an address. */
  readonly take: (bytes: Uint8Array, address: string, truncated: boolean) => void
  readonly hear: SyslogListener["hear"]
  /** Offers what waits to the sink again. */
  readonly retry: () => void
  readonly expire: () => void
  readonly finish: () => void
  /** So much of this sender's tenant waits that it is not read for now. */
  readonly crowded: (address: string) => boolean
  /** Whether an address is a device of ours. */
  readonly isKnown: (address: string) => boolean
  readonly onRoom: (listener: () => void) => void
  readonly waiting: () => number
  readonly folding: () => number
}

const makeIntake = (options: SyslogOptions, clock: Clock.Clock): Intake => {
  const { stats, sink } = options
  const quota: Quota = makeQuota(options.quota ?? QUOTA_DEFAULTS)
  const echo: Echo = makeEcho(options.echo ?? ECHO_DEFAULTS)
  const filter = options.filter ?? FILTER_DEFAULTS
  const folder: Folder = makeFolder(options.fold ?? FOLD_DEFAULTS)
  const lanes = makeLanes<SyslogInput>(sink, WAITING_MAX, options.laneOf)
  let room: () => void = () => undefined
  const monotonicMs = (): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

  const submit = (input: SyslogInput): void => {
    const became = lanes.submit(input)
    if (became === "taken") stats.submitted++
    else if (became === "lost") stats.lost += input.count
  }

  const retry = (): void => {
    if (lanes.retry(() => stats.submitted++)) room()
  }

  const take: Intake["take"] = (bytes, address, truncated) => {
    stats.received++
    const device = options.resolve(plainAddress(address))
    if (device === null) return void stats.unknownSource++
    const nowMs = monotonicMs()
    if (!quota(device, nowMs) || options.admit?.(device) === false) return void stats.overQuota++
    if (truncated || bytes.byteLength > MESSAGE_MAX_BYTES) stats.truncated++
    accept(device, parseSyslog(bytes), "syslog", nowMs)
  }

  const hear: Intake["hear"] = (device, topics, message) => {
    stats.received++
    const nowMs = monotonicMs()
    // A bucket of its own: the two ways of one line must not halve the device's share.
    if (!quota(`${device} api`, nowMs) || options.admit?.(device) === false) return void stats.overQuota++
    accept(device, parseLogRow(topics, message), "api", nowMs)
  }

  const accept = (device: DeviceId, line: SyslogLine | null, way: Way, nowMs: number): void => {
    if (line === null) return void stats.empty++
    if (echo(device, line.message, way, nowMs)) return void stats.echoes++
    const event = eventOf(line)
    if (event === null && line.severity > filter.severityMax) return void stats.filtered++
    stats.accepted++
    const atMs = Math.floor(clock.currentTimeMillisUnsafe())
    const mark = filter.eventOnly ? ({ eventOnly: true } as const) : {}
    folder.offer({ kind: "syslog", device, atMs, ...line, event, count: 1, ...mark }, nowMs, submit)
    if (event !== null) options.onEvent?.(device, event)
  }

  return {
    take,
    hear,
    retry,
    expire: () => folder.expire(monotonicMs(), submit),
    finish: () => {
      folder.expire(Number.POSITIVE_INFINITY, submit)
      retry()
    },
    crowded: (address) => {
      const device = options.resolve(plainAddress(address))
      return device !== null && lanes.behind(device) > PAUSE_TCP_AT
    },
    isKnown: (address) => options.resolve(plainAddress(address)) !== null,
    onRoom: (listener) => (room = listener),
    waiting: () => lanes.waiting().reduce((lines, { count }) => lines + count, 0),
    folding: folder.held,
  }
}

/** IPv4 as IPv4, also on a socket that takes both. */
const plainAddress = (address: string): string => (address.startsWith("::ffff:") ? address.slice(7) : address)

// --- UDP

const openUdp = (options: SyslogOptions): Effect.Effect<dgram.Socket, SyslogListenFailed> =>
  Effect.callback((resume) => {
    const type = isIPv6(options.host) ? "udp6" : "udp4"
    const socket = dgram.createSocket({ type, recvBufferSize: RECEIVE_BUFFER_BYTES })
    socket.once("error", (error) => {
      socket.close()
      resume(Effect.fail(listenFailed(options.host, options.port, "UDP", error)))
    })
    socket.bind(options.port, options.host, () => {
      socket.removeAllListeners("error")
      resume(Effect.succeed(socket))
    })
  })

/** The `drops` column of /proc/net/udp and udp6 (Linux) for our port. */
const readKernelDrops = (port: number): number | null => {
  const hexPort = `:${port.toString(16).toUpperCase().padStart(4, "0")}`
  let drops: number | null = null
  for (const file of ["/proc/net/udp", "/proc/net/udp6"]) {
    let text: string
    try {
      text = readFileSync(file, "latin1")
    } catch {
      continue
    }
    for (const row of text.split("\n").slice(1)) {
      const fields = row.trim().split(/\s+/)
      if (fields[1]?.endsWith(hexPort) === true) drops = (drops ?? 0) + Number(fields.at(-1))
    }
  }
  return drops
}
