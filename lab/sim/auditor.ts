/**
 * What must hold for each tenant in every run, whatever breaks: nothing acknowledged is lost or doubled, nothing is invented,
 * nothing is another tenant's, the live twin is the fold of its journal, events reach their table once, viewers see what the
 * twin knows, bounds hold, and after the faults the twin agrees with the lab. It keeps a ledger of what was handed in and
 * folds the journal by itself, as it was committed.
 */
import { hashSnapshot } from "#engine/tenant/state-hash.ts"
import { PENDING_INPUTS_MAX } from "#engine/tenant/journal-writer.ts"
import { ROUND_INPUTS_MAX } from "#engine/tenant/round-loop.ts"
import type { TenantRuntime } from "#engine/tenant/runtime.ts"
import { batchOf } from "#engine/storage/journal-row.ts"
import * as codec from "#engine/tenant/journal-codec.ts"
import { namesOf } from "#lab/sim/devices.ts"
import { Acts } from "#lab/sim/acts.ts"
import { Alerts } from "#lab/sim/alerts.ts"
import { HistoryAudit } from "#lab/sim/history.ts"
import type { TenantTables } from "#lab/sim/tables.ts"
import type { Viewer, Wire } from "#lab/sim/viewers.ts"
import { fail } from "#lab/sim/violation.ts"
import type { EventView } from "#protocol/view.ts"
import { BEHAVIOURS, plainBank, NO_STATES } from "#twin/cells.ts"
import type { Cells } from "#twin/cells.ts"
import { hashTwin, stateHash } from "#twin/hash.ts"
import type { DeviceInput, Input, ProbedInput, Sequenced } from "#twin/input.ts"
import { newWorld, runRound } from "#twin/round.ts"
import type { World } from "#twin/round.ts"
import { snapshotTwin } from "#twin/snapshot.ts"
import { countsOf } from "#twin/view.ts"

/** With the database gone and a sound disk, an input is durable in the spool after this at the latest. */
const DURABLE_WITHIN_MS = 10_000

/** Inputs of the same content: one, but for silences, which have few words. */
interface Entry {
  accepted: number
  journaled: number
  /** Of the accepted: found missing behind a barrier. What was accepted since is still to come. */
  missed: number
}

/** Handed in before a flush that succeeded: in the journal once it has `seq`. */
interface Barrier {
  readonly seq: number
  readonly before: ReadonlyArray<{ readonly key: string; readonly accepted: number }>
  readonly excused: number
}

export class Auditor {
  /** Decided by the fold of the journal, in order. */
  readonly decided: EventView[] = []
  inputs = 0
  /** By device: tellings of a restart that came from the future, for the clock was set back while they waited. */
  readonly retimedBoots = new Map<string, number>()
  /** When such a telling was handed in. */
  readonly #boots = new Map<string, number>()
  /** What people did. */
  readonly acts = new Acts()
  readonly history = new HistoryAudit()
  /** Judged from scratch; null = nobody judges. */
  alerts: Alerts | null = null
  #steps: typeof BEHAVIOURS
  #tables: TenantTables
  /** Of every id of this tenant. */
  #prefix: string
  #world: World = newWorld()
  #cells: Cells
  /** Rows folded. */
  #folded = 0
  #marksSeen = 0
  #eventsSeen = 0
  #ledger = new Map<string, Entry>()
  /** Of this life, for the barriers. */
  #fresh = new Set<string>()
  #barriers: Barrier[] = []
  #life = 0
  /** Of this life. */
  #pollsMissing = 0
  #acknowledged = 0
  /** What was to become durable, and since when. */
  #awaited = { seq: 0, sinceMs: 0 }
  /** Committed rows as they were read first: nobody may change them later. */
  readonly #read: Array<readonly Sequenced[]> = []

  constructor(tables: TenantTables, prefix: string, steps: typeof BEHAVIOURS = BEHAVIOURS) {
    this.#tables = tables
    this.#prefix = prefix
    this.#steps = steps
    this.#cells = cellsOf(steps)
  }

  // -- the ledger

  offered(input: DeviceInput | ProbedInput, taken: boolean): void {
    if (!taken) return
    const key = contentOf(input)
    if (input.kind !== "probed" && tellsOfBoot(input)) this.#boots.set(key, input.atMs)
    const entry = this.#ledger.get(key)
    if (entry === undefined) this.#ledger.set(key, { accepted: 1, journaled: 0, missed: 0 })
    else entry.accepted++
    this.#fresh.add(key)
  }

  /** A new runtime has recovered: whatever was acknowledged is there, and what is not in the journal now is gone for good. */
  up(seq: number): void {
    this.#note()
    if (seq < this.#acknowledged) fail("journal", `${this.#acknowledged} was acknowledged, a start finds ${seq}`)
    this.#life++
    this.#pollsMissing = 0
    this.#barriers = []
    this.#awaited = { seq, sinceMs: Number.POSITIVE_INFINITY }
    for (const entry of this.#ledger.values()) Object.assign(entry, { accepted: entry.journaled, missed: 0 })
    this.#fresh.clear()
  }

  /** Every virtual second. `patient`: the disk does not take the spool, so nothing can be durable in time. */
  look(runtime: TenantRuntime | null, wires: readonly Wire[], nowMs: number, patient: boolean): void {
    if (wires.some(({ overruns }) => overruns > 0)) fail("bounds", "a viewer that does not read was sent more")
    if (runtime === null) return
    const durable = runtime.durableSeq()
    this.#acknowledged = Math.max(this.#acknowledged, durable)
    this.#bounds(runtime)
    const { seq, sinceMs } = this.#awaited
    if (patient || durable >= seq || durable === runtime.seq()) this.#awaited = { seq: runtime.seq(), sinceMs: nowMs }
    else if (nowMs - sinceMs > DURABLE_WITHIN_MS)
      fail("isolation", `input ${seq} is not durable after ${nowMs - sinceMs} ms, whatever its database does`)
  }

  #bounds(runtime: TenantRuntime): void {
    const { inbox, journal } = runtime.stats()
    if (journal.inputs > PENDING_INPUTS_MAX + ROUND_INPUTS_MAX)
      fail("bounds", `${journal.inputs} inputs wait for the journal`)
    if (inbox.malformed > 0) fail("journal", "an input was refused as malformed")
  }

  /** Everything accepted before must be in the journal when flush has resolved, and its rows have reached the table. */
  async barrier(runtime: TenantRuntime): Promise<void> {
    const life = this.#life
    const before = [...this.#fresh].map((key) => ({ key, accepted: this.#ledger.get(key)!.accepted }))
    this.#fresh.clear()
    const isFlushed = await runtime.flush().then(
      () => true,
      () => false,
    )
    if (life !== this.#life) return
    if (!isFlushed) {
      for (const { key } of before) this.#fresh.add(key)
      return
    }
    const { pollsLost, quarantined } = runtime.stats().inbox
    this.#barriers.push({ seq: runtime.durableSeq(), before, excused: quarantined > 0 ? Infinity : pollsLost })
    this.#note()
  }

  #missing({ before, excused }: Barrier): void {
    const missing = before.flatMap(({ key, accepted }) => {
      const entry = this.#ledger.get(key)!
      const count = accepted - entry.journaled - entry.missed
      if (count > 0) entry.missed += count
      return count > 0 ? [{ key, count }] : []
    })
    const polls = missing.filter(({ key }) => /^(poll|unreachable) /.test(key))
    const event = missing.find((one) => !polls.includes(one))
    if (event !== undefined && excused !== Infinity) fail("journal", `lost though acknowledged: ${event.key}`)
    this.#pollsMissing += polls.reduce((sum, { count }) => sum + count, 0)
    if (this.#pollsMissing > excused)
      fail("journal", `${this.#pollsMissing} polls are missing, ${excused} were replaced: ${polls[0]?.key}`)
  }

  /** Reads new rows into the ledger: each input was handed in, and is there once. */
  #note(): void {
    const { committed } = this.#tables
    for (let next = this.#read.length; next < committed.length; next++) {
      const row = committed[next]!
      const last = this.#read.at(-1)?.at(-1)?.seq ?? 0
      if (row.seq !== last + 1) fail("journal", `${row.seq} follows ${last}`)
      const entries = batchOf(row.data, codec)
      if (entries.length !== row.count || entries.some(({ seq }, i) => seq !== row.seq + i))
        fail("journal", `the row of ${row.seq} holds other inputs`)
      this.#read.push(entries)
      for (const entry of entries) this.#noteInput(entry)
    }
    const last = this.#read.at(-1)?.at(-1)?.seq ?? 0
    const due = this.#barriers.filter(({ seq }) => seq <= last)
    if (due.length === 0) return
    this.#barriers = this.#barriers.filter(({ seq }) => seq > last)
    for (const barrier of due) this.#missing(barrier)
  }

  #noteInput({ seq, input }: Sequenced): void {
    this.inputs++
    this.history.journaled({ seq, input })
    if (input.kind === "topology") {
      const [first] = input.inventory.devices
      if (first !== undefined) this.#own(first.id, `inventory ${seq}`)
      return
    }
    if (input.kind === "rules" || input.kind === "silences" || input.kind === "incident")
      return this.acts.journaled(input)
    // No certificate ends here: only an engine that was fenced off says so (storm.ts).
    if (input.kind === "certificate") return fail("journal", `nobody handed in ${seq}: a certificate`)
    if (!("device" in input)) return
    this.#own(input.device, `input ${seq}`)
    if (input.kind === "ack") return this.acts.journaled(input)
    const key = contentOf(input)
    const saidMs = this.#boots.get(key)
    if (saidMs !== undefined && saidMs !== input.atMs)
      this.retimedBoots.set(input.device, 1 + (this.retimedBoots.get(input.device) ?? 0))
    const entry = this.#ledger.get(key)
    if (entry === undefined) return fail("journal", `nobody handed in ${seq}: ${key}`)
    if (++entry.journaled + entry.missed > entry.accepted)
      fail("journal", `twice in the journal, or from another life, ${seq}: ${key}`)
  }

  #own(id: string, what: string): void {
    if (!id.startsWith(this.#prefix)) fail("isolation", `${what} of ${this.#prefix} is of ${id}`)
  }

  /** A frame on its way to a viewer of this tenant. */
  frame(bytes: Uint8Array): void {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    for (const prefix of PREFIXES)
      if (prefix !== this.#prefix && text.includes(prefix))
        fail("isolation", `a frame for ${this.#prefix} has ids of ${prefix}`)
  }

  // -- the fold

  /** Folds up to each snapshot that was stored since and compares; with `all`, up to the journal's end. */
  async foldOn(all: boolean): Promise<void> {
    this.#note()
    const { marks } = this.#tables
    for (; this.#marksSeen < marks.length; this.#marksSeen++) {
      const { seq, hash } = marks[this.#marksSeen]!
      this.#foldTo(seq)
      if (this.#world.seq !== seq) fail("fold", `a snapshot of input ${seq}, the journal has ${this.#world.seq}`)
      const own = (await hashSnapshot(snapshotTwin(this.#world, this.#cells), undefined, () => 0)).all
      if (own !== hash) fail("fold", `the live twin was another one than its journal gives at input ${seq}`)
    }
    if (all) this.#foldTo(Number.POSITIVE_INFINITY)
  }

  #foldTo(seq: number): void {
    for (; this.#folded < this.#read.length; this.#folded++) {
      for (const entry of this.#read[this.#folded]!) {
        if (entry.seq > seq) return
        if (entry.seq <= this.#world.seq) continue
        const { events } = runRound(this.#world, this.#cells, [entry])
        this.decided.push(...events)
        this.alerts?.note(entry, events, this.#world, this.#cells)
      }
    }
  }

  /** The fold as it is must be the fold from nothing, in other groups. */
  refold(): void {
    const world = newWorld()
    const cells = cellsOf(this.#steps)
    runRound(world, cells, this.#read.flat())
    if (hashTwin(world, cells) !== hashTwin(this.#world, this.#cells))
      fail("fold", "the same journal gives another twin when it is folded in other groups")
  }

  /** What the table says now, compacted or not, is what was committed, from its first row on and without a hole. */
  reread(): void {
    const { journal } = this.#tables
    const known = new Map(this.#read.flat().map(({ seq, input }) => [seq, input]))
    let next = journal[0]?.seq ?? 1
    for (const row of journal) {
      if (row.seq !== next) fail("journal", `the table goes on at ${row.seq} where ${next} is due`)
      for (const { seq, input } of batchOf(row.data, codec)) {
        const first = known.get(seq)
        if (seq !== next++ || first === undefined || contentOf(first) !== contentOf(input))
          fail("journal", `the table says something else about input ${seq} than it did`)
      }
    }
    if (next <= this.#world.seq) fail("journal", `the table ends at ${next - 1}, it had ${this.#world.seq}`)
  }

  /** Columns, counts and newest events of the live twin, at a moment when all is durable. */
  compareLive(runtime: TenantRuntime): void {
    if (runtime.seq() !== this.#world.seq) fail("fold", `live at ${runtime.seq()}, the journal at ${this.#world.seq}`)
    const live = stateHash([runtime.columns(), runtime.counts(), runtime.recentEvents()])
    const own = stateHash([this.#world.columns, countsOf(this.#cells), this.#world.recent])
    if (live !== own) fail("fold", `columns, counts or events of the live twin differ at input ${runtime.seq()}`)
    this.acts.settle()
    this.alerts?.compare(runtime)
  }

  /** All polls up to this input are in chunks by now. */
  compareHistory(untilSeq: number): void {
    this.#note()
    this.history.compare(this.#tables.history, untilSeq)
  }

  // -- what came out

  /** Every event that the fold decided is in the table, as it was decided, and no other. */
  compareEvents(): void {
    const { events } = this.#tables
    for (; this.#eventsSeen < this.decided.length; this.#eventsSeen++) {
      const event = this.decided[this.#eventsSeen]!
      const stored = events.get(event.id)
      if (stored === undefined) return fail("events", `event ${event.id} ${event.type} ${event.subject} was lost`)
      if (!isSame(stored, event)) fail("events", `event ${event.id} was stored as something else`)
    }
    if (events.size > this.decided.length) {
      const known = new Set(this.decided.map(({ id }) => id))
      const invented = [...events.values()].find(({ id }) => !known.has(id))
      if (invented !== undefined && invented.subject !== "") this.#own(invented.subject, `event ${invented.id}`)
      fail("events", `event ${invented?.id ?? "?"} was never decided`)
    }
  }

  /** Once quiet: the picture of each viewer is the twin's own. */
  compareViewer(viewer: Viewer, runtime: TenantRuntime): void {
    const { state, index } = viewer
    const columns = runtime.columns()
    if (state.epoch !== runtime.epoch()) fail("viewers", `viewer ${index} is in epoch ${state.epoch}`)
    const pairs: ReadonlyArray<readonly [string, ArrayLike<number>, ArrayLike<number>]> = [
      ["node status", state.nodes.status, columns.nodeStatus],
      ["node seenS", state.nodes.seenS, columns.nodeSeenS],
      ["link status", state.links.status, columns.linkStatus],
      ["link utilAB", state.links.utilAB, columns.linkUtilAB],
      ["link utilBA", state.links.utilBA, columns.linkUtilBA],
    ]
    for (const [what, seen, own] of pairs) {
      const slot = own.length === seen.length ? firstDifference(seen, own) : -2
      if (slot !== -1) fail("viewers", `viewer ${index} has another ${what} in slot ${slot}`)
    }
    if (stateHash(state.counts) !== stateHash(runtime.counts())) fail("viewers", `viewer ${index} has other counts`)
    const recent = runtime.recentEvents()
    const ids = state.events.map(({ id }) => id).join()
    const own = recent.map(({ id }) => id).join()
    if (ids !== own) fail("viewers", `viewer ${index} has ${state.events.length} events, the twin ${recent.length}`)
  }
}

/** Of all tenants that a simulation has at most (run.ts). */
const PREFIXES = [0, 1, 2].map((tenant) => namesOf(tenant).prefix)

const isSame = (stored: EventView, event: EventView): boolean =>
  (Object.keys(event) as Array<keyof EventView>).every((key) => stored[key] === event[key])

const firstDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return i
  return -1
}

/** The same for the same input before and after the journal's codec. Traps and lines carry a number of their own. */
export const contentOf = (input: Input): string => {
  switch (input.kind) {
    case "poll":
      return `poll ${input.device} ${input.source} ${numbersOf(input.value)}`
    case "unreachable":
      return `unreachable ${input.device} ${input.source} ${input.reason} ${input.detail}`
    case "trap":
    case "syslog":
      return `${input.kind} ${input.device} ${input.raw ?? ""}`
    case "probed":
      return `probed ${input.device} ${input.incident} ${input.question} ${input.outcome}`
    case "tick":
    case "topology":
    case "quota":
    case "certificate":
    case "rules":
    case "silences":
    case "ack":
    case "incident":
      return `${input.kind} ${input.atMs}`
  }
}

const tellsOfBoot = (input: DeviceInput): boolean =>
  input.kind === "trap"
    ? input.trap === "coldStart" || input.trap === "warmStart"
    : input.kind === "syslog" && input.event?.type === "rebooted"

const numbersOf = (values: Float64Array): string => {
  let hash = 0
  for (const value of values) hash = (Math.imul(hash, 31) + ((value * 1e7) % 4_294_967_296)) | 0
  return `${hash.toString(36)} ${values.slice(0, 3).join()}`
}

const cellsOf = (steps: typeof BEHAVIOURS): Cells => ({
  routers: plainBank(NO_STATES.routers, steps.router, () => undefined),
  links: plainBank(NO_STATES.links, steps.link, () => undefined),
  tenant: plainBank([NO_STATES.tenant], steps.tenant, () => undefined),
})
