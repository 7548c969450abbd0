/** A chart that fetches its own history and follows the live samples of the open device or link. */
import { signal, useSignal } from "@preact/signals"
import { useEffect, useMemo, useRef } from "preact/hooks"
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { focus, frozen, liveKey, liveSamples, serverNowMs, shownReplay } from "#client/state/app.ts"
import { chartMs } from "#client/state/replay.ts"
import { HISTORY_POINTS } from "#client/state/limits.ts"
import { Chart } from "#client/ui/chart.tsx"
import { chartData } from "#client/ui/chart-data.ts"
import type { History } from "#protocol/rest-generated.ts"

export const RANGES = { "1h": 3_600_000, "6h": 21_600_000, "24h": 86_400_000, "7d": 604_800_000 } as const
export type Range = keyof typeof RANGES
/** One period for all charts: two charts of different times beside each other mislead. */
export const range = signal<Range>("1h")

export interface SeriesRef {
  readonly device: string
  readonly entity: string
  readonly metric: string
  readonly label: string
}

export const HistoryChart = ({
  title,
  series,
  format,
}: {
  title: string
  series: readonly SeriesRef[]
  format: (value: number) => string
}) => {
  const stored = useSignal<readonly (History | null)[]>([])
  const failed = useSignal<string | null>(null)
  const spanMs = RANGES[range.value]
  const names = series.map(({ device, entity, metric }) => liveKey(device, entity, metric)).join("|")
  // In a replay a chart ends where the replay stands: nobody sees what was still to come.
  const endMs = chartMs.value
  const shownNames = useRef("")
  useEffect(() => {
    let current = true
    if (shownNames.current !== `${names} ${spanMs}`) stored.value = []
    shownNames.current = `${names} ${spanMs}`
    const to = endMs ?? serverNowMs.peek()
    const queries = series.map(({ device, entity, metric }) =>
      call("past.history", {
        query: { device, entity, metric, from: Math.round(to - spanMs), to: Math.round(to), points: HISTORY_POINTS },
      }),
    )
    const load = async () => {
      const answers = await Promise.all(queries)
      if (!current) return
      stored.value = answers.map((answer) => (answer.ok ? answer.value : null))
      const bad = answers.find((answer) => !answer.ok && answer.status !== 404)
      failed.value = bad === undefined || bad.ok ? null : bad.reason
    }
    void load()
    return () => {
      current = false
    }
  }, [names, spanMs, endMs])
  const view = focus.value
  const data = useMemo(() => {
    const inputs = series.map(({ device, entity, metric }, index) => ({
      history: stored.value[index] ?? null,
      live: frozen || shownReplay.value !== null ? [] : liveSamples(liveKey(device, entity, metric)),
    }))
    return chartData(inputs, serverNowMs.peek() - spanMs)
  }, [stored.value, view, spanMs, names])
  const note = failed.value === null ? null : t("chart.failed", { reason: failed.value })
  return <Chart title={title} labels={series.map(({ label }) => label)} data={data} format={format} note={note} />
}

export const RangePicker = () => (
  <div class="segments" role="group" aria-label={t("chart.range")}>
    {(Object.keys(RANGES) as Range[]).map((name) => (
      <button key={name} type="button" aria-pressed={range.value === name} onClick={() => (range.value = name)}>
        {t(`chart.range.${name}`)}
      </button>
    ))}
  </div>
)
