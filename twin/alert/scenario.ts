/**
 * Scenarios: a rule tried before it is trusted, in lines that an operator can write (docs/rules.md).
 *
 *     device r1 site sao-1 role core
 *     load 0s..10m every 30s if:ether1 interface.utilization_pct 95
 *     event 2m if:ether1 interface.oper.changed down
 *     mute 1m..5m util-95 works at the POP
 *     expect firing util-95 if:ether1 at 6m
 *     expect told 1 util-95
 *
 * `parseScenario` names every wrong line; `runScenario` runs the right ones through the same judgement as live samples.
 */
import type { EntityKey } from "#protocol/id.ts"
import { entityKind } from "#protocol/id.ts"
import type { Metric } from "#protocol/metric.ts"
import { metricByName } from "#protocol/metric.ts"
import { isRole } from "#protocol/role.ts"
import type { AlertSeverity, RuleEvent } from "#protocol/rule.ts"
import { ALERT_SEVERITIES, RULE_EVENTS } from "#protocol/rule.ts"
import { evaluate } from "#twin/alert/evaluate.ts"
import type { JudgementInput, SampleInput } from "#twin/alert/evaluate.ts"
import type { AlertState } from "#twin/alert/lifecycle.ts"
import { ALERT_STATES } from "#twin/alert/lifecycle.ts"
import type { JudgedRule, KindPlan } from "#twin/alert/plan.ts"
import { makeRuleSet } from "#twin/alert/plan.ts"
import type { DeviceFacts } from "#twin/alert/scope.ts"
import type { DeviceState } from "#twin/alert/state.ts"
import { newDeviceState } from "#twin/alert/state.ts"
import type { Verdict } from "#twin/alert/verdict.ts"

const LINES_MAX = 1000
const SAMPLES_MAX = 1_000_000
/** Scenarios begin at a fixed time, so that they always mean the same. */
export const SCENARIO_START_MS = 1_700_000_000_000

interface Load {
  readonly fromMs: number
  readonly toMs: number
  readonly everyMs: number
  readonly entity: EntityKey
  readonly metric: number
  /** One value, two that take turns, or a ramp. */
  readonly value: (part: number, nth: number) => number
}
type Expectation =
  | {
      readonly kind: "state"
      readonly line: number
      readonly state: AlertState
      readonly rule: string
      readonly entity: EntityKey
      readonly atMs: number
    }
  | { readonly kind: "never"; readonly line: number; readonly rule: string }
  | { readonly kind: "told"; readonly line: number; readonly rule: string; readonly times: number }
  | { readonly kind: "severity"; readonly line: number; readonly rule: string; readonly severity: AlertSeverity }

export interface Scenario {
  readonly facts: DeviceFacts
  readonly loads: readonly Load[]
  readonly inputs: readonly JudgementInput[]
  readonly expectations: readonly Expectation[]
}
export interface LineMistake {
  /** From 1. */
  readonly line: number
  readonly message: string
}
export interface ScenarioRun {
  readonly failures: readonly LineMistake[]
  readonly verdicts: readonly Verdict[]
}

class Wrong extends Error {}

export const parseScenario = (
  text: string,
): { readonly scenario: Scenario; readonly mistakes: readonly LineMistake[] } => {
  const draft: Draft = {
    facts: { device: "device-1", name: "r1", site: "site-1", roles: [], tags: [] },
    loads: [],
    inputs: [],
    expectations: [],
    samples: 0,
  }
  const mistakes: LineMistake[] = []
  const lines = text.split("\n")
  if (lines.length > LINES_MAX) mistakes.push({ line: LINES_MAX, message: `a scenario has at most ${LINES_MAX} lines` })
  for (const [at, line] of lines.slice(0, LINES_MAX).entries()) {
    const words = line.replace(/#.*$/, "").trim().split(/\s+/)
    if (words[0] === "") continue
    try {
      readLine(draft, words, at + 1)
    } catch (error) {
      if (!(error instanceof Wrong)) throw error
      mistakes.push({ line: at + 1, message: error.message })
    }
  }
  return { scenario: draft, mistakes }
}

interface Draft {
  facts: DeviceFacts
  readonly loads: Load[]
  readonly inputs: JudgementInput[]
  readonly expectations: Expectation[]
  samples: number
}

const wrong = (message: string): never => {
  throw new Wrong(message)
}

const readLine = (draft: Draft, words: readonly string[], line: number): void => {
  switch (words[0]) {
    case "device":
      draft.facts = readDevice(words)
      return
    case "load":
      draft.loads.push(readLoad(draft, words))
      return
    case "event":
      draft.inputs.push(readEvent(words))
      return
    case "mute":
      draft.inputs.push(...readMute(words, line))
      return
    case "wait":
      draft.inputs.push({ kind: "tick", atMs: time(words[1]) })
      return
    case "expect":
      draft.expectations.push(readExpectation(words, line))
      return
    default:
      wrong(`a line begins with device, load, event, mute, wait or expect, not ${words[0] ?? ""}`)
  }
}

const readDevice = (words: readonly string[]): DeviceFacts => {
  const facts = { device: "device-1", name: words[1] ?? wrong("device NAME [site X] [role X] [tag X]"), site: "site-1" }
  const roles: DeviceFacts["roles"][number][] = []
  const tags: string[] = []
  for (let at = 2; at < words.length; at += 2) {
    const word = words[at + 1] ?? wrong(`${words[at] ?? ""} of what?`)
    if (words[at] === "site") facts.site = word
    else if (words[at] === "tag") tags.push(word)
    else if (words[at] === "role") roles.push(isRole(word) ? word : wrong(`${word} is no role`))
    else wrong(`a device has site, role and tag, not ${words[at] ?? ""}`)
  }
  return { ...facts, roles, tags }
}

const readLoad = (draft: Draft, [, span, every, step, entity, metricName, ...rest]: readonly string[]): Load => {
  if (every !== "every") wrong("load FROM..TO every STEP ENTITY METRIC VALUE")
  const [fromMs, toMs] = range(span)
  const everyMs = duration(step)
  if (everyMs < 1) wrong("every what? At least a millisecond")
  draft.samples += Math.floor((toMs - fromMs) / everyMs) + 1
  if (draft.samples > SAMPLES_MAX) wrong(`a scenario has at most ${SAMPLES_MAX} samples`)
  const key = entityOf(entity)
  const metric = metricByName(metricName ?? "") ?? wrong(`${metricName ?? "nothing"} is no metric`)
  if (metric.entity !== entityKind(key)) wrong(`${metric.name} belongs to ${metric.entity}, not to ${entity ?? ""}`)
  return { fromMs, toMs, everyMs, entity: key, metric: metric.id, value: valuesOf(metric, rest.join(" ")) }
}

/** `95`, `full`, `95 / 10` (in turns), `10 -> 90` (a ramp). */
const valuesOf = (metric: Metric, text: string): Load["value"] => {
  const [a, b] = text.split(/ (?:\/|->) /)
  const first = valueOf(metric, a ?? "")
  if (b === undefined) return () => first
  const second = valueOf(metric, b)
  return text.includes("->") ? (part) => first + (second - first) * part : (_, nth) => (nth % 2 === 0 ? first : second)
}
const valueOf = (metric: Metric, word: string): number => {
  const state = metric.states?.indexOf(word) ?? -1
  if (state >= 0) return state
  if (metric.kind === "flag" && (word === "up" || word === "down")) return word === "up" ? 1 : 0
  const value = word === "" ? Number.NaN : Number(word)
  return Number.isFinite(value) ? value : wrong(`${word === "" ? "nothing" : word} is no value of ${metric.name}`)
}

const readEvent = ([, at, entity, type, now, ...raw]: readonly string[]): JudgementInput => {
  const atMs = time(at)
  return {
    kind: "event",
    atMs,
    happenedMs: atMs,
    entity: entityOf(entity),
    type: RULE_EVENTS.find((one): one is RuleEvent => one === type) ?? wrong(`${type ?? "nothing"} is no event`),
    old: null,
    new: now ?? null,
    raw: raw.length === 0 ? null : raw.join(" "),
  }
}

const readMute = ([, span, rule, ...reason]: readonly string[], line: number): readonly JudgementInput[] => {
  const [fromMs, toMs] = range(span)
  const covered = rule ?? wrong("mute FROM..TO RULE [REASON]; * is every rule")
  const suppression = {
    id: `line-${line}`,
    kind: "mute",
    rule: covered === "*" ? null : covered,
    entity: null,
    reason: reason.length === 0 ? "scenario" : reason.join(" "),
    untilMs: toMs,
    sparesCritical: false,
  } as const
  return [{ kind: "suppress", atMs: fromMs, suppression }]
}

const readExpectation = (words: readonly string[], line: number): Expectation => {
  const [, what, second, third, at, when] = words
  if (what === "never") return { kind: "never", line, rule: second ?? wrong("expect never RULE") }
  if (what === "told") {
    const times = Number(second)
    if (!Number.isInteger(times) || third === undefined) wrong("expect told TIMES RULE")
    return { kind: "told", line, rule: third as string, times }
  }
  if (what === "severity") {
    const severity = ALERT_SEVERITIES.find((one) => one === second) ?? wrong(`${second ?? "nothing"} is no severity`)
    return { kind: "severity", line, rule: third ?? wrong("expect severity SEVERITY RULE"), severity }
  }
  const state =
    ALERT_STATES.find((one) => one === what) ??
    wrong(`expect ${ALERT_STATES.join(", ")}, never, told or severity, not ${what ?? ""}`)
  if (second === undefined || at !== "at") wrong(`expect ${state} RULE ENTITY at TIME`)
  return { kind: "state", line, state, rule: second as string, entity: entityOf(third), atMs: time(when) }
}

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const duration = (word: string | undefined): number => {
  const found = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(word ?? "")
  if (found === null) return wrong(`${word ?? "nothing"} is no time; write 90s, 10m, 2h or 7d`)
  return Math.round(Number(found[1]) * UNITS[found[2] as keyof typeof UNITS])
}
const time = (word: string | undefined): number => SCENARIO_START_MS + duration(word)
const range = (word: string | undefined): readonly [number, number] => {
  const [from, to] = (word ?? "").split("..")
  const [fromMs, toMs] = [time(from), time(to)]
  return toMs >= fromMs ? [fromMs, toMs] : wrong(`${word ?? ""} ends before it begins`)
}
/** `-` is the device itself. */
const entityOf = (word: string | undefined): EntityKey => {
  const key = (word === "-" ? "" : (word ?? "?")) as EntityKey
  return entityKind(key) === null ? wrong(`${word ?? "nothing"} is no entity; write - or if:ether1`) : key
}

// -- running -----------------------------------------------------------------------------------------------------------

export const runScenario = (rules: readonly JudgedRule[], scenario: Scenario): ScenarioRun => {
  const plan = makeRuleSet(rules).planFor(scenario.facts)
  const questions = scenario.expectations.filter((one) => one.kind === "state")
  const ticks = questions.map(({ atMs }): JudgementInput => ({ kind: "tick", atMs }))
  const inputs = [...batches(scenario.loads), ...scenario.inputs, ...ticks].sort((a, b) => a.atMs - b.atMs)
  const verdicts: Verdict[] = []
  const failures: LineMistake[] = []
  const open = new Set(questions)
  let state: DeviceState = newDeviceState(plan, scenario.facts, SCENARIO_START_MS)
  const answer = (untilMs: number): void => {
    for (const question of open) {
      if (question.atMs >= untilMs) continue
      open.delete(question)
      const found = stateOf(plan.kinds[entityKind(question.entity) ?? "device"], state, question.rule, question.entity)
      if (found !== question.state)
        failures.push({ line: question.line, message: `${question.rule} is ${found}, not ${question.state}` })
    }
  }
  for (const input of inputs) {
    answer(input.atMs)
    const judged = evaluate(plan, state, input)
    state = judged.state
    verdicts.push(...judged.verdicts)
  }
  answer(Number.POSITIVE_INFINITY)
  for (const one of scenario.expectations) {
    const failure = one.kind === "state" ? null : afterwards(one, verdicts, rules)
    if (failure !== null) failures.push({ line: one.line, message: failure })
  }
  return { failures: failures.sort((a, b) => a.line - b.line), verdicts }
}

const stateOf = (
  kind: KindPlan,
  state: DeviceState,
  rule: string,
  entity: EntityKey,
): AlertState | "not judged there" => {
  const index = state.keys.indexOf(entity)
  const position = kind.classOf(entity).live.find((at) => kind.rules[at]?.rule.id === rule)
  return index < 0 || position === undefined
    ? "not judged there"
    : (state.entities[index]?.alerts[position]?.state ?? "ok")
}

const afterwards = (
  expectation: Exclude<Expectation, { readonly kind: "state" }>,
  verdicts: readonly Verdict[],
  rules: readonly JudgedRule[],
): string | null => {
  const { rule } = expectation
  if (!rules.some((one) => one.rule.id === rule)) return `there is no rule ${rule}`
  const own = verdicts.filter((verdict) => verdict.rule === rule)
  const fired = own.filter(({ from, to }) => to === "firing" && from !== "firing")
  switch (expectation.kind) {
    case "never":
      return fired.length === 0
        ? null
        : `${rule} fired after ${((fired[0] as Verdict).atMs - SCENARIO_START_MS) / 1000} s`
    case "told": {
      const times = own.filter(({ notice }) => notice === "firing" || notice === "flapping").length
      return times === expectation.times ? null : `${rule} was told ${times} times, not ${expectation.times}`
    }
    case "severity": {
      const last = fired.at(-1)?.severity
      return last === expectation.severity ? null : `${rule} was ${last ?? "never firing"}, not ${expectation.severity}`
    }
  }
}

/** All samples of one instant are one input, as in a poll. */
const batches = (loads: readonly Load[]): readonly SampleInput[] => {
  const byTime = new Map<number, Array<readonly [Load, number]>>()
  for (const load of loads) {
    const count = Math.floor((load.toMs - load.fromMs) / load.everyMs) + 1
    for (let nth = 0; nth < count; nth++) {
      const atMs = load.fromMs + nth * load.everyMs
      const value = load.value(count === 1 ? 0 : nth / (count - 1), nth)
      const rows = byTime.get(atMs)
      if (rows === undefined) byTime.set(atMs, [[load, value]])
      else rows.push([load, value])
    }
  }
  return [...byTime].map(([atMs, rows]) => ({
    kind: "samples",
    atMs,
    entities: rows.map(([load]) => load.entity),
    entity: Uint16Array.from(rows, (_, index) => index),
    metric: Uint16Array.from(rows, ([load]) => load.metric),
    value: Float64Array.from(rows, ([, value]) => value),
  }))
}
