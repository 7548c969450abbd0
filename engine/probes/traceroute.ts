/**
 * The path to an address, hop by hop, on demand only (C10: never on a schedule). By the system's traceroute (UDP, no
 * rights needed), else by pings of growing TTL. Hops' addresses are what routers claim; they are printed, not trusted.
 */
import type { Literal } from "#engine/probes/address.ts"
import { literal } from "#engine/probes/address.ts"
import { pingLine } from "#engine/probes/ping-lines.ts"
import { findTool, runTool } from "#engine/probes/tool.ts"

export const HOPS_MAX = 30

export interface Hop {
  /** From 1. */
  readonly ttl: number
  /** Who answered, in order, without duplicates; empty = nobody. */
  readonly addresses: readonly string[]
  readonly rttsMs: readonly number[]
}

export interface TraceResult {
  /** Null = neither traceroute nor ping is installed. */
  readonly tool: "traceroute" | "ping" | null
  readonly hops: readonly Hop[]
  /** The last hop is the target. */
  readonly reached: boolean
  readonly error: string | null
}

export interface TraceAsk {
  readonly to: Literal
  readonly maxHops: number
  readonly deadlineMs: number
}

/** Ends within the deadline; never rejects. */
export const traceroute = async (ask: TraceAsk, path?: string, signal?: AbortSignal): Promise<TraceResult> => {
  const file = await findTool("traceroute", path)
  if (file !== null) return byTraceroute(file, ask, signal)
  const ping = await findTool("ping", path)
  if (ping !== null) return byPing(ping, ask, signal)
  return { tool: null, hops: [], reached: false, error: "neither traceroute nor ping is installed here" }
}

const byTraceroute = async (file: string, ask: TraceAsk, signal?: AbortSignal): Promise<TraceResult> => {
  const { to, maxHops, deadlineMs } = ask
  const args = [`-${to.family}`, "-n", "-q", "2", "-w", "1", "-m", String(maxHops), to.text]
  const { code, lines, complaint } = await runTool({ file, args, deadlineMs }, signal)
  const hops = lines.map(hopLine).filter((hop) => hop !== null)
  const error = code === 0 ? null : code === null ? `not done within ${deadlineMs} ms` : complaint || `code ${code}`
  return { tool: "traceroute", hops, reached: isReached(hops, to), error }
}

const isReached = (hops: readonly Hop[], to: Literal): boolean => hops.at(-1)?.addresses.includes(to.text) === true

/** ` 3  192.0.2.1  0.280 ms  192.0.2.9  0.226 ms` or ` 4  * *`; null for any other line. */
export const hopLine = (line: string): Hop | null => {
  const words = line.trim().split(/ +/, 64)
  const ttl = Number(words[0])
  if (!/^\d{1,3}$/.test(words[0] ?? "") || ttl < 1 || ttl > 255 || words.length < 2) return null
  const addresses: string[] = []
  const rttsMs: number[] = []
  for (const [index, word] of words.entries()) {
    const address = index > 0 && /[.:]/.test(word) && words[index + 1] !== "ms" ? literal(word) : null
    if (address !== null && !addresses.includes(address.text)) addresses.push(address.text)
    if (words[index + 1] === "ms" && /^\d{1,7}(\.\d{1,6})?$/.test(word)) rttsMs.push(Number(word))
  }
  return addresses.length === 0 && !words.includes("*") ? null : { ttl, addresses, rttsMs }
}

const byPing = async (file: string, ask: TraceAsk, signal?: AbortSignal): Promise<TraceResult> => {
  const { to, maxHops } = ask
  const endMs = performance.now() + ask.deadlineMs
  const hops: Hop[] = []
  for (let ttl = 1; ttl <= maxHops; ttl++) {
    const deadlineMs = Math.min(3_000, endMs - performance.now())
    if (deadlineMs <= 0 || signal?.aborted === true)
      return { tool: "ping", hops, reached: false, error: `not done within ${ask.deadlineMs} ms` }
    const args = [`-${to.family}`, "-n", "-c", "1", "-W", "1", "-t", String(ttl), to.text]
    const startedMs = performance.now()
    const { lines } = await runTool({ file, args, deadlineMs }, signal)
    const answer = lines.map(pingLine).find((line) => line?.address === to.text)
    const from = lines.map(exceededFrom).find((address) => address !== null)
    if (answer?.rttMs !== undefined && answer.rttMs !== null) {
      hops.push({ ttl, addresses: [to.text], rttsMs: [answer.rttMs] })
      return { tool: "ping", hops, reached: true, error: null }
    }
    // ping prints no time of such an answer; the process's own is the nearest there is.
    const rttsMs = from === undefined ? [] : [Math.round((performance.now() - startedMs) * 10) / 10]
    hops.push({ ttl, addresses: from === undefined || from === null ? [] : [from], rttsMs })
  }
  return { tool: "ping", hops, reached: false, error: null }
}

/** The router of `From 192.0.2.1 icmp_seq=1 Time to live exceeded`; null for any other line. */
export const exceededFrom = (line: string): string | null => {
  const found = /^From ([0-9A-Fa-f.:]{2,45}) icmp_seq=\d{1,9} (?:Time to live exceeded|Time exceeded)/.exec(line)
  return found?.[1] === undefined ? null : (literal(found[1])?.text ?? null)
}
