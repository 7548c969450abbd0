/** The stretch of time under the time bar, and the marks on it. Pure, so that it is tested without a screen. */
import { MARKS } from "#client/map/mark.ts"
import type { Mark } from "#client/map/mark.ts"

export const SPANS = { "1h": 3_600_000, "6h": 21_600_000, "24h": 86_400_000, "7d": 604_800_000 } as const
export type Span = keyof typeof SPANS
export const SPAN_NAMES = Object.keys(SPANS) as readonly Span[]

export interface TimeRange {
  readonly fromMs: number
  readonly toMs: number
}

/** Ends at `toMs`, begins no earlier than what is kept, and is never empty. */
export const rangeOf = (span: Span, toMs: number, firstMs: number | null): TimeRange => ({
  fromMs: Math.min(toMs - 1_000, Math.max(firstMs ?? 0, toMs - SPANS[span])),
  toMs,
})

/** The shortest span that reaches back to a moment, with room before it; the longest when none does. */
export const spanFor = (momentMs: number, toMs: number): Span =>
  SPAN_NAMES.find((name) => toMs - momentMs <= SPANS[name] * 0.9) ?? "7d"

export const shareOf = (atMs: number, { fromMs, toMs }: TimeRange): number =>
  Math.max(0, Math.min(1, (atMs - fromMs) / (toMs - fromMs)))

export interface TimeMark {
  /** Of the newest event under this mark. */
  readonly atMs: number
  /** 0 = the range's begin, 1 = its end. */
  readonly share: number
  readonly mark: Mark
  readonly count: number
}

/** At most this many marks fit side by side; what falls together is one mark of the worst. */
export const MARK_PLACES = 180

export const marksOf = (
  events: ReadonlyArray<{ readonly atMs: number; readonly mark: Mark }>,
  range: TimeRange,
): readonly TimeMark[] => {
  const places = new Map<number, TimeMark>()
  for (const { atMs, mark } of events) {
    if (atMs < range.fromMs || atMs > range.toMs) continue
    const share = shareOf(atMs, range)
    const place = Math.min(MARK_PLACES - 1, Math.floor(share * MARK_PLACES))
    const known = places.get(place)
    const worst = known !== undefined && MARKS.indexOf(known.mark) < MARKS.indexOf(mark) ? known.mark : mark
    const newest = known !== undefined && known.atMs > atMs ? known : { atMs, share }
    places.set(place, { atMs: newest.atMs, share: newest.share, mark: worst, count: (known?.count ?? 0) + 1 })
  }
  return [...places.entries()].sort(([a], [b]) => a - b).map(([, mark]) => mark)
}
