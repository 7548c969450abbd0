/**
 * Listens for syslog on UDP and TCP and hands typed inputs to the tenant's inbox (PRODUCT.md C7, C8). Only known
 * devices are heard, known by their address, never by what a message claims. Nothing is lost in silence: every line
 * ends in exactly one counter (SyslogStats says which), down to what the kernel dropped before we could read it.
 */
import * as dgram from "node:dgram"
import { readFileSync } from "node:fs"
import * as net from "node:net"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
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
import { makeFramer, MESSAGE_MAX_BYTES } from "#engine/collectors/syslog/frames.ts"
import { parseLogRow, parseSyslog } from "#engine/collectors/syslog/header.ts"
import { makeQuota, QUOTA_DEFAULTS } from "#engine/collectors/syslog/quota.ts"

/** The port could not be opened. `detail` says what to do. */
export class SyslogListenFailed extends Data.TaggedError("SyslogListenFailed")<{
  readonly host: string
  readonly port: number
  readonly detail: string
}> {}

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

export interface TcpSettings {
  readonly maxConnections: number
  /** Silence after which a connection is closed. */
  readonly idleMs: number
  /** Silence after which a line without an end is taken as it is (RouterOS ends none). */
  readonly flushMs: number
}
export const TCP_DEFAULTS: TcpSettings = { maxConnections: 1_024, idleMs: 600_000, flushMs: 250 }

export interface SyslogListener {
  /**
   * A row of a device's own log, followed over its API (routeros/poller.ts, onLog): the same way as a line over the
   * wire from here on, and heard once when both come.
   */
  readonly hear: (device: DeviceId, topics: string, message: string) => void
  readonly udpPort: number
  readonly tcpPort: number
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
    const tcp = yield* Effect.acquireRelease(openTcp(options, tcpPort), (server) => Effect.sync(() => server.close()))
    const sockets = new Set<net.Socket>()
    yield* Effect.addFinalizer(() => Effect.sync(() => sockets.forEach((socket) => socket.destroy())))

    udp.on("message", (bytes, { address }) => intake.take(bytes, address, false))
    udp.on("error", () => undefined)
    tcp.on("connection", (socket) => serveTcp(socket, options, intake, sockets))
    tcp.on("error", () => undefined)
    const timers = [setInterval(intake.retry, RETRY_MS), setInterval(intake.expire, EXPIRE_MS)]
    intake.onRoom(() => sockets.forEach((socket) => socket.resume()))
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        timers.forEach((timer) => clearInterval(timer))
        intake.finish()
      }),
    )
    return {
      hear: intake.hear,
      udpPort,
      tcpPort: (tcp.address() as net.AddressInfo).port,
      receiveBufferBytes: udp.getRecvBufferSize(),
      kernelDrops: () => readKernelDrops(udpPort),
      waiting: intake.waiting,
      folding: intake.folding,
    }
  })

// --- from bytes to the sink

interface Intake {
  /** One message from an address. */
  readonly take: (bytes: Uint8Array, address: string, truncated: boolean) => void
  readonly hear: SyslogListener["hear"]
  /** Offers what waits to the sink again. */
  readonly retry: () => void
  readonly expire: () => void
  readonly finish: () => void
  /** So much of this sender's tenant waits that it is not read for now. */
  readonly crowded: (address: string) => boolean
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
    const type = net.isIPv6(options.host) ? "udp6" : "udp4"
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

// --- TCP

const openTcp = (options: SyslogOptions, port: number): Effect.Effect<net.Server, SyslogListenFailed> =>
  Effect.callback((resume) => {
    const server = net.createServer()
    server.maxConnections = (options.tcp ?? TCP_DEFAULTS).maxConnections
    server.on("drop", () => options.stats.tcpRefused++)
    server.once("error", (error) => resume(Effect.fail(listenFailed(options.host, port, "TCP", error))))
    server.listen(port, options.host, () => {
      server.removeAllListeners("error")
      resume(Effect.succeed(server))
    })
  })

const serveTcp = (socket: net.Socket, options: SyslogOptions, intake: Intake, sockets: Set<net.Socket>): void => {
  const { stats } = options
  const { idleMs, flushMs } = options.tcp ?? TCP_DEFAULTS
  const address = socket.remoteAddress ?? ""
  socket.on("error", () => undefined)
  if (options.resolve(plainAddress(address)) === null) {
    stats.tcpRefused++
    socket.destroy()
    return
  }
  stats.tcpConnections++
  sockets.add(socket)
  const framer = makeFramer()
  const emit = (message: Buffer, truncated: boolean): void => intake.take(message, address, truncated)
  const silence = setTimeout(() => framer.flush(emit), flushMs)
  socket.setTimeout(idleMs, () => socket.destroy())
  socket.on("data", (chunk: Buffer) => {
    silence.refresh()
    if (framer.push(chunk, emit) !== null) {
      stats.badStreams++
      socket.destroy()
    } else if (intake.crowded(address)) socket.pause()
  })
  socket.on("close", () => {
    clearTimeout(silence)
    framer.flush(emit)
    sockets.delete(socket)
    stats.tcpConnections--
  })
}

// --- failures

const listenFailed = (host: string, port: number, kind: string, error: NodeJS.ErrnoException): SyslogListenFailed => {
  const advice: Record<string, string> = {
    EACCES: "ports below 1024 need the capability CAP_NET_BIND_SERVICE: choose another port, or grant it",
    EADDRINUSE: "another program listens there: stop it, or choose another port",
    EADDRNOTAVAIL: "this machine has no such address: choose one of its own, or 0.0.0.0",
  }
  const code = error.code ?? error.name
  return new SyslogListenFailed({ host, port, detail: `syslog ${kind} ${host}:${port}: ${advice[code] ?? code}` })
}
