/**
 * The rules that count for one device, compiled: which series they need with which windows (each once, however many rules
 * share it), where everything lies in an entity's row, and which rules a sample of a metric can change. Devices for which
 * the same rules count share one plan. A plan holds functions and is never stored; state (evaluate.ts) is plain data.
 */
import type { EntityKind } from "#protocol/id.ts"
import type { Metric, MetricName } from "#protocol/metric.ts"
import { metricByName } from "#protocol/metric.ts"
import type { AlertSeverity, Condition, Rule, SeverityTier } from "#protocol/rule.ts"
import { RULE_ENTITY_TYPES } from "#protocol/rule.ts"
import { bucketsFor, bucketWidthMs } from "#twin/alert/baseline-buckets.ts"
import type { EventRef, Needs, SeriesRef, Test, WindowStat } from "#twin/alert/condition.ts"
import { kindOf } from "#twin/alert/conditions/registry.ts"
import type { DeviceFacts } from "#twin/alert/scope.ts"
import { coversDevice, coversEntity, mostSpecific } from "#twin/alert/scope.ts"
import type { PlacedScreen } from "#twin/alert/screen.ts"
import { placed } from "#twin/alert/screen.ts"
import type { BucketSpec, RunSpec, SeriesSpec, TallySpec, WindowSpec } from "#twin/alert/series-layout.ts"
import { BUCKET_CELLS, HEADER_CELLS, RUN_CELLS, SUM_CELLS } from "#twin/alert/series-layout.ts"
import { stateHash } from "#twin/hash.ts"

/** A checked rule and what it is about: check.ts gives both. */
export interface JudgedRule {
  readonly rule: Rule
  readonly version: string
  readonly kind: EntityKind
}

export interface CompiledRule extends JudgedRule {
  readonly condition: Test
  readonly recover: Test | null
  readonly tiers: ReadonlyArray<{ readonly when: Test; readonly sev: AlertSeverity }>
  /** Its truth can change by the passing of time alone. */
  readonly timed: boolean
  /** See Test.screens, of the condition. */
  readonly screens: readonly PlacedScreen[] | null
  /** Series that it looks at, each once: what a receipt has to hold. */
  readonly reads: readonly Read[]
  readonly events: readonly EventRef[]
}

export interface Read {
  readonly onDevice: boolean
  readonly metric: number
}

/** Rules that look at a series: their positions in KindPlan.rules, and their screens. */
export interface Watch {
  readonly positions: readonly number[]
  readonly screens: ReadonlyArray<CompiledRule["screens"]>
}

/** The rules of a kind that count for one entity. */
export interface EntityClass {
  /** Positions in KindPlan.rules. */
  readonly live: readonly number[]
  /** By series: the rules that a sample of it can change. */
  readonly watchers: readonly Watch[]
  /** Rules that it would have, but for a more specific variant: loser's id -> winner's. */
  readonly outweighed: ReadonlyMap<string, Rule>
}

export interface KindPlan {
  readonly kind: EntityKind
  readonly rules: readonly CompiledRule[]
  readonly series: readonly SeriesSpec[]
  /** Equal keys, equal rows: every cell means the same. */
  readonly rowKey: string
  /** Index into `series` by metric id; -1 = no rule reads it. */
  readonly seriesOf: Int16Array
  readonly events: readonly EventRef[]
  readonly classOf: (key: string) => EntityClass
}

/** Raised when the same rules lie otherwise in a row, or are judged otherwise: states of before begin anew then. */
const PLAN_FORMAT = 3
const FORMER_FORMAT = 2

export interface DevicePlan {
  /** Hash of the ids and versions of the rules: equal keys, equal plans. */
  readonly key: string
  /** Of the same rules in the build before: alerts of such a state mean the same, its samples do not. */
  readonly formerKey: string
  readonly kinds: Readonly<Record<EntityKind, KindPlan>>
  /** By series of the device: the kinds of parts whose rules read it too, with the positions. */
  readonly deviceReaders: ReadonlyArray<
    ReadonlyArray<{ readonly kind: EntityKind; readonly positions: readonly number[] }>
  >
  /** Most rules of any kind. */
  readonly widest: number
  /** Events that any rule counts. */
  readonly eventTypes: ReadonlySet<string>
}

/** Rules of a tenant at most. */
export const RULES_MAX = 2000

export interface RuleSet {
  readonly planFor: (facts: DeviceFacts) => DevicePlan
}

export const makeRuleSet = (rules: readonly JudgedRule[]): RuleSet => {
  if (rules.length > RULES_MAX) throw new RangeError(`${rules.length} rules; at most ${RULES_MAX}`)
  const enabled = rules.filter(({ rule }) => rule.enabled)
  const asked = askedOf(enabled)
  const byFacts = new Map<string, DevicePlan>()
  const plans = new Map<string, DevicePlan>()
  const planned = (facts: DeviceFacts): DevicePlan => {
    const covering = enabled.filter(({ rule }) => coversDevice(rule.scope, facts))
    const key = covering.map(({ rule, version }) => `${rule.id}@${version}`).join(" ")
    const known = plans.get(key)
    if (known !== undefined) return known
    const plan = compilePlan(stateHash([PLAN_FORMAT, key]), stateHash([FORMER_FORMAT, key]), covering)
    plans.set(key, plan)
    return plan
  }
  return {
    planFor: (facts) => {
      const heard = asked(facts)
      const known = byFacts.get(heard)
      if (known !== undefined) return known
      if (byFacts.size >= FACTS_MAX) byFacts.clear()
      const plan = planned(facts)
      byFacts.set(heard, plan)
      return plan
    },
  }
}
/** Remembered answers to "which plan"; beyond them the rules are asked anew. */
const FACTS_MAX = 20_000

/** What the scopes of these rules can tell apart: devices with equal answers have the same rules, hence the same plan. */
const askedOf = (rules: readonly JudgedRule[]): ((facts: DeviceFacts) => string) => {
  const named = <K extends "by_device_ids" | "by_site_ids" | "by_roles" | "by_tags">(field: K): ReadonlySet<string> =>
    new Set(rules.flatMap(({ rule }) => rule.scope[field] ?? []))
  const [devices, sites] = [named("by_device_ids"), named("by_site_ids")]
  const [roles, tags] = [named("by_roles"), named("by_tags")]
  return (facts) =>
    JSON.stringify([
      devices.has(facts.device) ? facts.device : null,
      sites.has(facts.site) ? facts.site : null,
      facts.roles.filter((role) => roles.has(role)),
      facts.tags.filter((tag) => tags.has(tag)),
    ])
}

const compilePlan = (key: string, formerKey: string, rules: readonly JudgedRule[]): DevicePlan => {
  const layouts = Object.fromEntries(RULE_ENTITY_TYPES.map((kind) => [kind, newLayout()])) as Record<EntityKind, Layout>
  const unplaced = rules.map((rule) => compileRule(rule, layouts))
  for (const kind of RULE_ENTITY_TYPES) layOut(layouts[kind])
  const compiled = unplaced.map((rule): CompiledRule => ({
    ...rule,
    screens: rule.condition.screens?.map(placed) ?? null,
  }))
  const kinds = Object.fromEntries(
    RULE_ENTITY_TYPES.map((kind) => [kind, kindPlan(kind, layouts[kind], compiled)]),
  ) as Record<EntityKind, KindPlan>
  const deviceReaders = kinds.device.series.map(({ metric }) =>
    RULE_ENTITY_TYPES.filter((kind) => kind !== "device").flatMap((kind) => {
      const positions = readersOf(compiled, kind, true, metric)
      return positions.length === 0 ? [] : [{ kind, positions }]
    }),
  )
  return {
    key,
    formerKey,
    kinds,
    deviceReaders,
    widest: Math.max(1, ...RULE_ENTITY_TYPES.map((kind) => kinds[kind].rules.length)),
    eventTypes: new Set(
      RULE_ENTITY_TYPES.flatMap((kind) => kinds[kind].events.map(({ condition }) => condition.event_type)),
    ),
  }
}

const readersOf = (
  all: readonly CompiledRule[],
  kind: EntityKind,
  onDevice: boolean,
  metric: number,
): readonly number[] =>
  all
    .filter((compiled) => compiled.kind === kind)
    .flatMap(({ reads }, position) =>
      reads.some((read) => read.onDevice === onDevice && read.metric === metric) ? [position] : [],
    )

const compileRule = (
  judged: JudgedRule,
  layouts: Readonly<Record<EntityKind, Layout>>,
): Omit<CompiledRule, "screens"> => {
  const reads: Read[] = []
  const needs = needsOf(judged.kind, layouts, ({ onDevice, series: { metric } }) => {
    if (!reads.some((read) => read.onDevice === onDevice && read.metric === metric)) reads.push({ onDevice, metric })
  })
  const eventsBefore = layouts[judged.kind].events.length
  const compile = (condition: Condition): Test => kindOf(condition.type).compile(condition, needs, compile)
  const { rule } = judged
  const condition = compile(rule.condition)
  const recover = rule.recover === undefined ? null : compile(rule.recover)
  const tiers = Array.isArray(rule.severity)
    ? (rule.severity as readonly SeverityTier[]).map(({ when, sev }) => ({ when: compile(when), sev }))
    : []
  const timed = condition.nextMs !== null || (recover?.nextMs ?? null) !== null
  const events = layouts[judged.kind].events.slice(eventsBefore)
  return { ...judged, condition, recover, tiers, timed, reads, events }
}

const kindPlan = (kind: EntityKind, layout: Layout, all: readonly CompiledRule[]): KindPlan => {
  const rules = all.filter((compiled) => compiled.kind === kind)
  const series = layout.series as readonly SeriesSpec[]
  const seriesOf = new Int16Array(1024).fill(-1)
  for (const [index, { metric }] of series.entries()) seriesOf[metric] = index
  const watchers = series.map(({ metric }) => readersOf(all, kind, kind === "device", metric))
  const rowKey = stateHash(
    layout.series.map(({ runs, ...rest }) => ({
      ...rest,
      runs: runs.map(({ at, key, keep }) => [at, key, keep]),
    })),
  )
  const classOf = classes(kind, rules, watchers)
  return { kind, rules, series, rowKey, seriesOf, events: layout.events, classOf }
}

export const watchOf = (rules: readonly CompiledRule[], positions: readonly number[]): Watch => ({
  positions,
  screens: positions.map((position) => (rules[position] as CompiledRule).screens),
})

const classes = (
  kind: EntityKind,
  rules: readonly CompiledRule[],
  watchers: ReadonlyArray<readonly number[]>,
): ((key: string) => EntityClass) => {
  const classFor = (key: string): EntityClass => {
    const chosen = mostSpecific(rules.filter(({ rule }) => coversEntity(rule.scope, kind, key)))
    const live = chosen.map(({ rule }) => rules.indexOf(rule)).sort((a, b) => a - b)
    const outweighed = new Map(
      chosen.flatMap(({ rule, outweighs }) => outweighs.map((other) => [other.rule.id, rule.rule] as const)),
    )
    const liveOf = (list: readonly number[]): Watch =>
      watchOf(
        rules,
        list.filter((position) => live.includes(position)),
      )
    return { live, watchers: watchers.map(liveOf), outweighed }
  }
  // Unless a rule names entities, all entities of a kind are alike.
  if (rules.every(({ rule }) => rule.scope.by_entity_ids === undefined)) {
    const all = classFor("")
    return () => all
  }
  const known = new Map<string, EntityClass>()
  return (key) => {
    const found = known.get(key)
    if (found !== undefined) return found
    if (known.size >= CLASSES_MAX) known.clear()
    const made = classFor(key)
    known.set(key, made)
    return made
  }
}
/** Remembered classes of a kind; beyond them they are worked out anew. */
const CLASSES_MAX = 20_000

// -- where everything lies -----------------------------------------------------------------------------------------------

type Writable<T> = { -readonly [K in keyof T]: T[K] }
type WindowDraft = Omit<Writable<WindowSpec>, "tallies"> & { readonly tallies: Array<Writable<TallySpec>> }
type SeriesDraft = Omit<Writable<SeriesSpec>, "windows" | "runs" | "buckets"> & {
  readonly windows: WindowDraft[]
  readonly runs: Array<Writable<RunSpec>>
  readonly runKeys: string[]
  readonly buckets: Array<Writable<BucketSpec>>
}
interface Layout {
  readonly series: SeriesDraft[]
  readonly events: EventRef[]
}
const newLayout = (): Layout => ({ series: [], events: [] })

/** Gives every series, window, run and bucket its cells. */
const layOut = (layout: Layout): void => {
  for (const [index, series] of layout.series.entries()) {
    let cell = HEADER_CELLS
    const take = (cells: number): number => (cell += cells) - cells
    for (const window of series.windows) {
      window.at = take(1)
      if (window.sum >= 0) window.sum = take(SUM_CELLS)
      if (window.transitions >= 0) window.transitions = take(1)
      if (window.increase >= 0) window.increase = take(SUM_CELLS)
      for (const tally of window.tallies) tally.at = take(1)
    }
    for (const run of series.runs) run.at = take(RUN_CELLS)
    for (const bucket of series.buckets) bucket.at = take(BUCKET_CELLS * bucket.count)
    series.index = index
    series.cells = cell
    series.spanMs = Math.max(0, ...series.windows.map(({ ms }) => ms))
  }
}

const needsOf = (
  subject: EntityKind,
  layouts: Readonly<Record<EntityKind, Layout>>,
  reading: (ref: SeriesRef) => void,
): Needs => {
  const seriesOf = (name: MetricName): { readonly onDevice: boolean; readonly series: SeriesDraft } => {
    const metric = metricByName(name) as Metric
    const onDevice = metric.entity === "device"
    const ref = { onDevice, series: seriesIn(layouts[onDevice ? "device" : subject], metric) }
    reading(ref)
    return ref
  }
  return {
    series: seriesOf,
    window: (metric, ms, stat) => {
      const ref = seriesOf(metric)
      return { ...ref, window: windowIn(ref.series, ms, stat) }
    },
    tally: (metric, ms, over) => {
      const ref = seriesOf(metric)
      const window = windowIn(ref.series, ms, "count")
      return { ...ref, window, tally: tallyIn(window, over) }
    },
    run: (metric, key, keep, test) => {
      const ref = seriesOf(metric)
      ref.series.keep = Math.max(ref.series.keep, keep)
      return { ...ref, run: runIn(ref.series, key, keep, test) }
    },
    bucket: (metric, baselineMs, offsetMs) => {
      const ref = seriesOf(metric)
      return { ...ref, bucket: bucketIn(ref.series, bucketWidthMs(baselineMs), bucketsFor(baselineMs, offsetMs)) }
    },
    event: (condition) => {
      const ref = { index: layouts[subject].events.length, condition }
      layouts[subject].events.push(ref)
      return ref
    },
  }
}

const seriesIn = (layout: Layout, metric: Metric): SeriesDraft => {
  const known = layout.series.find((series) => series.metric === metric.id)
  if (known !== undefined) return known
  const series: SeriesDraft = {
    metric: metric.id,
    counter: metric.kind === "counter",
    index: 0,
    cells: 0,
    windows: [],
    runs: [],
    runKeys: [],
    buckets: [],
    keep: 1,
    spanMs: 0,
  }
  layout.series.push(series)
  return series
}

/** What nobody asks for has no cell: -1. */
const windowIn = (series: SeriesDraft, ms: number, stat: WindowStat): WindowDraft => {
  let window = series.windows.find((one) => one.ms === ms)
  if (window === undefined) {
    window = { at: 0, ms, sum: -1, transitions: -1, increase: -1, tallies: [] }
    series.windows.push(window)
  }
  if (stat !== "count") window[stat] = 0
  return window
}

const tallyIn = (window: WindowDraft, over: number): TallySpec => {
  const known = window.tallies.find((tally) => Object.is(tally.over, over))
  if (known !== undefined) return known
  const tally = { at: 0, over }
  window.tallies.push(tally)
  return tally
}

/** A longer run answers for a shorter one of the same test. */
const runIn = (series: SeriesDraft, key: string, keep: number, test: (value: number) => boolean): RunSpec => {
  const index = series.runKeys.indexOf(key)
  if (index >= 0) {
    const run = series.runs[index] as Writable<RunSpec>
    run.keep = Math.max(run.keep, keep)
    return run
  }
  const run = { at: 0, key, keep, test }
  series.runs.push(run)
  series.runKeys.push(key)
  return run
}

const bucketIn = (series: SeriesDraft, widthMs: number, count: number): BucketSpec => {
  const known = series.buckets.find((bucket) => bucket.widthMs === widthMs)
  if (known !== undefined) {
    known.count = Math.max(known.count, count)
    return known
  }
  const bucket = { at: 0, widthMs, count }
  series.buckets.push(bucket)
  return bucket
}
