/**
 * One long-lived fping that asks some addresses at one rate for ever (`fping -l`), read line by line. It paces itself,
 * whatever our event loop does: all its addresses are due at once each period, and go out a millisecond apart. It ends only when it is stopped, dies, or falls silent; its silence is never a device's.
 */
import * as Effect from "effect/Effect"
import { fpingLine } from "#engine/probes/ping-lines.ts"
import { LOSSES_TO_DOWN } from "#engine/probes/ping-window.ts"
import { startTool } from "#engine/probes/tool.ts"

export interface FpingOptions {
  readonly file: string
  /** Address literals, no duplicates. */
  readonly addresses: readonly string[]
  readonly periodMs: number
  /** `rttMs` null = not answered. */
  readonly onPing: (address: string, rttMs: number | null) => void
}

/** Without this many periods' output, about all addresses or about one that it told of before, the process is taken for stuck. */
const SILENT_PERIODS = 3
/** Left-out pings that are told as lost: too few to call a device silent, because one that could not be sent is left out, too. */
const SKIPPED_MAX = LOSSES_TO_DOWN - 1

/**
 * What fping waits at least between two packets, ms. Every wait that the machine ends late delays all addresses behind it,
 * by another amount each period: the error of an interval is the sum of that, so that waits are short and few. Measured
 * with 900 addresses at a load of 3 to 5: error p99 635 ms in one process spread over half a period, 14 ms in eight of these.
 */
const GAP_MS = 1
/** Most addresses of one process. */
const ROOM = 128
/** Share of a period that one process may take to send. */
const BURST = 0.1

/** Addresses that one process holds at a period with ease. */
export const fpingRoom = (periodMs: number): number =>
  Math.max(1, Math.min(ROOM, Math.floor((periodMs * BURST) / GAP_MS)))

/** How long an answer may take: less than a period, so that the verdict on a ping precedes the next one. */
export const timeoutMsOf = (periodMs: number): number => Math.min(1_000, Math.floor(periodMs * 0.8))

/** For ever, at this rate, the addresses from standard input. */
export const fpingArgs = (periodMs: number): readonly string[] =>
  ["-l", "-p", periodMs, "-i", GAP_MS, "-t", timeoutMsOf(periodMs), "-f", "-"].map(String)

/**
 * Resolves with why it ended, in words for the log. Interrupting it kills the process.
 *
 * fping keeps one place for each address's time-out (fping 5.1, host_add_timeout_event). A ping that the machine sends so
 * late that the next one goes out before its time-out uses it twice, which tears the queue of time-outs: from then on the
 * process may tell of no loss of any address any more. So a number that is left out is a ping that was not answered, and
 * a process that goes on about others, but no more about an address that it told of before, is stopped and started anew.
 */
export const runFping = (options: FpingOptions): Effect.Effect<string> =>
  Effect.callback<string>((resume) => {
    const { periodMs } = options
    const args = fpingArgs(periodMs)
    /** Newest seq taken of each address; an address that we did not ask is not in it. */
    const newest = new Map(options.addresses.map((address) => [address, -1]))
    /** Of each address that the process told of: one whose pings cannot even be sent is never told of. */
    const toldMs = new Map<string, number>()
    let heardMs = performance.now()
    let complaint = ""
    const tool = startTool(
      { file: options.file, args, stdin: options.addresses.join("\n") + "\n" },
      {
        line: (line) => {
          heardMs = performance.now()
          const ping = fpingLine(line)
          const last = ping === null ? undefined : newest.get(ping.address)
          if (ping === null || last === undefined || ping.seq <= last) return
          newest.set(ping.address, ping.seq)
          toldMs.set(ping.address, heardMs)
          const skipped = last === -1 ? 0 : Math.min(SKIPPED_MAX, ping.seq - last - 1)
          for (let nth = 0; nth < skipped; nth++) options.onPing(ping.address, null)
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
    const silentMs = SILENT_PERIODS * periodMs + timeoutMsOf(periodMs)
    const watch = setInterval(() => {
      const forgotten = [...toldMs].find(([, sinceMs]) => heardMs - sinceMs >= silentMs)
      if (performance.now() - heardMs >= silentMs) complaint = "it said nothing for a while and was stopped"
      else if (forgotten !== undefined) complaint = `it said nothing more of ${forgotten[0]} and was stopped`
      else return
      tool.kill()
    }, periodMs)
    return Effect.sync(() => {
      clearInterval(watch)
      tool.kill()
    })
  })
