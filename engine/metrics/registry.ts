/**
 * The engine's own numbers, in Prometheus' text format (version 0.0.4). A metric is declared once with its help;
 * gauges are read when somebody looks, counters and histograms are fed. Labels carry tenant slugs and words of our own
 * only: never a device's text, which is hostile and without bound (PRODUCT.md O8, notes/security.md row 26).
 */

export type Labels = Readonly<Record<string, string>>
export interface Sample {
  readonly labels?: Labels
  readonly value: number
}

/** Observations so far: per bucket, not cumulative, one longer than the bounds; and the sum of what was observed. */
export interface HistogramSample {
  readonly labels: Labels
  readonly counts: readonly number[]
  readonly sum: number
}

export interface Counter {
  /** `by` >= 0. */
  readonly add: (by?: number, labels?: Labels) => void
  readonly value: (labels?: Labels) => number
}
export interface Histogram {
  readonly observe: (value: number) => void
}

export interface MetricsRegistry {
  /** Name ends in `_total`. */
  readonly counter: (name: string, help: string) => Counter
  /** A counter that somebody else counts: read at every scrape. */
  readonly counterFrom: (name: string, help: string, read: () => number | readonly Sample[]) => void
  readonly gauge: (name: string, help: string, read: () => number | readonly Sample[]) => void
  /** `bounds` ascend; +Inf is added. */
  readonly histogram: (name: string, help: string, bounds: readonly number[]) => Histogram
  /** A histogram that somebody else feeds, one set of buckets per set of labels: read at every scrape. */
  readonly histogramFrom: (
    name: string,
    help: string,
    bounds: readonly number[],
    read: () => readonly HistogramSample[],
  ) => void
  /** The whole exposition. A reader that throws loses its own metric only, and is counted. */
  readonly render: () => string
}

/** Distinct label sets of one counter; a further one is counted under `other="true"`. */
export const SERIES_MAX = 1_000

interface Family {
  readonly name: string
  readonly help: string
  readonly type: "counter" | "gauge" | "histogram"
  readonly lines: () => readonly string[]
}

export const makeMetrics = (): MetricsRegistry => {
  const families = new Map<string, Family>()
  let failedReads = 0
  const declare = (family: Family): void => {
    if (!/^heliograph_[a-z0-9_]+$/.test(family.name)) throw new Error(`metric name ${family.name}`)
    if (families.has(family.name)) throw new Error(`metric ${family.name} is declared twice`)
    families.set(family.name, family)
  }
  const reading = (type: "counter" | "gauge") => (name: string, help: string, read: () => number | readonly Sample[]) =>
    declare({
      name,
      help,
      type,
      lines: () => samplesOf(read()).map((sample) => line(name, sample.labels, sample.value)),
    })
  const registry: MetricsRegistry = {
    counter: (name, help) => {
      const counter = makeCounter(name)
      declare({ name, help, type: "counter", lines: counter.lines })
      return counter
    },
    counterFrom: reading("counter"),
    gauge: reading("gauge"),
    histogram: (name, help, bounds) => {
      const histogram = makeHistogram(name, bounds)
      declare({ name, help, type: "histogram", lines: histogram.lines })
      return histogram
    },
    histogramFrom: (name, help, bounds, read) =>
      declare({
        name,
        help,
        type: "histogram",
        lines: () => read().flatMap(({ labels, counts, sum }) => histogramLines(name, bounds, labels, counts, sum)),
      }),
    render: () => {
      const out: string[] = []
      for (const family of families.values()) {
        try {
          const lines = family.lines()
          out.push(`# HELP ${family.name} ${family.help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`)
          out.push(`# TYPE ${family.name} ${family.type}`, ...lines)
        } catch {
          failedReads += 1
        }
      }
      return `${out.join("\n")}\n`
    },
  }
  registry.counterFrom(
    "heliograph_metric_read_failures_total",
    "Metrics whose value could not be read.",
    () => failedReads,
  )
  return registry
}

const makeCounter = (name: string): Counter & { readonly lines: () => readonly string[] } => {
  const series = new Map<string, { readonly labels: Labels | undefined; value: number }>()
  const slot = (labels: Labels | undefined) => {
    const key = labelText(labels)
    const found = series.get(key)
    if (found !== undefined) return found
    if (series.size >= SERIES_MAX && key !== OTHER) return slot({ other: "true" })
    const made = { labels, value: 0 }
    series.set(key, made)
    return made
  }
  return {
    add: (by = 1, labels) => {
      slot(labels).value += by
    },
    value: (labels) => series.get(labelText(labels))?.value ?? 0,
    lines: () =>
      series.size === 0
        ? [line(name, undefined, 0)]
        : [...series.values()].map((one) => line(name, one.labels, one.value)),
  }
}

const makeHistogram = (
  name: string,
  bounds: readonly number[],
): Histogram & { readonly lines: () => readonly string[] } => {
  const counts = new Float64Array(bounds.length + 1)
  let sum = 0
  return {
    observe: (value) => {
      let at = 0
      while (at < bounds.length && value > bounds[at]!) at++
      counts[at]! += 1
      sum += value
    },
    lines: () => histogramLines(name, bounds, {}, counts, sum),
  }
}

const histogramLines = (
  name: string,
  bounds: readonly number[],
  labels: Labels,
  counts: ArrayLike<number>,
  sum: number,
): readonly string[] => {
  let below = 0
  const out: string[] = []
  for (const [at, bound] of [...bounds, Number.POSITIVE_INFINITY].entries()) {
    below += counts[at] ?? 0
    out.push(line(`${name}_bucket`, { ...labels, le: number(bound) }, below))
  }
  return [...out, line(`${name}_sum`, labels, sum), line(`${name}_count`, labels, below)]
}

const samplesOf = (read: number | readonly Sample[]): readonly Sample[] =>
  typeof read === "number" ? [{ value: read }] : read

const line = (name: string, labels: Labels | undefined, value: number): string =>
  `${name}${labelText(labels)} ${number(value)}`

/** Sorted, so that one set of labels is one series however it was written. */
const labelText = (labels: Labels | undefined): string => {
  if (labels === undefined) return ""
  const pairs = Object.keys(labels)
    .toSorted()
    .map((key) => `${key}="${escapeLabel(labels[key]!)}"`)
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`
}
const OTHER = '{other="true"}'

const escapeLabel = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")

const number = (value: number): string =>
  value === Number.POSITIVE_INFINITY ? "+Inf" : value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value)
