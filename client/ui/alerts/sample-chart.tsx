/** The samples that a condition looked at, with the line that they were held against. What is beyond the line is tinted. */
import "uplot/dist/uPlot.min.css"
import { useEffect, useRef } from "preact/hooks"
import UPlot from "uplot"
import { language, t } from "#client/i18n/translate.ts"
import { cssToken } from "#client/map/palette.ts"
import { theme } from "#client/state/settings.ts"
import { valueWord } from "#client/ui/alerts/words.ts"
import { NOTHING } from "#client/ui/format.ts"
import { metricByName } from "#protocol/metric.ts"
import type { Observation } from "#protocol/rest-generated.ts"

const HEIGHT = 132
/** Room above and below the drawn values. */
const AIR = 0.15

type Drawn = Observation & { readonly samples: NonNullable<Observation["samples"]> }

export const SampleChart = ({ seen }: { seen: Observation }) =>
  seen.samples === undefined || seen.samples.length < 2 ? null : <Plot seen={{ ...seen, samples: seen.samples }} />

const Plot = ({ seen }: { seen: Drawn }) => {
  const host = useRef<HTMLDivElement>(null)
  const { samples, metric = seen.type, unit } = seen
  const threshold = limitOf(seen)
  const look = `${theme.value} ${language.value} ${JSON.stringify(samples)} ${threshold}`
  useEffect(() => {
    const element = host.current
    if (element === null) return
    const columns: UPlot.AlignedData = [samples.map(([atMs]) => atMs / 1_000), samples.map(([, value]) => value)]
    const plot = new UPlot(optionsOf(element.clientWidth, seen), columns, element)
    const resized = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }))
    resized.observe(element)
    return () => {
      resized.disconnect()
      plot.destroy()
    }
  }, [look])
  const newest = valueWord(samples.at(-1)?.[1], metric, unit)
  const limit = valueWord(threshold, metric, unit)
  return (
    <figure class="sample-chart">
      <figcaption>
        <span class="chart-title">{t("why.samples", { metric })}</span>
        {threshold != null && (
          <span class="limit-key">
            <i />
            {t("why.limit")} <b class="num">{limit}</b>
          </span>
        )}
      </figcaption>
      <div
        ref={host}
        class="sample-plot"
        role="img"
        aria-label={t("why.chart", {
          metric,
          count: samples.length,
          value: newest,
          limit: threshold === null ? NOTHING : limit,
        })}
      />
    </figure>
  )
}

/** Flags and states are one thing until they are another: nothing lies between. */
const isStepped = (metric: string | undefined): boolean =>
  ["flag", "state"].includes(metricByName(metric ?? "")?.kind ?? "")

/** A limit of the samples themselves; how many changes or how fast is no level that a line could show. */
const limitOf = ({ type, text, threshold }: Observation): number | null =>
  ["threshold", "consecutive", "baseline"].includes(type) && !text.startsWith("count of") ? (threshold ?? null) : null

const optionsOf = (width: number, seen: Drawn): UPlot.Options => {
  const { samples, operator, metric, unit } = seen
  const threshold = limitOf(seen)
  const values = samples.map(([, value]) => value)
  const all = threshold === null ? values : [...values, threshold]
  const low = all.reduce((a, b) => Math.min(a, b))
  const high = all.reduce((a, b) => Math.max(a, b))
  const steps = isStepped(metric)
  const air = steps ? AIR * 2 : (high - low || Math.abs(high) || 1) * AIR
  const [bottom, top] = steps ? [Math.min(0, low), Math.max(1, high)] : [low, high]
  const stepped = UPlot.paths.stepped?.({ align: 1 })
  const axis: UPlot.Axis = {
    stroke: cssToken("--ink-3"),
    font: `11px ${cssToken("--sans")}`,
    grid: { stroke: cssToken("--line"), width: 1 },
    ticks: { show: false },
  }
  const clock = new Intl.DateTimeFormat(language.peek(), {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hour12: false,
  })
  const accent = cssToken("--accent")
  return {
    width,
    height: HEIGHT,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
    scales: { x: { time: true }, y: { range: [bottom - air, top + air] } },
    axes: [
      { ...axis, size: 24, space: 84, values: (_, splits) => splits.map((at) => clock.format(at * 1_000)) },
      {
        ...axis,
        size: 66,
        space: 30,
        ...(steps ? { incrs: [1] } : {}),
        values: (_, splits) => splits.map((value) => valueWord(value, metric, unit)),
      },
    ],
    series: [
      {},
      {
        stroke: accent,
        width: 1.6,
        fill: `${accent}1f`,
        fillTo: bottom - air,
        ...(steps && stepped !== undefined ? { paths: stepped } : {}),
        points: { show: true, size: 5, fill: accent },
      },
    ],
    hooks: { drawAxes: threshold === null ? [] : [(plot) => drawLimit(plot, threshold, operator)] },
  }
}

const drawLimit = (plot: UPlot, threshold: number, operator: Drawn["operator"]): void => {
  const { ctx, bbox } = plot
  const color = cssToken("--critical")
  const y = Math.round(plot.valToPos(threshold, "y", true))
  ctx.save()
  ctx.fillStyle = `${color}1c`
  if (operator === ">" || operator === ">=") ctx.fillRect(bbox.left, bbox.top, bbox.width, y - bbox.top)
  else if (operator === "<" || operator === "<=") ctx.fillRect(bbox.left, y, bbox.width, bbox.top + bbox.height - y)
  ctx.strokeStyle = color
  ctx.lineWidth = devicePixelRatio * 1.5
  ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio])
  ctx.beginPath()
  ctx.moveTo(bbox.left, y)
  ctx.lineTo(bbox.left + bbox.width, y)
  ctx.stroke()
  ctx.restore()
}
