/**
 * Which of many addresses answer a ping, asked once and again where nothing came, by one fping (engine/probes/tool.ts).
 * It says nothing against an address: many networks drop ICMP, so that what is silent here is asked otherwise all the same.
 */
import { findTool, runTool } from "#engine/probes/tool.ts"

/** Between two packets: 200 a second. */
const GAP_MS = 5
const ANSWER_MS = 500
const ROUNDS = 2

/** Null = nothing here can ping. Never rejects. */
export const sweep = async (
  addresses: readonly string[],
  signal?: AbortSignal,
): Promise<ReadonlySet<string> | null> => {
  const file = await findTool("fping")
  if (file === null) return null
  const args = ["-a", "-r", String(ROUNDS - 1), "-t", String(ANSWER_MS), "-i", String(GAP_MS), "-f", "-"]
  const deadlineMs = ROUNDS * (addresses.length * GAP_MS + 2 * ANSWER_MS) + 3_000
  const { code, lines } = await runTool({ file, args, stdin: addresses.join("\n") + "\n", deadlineMs }, signal)
  // 0 = all answered, 1 = some did not; else it could not ask.
  if (code !== 0 && code !== 1) return null
  const asked = new Set(addresses)
  return new Set(lines.map((line) => line.trim()).filter((line) => asked.has(line)))
}
