/**
 * What must hold in every run, whatever breaks: nothing acknowledged is lost or doubled, nothing is invented, the live twin
 * is the fold of its journal, events reach their table once, viewers see what the twin knows, bounds hold, and after the
 * faults the twin agrees with the lab. It keeps a ledger of what was handed in and folds the journal by itself.
 */
import { hashSnapshot } from "#engine/tenant/state-hash.ts"
import { PENDING_INPUTS_MAX } from "#engine/tenant/journal-writer.ts"
import { ROUND_INPUTS_MAX } from "#engine/tenant/round-loop.ts"
import type { TenantRuntime } from "#engine/tenant/runtime.ts"
import type { Storage } from "#lab/sim/storage.ts"
import type { Viewer, Wire } from "#lab/sim/viewers.ts"
import type { EventView } from "#protocol/view.ts"
import { BEHAVIOURS, plainBank, NO_STATES } from "#twin/cells.ts"
import type { Cells } from "#twin/cells.ts"
import { hashTwin, stateHash } from "#twin/hash.ts"
import type { DeviceInput, Input, Sequenced } from "#twin/input.ts"
import { newWorld, runRound } from "#twin/round.ts"
import type { World } from "#twin/round.ts"
import { snapshotTwin } from "#twin/snapshot.ts"
import { countsOf } from "#twin/view.ts"

export type AuditorName =
  | "journal" // acknowledged inputs are in the journal, once, in order, and nothing else is
  | "fold" // live state = from-scratch fold
  | "events" // the events' table = what the twin decided
  | "viewers" // every picture = the twin's
  | "bounds" // queues within their limits
  | "truth" // the twin agrees with the lab
  | "recovery" // healthy again in time
  | "false-alarm" // an event without a cause
  | "life" // something threw, hung or did not start

/** The first thing that was wrong ends the run. */
export class Violation extends Error {
  readonly auditor: AuditorName
  constructor(auditor: AuditorName, detail: string) {
    super(`${auditor}: ${detail}`)
    this.auditor = auditor
  }
}

const fail = (auditor: AuditorName, detail: string): never => {
  throw new Violation(auditor, detail)
}

/** Inputs of the same content: one, but for silences, which have few words. */
interface Entry {
  readonly kind: Input["kind"]
  accepted: number
  journaled: number
}

export class Auditor {
  /** Decided by the fold of the journal, in order. */
  readonly decided: EventView[] = []
  inputs = 0
  #steps: typeof BEHAVIOURS
  #storage: Storage
  #world: World = newWorld()
  #cells: Cells
  /** Rows folded. */
  #folded = 0
  #hashesSeen = 0
  #ledger = new Map<string, Entry>()
  /** Of this life, for the barriers. */
  #fresh = new Set<string>()
  /** Rows that the ledger has seen. */
  #noted = 0
  #life = 0
  /** Of this life. */
  #pollsMissing = 0
  #acknowledged = 0
  /** Rows as they were read first: nobody may change them later. */
  readonly #read: Array<readonly Sequenced[]> = []

  constructor(storage: Storage, steps: typeof BEHAVIOURS = BEHAVIOURS) {
    this.#storage = storage
    this.#steps = steps
    this.#cells = cellsOf(steps)
  }

  get world(): World {
    return this.#world
  }

  // -- the ledger

  offered(input: DeviceInput, taken: boolean): void {
    if (!taken) return
    const key = contentOf(input)
    const entry = this.#ledger.get(key) ?? { kind: input.kind, accepted: 0, journaled: 0 }
    entry.accepted++
    this.#ledger.set(key, entry)
    this.#fresh.add(key)
  }

  /** The engine was killed, or its runtime failed: what is not in the journal now may be gone. */
  lifeEnded(): void {
    this.#note()
    this.#life++
    this.#pollsMissing = 0
    for (const entry of this.#ledger.values()) entry.accepted = entry.journaled
    this.#fresh.clear()
  }

  /** After every step. */
  look(runtime: TenantRuntime | null, wires: readonly Wire[]): void {
    const { rows } = this.#storage
    const durable = runtime?.durableSeq() ?? 0
    this.#acknowledged = Math.max(this.#acknowledged, durable)
    if (this.#storage.lastSeq() < this.#acknowledged)
      fail("journal", `${this.#acknowledged} was acknowledged, the journal ends at ${this.#storage.lastSeq()}`)
    if (rows.length < this.#read.length) fail("journal", "rows have gone")
    if (runtime !== null) this.#bounds(runtime)
    if (wires.some(({ overruns }) => overruns > 0)) fail("bounds", "a viewer that does not read was sent more")
  }

  #bounds(runtime: TenantRuntime): void {
    const { inbox, journal } = runtime.stats()
    if (journal.inputs > PENDING_INPUTS_MAX + ROUND_INPUTS_MAX)
      fail("bounds", `${journal.inputs} inputs wait for the journal`)
    if (inbox.malformed > 0) fail("journal", "an input was refused as malformed")
  }

  /** Everything accepted before must be in the journal when flush has resolved. */
  async barrier(runtime: TenantRuntime): Promise<void> {
    const life = this.#life
    const before = [...this.#fresh].map((key) => ({ key, accepted: this.#ledger.get(key)!.accepted }))
    this.#fresh.clear()
    const isFlushed = await runtime.flush().then(
      () => true,
      () => false,
    )
    if (life !== this.#life) return
    if (isFlushed) return this.#missing(before, runtime)
    for (const { key } of before) this.#fresh.add(key)
  }

  #missing(before: ReadonlyArray<{ readonly key: string; readonly accepted: number }>, runtime: TenantRuntime): void {
    this.#note()
    const missing = before.filter(({ key, accepted }) => this.#ledger.get(key)!.journaled < accepted)
    for (const { key } of missing) this.#ledger.get(key)!.accepted = this.#ledger.get(key)!.journaled
    const { pollsLost, quarantined } = runtime.stats().inbox
    const polls = missing.filter(({ key }) => /^(poll|unreachable) /.test(key))
    const event = missing.find((one) => !polls.includes(one))
    if (event !== undefined && quarantined === 0) fail("journal", `lost though acknowledged: ${event.key}`)
    this.#pollsMissing += polls.length
    if (this.#pollsMissing > pollsLost + quarantined)
      fail("journal", `${this.#pollsMissing} polls are missing, ${pollsLost} were replaced: ${polls[0]?.key}`)
  }

  /** Reads new rows into the ledger: each input was handed in, and is there once. */
  #note(): void {
    const { rows } = this.#storage
    for (; this.#noted < rows.length; this.#noted++) {
      const row = rows[this.#noted]!
      const before = rows[this.#noted - 1]?.last ?? 0
      if (row.first !== before + 1) fail("journal", `${row.first} follows ${before}`)
      const entries = this.#storage.read(row)
      this.#read.push(entries)
      for (const entry of entries) this.#noteInput(entry)
    }
  }

  #noteInput({ seq, input }: Sequenced): void {
    this.inputs++
    if (input.kind === "tick" || input.kind === "topology" || input.kind === "quota") return
    const key = contentOf(input)
    const entry = this.#ledger.get(key)
    if (entry === undefined) return fail("journal", `nobody handed in ${seq}: ${key}`)
    if (++entry.journaled > entry.accepted)
      fail("journal", `twice in the journal, or from another life, ${seq}: ${key}`)
  }

  // -- the fold

  /** Folds up to each snapshot that was stored since and compares; with `all`, up to the journal's end. */
  async foldOn(all: boolean): Promise<void> {
    this.#note()
    const { hashes } = this.#storage
    for (; this.#hashesSeen < hashes.length; this.#hashesSeen++) {
      const { seq, hash } = hashes[this.#hashesSeen]!
      this.#foldTo(seq)
      if (this.#world.seq !== seq) fail("fold", `a snapshot of input ${seq}, the journal has ${this.#world.seq}`)
      const own = (await hashSnapshot(snapshotTwin(this.#world, this.#cells), undefined, () => 0)).all
      if (own !== hash) fail("fold", `the live twin was another one than its journal gives at input ${seq}`)
    }
    if (all) this.#foldTo(Number.POSITIVE_INFINITY)
  }

  #foldTo(seq: number): void {
    const { rows } = this.#storage
    for (; this.#folded < this.#noted; this.#folded++) {
      const row = rows[this.#folded]!
      if (row.first > seq) return
      for (const entry of this.#read[this.#folded]!) {
        if (entry.seq > seq) return
        if (entry.seq <= this.#world.seq) continue
        this.decided.push(...runRound(this.#world, this.#cells, [entry]).events)
      }
      if (row.last > seq) return
    }
  }

  /** The fold as it is must be the fold from nothing of what storage has at the end. */
  refold(): void {
    const world = newWorld()
    const cells = cellsOf(this.#steps)
    for (const row of this.#storage.rows) runRound(world, cells, this.#storage.read(row))
    if (hashTwin(world, cells) !== hashTwin(this.#world, this.#cells))
      fail("fold", "the same journal gives another twin when it is folded in other groups")
  }

  /** Columns, counts and newest events of the live twin, at a moment when all is durable. */
  compareLive(runtime: TenantRuntime): void {
    if (runtime.seq() !== this.#world.seq) fail("fold", `live at ${runtime.seq()}, the journal at ${this.#world.seq}`)
    const live = stateHash([runtime.columns(), runtime.counts(), runtime.recentEvents()])
    const own = stateHash([this.#world.columns, countsOf(this.#cells), this.#world.recent])
    if (live !== own) fail("fold", `columns, counts or events of the live twin differ at input ${runtime.seq()}`)
  }

  // -- what came out

  /** Every event that the fold decided is in the table, as it was decided, and no other. */
  compareEvents(): void {
    const { events } = this.#storage
    for (const event of this.decided) {
      const stored = events.get(event.id)
      if (stored === undefined) return fail("events", `event ${event.id} ${event.type} ${event.subject} was lost`)
      if (stateHash(stored) !== stateHash(event)) fail("events", `event ${event.id} was stored as something else`)
    }
    if (events.size > this.decided.length) {
      const known = new Set(this.decided.map(({ id }) => id))
      const invented = [...events.keys()].find((id) => !known.has(id))
      fail("events", `event ${invented ?? "?"} was never decided`)
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
    case "tick":
    case "topology":
    case "quota":
    case "certificate":
    case "rules":
    case "silences":
    case "ack":
      return `${input.kind} ${input.atMs}`
  }
}

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
