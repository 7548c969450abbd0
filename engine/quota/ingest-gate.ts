/**
 * The door of one tenant's ingest: samples a second, events a second, and how many interfaces and series it may have. It
 * stands before the inbox, so before seq and journal: live and replay never see what was refused (law 2). Polls over the
 * rate wait here, the newest of each device only, and what they replace is counted; events over it are given up and counted,
 * because a queue that waits for one tenant's rate would hold up the others (law 3).
 */
import type { Sink } from "#engine/collectors/collector.ts"
import type { Quotas } from "#engine/quota/quotas.ts"
import { entityKind, type DeviceId, type EntityKind, type TenantId } from "#protocol/id.ts"
import type { DeviceInput, PollInput } from "#twin/input.ts"

export interface IngestGate {
  readonly sink: Sink
  readonly stats: () => IngestStats
  /** After a change of the inventory: what devices that left had told is counted no more. */
  readonly keepOnly: (devices: ReadonlySet<string>) => void
  readonly close: () => void
}

export interface IngestStats {
  /** Samples of polls that a newer poll replaced while they waited for the rate. */
  readonly samplesLost: number
  /** Samples of series or interfaces beyond their quota. */
  readonly samplesCut: number
  /** Traps and syslog lines beyond the rate. */
  readonly eventsLost: number
  /** Polls that wait for the rate now. */
  readonly waiting: number
}

export interface IngestGateOptions {
  readonly tenant: TenantId
  readonly quotas: Quotas
  readonly sink: Sink
  /** Runs an action once after so many ms; returns how to call it off. Tests give their own. */
  readonly later?: (ms: number, action: () => void) => () => void
}

/** Polls that wait (device and source): more than one process ever polls. One more is lost and counted. */
const WAITING_MAX = 65_536
/** What waits is looked at again no later than this. */
const LATER_MAX_MS = 1_000

export const makeIngestGate = (options: IngestGateOptions): IngestGate => {
  const { tenant, quotas, sink, later = afterMs } = options
  const census = makeCensus()
  const waiting = new Map<string, PollInput>()
  const stats = { samplesLost: 0, samplesCut: 0, eventsLost: 0 }
  let callOff: (() => void) | null = null

  const forgetGauges = [
    quotas.gauge(tenant, "max_interfaces", () => census.total("interfaces")),
    quotas.gauge(tenant, "max_metric_series", () => census.total("series")),
  ]

  const drain = (): void => {
    callOff = null
    for (const [key, poll] of waiting) {
      if (quotas.waitMs(tenant, "max_ingest_samples_per_s") > 0) break
      waiting.delete(key)
      quotas.take(tenant, "max_ingest_samples_per_s", poll.value.length)
      if (!sink.submit(poll)) stats.samplesLost += poll.value.length
    }
    drainLater()
  }
  const drainLater = (): void => {
    if (waiting.size === 0 || callOff !== null) return
    callOff = later(Math.min(LATER_MAX_MS, Math.ceil(quotas.waitMs(tenant, "max_ingest_samples_per_s"))), drain)
  }

  /** Newest last; what it replaces is lost. */
  const hold = (key: string, poll: PollInput): void => {
    const replaced = waiting.get(key)
    if (replaced !== undefined) lose(replaced)
    else if (waiting.size >= WAITING_MAX) return lose(poll)
    waiting.delete(key)
    waiting.set(key, poll)
    drainLater()
  }
  const lose = (poll: PollInput): void => {
    stats.samplesLost += poll.value.length
    quotas.exceeded(tenant, "max_ingest_samples_per_s")
  }

  const submitPoll = (offered: PollInput): boolean => {
    const poll = cutToQuota(offered, census, (name) => quotas.limit(tenant, name))
    const cut = offered.value.length - poll.value.length
    if (cut > 0) {
      stats.samplesCut += cut
      const over = census.total("interfaces") >= quotas.limit(tenant, "max_interfaces")
      quotas.exceeded(tenant, over ? "max_interfaces" : "max_metric_series")
    }
    const key = `${poll.source} ${poll.device}`
    if (waiting.size > 0 || !quotas.take(tenant, "max_ingest_samples_per_s", poll.value.length)) {
      hold(key, poll)
      return true
    }
    return sink.submit(poll)
  }

  const submitEvent = (input: DeviceInput, durable?: () => void): boolean => {
    if (!quotas.take(tenant, "max_events_per_s")) {
      stats.eventsLost++
      return true
    }
    const taken = sink.submit(input, durable)
    if (!taken) quotas.exceeded(tenant, "mailbox_depth")
    return taken
  }

  return {
    sink: {
      submit: (input, durable) => {
        if (input.kind === "poll") return submitPoll(input)
        if (input.kind !== "unreachable") return submitEvent(input, durable)
        // A poll of before must not come after it.
        const key = `${input.source} ${input.device}`
        const before = waiting.get(key)
        if (before !== undefined) lose(before)
        waiting.delete(key)
        return sink.submit(input)
      },
    },
    stats: () => ({ ...stats, waiting: waiting.size }),
    keepOnly: census.keepOnly,
    close: () => {
      callOff?.()
      callOff = null
      waiting.clear()
      for (const forget of forgetGauges) forget()
    },
  }
}

const afterMs = (ms: number, action: () => void): (() => void) => {
  const timer = setTimeout(action, ms)
  return () => clearTimeout(timer)
}

// --- how many interfaces and series there are

interface Told {
  readonly interfaces: number
  readonly series: number
}
type Counted = keyof Told

/** Two collectors of one device tell the same interfaces: the larger number counts. */
interface Census {
  readonly total: (what: Counted) => number
  /** Of all other devices. */
  readonly others: (device: DeviceId, what: Counted) => number
  readonly tell: (poll: PollInput, told: Told) => void
  readonly keepOnly: (devices: ReadonlySet<string>) => void
}

const makeCensus = (): Census => {
  const devices = new Map<string, Map<string, Told>>()
  const totals = { interfaces: 0, series: 0 }
  const most = (device: string, what: Counted): number =>
    Math.max(0, ...[...(devices.get(device)?.values() ?? [])].map((told) => told[what]))
  const change = (device: string, by: 1 | -1): void => {
    totals.interfaces += by * most(device, "interfaces")
    totals.series += by * most(device, "series")
  }
  return {
    total: (what) => totals[what],
    others: (device, what) => totals[what] - most(device, what),
    tell: ({ device, source }, told) => {
      change(device, -1)
      const ofDevice = devices.get(device) ?? new Map<string, Told>()
      devices.set(device, ofDevice)
      ofDevice.set(source, told)
      change(device, 1)
    },
    keepOnly: (kept) => {
      for (const device of devices.keys()) {
        if (kept.has(device)) continue
        change(device, -1)
        devices.delete(device)
      }
    },
  }
}

/** The first rows and interfaces that there is room for, in the order in which the device told them. */
const cutToQuota = (
  poll: PollInput,
  census: Census,
  limitOf: (name: "max_interfaces" | "max_metric_series") => number,
): PollInput => {
  const interfaces = poll.entities.filter((key) => entityKind(key) === "interface").length
  const roomFor = (what: Counted, limit: number): number => Math.max(0, limit - census.others(poll.device, what))
  const interfacesMax = roomFor("interfaces", limitOf("max_interfaces"))
  const seriesMax = roomFor("series", limitOf("max_metric_series"))
  if (interfaces <= interfacesMax && poll.value.length <= seriesMax) {
    census.tell(poll, { interfaces, series: poll.value.length })
    return poll
  }
  const kept = cut(poll, interfacesMax, seriesMax)
  census.tell(poll, { interfaces: Math.min(interfaces, interfacesMax), series: kept.value.length })
  return kept
}

const cut = (poll: PollInput, interfacesMax: number, seriesMax: number): PollInput => {
  let interfaces = 0
  const allowed = poll.entities.map((key) => entityKind(key) !== "interface" || ++interfaces <= interfacesMax)
  const rows: number[] = []
  for (const [row, entity] of poll.entity.entries())
    if (allowed[entity] === true && rows.length < seriesMax) rows.push(row)
  const allowedKeys = new Set(poll.entities.filter((_, index) => allowed[index] === true))
  // What was cut must not look as if it had vanished.
  const whole = (kind: EntityKind): boolean => rows.length < seriesMax && kind !== "interface"
  return {
    ...poll,
    entity: Uint16Array.from(rows, (row) => poll.entity[row] as number),
    metric: Uint16Array.from(rows, (row) => poll.metric[row] as number),
    value: Float64Array.from(rows, (row) => poll.value[row] as number),
    texts: poll.texts.filter(({ entity }) => allowedKeys.has(entity)),
    complete: poll.complete.filter(whole),
  }
}
