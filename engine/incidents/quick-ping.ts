/**
 * Three pings of one address at once, for a question that an incident waits for: answered or silent within two seconds. It
 * decides nothing about reachability, which is the regular pings' business (engine/probes/pinger.ts).
 */
import type { Literal } from "#engine/probes/address.ts"
import { fpingLine, pingLine } from "#engine/probes/ping-lines.ts"
import { findPingTool, pingArgs } from "#engine/probes/ping-tool.ts"
import type { FoundPing } from "#engine/probes/ping-tool.ts"
import { runTool } from "#engine/probes/tool.ts"

/** Sent by fping; ping, which waits a second between two, sends one less. */
export const PINGS = 3
const INTERVAL_MS = 300
const TIMEOUT_MS = 1_000
/** Of the whole, the start of the program included. */
const DEADLINE_MS = 2_500

/** `silent` = all were sent and none was answered; null = they could not be sent, which says nothing of the address. */
export type QuickPing = (
  to: Literal,
  signal: AbortSignal,
) => Promise<{ readonly outcome: "answered"; readonly rttMs: number } | { readonly outcome: "silent" } | null>

/** Looks for a tool once: whoever installs one starts the engine anew. Never rejects. */
export const makeQuickPing = (find: () => Promise<FoundPing> = () => findPingTool()): QuickPing => {
  let found: Promise<FoundPing> | null = null
  return async (to, signal) => {
    const { tool } = await (found ??= find())
    if (tool === null) return null
    const args =
      tool.kind === "fping"
        ? ["-c", String(PINGS), "-p", String(INTERVAL_MS), "-t", String(TIMEOUT_MS), to.text]
        : pingArgs(to.text, to.family, PINGS - 1, TIMEOUT_MS / 1_000)
    const { code, lines } = await runTool({ file: tool.file, args, deadlineMs: DEADLINE_MS }, signal)
    const rtts = lines
      .map(tool.kind === "fping" ? fpingLine : pingLine)
      .flatMap((line) => (line?.address === to.text && line.rttMs !== null ? [line.rttMs] : []))
    if (rtts.length > 0) return { outcome: "answered", rttMs: rtts.reduce((sum, ms) => sum + ms, 0) / rtts.length }
    // 1 = asked and not answered; anything else = it could not ask, or was stopped.
    return code === 1 ? { outcome: "silent" } : null
  }
}
