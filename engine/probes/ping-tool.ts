/**
 * Which program pings here. Node has no ICMP socket, so the system's own tools are used: fping, which asks thousands
 * of addresses from one process, else ping. A tool counts only when it works: without the right to open a raw socket
 * (a container without NET_RAW) it would see every router dead.
 */
import { findTool, runTool } from "#engine/probes/tool.ts"

export interface PingTool {
  readonly kind: "fping" | "ping"
  readonly file: string
}

export interface FoundPing {
  readonly tool: PingTool | null
  /** What was tried and why it does not do, for the log; "" when the first choice works. */
  readonly why: string
}

/** Longer than the time-out of the one ping that is tried. */
const TRIAL_MS = 5_000

/** Tries each tool on the loopback address. `path` as PATH. */
export const findPingTool = async (path?: string): Promise<FoundPing> => {
  const why: string[] = []
  for (const kind of ["fping", "ping"] as const) {
    const file = await findTool(kind, path)
    if (file === null) {
      why.push(`${kind} is not installed`)
      continue
    }
    const args = kind === "fping" ? ["-c", "1", "-t", "1000", "127.0.0.1"] : pingArgs("127.0.0.1", 4, 1, 1)
    const { code, complaint } = await runTool({ file, args, deadlineMs: TRIAL_MS })
    if (code === 0) return { tool: { kind, file }, why: why.join("; ") }
    why.push(`${file} does not work (${complaint === "" ? "it cannot even reach 127.0.0.1" : complaint})`)
  }
  return { tool: null, why: why.join("; ") }
}

/** Arguments of iputils' and BusyBox's ping. */
export const pingArgs = (address: string, family: 4 | 6, count: number, timeoutSeconds: number): readonly string[] => [
  family === 4 ? "-4" : "-6",
  "-n",
  "-c",
  String(count),
  "-W",
  String(timeoutSeconds),
  address,
]
