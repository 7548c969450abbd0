/**
 * A device's state while one input is judged. Whatever is written to is first made the draft's own, so that a fork or a
 * snapshot still has the state from before; rows that nobody else has (hand.ts) are its own already. After a throw the state
 * from before is whole but for these rows.
 */
import type { EntityKey } from "#protocol/id.ts"
import { entityKind } from "#protocol/id.ts"
import type { Alert } from "#twin/alert/alert.ts"
import type { Moment } from "#twin/alert/condition.ts"
import type { Judged } from "#twin/alert/evaluate.ts"
import type { Hand } from "#twin/alert/hand.ts"
import { handBack, rowsInHand } from "#twin/alert/hand.ts"
import { endAlert, resettle } from "#twin/alert/judge.ts"
import type { DevicePlan, EntityClass, KindPlan } from "#twin/alert/plan.ts"
import type { DeviceFacts } from "#twin/alert/scope.ts"
import { newRow } from "#twin/alert/series-layout.ts"
import type { DeviceState, EntityState } from "#twin/alert/state.ts"
import { copiedAlerts, ENTITIES_MAX, newEntity } from "#twin/alert/state.ts"
import type { Suppression } from "#twin/alert/suppression.ts"
import type { Verdict } from "#twin/alert/verdict.ts"

export class Draft {
  readonly plan: DevicePlan
  readonly facts: DeviceFacts
  readonly moment: Moment
  readonly verdicts: Verdict[] = []
  clockMs: number
  /** See EntityState.dueMs; of the whole device. */
  dueMs: number
  keys: readonly EntityKey[]
  entities: readonly EntityState[]
  suppressions: readonly Suppression[]
  refused: number
  /** Plan of each entity's kind. */
  kinds: readonly KindPlan[]
  /** Series that took their newest sample: entity x 1024 + index of the series. */
  readonly fresh: number[] = []
  /** Marks of rules to be judged: entity x widest + position. */
  readonly touched: number[] = []
  #marks: Uint8Array
  readonly #hand: Hand | null
  /** Which entities are the draft's own, and which rows. */
  #own: Uint8Array
  #rows: Uint8Array
  #listOwn = false

  constructor(plan: DevicePlan, state: DeviceState, hand: Hand | null) {
    this.plan = plan
    this.facts = state.facts
    this.clockMs = state.clockMs
    this.dueMs = state.dueMs
    this.keys = state.keys
    this.entities = state.entities
    this.suppressions = state.suppressions
    this.refused = state.refused
    this.kinds = knownOf(plan, state.keys).kinds
    this.#hand = hand
    this.#own = new Uint8Array(state.entities.length)
    this.#rows = rowsInHand(hand, state)
    this.#marks = marksFor(state.entities.length * plan.widest)
    const device = state.entities[0] as EntityState
    this.moment = { nowMs: state.clockMs, subject: device.row, device: device.row, events: [], sinceMs: 0 }
  }

  /** The entity, writable. */
  own(index: number): EntityState {
    if (this.#own[index] === 1) return this.entities[index] as EntityState
    if (!this.#listOwn) {
      this.entities = this.entities.slice()
      this.#listOwn = true
    }
    const { row, alerts, events, sinceMs, dueMs } = this.entities[index] as EntityState
    const mine = this.#rows[index] === 1
    const own = {
      row: mine ? row : row.slice(),
      alerts: mine ? alerts : copiedAlerts(alerts),
      events,
      sinceMs,
      dueMs,
    }
    ;(this.entities as EntityState[])[index] = own
    this.#own[index] = 1
    this.#rows[index] = 1
    return own
  }

  classOf(index: number): EntityClass {
    return (this.kinds[index] as KindPlan).classOf(this.keys[index] as string)
  }

  /** The entity's row, writable; the rest of it stays as it was. */
  rowOf(index: number): Float64Array {
    return this.#rows[index] === 1 ? (this.entities[index] as EntityState).row : this.own(index).row
  }

  /** Reading expires windows, so what is read has to be owned as well. */
  momentOf(index: number): Moment {
    const { moment } = this
    moment.nowMs = this.clockMs
    moment.subject = this.rowOf(index)
    moment.device = index === 0 ? moment.subject : this.rowOf(0)
    const entity = this.entities[index] as EntityState
    moment.events = entity.events
    moment.sinceMs = entity.sinceMs
    return moment
  }

  mark(index: number, position: number): void {
    const mark = index * this.plan.widest + position
    if (this.#marks[mark] === 1) return
    this.#marks[mark] = 1
    this.touched.push(mark)
  }

  unmark(): void {
    this.fresh.length = 0
    for (const mark of this.touched) this.#marks[mark] = 0
    this.touched.length = 0
  }

  /**
   * Index of each key; new ones are taken in while there is room. -1 = no room, or no kind of entity. A device lists its
   * entities in the same order every time, so the one after the last is tried first.
   */
  indexesOf(wanted: readonly EntityKey[], atMs: number): Int32Array {
    const { index } = knownOf(this.plan, this.keys)
    const indexes = new Int32Array(wanted.length)
    let fresh: Map<EntityKey, number> | null = null
    let guess = 0
    for (let at = 0; at < wanted.length; at++) {
      const key = wanted[at] as EntityKey
      let found = this.keys[guess] === key ? guess : (index.get(key) ?? fresh?.get(key) ?? -1)
      const known = this.keys.length + (fresh?.size ?? 0)
      if (found < 0 && entityKind(key) !== null && known < ENTITIES_MAX) {
        found = known
        fresh ??= new Map()
        fresh.set(key, found)
      }
      indexes[at] = found
      guess = found + 1
    }
    if (fresh !== null) this.#add([...fresh.keys()], atMs)
    return indexes
  }

  #add(added: readonly EntityKey[], atMs: number): void {
    const keys = [...this.keys, ...added]
    this.entities = [...this.entities, ...added.map((key) => newEntity(this.plan, key, atMs))]
    this.#listOwn = true
    this.keys = keys
    this.kinds = knownOf(this.plan, keys).kinds
    this.#own = withNew(this.#own, keys.length)
    this.#rows = withNew(this.#rows, keys.length)
    this.#marks = marksFor(keys.length * this.plan.widest)
    if (atMs < this.dueMs) this.dueMs = atMs
  }

  wakeAt(index: number, dueMs: number): void {
    if (dueMs < (this.entities[index] as EntityState).dueMs) this.own(index).dueMs = dueMs
    if (dueMs < this.dueMs) this.dueMs = dueMs
  }

  alertOf(index: number, position: number): Alert | null {
    return (this.entities[index] as EntityState).alerts[position] ?? null
  }

  setAlert(index: number, position: number, alert: Alert | null): void {
    const entity = this.own(index)
    const { rules } = this.kinds[index] as KindPlan
    const alerts: Array<Alert | null> = entity.alerts.length > 0 ? entity.alerts.slice() : rules.map(() => null)
    // It may be the very object of a state that somebody keeps.
    alerts[position] = alert === null ? null : { ...alert }
    entity.alerts = alert === null && alerts.every((one) => one === null) ? [] : alerts
  }

  /** An entity that does not exist any more; the device itself stays. */
  remove(key: EntityKey): void {
    const index = this.keys.indexOf(key)
    if (index <= 0) return
    for (const position of (this.kinds[index] as KindPlan).rules.keys()) endAlert(this, index, position)
    this.keys = this.keys.filter((_, at) => at !== index)
    this.entities = this.entities.filter((_, at) => at !== index)
    this.#own = this.#own.filter((_, at) => at !== index)
    this.#rows = this.#rows.filter((_, at) => at !== index)
    this.#listOwn = true
    this.kinds = knownOf(this.plan, this.keys).kinds
  }

  /** Forgets suppressions whose time is over, and tells what they kept back. */
  endSuppressions(): void {
    const ended = this.suppressions.filter(({ untilMs }) => untilMs !== null && untilMs <= this.clockMs)
    if (ended.length > 0) this.keepSuppressions(this.suppressions.filter((one) => !ended.includes(one)))
  }

  keepSuppressions(suppressions: readonly Suppression[]): void {
    const before = this.suppressions
    this.suppressions = suppressions
    resettle(this, before)
    this.dueMs = Math.min(this.dueMs, this.suppressionDueMs())
  }

  suppressionDueMs(): number {
    let due = Number.POSITIVE_INFINITY
    for (const { untilMs } of this.suppressions) if (untilMs !== null && untilMs < due) due = untilMs
    return due
  }

  /** The clock was set back: samples and times of the future that was are worth nothing. */
  restartAt(atMs: number): void {
    this.clockMs = atMs
    this.dueMs = atMs
    for (const index of this.entities.keys()) {
      const { series } = this.kinds[index] as KindPlan
      const entity = this.own(index)
      ;(this.entities as EntityState[])[index] = {
        ...entity,
        row: newRow(series),
        events: [],
        sinceMs: Math.min(entity.sinceMs, atMs),
        dueMs: atMs,
        alerts: entity.alerts.map((alert) => (alert === null ? null : { ...alert, ...clamped(alert, atMs) })),
      }
    }
    this.#own.fill(1)
    this.#rows.fill(1)
  }

  finish(): Judged {
    const state: DeviceState = {
      planKey: this.plan.key,
      facts: this.facts,
      clockMs: this.clockMs,
      dueMs: this.dueMs,
      keys: this.keys,
      entities: this.entities,
      suppressions: this.suppressions,
      refused: this.refused,
    }
    handBack(this.#hand, state, this.#rows)
    return { state, verdicts: this.verdicts, timerMs: Number.isFinite(this.dueMs) ? this.dueMs : null }
  }
}

/** Entities that are new are nobody else's. */
const withNew = (own: Uint8Array, length: number): Uint8Array => {
  const wider = new Uint8Array(length).fill(1)
  wider.set(own)
  return wider
}

const clamped = (alert: Alert, atMs: number): Partial<Alert> => ({
  sinceMs: Math.min(alert.sinceMs, atMs),
  firedMs: Math.min(alert.firedMs, atMs),
  knownMs: Math.min(alert.knownMs, atMs),
  toldMs: Math.min(alert.toldMs, atMs),
  turns: [],
  flapUntilMs: alert.flapUntilMs === 0 ? 0 : atMs,
})

interface Known {
  readonly plan: DevicePlan
  readonly kinds: readonly KindPlan[]
  readonly index: ReadonlyMap<EntityKey, number>
}
/** What a list of keys means under a plan: worked out once while the list stays the same. */
const knownLists = new WeakMap<readonly EntityKey[], Known>()
const knownOf = (plan: DevicePlan, keys: readonly EntityKey[]): Known => {
  const held = knownLists.get(keys)
  if (held?.plan === plan) return held
  const known: Known = {
    plan,
    kinds: keys.map((key) => plan.kinds[entityKind(key) ?? "device"]),
    index: new Map(keys.map((key, index) => [key, index])),
  }
  knownLists.set(keys, known)
  return known
}

/** Scratch that is all zero between evaluations. */
let scratch = new Uint8Array(1024)
const marksFor = (length: number): Uint8Array => {
  if (scratch.length < length) scratch = new Uint8Array(length * 2)
  return scratch
}
