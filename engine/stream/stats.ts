/** What the stream says about itself; labels are our own words and tenant slugs. */
import type { Counter, Histogram, MetricsRegistry } from "#engine/metrics/registry.ts"

export interface StreamStats {
  readonly frames: Counter
  readonly bytes: Counter
  /** Times a viewer was passed over: not drained, or hidden. */
  readonly skipped: Counter
  readonly refused: Counter
  readonly closed: Counter
  /** From the newest evidence to the frame that carries it. */
  readonly ageSeconds: Histogram
}

export const makeStreamStats = (metrics: MetricsRegistry): StreamStats => ({
  frames: metrics.counter("heliograph_stream_frames_total", "Frames sent, by kind."),
  bytes: metrics.counter("heliograph_stream_bytes_total", "Bytes of frames sent."),
  skipped: metrics.counter(
    "heliograph_stream_skipped_total",
    "Times a viewer got no frame because it had not drained or was hidden.",
  ),
  refused: metrics.counter("heliograph_stream_refused_total", "Upgrades refused, by reason."),
  closed: metrics.counter("heliograph_stream_closed_total", "Streams that the engine ended, by reason."),
  ageSeconds: metrics.histogram(
    "heliograph_stream_frame_age_seconds",
    "Age of the newest evidence when its frame was sent.",
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  ),
})
