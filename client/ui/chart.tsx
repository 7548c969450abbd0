/** One time series chart (uPlot): stored history joined with the samples that came since. Gaps stay gaps. */
import "uplot/dist/uPlot.min.css"
import { useEffect, useRef } from "preact/hooks"
import UPlot from "uplot"
import { language, t } from "#client/i18n/translate.ts"
import { cssToken } from "#client/map/palette.ts"
import { theme } from "#client/state/settings.ts"
import type { ChartData } from "#client/ui/chart-data.ts"
import { NOTHING } from "#client/ui/format.ts"

export interface ChartProps {
  readonly title: string
  readonly labels: readonly string[]
  readonly data: ChartData
  readonly format: (value: number) => string
  /** Shown instead of the chart. */
  readonly note: string | null
}

const HEIGHT = 128
const COLORS = ["--accent", "--maintenance"] as const

export const Chart = ({ title, labels, data, format, note }: ChartProps) => {
  const host = useRef<HTMLDivElement>(null)
  const plot = useRef<UPlot | null>(null)
  const look = `${theme.value} ${language.value} ${labels.join()}`
  useEffect(() => {
    const element = host.current
    if (element === null) return
    plot.current = new UPlot(optionsOf(element.clientWidth, labels, format), data as UPlot.AlignedData, element)
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }))
    resized.observe(element)
    return () => {
      resized.disconnect()
      plot.current?.destroy()
      plot.current = null
    }
  }, [look])
  useEffect(() => {
    plot.current?.setData(data as UPlot.AlignedData)
  }, [data])
  const columns = data.slice(1) as readonly (readonly (number | null)[])[]
  const values = columns.flatMap((column) => column.filter((value): value is number => value != null))
  const now = columns.map((column) => column.findLast((value) => value != null))
  return (
    <figure class="chart">
      <figcaption>
        <span class="chart-title">{title}</span>
        {labels.map((label, index) => (
          <span key={label} class={`chart-now chart-${index}`}>
            <i />
            {labels.length > 1 && <span class="quiet">{label}</span>}
            <b class="num">{now[index] == null ? NOTHING : format(now[index])}</b>
          </span>
        ))}
      </figcaption>
      <div
        ref={host}
        class="chart-plot"
        role="img"
        aria-label={summary(title, values, now, format)}
        data-empty={note !== null || values.length === 0}
      />
      {(note !== null || values.length === 0) && <p class="chart-note quiet">{note ?? t("chart.none")}</p>}
    </figure>
  )
}

const summary = (
  title: string,
  values: readonly number[],
  now: readonly (number | null | undefined)[],
  format: (value: number) => string,
): string => {
  if (values.length === 0) return `${title}: ${t("chart.none")}`
  const present = now.map((value) => (value == null ? NOTHING : format(value))).join(", ")
  const low = values.reduce((a, b) => Math.min(a, b))
  const high = values.reduce((a, b) => Math.max(a, b))
  return t("chart.summary", { title, now: present, min: format(low), max: format(high) })
}

const optionsOf = (width: number, labels: readonly string[], format: (value: number) => string): UPlot.Options => {
  const axis: UPlot.Axis = {
    stroke: cssToken("--ink-3"),
    font: `11px ${cssToken("--sans")}`,
    grid: { stroke: cssToken("--line"), width: 1 },
    ticks: { show: false },
  }
  const clock = new Intl.DateTimeFormat(language.peek(), { hour: "2-digit", minute: "2-digit", hour12: false })
  const seconds = new Intl.DateTimeFormat(language.peek(), {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hour12: false,
  })
  const day = new Intl.DateTimeFormat(language.peek(), { day: "2-digit", month: "2-digit" })
  return {
    width,
    height: HEIGHT,
    padding: [8, 6, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
    scales: { x: { time: true }, y: { range: (_, low, high) => [Math.min(0, low ?? 0), (high ?? 1) * 1.12 || 1] } },
    axes: [
      {
        ...axis,
        size: 24,
        space: 66,
        values: (_, splits, __, ___, step) =>
          splits.map((at) => (step >= 43_200 ? day : step < 60 ? seconds : clock).format(at * 1_000)),
      },
      { ...axis, size: 62, space: 34, values: (_, splits) => splits.map(format) },
    ],
    series: [
      {},
      ...labels.map((label, index): UPlot.Series => {
        const color = cssToken(COLORS[index] ?? "--accent")
        return {
          label,
          stroke: color,
          width: 1.5,
          points: { show: false },
          ...(index === 0 ? { fill: `${color}24` } : {}),
        }
      }),
    ],
  }
}
