/** The picture of a dry run: a line for each entity, a bar for each time that it would have fired. Pure. */
import type { DryRun } from "#protocol/rest-generated.ts"

export type WouldBe = DryRun["rules"][number]["alerts"][number]
export interface TestBar {
  readonly alert: WouldBe
  /** Of the range, 0-1. */
  readonly left: number
  readonly width: number
  /** It still fired at the end. */
  readonly open: boolean
}
export interface TestLine {
  readonly key: string
  readonly device: string
  readonly deviceName: string
  readonly entity: string
  readonly bars: readonly TestBar[]
}
/** Lines that are drawn; those that fired most often come first, the rest stands in the list below. */
export const LINES_MAX = 40
/** A bar is never thinner than this share: what fired for a second is seen all the same. */
export const THINNEST = 0.004
/** The engine's own bound of a dry run is its answer's; the screen's is a month. */
export const RANGE_MAX_MS = 31 * 86_400_000

export const linesOf = (alerts: readonly WouldBe[], fromMs: number, toMs: number): readonly TestLine[] => {
  const span = Math.max(1, toMs - fromMs)
  const share = (atMs: number): number => Math.max(0, Math.min(1, (atMs - fromMs) / span))
  const lines = new Map<string, TestLine & { readonly bars: TestBar[] }>()
  for (const alert of alerts) {
    const key = `${alert.device} ${alert.entity}`
    const line = lines.get(key) ?? {
      key,
      device: alert.device,
      deviceName: alert.deviceName,
      entity: alert.entity,
      bars: [],
    }
    lines.set(key, line)
    const left = Math.min(1 - THINNEST, share(alert.fromMs))
    const end = alert.toMs === null ? 1 : share(alert.toMs)
    line.bars.push({ alert, left, width: Math.max(THINNEST, end - left), open: alert.toMs === null })
  }
  return [...lines.values()]
    .sort((a, b) => b.bars.length - a.bars.length || (a.deviceName < b.deviceName ? -1 : 1))
    .slice(0, LINES_MAX)
}

/** Ticks at round times, a handful: [share, ms]. */
export const ticksOf = (fromMs: number, toMs: number, offsetMs: number): ReadonlyArray<readonly [number, number]> => {
  const span = toMs - fromMs
  const step = STEPS.find((one) => span / one <= 8) ?? (STEPS.at(-1) as number)
  const first = Math.ceil((fromMs + offsetMs) / step) * step - offsetMs
  const ticks: (readonly [number, number])[] = []
  for (let at = first; at <= toMs && ticks.length < 40; at += step) ticks.push([(at - fromMs) / span, at])
  return ticks
}
const STEPS = [
  60_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000, 432_000_000,
]

export interface TestSums {
  readonly fired: number
  readonly told: number
  readonly perDay: number
  readonly entities: number
  /** Time in which at least one of the known alerts fired, as a share of the range. */
  readonly busy: number
}
export const sumsOf = (run: DryRun, id: string): TestSums | null => {
  const rule = run.rules.find((one) => one.id === id)
  if (rule === undefined) return null
  const span = Math.max(1, run.toMs - run.fromMs)
  const spans = rule.alerts.map(({ fromMs, toMs }) => [fromMs, toMs ?? run.toMs] as const).sort((a, b) => a[0] - b[0])
  let busy = 0
  let until = run.fromMs
  for (const [from, to] of spans) {
    busy += Math.max(0, to - Math.max(from, until))
    until = Math.max(until, to)
  }
  return {
    fired: rule.fired,
    told: rule.told,
    perDay: (rule.told * 86_400_000) / span,
    entities: new Set(rule.alerts.map(({ device, entity }) => `${device} ${entity}`)).size,
    busy: Math.min(1, busy / span),
  }
}
