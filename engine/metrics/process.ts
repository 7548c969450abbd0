/**
 * Health of the engine's own process: memory, CPU, garbage collection, and how late the event loop runs, which is
 * what every latency promise of the engine hangs on.
 */
import { constants, monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { MetricsRegistry } from "#engine/metrics/registry.ts"

/** The sampler's own period: a delay shorter than this cannot be seen. */
const RESOLUTION_MS = 10
/** The delay is shown over this window, so that one bad second is not averaged away nor shown for ever. */
const WINDOW_MS = 60_000

/** Declares the process metrics and observes until the scope closes. */
export const processMetrics = (metrics: MetricsRegistry, version: string): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      memoryAndCpu(metrics, version)
      const stopDelay = eventLoopDelay(metrics)
      const stopGc = garbageCollection(metrics)
      return () => {
        stopDelay()
        stopGc()
      }
    }),
    (stop) => Effect.sync(stop),
  ).pipe(Effect.asVoid)

const memoryAndCpu = (metrics: MetricsRegistry, version: string): void => {
  metrics.gauge("heliograph_build_info", "Always 1; the labels say what runs.", () => [
    { labels: { version, node: process.version }, value: 1 },
  ])
  metrics.gauge("heliograph_process_uptime_seconds", "Time since this process began.", () => process.uptime())
  metrics.gauge("heliograph_process_resident_memory_bytes", "Resident set size.", () => process.memoryUsage.rss())
  metrics.gauge("heliograph_process_heap_used_bytes", "JavaScript heap in use.", () => process.memoryUsage().heapUsed)
  metrics.gauge(
    "heliograph_process_external_memory_bytes",
    "Memory of buffers outside the heap.",
    () => process.memoryUsage().external,
  )
  metrics.counterFrom("heliograph_process_cpu_seconds_total", "User and system CPU time.", () => {
    const cpu = process.cpuUsage()
    return (cpu.user + cpu.system) / 1e6
  })
}

const eventLoopDelay = (metrics: MetricsRegistry): (() => void) => {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  const window = setInterval(() => delay.reset(), WINDOW_MS).unref()
  /** perf_hooks measures the whole pause between two samples: what exceeds its own period is the delay. */
  const lateSeconds = (nanoseconds: number): number => Math.max(0, nanoseconds - RESOLUTION_MS * 1e6) / 1e9
  metrics.gauge(
    "heliograph_event_loop_delay_seconds",
    "How late the event loop ran, over at most the last minute.",
    () => [
      { labels: { quantile: "0.5" }, value: lateSeconds(delay.percentile(50)) },
      { labels: { quantile: "0.99" }, value: lateSeconds(delay.percentile(99)) },
      { labels: { quantile: "1" }, value: delay.count === 0 ? 0 : lateSeconds(delay.max) },
    ],
  )
  return () => {
    clearInterval(window)
    delay.disable()
  }
}

const GC_KINDS: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: "minor",
  [constants.NODE_PERFORMANCE_GC_MAJOR]: "major",
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: "incremental",
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: "weak",
}

const garbageCollection = (metrics: MetricsRegistry): (() => void) => {
  const seconds = metrics.counter("heliograph_gc_seconds_total", "Time spent collecting garbage, by kind.")
  const runs = metrics.counter("heliograph_gc_runs_total", "Garbage collections, by kind.")
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      // @types/node 26 leaves `detail` out of the entry; node:perf_hooks documents it for gc entries.
      const { detail } = entry as typeof entry & { readonly detail?: { readonly kind?: number } }
      const kind = GC_KINDS[detail?.kind ?? 0] ?? "other"
      seconds.add(entry.duration / 1000, { kind })
      runs.add(1, { kind })
    }
  })
  observer.observe({ entryTypes: ["gc"] })
  return () => observer.disconnect()
}
