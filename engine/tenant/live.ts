/**
 * The live part of a tenant's runtime, after recovery: it ties inbox, rounds, journal and snapshots together and gives
 * out the LiveTwin that the stream, the API and the collectors hold. See runtime.ts for the whole.
 */
import * as Effect from "effect/Effect"
import type { ActorClock, ManualClock } from "#engine/actors/clock.ts"
import { errorLine } from "#engine/actors/dead-letters.ts"
import type { ActorSystem } from "#engine/actors/system.ts"
import type { Timers } from "#engine/actors/timers.ts"
import { makeTimers } from "#engine/actors/timers.ts"
import type { Turns } from "#engine/actors/turns.ts"
import { nextTurn } from "#engine/actors/turns.ts"
import type { Inbox } from "#engine/tenant/inbox.ts"
import { CHANGES_MAX, isChange } from "#engine/tenant/inbox.ts"
import type { Incidents } from "#engine/tenant/live-twin.ts"
import type { JournalWriter } from "#engine/tenant/journal-writer.ts"
import { makeJournalWriter } from "#engine/tenant/journal-writer.ts"
import type { Recovered } from "#engine/tenant/recover.ts"
import type { RoundListeners } from "#engine/tenant/round-listeners.ts"
import { makeRoundListeners } from "#engine/tenant/round-listeners.ts"
import type { RoundLoop } from "#engine/tenant/round-loop.ts"
import { makeRoundLoop } from "#engine/tenant/round-loop.ts"
import type {
  RuntimeStatus,
  Tell,
  TenantRuntime,
  TenantRuntimeOptions,
  TenantRuntimeStats,
} from "#engine/tenant/runtime.ts"
import { RuntimeStopped } from "#engine/tenant/runtime.ts"
import type { Snapshotter } from "#engine/tenant/snapshotter.ts"
import { makeSnapshotter, SNAPSHOT_EVERY_MS } from "#engine/tenant/snapshotter.ts"
import type { ToldNotices } from "#engine/tenant/told-notices.ts"
import { makeToldNotices } from "#engine/tenant/told-notices.ts"
import { wellFormed } from "#engine/tenant/well-formed.ts"
import type { AlertName } from "#protocol/alert.ts"
import { deviceId, entityKey } from "#protocol/id.ts"
import type { IncidentAct } from "#twin/incident/act.ts"
import { refusalOf } from "#twin/incident/acted.ts"
import { incidentView, viewById } from "#twin/incident/view.ts"
import type { ChangeInput, Sequenced } from "#twin/input.ts"
import { alertViews, explainAlert, findAlert, receiptOfAlert } from "#twin/judge/alert-view.ts"
import type { RoundResult } from "#twin/round.ts"
import { runRound } from "#twin/round.ts"
import { snapshotTwin } from "#twin/snapshot.ts"
import { isLit } from "#twin/alert/alert.ts"
import { countsOf, focusView } from "#twin/view.ts"

/** How long a stop waits for the journal, and then for the last snapshot. */
export const STOP_FLUSH_MS = 10_000

export interface LiveParts {
  readonly options: TenantRuntimeOptions
  readonly clock: ActorClock
  readonly turns: Turns
  /** The time of the actors: that of the inputs. */
  readonly twinTime: ManualClock
  readonly tell: Tell
  readonly inbox: Inbox
  readonly system: ActorSystem
  readonly recovered: Recovered
  readonly noticesLost: () => number
}

export class Live {
  readonly runtime: TenantRuntime
  readonly #parts: LiveParts
  readonly #timers: Timers
  readonly #listeners: RoundListeners
  readonly #writer: JournalWriter
  readonly #told: ToldNotices
  readonly #loop: RoundLoop
  readonly #snapshots: Snapshotter
  /** Who waits for the answer to a change, until it was applied. */
  readonly #changers = new Map<ChangeInput, Waiter>()
  /** Callers of flush, until the inbox is empty. */
  #flushers: Array<() => void> = []
  #status: RuntimeStatus = "live"
  #stopping: Promise<void> | null = null
  #epoch: number
  #wasFull = false

  constructor(parts: LiveParts) {
    const { options, clock, turns, inbox, recovered } = parts
    this.#parts = parts
    this.#epoch = options.epochBase
    this.#timers = makeTimers(clock)
    this.#listeners = makeRoundListeners((detail) => parts.tell("listener-threw", detail))
    this.#writer = makeJournalWriter({
      port: options.journal,
      durableSeq: recovered.world.seq,
      onRoom: () => this.#hasRoom(),
      onLost: (error) => this.#fail(error),
    })
    this.#told = makeToldNotices({ ...this.#writer, notify: this.#listeners.notify })
    this.#loop = makeRoundLoop({
      inbox,
      timers: this.#timers,
      seq: recovered.world.seq,
      nowMs: clock.nowMs,
      monoMs: turns.monoMs,
      soon: turns.soon,
      isFull: this.#writer.isFull,
      apply: (batch) => this.#apply(batch),
    })
    this.#snapshots = makeSnapshotter({
      port: options.snapshots,
      turns,
      timers: this.#timers,
      everyMs: options.snapshotEveryMs ?? SNAPSHOT_EVERY_MS,
      savedSeq: recovered.snapshotSeq,
      dice: options.dice ?? Math.random,
      seq: () => recovered.world.seq,
      capture: () => snapshotTwin(recovered.world, recovered.cells),
      whenDurable: (seq) => this.#whenTold(seq),
      onProblem: (detail) => parts.tell("snapshot-failed", detail),
    })
    this.runtime = this.#face()
  }

  /** Something is in the inbox. */
  wake(): void {
    this.#loop.wake()
  }

  /** Applies the declared inventory when the twin has another one. */
  begin(): void {
    const { options, recovered } = this.#parts
    const { rev, inventory } = options
    if (rev !== recovered.world.topology.rev)
      this.#parts.inbox.submitChange(wellFormed({ kind: "topology", atMs: this.#parts.clock.nowMs(), rev, inventory }))
    this.#loop.runOnce()
  }

  #face(): TenantRuntime {
    const { options, inbox } = this.#parts
    const { world, cells } = this.#parts.recovered
    return {
      tenant: options.tenant,
      epoch: () => this.#epoch,
      seq: () => world.seq,
      inventory: () => world.topology.inventory,
      columns: () => world.columns,
      counts: () => countsOf(cells),
      recentEvents: () => world.recent,
      view: (focus) => focusView(world, cells, focus),
      inside: () => ({ world, cells }),
      submit: inbox.submit,
      setInventory: (rev, inventory) => this.#change({ kind: "topology", atMs: this.#nowMs(), rev, inventory }),
      judgement: {
        rules: () => ({ rev: world.judging.rulesRev, rules: world.judging.rules }),
        setRules: (rev, rules) => this.#change({ kind: "rules", atMs: this.#nowMs(), rev, rules }),
        silences: () => ({ rev: world.judging.silencesRev, silences: world.judging.silences }),
        setSilences: (rev, silences) => this.#change({ kind: "silences", atMs: this.#nowMs(), rev, silences }),
        alerts: () => alertViews(world, cells),
        explain: (name) => explainAlert(world, cells, name),
        receipt: (name) => receiptOfAlert(world, cells, name),
        acknowledge: (name, by, untilMs) => this.#acknowledge(name, by, untilMs),
      },
      incidents: {
        list: () => world.desk.incidents.map(incidentView),
        act: (id, by, act) => this.#act(id, by, act),
        feedback: () => world.desk.feedback,
      },
      incident: (id) => viewById(world.desk.incidents, id),
      service: (id) => world.services.states.get(id)?.condition ?? null,
      onRound: this.#listeners.add,
      durableSeq: this.#writer.durableSeq,
      whenDurable: this.#writer.whenDurable,
      flush: () => this.#flush(),
      recoveredEvents: () => this.#parts.recovered.events,
      recoveredIncidents: () => this.#parts.recovered.incidents,
      stop: Effect.promise(() => this.#stop()),
      stats: () => this.#stats(),
    }
  }

  /** A batch whose round throws is not journaled: the runtime that follows this one must be able to start. */
  #apply(batch: readonly Sequenced[]): boolean {
    const { twinTime, inbox } = this.#parts
    const { world, cells } = this.#parts.recovered
    const [first, last] = [batch[0] as Sequenced, batch.at(-1) as Sequenced]
    twinTime.advanceTo(first.input.atMs)
    let result: RoundResult
    try {
      result = runRound(world, cells, batch)
    } catch (error) {
      this.#fail(new Error(`inputs ${first.seq} to ${last.seq} are lost: ${errorLine(error)}`, { cause: error }))
      return false
    }
    this.#write(batch)
    this.#snapshots.applied()
    if (result.topologyChanged) this.#epoch++
    for (const { seq, input } of batch) if (isChange(input)) this.#changed(input, seq)
    if (hasNews(result)) this.#told.tell({ epoch: this.#epoch, ...result })
    if (inbox.size() === 0) this.#releaseFlushers()
    return true
  }

  #write(batch: readonly Sequenced[]): void {
    this.#writer.write(batch)
    this.#answerWhenDurable(batch)
    if (this.#wasFull || !this.#writer.isFull()) return
    this.#wasFull = true
    const policy = "inputs wait, old polls are dropped, events are pushed back"
    this.#parts.tell("journal-full", `the journal does not keep up: ${policy}`)
  }

  /** Whoever waits for an answer about an input of this batch gets it when the batch is durable. */
  #answerWhenDurable(batch: readonly Sequenced[]): void {
    const answers = batch.flatMap(({ input }) => this.#parts.inbox.durableOf(input) ?? [])
    if (answers.length === 0) return
    const answer = (): void => {
      for (const one of answers) one()
    }
    // No answer otherwise: whoever sent it sends it again.
    this.#writer.whenDurable((batch.at(-1) as Sequenced).seq).then(answer, () => undefined)
  }

  #hasRoom(): void {
    if (this.#wasFull) this.#parts.tell("journal-room", "the journal takes inputs again")
    this.#wasFull = false
    this.#loop.wake()
  }

  #nowMs(): number {
    return this.#parts.clock.nowMs()
  }

  /** Durable, and everybody has heard of it: what a snapshot lets the twin forget stands with whoever stores it. */
  async #whenTold(seq: number): Promise<void> {
    await this.#writer.whenDurable(seq)
    this.#told.tellDue()
  }

  /** Resolves when it is journaled and applied. */
  #change(told: ChangeInput): Promise<void> {
    if (this.#status !== "live") return Promise.reject(stopped(this.#status))
    const input = wellFormed(told)
    if (!this.#parts.inbox.submitChange(input)) {
      const detail = `${CHANGES_MAX[input.kind]} changes of this kind (${input.kind}) wait already; try again soon`
      return Promise.reject(new RuntimeStopped({ detail }))
    }
    return new Promise((resolve, reject) => this.#changers.set(input, { resolve, reject }))
  }

  #changed(input: ChangeInput, seq: number): void {
    const waiter = this.#changers.get(input)
    if (waiter === undefined) return
    this.#changers.delete(input)
    this.#writer.whenDurable(seq).then(waiter.resolve, waiter.reject)
  }

  async #acknowledge(name: AlertName, by: string, untilMs: number | null): Promise<boolean> {
    const { world, cells } = this.#parts.recovered
    const device = deviceId(name.device)
    await this.#change({
      kind: "ack",
      atMs: this.#nowMs(),
      ...name,
      device,
      entity: entityKey(name.entity),
      by,
      untilMs,
    })
    const alert = findAlert(world, cells, name)
    return alert !== null && isLit(alert.state) && (alert.ack?.untilMs ?? null) === untilMs
  }

  async #act(id: string, by: string, act: IncidentAct): ReturnType<Incidents["act"]> {
    const { desk } = this.#parts.recovered.world
    const refusal = refusalOf(
      desk.incidents.find((incident) => incident.id === id),
      act.act,
    )
    // One that the twin has forgotten still teaches it.
    const isLesson = act.act === "unlearn" || (refusal === "gone" && act.act === "confirm" && act.verdict !== undefined)
    if (refusal !== null && !isLesson) return refusal
    await this.#change({ kind: "incident", atMs: this.#nowMs(), incident: id, by, act })
    return "done"
  }

  async #flush(): Promise<void> {
    while (this.#parts.inbox.size() > 0 && !this.#isOver()) await new Promise<void>((done) => this.#flushers.push(done))
    await this.#writer.whenDurable(this.#parts.recovered.world.seq)
  }

  #releaseFlushers(): void {
    const waiting = this.#flushers
    this.#flushers = []
    for (const done of waiting) done()
  }

  #stop(): Promise<void> {
    if (this.#status === "live") this.#stopping = this.#shutDown()
    return this.#stopping ?? Promise.resolve()
  }

  async #shutDown(): Promise<void> {
    this.#status = "stopping"
    const { turns } = this.#parts
    this.#parts.inbox.close()
    while (this.#loop.runOnce()) await nextTurn(turns)
    const isDurable = await within(turns, STOP_FLUSH_MS, this.#writer.whenDurable(this.#parts.recovered.world.seq))
    // A snapshot that knows more than the journal could not be saved anyway.
    if (isDurable) await within(turns, STOP_FLUSH_MS, this.#snapshots.take())
    if (!this.#isOver()) this.#end("stopped", stopped("stopped"))
  }

  #fail(error: Error): void {
    if (this.#isOver()) return
    this.#end("failed", error)
    this.#parts.tell("failed", errorLine(error))
    this.#parts.options.onFailed?.(error)
  }

  #end(status: "stopped" | "failed", why: Error): void {
    this.#status = status
    this.#loop.stop()
    this.#snapshots.stop()
    this.#parts.inbox.close()
    this.#timers.close()
    this.#told.close()
    this.#writer.close(why)
    for (const waiter of this.#changers.values()) waiter.reject(why)
    this.#changers.clear()
    this.#releaseFlushers()
  }

  #isOver(): boolean {
    return this.#status === "failed" || this.#status === "stopped"
  }

  #stats(): TenantRuntimeStats {
    const { inbox, system } = this.#parts
    const { world, snapshotSeq, folded } = this.#parts.recovered
    return {
      status: this.#status,
      seq: world.seq,
      durableSeq: this.#writer.durableSeq(),
      epoch: this.#epoch,
      recovered: { snapshotSeq, folded },
      inbox: inbox.stats(),
      journal: { ...this.#writer.pending(), full: this.#writer.isFull() },
      rounds: this.#loop.stats(),
      snapshots: this.#snapshots.stats(),
      actors: system.stats(),
      quarantined: inbox.quarantinedNow(),
      unknownDevice: world.unknownDevice,
      listenersThrew: this.#listeners.threw(),
      noticesLost: this.#parts.noticesLost(),
    }
  }
}

interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

const stopped = (status: RuntimeStatus): RuntimeStopped =>
  new RuntimeStopped({ detail: `the runtime of this tenant is ${status}` })

const hasNews = (result: RoundResult): boolean =>
  result.topologyChanged ||
  result.nodes.length > 0 ||
  result.links.length > 0 ||
  result.events.length > 0 ||
  result.incidents.length > 0 ||
  result.asks.length > 0 ||
  result.touched.size > 0

/** True when it ended well and in time. */
const within = async (turns: Turns, ms: number, work: Promise<void>): Promise<boolean> => {
  let cancel = (): void => undefined
  const late = new Promise<boolean>((resolve) => {
    cancel = turns.later(ms, () => resolve(false))
  })
  const done = work.then(
    () => true,
    () => false,
  )
  const inTime = await Promise.race([done, late])
  cancel()
  return inTime
}
