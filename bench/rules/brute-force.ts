/**
 * The same ten rules without any of the engine's machinery: at every sample each window is cut out of the series anew, folded
 * and sorted, and the alert's life is a few lines written from docs/rules.md. Slow and plain; its verdicts must be the same.
 */
import { hashInto, hashOf, lineOf, START_MS, STEP_MS, valueAt } from "#bench/rules/workload.ts"

type Truth = boolean | null

/** A series up to now, newest last, one sample every STEP_MS. */
type Past = readonly number[]

interface BruteRule {
  readonly id: string
  readonly met: (past: Past) => Truth
  /** null = as soon as it is not met. */
  readonly recovered: ((past: Past) => Truth) | null
  readonly forMs: number
  readonly recoverMs: number
}

const COOLDOWN_MS = 300_000
const FLAP_MS = 600_000

const mean = (values: Past): number => values.reduce((sum, value) => sum + value, 0) / values.length
const p95 = (values: Past): number => values.toSorted((a, b) => a - b)[Math.ceil(0.95 * values.length) - 1] as number

const bruteRules = (window: number): readonly BruteRule[] => {
  const cut = (past: Past): Past => past.slice(-window)
  const simple = (id: string, met: (past: Past) => Truth): BruteRule => ({
    id,
    met,
    recovered: null,
    forMs: 0,
    recoverMs: 0,
  })
  const changes = (past: Past): number =>
    cut(past).filter((value, at, all) => {
      const before = past[past.length - all.length + at - 1]
      return before !== undefined && before !== value
    }).length
  const rate = (past: Past): Truth => {
    const first = past.at(-window - 1) ?? (past[0] as number)
    return past.length < 2 || first === 0 ? null : ((past.at(-1) as number) - first) / Math.abs(first) > 1
  }
  /** Half a window has to be known before it says anything. */
  const known = (past: Past): boolean => past.length > window || (past.length - 1) * 2 >= window
  const over = (id: string, met: (past: Past) => boolean): BruteRule =>
    simple(id, (past) => (known(past) ? met(past) : null))
  return [
    {
      ...over("avg", (past) => mean(cut(past)) > 70),
      recovered: (past) => (known(past) ? mean(cut(past)) < 60 : null),
    },
    simple("max", (past) => Math.max(...cut(past)) > 99),
    simple("min", (past) => Math.min(...cut(past)) < 1),
    over("p95", (past) => p95(cut(past)) > 92),
    {
      id: "last",
      met: (past) => (past.at(-1) as number) > 90,
      recovered: (past) => (past.at(-1) as number) < 80,
      forMs: 60_000,
      recoverMs: 120_000,
    },
    over("sum", (past) => mean(cut(past)) * cut(past).length > 75 * window),
    simple("rate", rate),
    simple("thrice", (past) => past.length >= 3 && past.slice(-3).every((value) => value > 85)),
    simple("flap", (past) => changes(past) >= Math.max(2, window - 2)),
    { ...over("both", (past) => mean(cut(past)) > 65 && Math.min(...cut(past)) > 40), forMs: 100_000 },
  ]
}

interface Life {
  state: "ok" | "pending" | "firing" | "recovering"
  sinceMs: number
  turns: number[]
  flapUntilMs: number
  told: "" | "firing" | "resolved" | "flapping"
  toldMs: number
  owed: boolean
}

/** Moves one alert by one sample; the verdict's line, or null. */
const live = (life: Life, rule: BruteRule, past: Past, nowMs: number): string | null => {
  const from = life.state
  const met = rule.met(past)
  const lit = from === "firing" || from === "recovering"
  const go = (state: Life["state"]): void => {
    life.state = state
    life.sinceMs = nowMs
  }
  const turn = (): void => {
    life.turns = [...life.turns, nowMs].slice(-3)
    const flaps = life.turns.length === 3 && nowMs - (life.turns[0] as number) <= FLAP_MS
    life.flapUntilMs = flaps || life.flapUntilMs > nowMs ? nowMs + FLAP_MS : 0
  }
  const fire = (): void => {
    go("firing")
    life.owed = true
    turn()
  }
  const end = (): void => {
    go("ok")
    life.owed = false
    turn()
  }
  if (!lit && met === true) {
    if (from === "ok" && rule.forMs > 0) go("pending")
    else if (from === "ok") fire()
    else if (nowMs - life.sinceMs >= rule.forMs) fire()
  } else if (from === "pending" && met === false) go("ok")
  else if (lit && met === true) {
    if (from === "recovering") go("firing")
  } else if (lit && met !== null) {
    const back = rule.recovered === null ? true : rule.recovered(past)
    if (back !== true) {
      if (from === "recovering") go("firing")
    } else if (rule.recoverMs === 0) end()
    else if (from === "firing") go("recovering")
    else if (nowMs - life.sinceMs >= rule.recoverMs) end()
  }
  const notice = tell(life, nowMs)
  return from === life.state && notice === null ? null : lineOf(nowMs, rule.id, from, life.state, notice)
}

const tell = (life: Life, nowMs: number): string | null => {
  const lit = life.state === "firing" || life.state === "recovering"
  if (life.flapUntilMs > 0 && life.flapUntilMs <= nowMs) {
    life.flapUntilMs = 0
    life.turns = []
    life.owed ||= lit
  }
  const say = (notice: "firing" | "resolved" | "flapping"): string => {
    life.told = notice
    if (notice !== "resolved") {
      life.toldMs = nowMs
      life.owed = false
    }
    return notice
  }
  if (life.flapUntilMs > 0) return life.told === "flapping" ? null : say("flapping")
  if (!lit) return life.told === "firing" || life.told === "flapping" ? say("resolved") : null
  if (!life.owed) return null
  return life.toldMs === 0 || nowMs - life.toldMs >= COOLDOWN_MS ? say("firing") : null
}

/** Series after series: nothing is shared between them. */
export const bruteForceHash = (size: {
  readonly series: number
  readonly steps: number
  readonly window: number
  readonly seed: number
}): number => {
  const rules = bruteRules(size.window)
  const lanes = new Uint32Array(size.series)
  for (let series = 0; series < size.series; series++) {
    const past: number[] = []
    const lives = rules.map((): Life => ({
      state: "ok",
      sinceMs: 0,
      turns: [],
      flapUntilMs: 0,
      told: "",
      toldMs: 0,
      owed: false,
    }))
    for (let step = 1; step <= size.steps; step++) {
      past.push(valueAt(series, step, size.seed))
      if (past.length > size.window + 1) past.shift()
      for (const [at, rule] of rules.entries()) {
        const line = live(lives[at] as Life, rule, past, START_MS + step * STEP_MS)
        if (line !== null) hashInto(lanes, series, line)
      }
    }
  }
  return hashOf(lanes)
}
