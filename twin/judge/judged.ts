/**
 * Judgement beside monitoring: after a router's step, what the step measured and what happened goes to `evaluate`, and its
 * verdicts become events, rows for the tenant and receipts. Monitoring never depends on it: a throw in here sets this
 * device's judgement aside for a minute, with an event, and the router goes on.
 */
import type { EntityKey } from "#protocol/id.ts"
import { DEVICE_ENTITY, entityKind, serviceKey } from "#protocol/id.ts"
import type { RuleEvent } from "#protocol/rule.ts"
import type { AdjacencyTable } from "#twin/adjacency.ts"
import { configure } from "#twin/alert/configure.ts"
import type { Hand } from "#twin/alert/hand.ts"
import { handBack, rowsInHand } from "#twin/alert/hand.ts"
import type { Judged, JudgementInput } from "#twin/alert/evaluate.ts"
import { evaluate } from "#twin/alert/evaluate.ts"
import type { DevicePlan } from "#twin/alert/plan.ts"
import type { OpenReceipt } from "#twin/alert/receipt.ts"
import { boundedReceipts } from "#twin/alert/receipt.ts"
import type { DeviceState } from "#twin/alert/state.ts"
import { newDeviceState, withoutSamples } from "#twin/alert/state.ts"
import type { Verdict } from "#twin/alert/verdict.ts"
import { alertHappening } from "#twin/judge/alert-events.ts"
import type { AlertRow, AlertsFact } from "#twin/judge/alert-rows.ts"
import { alertsFact, mayDiffer, rowsFrom, rowsOf } from "#twin/judge/alert-rows.ts"
import type { Judge } from "#twin/judge/judging.ts"
import { samplesOf } from "#twin/judge/samples.ts"
import { silenced } from "#twin/judge/silence.ts"
import type { RouterFact, RouterMsg, RouterState } from "#twin/router.ts"
import type { Happening, Step } from "#twin/step.ts"

/** Receipts of one device's alerts: the newest. */
export const RECEIPTS_MAX = 64
/** How long the judgement of a device rests after it threw. */
export const ASIDE_MS = 60_000
/** Throws in a row after which it begins anew: what it remembers may be what it stumbles over. */
export const FAULTS_MAX = 3

/** What a router keeps of its judgement. */
export interface RouterJudgement {
  readonly device: DeviceState
  /** What the tenant was told. */
  readonly rows: readonly AlertRow[]
  /** Of the verdicts that brought alerts to where they are, newest last. */
  readonly receipts: readonly OpenReceipt[]
  /** When a silence begins; null = none will. */
  readonly silenceMs: number | null
  /** Of rules, silences and inventory (Judge.generation) that it last looked at. */
  readonly generation: number
  /** Throws in a row, and when it is tried again. */
  readonly faults: number
  readonly asideUntilMs: number
}

type RouterStep = Step<RouterState, RouterFact>

export const withJudgement = (before: RouterState, msg: RouterMsg, step: RouterStep): RouterStep => {
  const held = before.judgement
  if (msg.kind === "configure") return held === null ? step : toldAgain(held, step)
  const judge = msg.judge ?? null
  if (judge === null || (judge.idle && held === null)) return step
  if (held !== null && msg.atMs < held.asideUntilMs && msg.kind !== "judge") return wakingAt(step, held.asideUntilMs)
  try {
    return concluded(before, msg, step, judge)
  } catch (error) {
    return setAside(before, msg, step, judge, error)
  }
}

/** A judgement in the making: what was said so far. */
interface Sitting {
  device: DeviceState
  /** Evidence was judged, not only the time. */
  heard: boolean
  readonly plan: DevicePlan
  readonly hand: Hand
  readonly verdicts: Verdict[]
}

const sit = (sitting: Sitting, input: JudgementInput): void => {
  take(sitting, evaluate(sitting.plan, sitting.device, input, sitting.hand))
  if (input.kind === "samples" || input.kind === "event") sitting.heard = true
}

const take = (sitting: Sitting, judged: Judged): void => {
  sitting.device = judged.state
  for (const verdict of judged.verdicts) sitting.verdicts.push(verdict)
}

const concluded = (before: RouterState, msg: RouterMsg, step: RouterStep, judge: Judge): RouterStep => {
  const { plan } = judge
  const held = before.judgement
  const device = held?.device ?? newDeviceState(plan, judge.facts, msg.atMs)
  const sitting: Sitting = { device, plan, hand: judge.hand, verdicts: [], heard: false }
  const anew =
    held === null ||
    held.generation !== judge.generation ||
    held.device.planKey !== plan.key ||
    // A state of the build before does not know the name.
    held.device.facts.siteName !== judge.facts.siteName
  if (anew) seat(sitting, judge, msg.atMs)
  const silenceMs = hush(sitting, judge, msg.atMs, anew ? msg.atMs : (held?.silenceMs ?? null))
  hear(sitting, before, step, msg)
  const rows =
    held === null || anew
      ? rowsOf(plan, sitting.device)
      : mayDiffer(held.device, sitting.device)
        ? rowsFrom(plan, held.device, held.rows, sitting.device)
        : held.rows
  const judgement: RouterJudgement = {
    device: sitting.device,
    rows,
    receipts: receiptsAfter(held?.receipts ?? [], sitting.verdicts, rows, held?.rows ?? []),
    silenceMs,
    generation: judge.generation,
    faults: sitting.heard ? 0 : (held?.faults ?? 0),
    asideUntilMs: 0,
  }
  const events = sitting.verdicts.map(alertHappening).filter((happening) => happening !== null)
  const back = held !== null && held.faults > judgement.faults ? [recovered(before, msg.atMs)] : []
  // Once the last rule is gone and its alerts have ended, nothing is remembered.
  const state: RouterState = { ...step.state, judgement: judge.idle ? null : judgement }
  const due = judge.idle
    ? Number.POSITIVE_INFINITY
    : Math.min(sitting.device.dueMs, silenceMs ?? Number.POSITIVE_INFINITY)
  const said: RouterStep = { ...step, state, events: [...step.events, ...back, ...events] }
  const fact = rows === held?.rows ? null : alertsFact(state.config.slot, held?.rows ?? [], rows, false)
  return wakingAt(withFact(said, fact), due)
}

/** After a change of the inventory the tenant begins anew: it is told all alerts as they are. */
const toldAgain = (held: RouterJudgement, step: RouterStep): RouterStep => {
  const due = Math.min(held.device.dueMs, held.silenceMs ?? Number.POSITIVE_INFINITY)
  return wakingAt(
    withFact(step, alertsFact(step.state.config.slot, [], held.rows, true)),
    Math.max(due, held.asideUntilMs),
  )
}

/** Takes the rules, and what they may ask of the device, as they are now. */
const seat = (sitting: Sitting, { plan, facts, planOf }: Judge, atMs: number): void => {
  const { device } = sitting
  if (device.planKey === plan.key) {
    if (sameFacts(device, facts)) return
    const rows = rowsInHand(sitting.hand, device)
    sitting.device = { ...device, facts }
    return handBack(sitting.hand, sitting.device, rows)
  }
  if (device.planKey === plan.formerKey) {
    // Of the build before: what its rows mean is forgotten, but alerts are not told anew.
    sitting.device = { ...withoutSamples(plan, device, atMs), planKey: plan.key, facts }
    return
  }
  const from = planOf(device)
  // A state that no plan knows is of another build: its cells mean nothing here.
  if (from === null) sitting.device = newDeviceState(plan, facts, atMs)
  else take(sitting, configure(from, plan, device, facts, atMs, sitting.hand))
}

const sameFacts = ({ facts }: DeviceState, now: DeviceState["facts"]): boolean =>
  facts === now || JSON.stringify(facts) === JSON.stringify(now)

/** Makes suppressions of the silences, when one is due; returns when the next is. */
const hush = (sitting: Sitting, judge: Judge, nowMs: number, dueMs: number | null): number | null => {
  if (dueMs === null || nowMs < dueMs) return dueMs
  const { commands, nextMs } = silenced(judge.silences, sitting.device.suppressions, nowMs)
  for (const command of commands) sit(sitting, command)
  return nextMs
}

/** What the step brought: entities that are gone, samples, events, commands; or only the time. */
const hear = (sitting: Sitting, before: RouterState, step: RouterStep, msg: RouterMsg): void => {
  const { atMs } = msg
  if (msg.kind === "command") return sit(sitting, { ...msg.command, atMs })
  const after = step.state
  if (msg.kind === "service" && msg.condition === null)
    return sit(sitting, { kind: "gone", atMs, entity: serviceKey(msg.service) })
  if (msg.kind === "redundancy" || msg.kind === "service")
    for (const happening of step.events) hearEvent(sitting, after, happening, atMs)
  if (msg.kind === "input") {
    for (const entity of goneSince(before, after, sitting.device)) sit(sitting, { kind: "gone", atMs, entity })
    const samples = samplesOf(sitting.plan, before, after, msg.input, atMs)
    if (samples !== null) sit(sitting, samples)
    for (const happening of step.events) hearEvent(sitting, after, happening, atMs)
  }
  if (sitting.device.dueMs <= atMs) sit(sitting, { kind: "tick", atMs })
}

const hearEvent = (sitting: Sitting, after: RouterState, happening: Happening, atMs: number): void => {
  if (!sitting.plan.eventTypes.has(happening.type)) return
  const { type, entity, old, new: now, raw } = happening
  sit(sitting, {
    kind: "event",
    atMs,
    happenedMs: Math.min(happening.atMs, atMs),
    // Anybody can send a line about an interface that does not exist: it counts for the device and makes no entity.
    entity: isKnown(after, entity as EntityKey) ? (entity as EntityKey) : DEVICE_ENTITY,
    type: type as RuleEvent,
    old,
    new: now,
    raw,
  })
}

const isKnown = ({ interfaces, adjacencies }: RouterState, entity: EntityKey): boolean =>
  entity === DEVICE_ENTITY ||
  isService(entity) ||
  interfaces.keys.includes(entity) ||
  adjacencies.some(({ key }) => key === entity)

/** Only the twin itself speaks of services. */
const isService = (entity: EntityKey): boolean => entityKind(entity) === "service"

/** Judged entities that the router has dropped. */
const goneSince = (before: RouterState, after: RouterState, device: DeviceState): readonly EntityKey[] => {
  const same = before.interfaces.keys === after.interfaces.keys && sameKeys(before.adjacencies, after.adjacencies)
  if (same || device.keys.length <= 1) return []
  const known = new Set<EntityKey>([...after.interfaces.keys, ...after.adjacencies.map(({ key }) => key)])
  return device.keys.filter((key) => key !== DEVICE_ENTITY && !isService(key) && !known.has(key))
}

const sameKeys = (before: AdjacencyTable, after: AdjacencyTable): boolean =>
  before === after || (before.length === after.length && after.every(({ key }, row) => key === before[row]?.key))

/** Those of alerts that are still to be seen; a new verdict's in place of the old one's. */
export const receiptsAfter = (
  before: readonly OpenReceipt[],
  verdicts: readonly Verdict[],
  rows: readonly AlertRow[],
  rowsBefore: readonly AlertRow[],
): readonly OpenReceipt[] => {
  const turns = verdicts.filter(({ from, to }) => from !== to)
  if (turns.length === 0 && rows === rowsBefore) return before
  const shown = new Set(rows.map(({ rule, entity }) => `${rule} ${entity}`))
  const newest = new Map<string, OpenReceipt>()
  for (const receipt of [...before, ...turns.map((verdict) => verdict.receipt)]) {
    const name = `${receipt.rule.id} ${receipt.entity}`
    newest.delete(name)
    if (shown.has(name)) newest.set(name, receipt)
  }
  return boundedReceipts([...newest.values()].slice(-RECEIPTS_MAX))
}

// -- when judgement itself fails -----------------------------------------------------------------------------------------

const setAside = (
  before: RouterState,
  { atMs }: RouterMsg,
  step: RouterStep,
  { plan, facts, generation, idle }: Judge,
  error: unknown,
): RouterStep => {
  const held = before.judgement
  const faults = (held?.faults ?? 0) + 1
  const kept = held !== null && held.device.planKey === plan.key && faults < FAULTS_MAX
  const judgement: RouterJudgement = {
    // Whichever rows were written in place: live and replay drop the same.
    device: kept ? withoutSamples(plan, held.device, atMs) : newDeviceState(plan, facts, atMs),
    rows: kept ? held.rows : [],
    receipts: kept ? held.receipts : [],
    silenceMs: kept ? held.silenceMs : atMs,
    generation: kept ? held.generation : generation,
    faults,
    asideUntilMs: atMs + ASIDE_MS,
  }
  const what = `alert rules cannot be judged: ${error instanceof Error ? error.message : "unknown defect"}`
  const state: RouterState = { ...step.state, judgement: idle ? null : judgement }
  const events = faults === 1 ? [...step.events, degraded(before, atMs, "warning", what)] : step.events
  const fact = alertsFact(state.config.slot, held?.rows ?? [], judgement.rows, false)
  return wakingAt(withFact({ ...step, state, events }, fact), atMs + ASIDE_MS)
}

const recovered = (state: RouterState, atMs: number): Happening =>
  degraded(state, atMs, "cleared", "alert rules are judged again")

const degraded = (state: RouterState, atMs: number, severity: "warning" | "cleared", what: string): Happening => ({
  atMs,
  type: "monitoring.degraded",
  severity,
  subject: state.config.device,
  subjectKind: "device",
  entity: "",
  old: null,
  new: what.slice(0, 256),
  raw: null,
  source: "twin",
})

// -- adding to a step ----------------------------------------------------------------------------------------------------

const withFact = (step: RouterStep, fact: AlertsFact | null): RouterStep =>
  fact === null ? step : { ...step, facts: [...step.facts, fact] }

const wakingAt = (step: RouterStep, dueMs: number): RouterStep =>
  dueMs === Number.POSITIVE_INFINITY || (step.timerMs !== null && step.timerMs <= dueMs)
    ? step
    : { ...step, timerMs: Math.ceil(dueMs) }
