/**
 * What rules would have done: a kept stretch of the journal folded anew, by the very code that judges live, with other rules
 * in place (PRODUCT.md I1). Nothing is written and nobody is told. Silences count as they were; acknowledgements are left
 * out, because they were people's answers to what was told then.
 */
import { refuseGap, ReplayImpossible } from "#engine/replay/replay.ts"
import type { ReplaySource } from "#engine/replay/source.ts"
import { windowSecondsOf } from "#engine/rules/rule-set.ts"
import { decodeSnapshot } from "#engine/tenant/snapshot-codec.ts"
import { alertId } from "#protocol/alert.ts"
import { ENGINE_DEVICE, ENGINE_NAME } from "#protocol/id.ts"
import type { Rule } from "#protocol/rule.ts"
import { ALERT_SEVERITIES, type AlertSeverity } from "#protocol/rule.ts"
import type { EventView } from "#protocol/view.ts"
import { NO_STATES, plainCells, type Cells } from "#twin/cells.ts"
import type { Input, Sequenced } from "#twin/input.ts"
import { EVENT_SEVERITY } from "#twin/judge/alert-events.ts"
import { alertViews } from "#twin/judge/alert-view.ts"
import { newWorld, runRound, type World } from "#twin/round.ts"
import { restoreTwin } from "#twin/snapshot.ts"

export interface DryRunRequest {
  /** All that is judged by. */
  readonly rules: readonly Rule[]
  readonly fromMs: number
  readonly toMs: number
  /** Only of these devices; null = of all. */
  readonly devices: readonly string[] | null
}
export interface DryAlert {
  readonly device: string
  readonly deviceName: string
  readonly entity: string
  /** May lie before the stretch. */
  readonly fromMs: number
  /** Null = it still fired at the end. */
  readonly toMs: number | null
  /** The worst that it was. */
  readonly severity: AlertSeverity
  readonly summary: string
}
export interface DryRule {
  readonly id: string
  /** Alerts of it that fired at some time of the stretch. */
  readonly fired: number
  /** How often people would have been told that it fires, or flaps. */
  readonly told: number
  /** The first ones. */
  readonly alerts: readonly DryAlert[]
}
export interface DryRun {
  readonly fromMs: number
  readonly toMs: number
  readonly inputs: number
  readonly tookMs: number
  /** Of every rule that is on, in their order. */
  readonly rules: readonly DryRule[]
}

/** Alerts told of one rule, and of all; the rest is counted. */
export const ALERTS_PER_RULE = 200
export const ALERTS_MAX = 5_000
/** Inputs between two breaths. */
const SLICE = 256
/** Windows fill up before the stretch begins; a longer one begins with the samples that the live rules had kept. */
const LEAD_MAX_MS = 6 * 3_600_000

/** Rejects with ReplayImpossible for what is not kept. */
export const dryRun = async (
  source: ReplaySource,
  request: DryRunRequest,
  monotonicMs: () => number,
): Promise<DryRun> => {
  const startedMs = monotonicMs()
  const longestMs = Math.max(0, ...request.rules.map(windowSecondsOf)) * 1_000
  const fold = await open(source, request, request.fromMs - Math.min(longestMs, LEAD_MAX_MS))
  const score = new Score(request)
  let inputs = 0
  let began = false
  const begin = (): void => {
    if (began) return
    began = true
    score.begin(fold.world, fold.cells)
  }
  const stored = source.readFrom(fold.nextSeq)[Symbol.asyncIterator]()
  try {
    for (let batch = await stored.next(); batch.done !== true; batch = await stored.next()) {
      for (let at = 0; at < batch.value.length; at += SLICE) {
        const slice = batch.value.slice(at, at + SLICE)
        for (const one of slice) {
          if (one.input.atMs > request.toMs) return concluded()
          if (one.input.atMs >= request.fromMs) begin()
          const events = fold.apply(one)
          if (began) for (const event of events) score.hear(event, fold.world)
          inputs++
        }
        await new Promise((breathe) => void setImmediate(breathe))
      }
    }
    return concluded()
  } finally {
    await stored.return?.()
  }

  function concluded(): DryRun {
    begin()
    // What time alone would have changed after the last input.
    for (const event of fold.tick(request.toMs)) score.hear(event, fold.world)
    const { fromMs, toMs } = request
    return { fromMs, toMs, inputs, tookMs: Math.round(monotonicMs() - startedMs), rules: score.result() }
  }
}

/** The twin of before the stretch, with the rules in place; inputs get numbers of its own. */
const open = async (source: ReplaySource, { rules, fromMs }: DryRunRequest, leadMs: number) => {
  const base = (await restored(source, leadMs, false)) ?? (await restored(source, fromMs, true))!
  const { world, cells } = base
  const run = (input: Input): readonly EventView[] => runRound(world, cells, [{ seq: world.seq + 1, input }]).events
  const firstSeq = world.seq + 1
  let nextSeq = firstSeq
  const judgeBy = (by: readonly Rule[]): void =>
    void run({ kind: "rules", atMs: world.atMs, rev: world.judging.rulesRev + 1, rules: by })
  // Under other names first: alerts of before end with the rules that raised them, and the samples that are held stay.
  judgeBy(rules.map((rule, index) => ({ ...rule, id: `dry-run.${index}` })))
  judgeBy(rules)
  return {
    world,
    cells,
    nextSeq: firstSeq,
    apply: ({ seq, input }: Sequenced): readonly EventView[] => {
      refuseGap(seq, nextSeq)
      nextSeq++
      return input.kind === "rules" || input.kind === "ack" ? [] : run(input)
    },
    tick: (atMs: number): readonly EventView[] => run({ kind: "tick", atMs }),
  }
}

/** Null = nothing is kept of then, and it need not be. */
const restored = async (source: ReplaySource, atMs: number, must: boolean): Promise<Base | null> => {
  const stored = await source.checkpoint(atMs)
  if (stored === null) return { world: newWorld(), cells: plainCells(NO_STATES) }
  if (stored.atMs > atMs) {
    if (!must) return null
    const first = new Date(stored.atMs).toISOString()
    throw new ReplayImpossible({ message: `nothing is kept of before ${first}: ask for a later time` })
  }
  const { world, states } = restoreTwin(await decodeSnapshot(stored.blob))
  return { world, cells: plainCells(states) }
}
interface Base {
  readonly world: World
  readonly cells: Cells
}

/** Alerts of the stretch, put together out of what the twin tells. */
class Score {
  readonly #request: DryRunRequest
  readonly #devices: ReadonlySet<string> | null
  readonly #rules = new Map<string, { fired: number; told: number; readonly alerts: Told[] }>()
  /** Those that fire now. */
  readonly #lit = new Map<string, Told>()
  #kept = 0

  constructor(request: DryRunRequest) {
    this.#request = request
    this.#devices = request.devices === null ? null : new Set(request.devices)
    for (const { id, enabled } of request.rules) if (enabled) this.#rules.set(id, { fired: 0, told: 0, alerts: [] })
  }

  /** What fires already when the stretch begins. */
  begin(world: World, cells: Cells): void {
    for (const { device, deviceName, entity, rule, state, firedMs, sinceMs, severity, summary } of alertViews(
      world,
      cells,
    ))
      if (state === "firing" || state === "recovering")
        this.#light(rule, { device, deviceName, entity, fromMs: firedMs ?? sinceMs, toMs: null, severity, summary })
  }

  hear(event: EventView, world: World): void {
    if (!event.type.startsWith("alert.") || event.old === null) return
    const { old: rule, subject: device, entity } = event
    const score = this.#rules.get(rule)
    if (score === undefined || !this.#covers(device)) return
    if (event.type === "alert.firing" || event.type === "alert.flapping") score.told++
    const key = alertId({ device, rule, entity })
    const lit = this.#lit.get(key)
    if (event.new === "firing" || event.new === "recovering") {
      const severity = severityOf(event)
      if (lit === undefined)
        this.#light(rule, {
          device,
          deviceName:
            device === ENGINE_DEVICE
              ? ENGINE_NAME
              : (world.topology.inventory.devices.find(({ id }) => id === device)?.name ?? device),
          entity,
          fromMs: event.atMs,
          toMs: null,
          severity,
          summary: event.raw ?? "",
        })
      else if (ALERT_SEVERITIES.indexOf(severity) > ALERT_SEVERITIES.indexOf(lit.severity)) lit.severity = severity
    } else if (lit !== undefined) {
      lit.toMs = event.atMs
      this.#lit.delete(key)
    }
  }

  result(): readonly DryRule[] {
    return [...this.#rules].map(([id, score]) => ({ id, ...score }))
  }

  #covers(device: string): boolean {
    return this.#devices === null || this.#devices.has(device)
  }

  #light(rule: string, alert: Told): void {
    const score = this.#rules.get(rule)
    if (score === undefined || !this.#covers(alert.device) || alert.fromMs > this.#request.toMs) return
    this.#lit.set(alertId({ ...alert, rule }), alert)
    score.fired++
    if (score.alerts.length >= ALERTS_PER_RULE || this.#kept >= ALERTS_MAX) return
    score.alerts.push(alert)
    this.#kept++
  }
}

type Told = { -readonly [K in keyof DryAlert]: DryAlert[K] }

const severityOf = ({ severity }: EventView): AlertSeverity =>
  ALERT_SEVERITIES.find((one) => EVENT_SEVERITY[one] === severity) ?? "info"
