/**
 * One long-lived fping that asks many addresses at one rate for ever (`fping -l`), read line by line. It paces itself:
 * every address is asked exactly each period, and the addresses are spread over the period, whatever our event loop
 * does. It ends only when it is stopped, dies, or falls silent; its silence is never a device's.
 */
import * as Effect from "effect/Effect"
import { fpingLine } from "#engine/probes/ping-lines.ts"
import { startTool } from "#engine/probes/tool.ts"

export interface FpingOptions {
  readonly file: string
  /** Address literals, no duplicates. */
  readonly addresses: readonly string[]
  readonly periodMs: number
  /** `rttMs` null = not answered. */
  readonly onPing: (address: string, rttMs: number | null) => void
}

/** Without this many periods' output the process is taken for stuck. */
const SILENT_PERIODS = 3

/** Share of a period in which nothing is sent: room to catch up when the machine was busy. */
export const SLACK = 0.5

/** Addresses that one process holds at a period with ease: 4 ms or more between two packets. */
export const fpingRoom = (periodMs: number): number => Math.max(1, Math.floor((periodMs * (1 - SLACK)) / 4))

/** How long an answer may take: less than a period, so that the verdict on a ping precedes the next one. */
export const timeoutMsOf = (periodMs: number): number => Math.min(1_000, Math.floor(periodMs * 0.8))

/**
 * Time between two packets of `count` addresses, ms: they are spread over the period, but for its slack. The gap is
 * what fping waits at least, and sending costs time besides: without slack the period would drift.
 */
export const gapMsOf = (count: number, periodMs: number): number =>
  Math.max(1, Math.floor((periodMs * (1 - SLACK)) / Math.max(1, count)))

/** Resolves with why it ended, in words for the log. Interrupting it kills the process. */
export const runFping = (options: FpingOptions): Effect.Effect<string> =>
  Effect.callback<string>((resume) => {
    const { periodMs } = options
    const args = [
      "-l",
      "-p",
      periodMs,
      "-i",
      gapMsOf(options.addresses.length, periodMs),
      "-t",
      timeoutMsOf(periodMs),
      "-f",
      "-",
    ].map(String)
    /** Newest seq taken of each address; an address that we did not ask is not in it. */
    const newest = new Map(options.addresses.map((address) => [address, -1]))
    let heardMs = performance.now()
    let complaint = ""
    const tool = startTool(
      { file: options.file, args, stdin: options.addresses.join("\n") + "\n" },
      {
        line: (line) => {
          heardMs = performance.now()
          const ping = fpingLine(line)
          if (ping === null || ping.seq <= (newest.get(ping.address) ?? Number.POSITIVE_INFINITY)) return
          newest.set(ping.address, ping.seq)
          options.onPing(ping.address, ping.rttMs)
        },
        complaint: (line) => {
          // Routers' ICMP errors are reported here too, endlessly; the last line is the cause of an early end.
          complaint = line
        },
        ended: (code, why) => {
          clearInterval(watch)
          resume(Effect.succeed(why ?? `fping ended with code ${code}${complaint === "" ? "" : ` (${complaint})`}`))
        },
      },
    )
    const watch = setInterval(() => {
      if (performance.now() - heardMs < SILENT_PERIODS * periodMs + timeoutMsOf(periodMs)) return
      complaint = "it said nothing for a while and was stopped"
      tool.kill()
    }, periodMs)
    return Effect.sync(() => {
      clearInterval(watch)
      tool.kill()
    })
  })
