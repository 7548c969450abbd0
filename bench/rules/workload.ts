/**
 * The workload of `npm run bench -- rules`: ten rules over one level per interface, a value for every (series, step) from a
 * seed, and the engine's judgement run over it. Values wander, jump to plateaus and jitter, so that rules fire and recover.
 */
import { interfaceKey } from "#protocol/id.ts"
import type { EntityKey } from "#protocol/id.ts"
import { metricId } from "#protocol/metric.ts"
import { checkRule, subjectKind } from "#twin/alert/check.ts"
import { evaluate } from "#twin/alert/evaluate.ts"
import type { SampleInput } from "#twin/alert/evaluate.ts"
import type { Hand } from "#twin/alert/hand.ts"
import { newHand } from "#twin/alert/hand.ts"
import type { DevicePlan, JudgedRule } from "#twin/alert/plan.ts"
import { makeRuleSet } from "#twin/alert/plan.ts"
import type { DeviceFacts } from "#twin/alert/scope.ts"
import type { DeviceState } from "#twin/alert/state.ts"
import { newDeviceState } from "#twin/alert/state.ts"

export const METRIC = "interface.utilization_pct"
export const STEP_MS = 10_000
export const START_MS = 1_700_000_000_000
const SERIES_PER_DEVICE = 100

/** Conditions of the ten rules; `window` samples each. */
export const ruleTexts = (window: number): readonly unknown[] => {
  const lookback_seconds = (window * STEP_MS) / 1000
  const over = (aggregation: string, operator: string, threshold_num: number): unknown => ({
    type: "threshold",
    metric: METRIC,
    operator,
    threshold_num,
    aggregation,
    lookback_seconds,
  })
  const rows: ReadonlyArray<readonly [id: string, condition: unknown, more: object]> = [
    ["avg", over("avg", ">", 70), { recover: over("avg", "<", 60) }],
    ["max", over("max", ">", 99), {}],
    ["min", over("min", "<", 1), {}],
    ["p95", over("p95", ">", 92), {}],
    ["last", over("last", ">", 90), { for_seconds: 60, recover_seconds: 120, recover: over("last", "<", 80) }],
    ["sum", over("sum", ">", 75 * window), {}],
    [
      "rate",
      { type: "rate_of_change", metric: METRIC, operator: ">", threshold_num: 1, lookback_seconds, relative: true },
      {},
    ],
    ["thrice", { type: "consecutive", metric: METRIC, operator: ">", threshold_num: 85, count: 3 }, {}],
    ["flap", { type: "flap", metric: METRIC, transitions: Math.max(2, window - 2), lookback_seconds }, {}],
    [
      "both",
      { type: "composite", op: "and", conditions: [over("avg", ">", 65), over("min", ">", 40)] },
      { for_seconds: 100 },
    ],
  ]
  return rows.map(([id, condition, more]) => ({
    id,
    rule_schema_version: "1",
    name: id,
    severity: "warn",
    condition,
    ...more,
    annotations: { summary_template: "{{entity}} {{value}} {{threshold}}", runbook_url: "docs/runbooks/bench.md" },
  }))
}

export const checkedRules = (texts: readonly unknown[]): readonly JudgedRule[] =>
  texts.map((text) => {
    const checked = checkRule(text)
    if (!checked.ok) throw new Error(JSON.stringify(checked.mistakes))
    return { rule: checked.rule, version: checked.version, kind: subjectKind(checked.rule) }
  })

/** 0..100 in steps of 1/64, so that any order of adding gives the same sum: one series in 200 has plateaus, one in 500 jitters about 90. */
export const valueAt = (series: number, step: number, seed: number): number => {
  const noise = mixed(series, step, seed)
  if (series % 500 === 7) return step % 2 === 0 ? 89 : 91
  const stretch = series % 200 === 3 ? mixed(series, Math.floor(step / 25) + 1_000_000, seed) % 10 : 5
  const base = stretch === 0 ? 93 : stretch === 1 ? 2 : 20 + stretch * 5
  return Math.max(0, Math.min(100, base + (noise % 896) / 64 - 7))
}

const mixed = (a: number, b: number, c: number): number => {
  let h = Math.imul(a + 0x9e37, 0x85ebca6b) ^ Math.imul(b + 0x79b9, 0xc2b2ae35) ^ Math.imul(c + 1, 0x27d4eb2f)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39)
  return (h ^ (h >>> 15)) >>> 0
}

/** Hashes a verdict's line into its series' lane. */
export const hashInto = (lanes: Uint32Array, series: number, line: string): void => {
  let hash = (lanes[series] as number) ^ 0x811c9dc5
  for (let at = 0; at < line.length; at++) hash = Math.imul(hash ^ line.charCodeAt(at), 0x01000193)
  lanes[series] = hash
}
/** One number below 2^48 over all lanes, in order. */
export const hashOf = (lanes: Uint32Array): number => {
  let low = 0x811c9dc5
  let high = 0x9747b28c
  for (const lane of lanes) {
    low = Math.imul(low ^ lane, 0x01000193)
    high = Math.imul(high ^ (lane >>> 7), 0x5bd1e995)
  }
  return (high >>> 16) * 2 ** 32 + (low >>> 0)
}
export const lineOf = (atMs: number, rule: string, from: string, to: string, notice: string | null): string =>
  `${(atMs - START_MS) / 1000} ${rule} ${from}>${to} ${notice ?? "-"}`

export interface Run {
  readonly nsPerSample: number
  readonly nsPerSampleCopying: number
  readonly bytesPerSeries: number
  readonly verdicts: number
  readonly hash: number
}

/**
 * `steps` rounds; those after the windows are full are timed, in CPU time of this thread. An evaluation is one rule brought up
 * to date with one sample of one series: all of them count, also where a screen was enough to know that nothing changes.
 */
export const judgeAll = (
  rules: readonly JudgedRule[],
  size: { readonly series: number; readonly steps: number; readonly window: number; readonly seed: number },
  usedBytes: () => number,
): Run => {
  const devices = Math.ceil(size.series / SERIES_PER_DEVICE)
  const ruleSet = makeRuleSet(rules)
  const lanes = new Uint32Array(size.series)
  const entities: readonly EntityKey[] = Array.from({ length: SERIES_PER_DEVICE }, (_, n) => interfaceKey(`ether${n}`))
  const indexOf = new Map<string, number>(entities.map((key, index) => [key, index]))
  const bytesBefore = usedBytes()
  const fleet: Array<{ plan: DevicePlan; state: DeviceState; hand: Hand }> = Array.from({ length: devices }, (_, n) => {
    const facts: DeviceFacts = { device: `d${n}`, name: `r${n}`, site: "s", roles: ["core"], tags: [] }
    const plan = ruleSet.planFor(facts)
    return { plan, state: newDeviceState(plan, facts, START_MS), hand: newHand() }
  })
  const metric = new Uint16Array(SERIES_PER_DEVICE).fill(metricId(METRIC))
  const entity = Uint16Array.from({ length: SERIES_PER_DEVICE }, (_, n) => n)
  const timed = { us: 0, samples: 0 }
  const copying = { us: 0, samples: 0 }
  let verdicts = 0
  for (let step = 1; step <= size.steps; step++) {
    const atMs = START_MS + step * STEP_MS
    const inputs = fleet.map((_, n): SampleInput => {
      const first = n * SERIES_PER_DEVICE
      const count = Math.min(SERIES_PER_DEVICE, size.series - first)
      const value = Float64Array.from({ length: count }, (__, at) => valueAt(first + at, step, size.seed))
      return { kind: "samples", atMs, entities, entity: entity.subarray(0, count), metric, value }
    })
    // The step after one that copied takes its rows in hand anew, as after a snapshot: it belongs to neither.
    const tally = step <= size.window + 1 || step % 4 === 1 ? null : step % 4 === 0 ? copying : timed
    const before = process.threadCpuUsage()
    const judged = fleet.map((device, n) => {
      const one = evaluate(device.plan, device.state, inputs[n] as SampleInput, tally === copying ? null : device.hand)
      device.state = one.state
      return one.verdicts
    })
    const cpu = process.threadCpuUsage(before)
    if (tally !== null) {
      tally.us += cpu.user + cpu.system
      tally.samples += size.series
    }
    for (const [n, all] of judged.entries())
      for (const { entity: key, rule, from, to, notice } of all) {
        verdicts++
        const series = n * SERIES_PER_DEVICE + (indexOf.get(key) as number)
        hashInto(lanes, series, lineOf(atMs, rule, from, to, notice))
      }
  }
  return {
    nsPerSample: (timed.us * 1e3) / timed.samples,
    nsPerSampleCopying: (copying.us * 1e3) / copying.samples,
    bytesPerSeries: (usedBytes() - bytesBefore) / size.series,
    verdicts,
    hash: hashOf(lanes),
  }
}

/**
 * Where the conditions hold by our judgement, as `<rule> <series> <step>`, for comparison with somebody else's: the rules
 * without hysteresis, waiting and recovery, so that an alert fires exactly while its condition is true.
 */
export const heldByUs = (
  size: { readonly series: number; readonly steps: number; readonly window: number; readonly seed: number },
  steps: readonly number[],
): ReadonlySet<string> => {
  const bare = ruleTexts(size.window).map((text) => {
    const { id, name, rule_schema_version, severity, condition, annotations } = text as Record<string, unknown>
    return { id, name, rule_schema_version, severity, condition, annotations }
  })
  const plan = makeRuleSet(checkedRules(bare)).planFor(FACTS)
  const wanted = new Set(steps)
  const held = new Set<string>()
  for (let series = 0; series < size.series; series++) {
    let state = newDeviceState(plan, FACTS, START_MS)
    const hand = newHand()
    const firing = new Set<string>()
    for (let step = 1; step <= size.steps; step++) {
      const atMs = START_MS + step * STEP_MS
      const value = Float64Array.of(valueAt(series, step, size.seed))
      const judged = evaluate(plan, state, { ...ONE_SAMPLE, atMs, value }, hand)
      state = judged.state
      for (const { rule, to } of judged.verdicts)
        if (to === "firing") firing.add(rule)
        else firing.delete(rule)
      if (wanted.has(step)) for (const rule of firing) held.add(`${rule} ${series} ${step}`)
    }
  }
  return held
}

const FACTS: DeviceFacts = { device: "d", name: "r", site: "s", roles: ["core"], tags: [] }
const ONE_SAMPLE = {
  kind: "samples",
  entities: [interfaceKey("ether0")],
  entity: Uint16Array.of(0),
  metric: Uint16Array.of(metricId(METRIC)),
} as const
