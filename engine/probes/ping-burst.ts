/** A few pings of one address on demand, with the figures that `ping` prints at its end. */
import type { Literal } from "#engine/probes/address.ts"
import { fpingLine, pingLine } from "#engine/probes/ping-lines.ts"
import { findPingTool, pingArgs } from "#engine/probes/ping-tool.ts"
import { figures } from "#engine/probes/ping-window.ts"
import type { PingFigures } from "#engine/probes/ping-window.ts"
import { runTool } from "#engine/probes/tool.ts"

export const BURST_MAX = 100
/** Time between two of them, and for an answer. */
const INTERVAL_MS = 1_000
const TIMEOUT_MS = 2_000

export interface BurstResult {
  readonly tool: "fping" | "ping" | null
  /** In order; null = lost. */
  readonly rttsMs: ReadonlyArray<number | null>
  /** Null when nothing could be sent. */
  readonly figures: PingFigures | null
  readonly error: string | null
}

/** Ends after `count` seconds and a few. Never rejects. */
export const pingBurst = async (to: Literal, count: number, signal?: AbortSignal): Promise<BurstResult> => {
  const { tool, why } = await findPingTool()
  if (tool === null) return { tool: null, rttsMs: [], figures: null, error: why }
  const args =
    tool.kind === "fping"
      ? ["-c", String(count), "-p", String(INTERVAL_MS), "-t", String(TIMEOUT_MS), to.text]
      : pingArgs(to.text, to.family, count, TIMEOUT_MS / 1_000)
  const deadlineMs = count * INTERVAL_MS + TIMEOUT_MS + 3_000
  const { code, lines, complaint } = await runTool({ file: tool.file, args, deadlineMs }, signal)
  // 0 = answered, 1 = not (or not always); anything else = it could not ask.
  if (code !== 0 && code !== 1)
    return { tool: tool.kind, rttsMs: [], figures: null, error: complaint || "it was stopped" }
  const rttsMs: Array<number | null> = Array.from({ length: count }, () => null)
  // ping counts from 1, fping from 0.
  const first = tool.kind === "fping" ? 0 : 1
  for (const line of lines.map(tool.kind === "fping" ? fpingLine : pingLine))
    if (line !== null && line.address === to.text && line.seq - first < count) rttsMs[line.seq - first] = line.rttMs
  return { tool: tool.kind, rttsMs, figures: figures(rttsMs), error: null }
}
