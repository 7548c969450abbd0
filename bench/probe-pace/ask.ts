/**
 * One shard of the pinger's addresses, asked by one fping with the engine's arguments and `-D`: times are fping's own, so
 * that what a busy benchmark reads late does not count.
 */
import { fpingArgs } from "#engine/probes/fping.ts"
import { fpingLine } from "#engine/probes/ping-lines.ts"
import { untilPhaseMs, type Shard } from "#engine/probes/pinger.ts"
import { startTool } from "#engine/probes/tool.ts"

/** Between two answered pings of one address that follow each other. */
export interface Interval {
  readonly periodMs: number
  readonly ms: number
}

export interface Asked {
  /** Answered or not: intervals + 1 of each address, fewer only where fping ended or the patience did. */
  readonly asked: number
  readonly unanswered: number
  readonly intervals: readonly Interval[]
}

/** A shard that has not been asked as often in so many times its time, and a minute, is left as it is. */
const PATIENCE = 5
const PATIENCE_MS_MIN = 60_000

export const askShard = ({ file, shard, intervals }: Asking): Promise<Asked> =>
  new Promise((resolve) => {
    const { periodMs, addresses, phase } = shard
    const heard = new Map(addresses.map((address) => [address, { count: 0, sentMs: Number.NaN }]))
    const found: Interval[] = []
    let [asked, unanswered] = [0, 0]
    const take = (text: string): void => {
      const [, seconds = "", rest = ""] = STAMPED.exec(text) ?? []
      const ping = fpingLine(rest)
      const of = ping === null ? undefined : heard.get(ping.address)
      if (ping === null || of === undefined || of.count > intervals) return
      // Not answered: when it was sent is not told.
      const sentMs = ping.rttMs === null ? Number.NaN : Number(seconds) * 1_000 - ping.rttMs
      if (ping.rttMs === null) unanswered++
      if (!Number.isNaN(sentMs - of.sentMs)) found.push({ periodMs, ms: sentMs - of.sentMs })
      heard.set(ping.address, { count: of.count + 1, sentMs })
      if (++asked === addresses.length * (intervals + 1)) tool.kill()
    }
    const ended = (): void => {
      clearTimeout(patience)
      resolve({ asked, unanswered, intervals: found })
    }
    let tool = { kill: ended }
    const start = (): void => {
      const run = { file, args: ["-D", ...fpingArgs(periodMs)], stdin: `${addresses.join("\n")}\n` }
      tool = startTool(run, { line: take, complaint: () => undefined, ended })
    }
    const starting = setTimeout(start, untilPhaseMs(performance.now(), periodMs, phase))
    const giveUp = (): void => {
      clearTimeout(starting)
      tool.kill()
    }
    const patience = setTimeout(giveUp, PATIENCE_MS_MIN + PATIENCE * (intervals + 2) * periodMs)
  })

interface Asking {
  readonly file: string
  readonly shard: Shard
  readonly intervals: number
}

const STAMPED = /^\[(\d+\.\d+)\] (.*)$/
