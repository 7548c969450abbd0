/**
 * PostgreSQL stands still (SIGSTOP to the whole server) for a while: polling, the live map and answers to informs must go
 * on from the local spool, memory must not grow with the outage, and once the server goes on the journal must have
 * everything, in order. How long the catching up takes is what the spool's file and the metrics say.
 */
import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import type { Case } from "#bench/case.ts"
import { differing, fold, lineOf, missingIn, prove } from "#bench/fold.ts"
import { quantile, round } from "#bench/statistics.ts"
import { rssMiB } from "#lab/drive/child.ts"
import { withDrill, type Drill } from "#lab/drive/drill.ts"
import { pausePostgres } from "#lab/drive/postgres.ts"

export const away: Case = {
  name: "away",
  about:
    "PostgreSQL stopped for minutes: polls, events and answers go on; inputs lost, catch-up, RSS growth, spool bytes",
  tier: "emulator (ours)",
  full: { seconds: 600, routers: 120, pollSeconds: 5, informsPerSecond: 20, seed: 1 },
  small: { seconds: 10, routers: 12, pollSeconds: 1, informsPerSecond: 10, seed: 1 },
  run: async (parameters, report) => {
    const { seconds, routers, pollSeconds, informsPerSecond, seed } = parameters as Readonly<
      Record<"seconds" | "routers" | "pollSeconds" | "informsPerSecond" | "seed", number>
    >
    return withDrill({ routers, pollSeconds, informsPerSecond, seed, snapshotSeconds: 5 }, async (drill) => {
      await wait(Math.min(20, seconds))
      const outage = await watchOutage(drill, seconds, report)
      const sent = await drill.settle()
      await drill.stop()
      const proof = await prove(drill.dataDir, drill.loadFromMs)
      if (proof.problem !== null) report(proof.problem)
      const folded = await fold(drill.dataDir, drill.loadFromMs)
      const text = folded.events.join("\n")
      const acknowledged = sent.filter(({ answeredMs }) => answeredMs !== null)
      const lost = acknowledged.filter(({ name }) => !text.includes(`${name}"`)).length
      const told = drill.toldEvents().map(lineOf)
      const otherwise = differing(folded.events, drill.storedEvents(), report)
      const during = sent.filter(({ sentMs }) => sentMs >= outage.fromMs + FIRST_MS && sentMs < outage.toMs)
      const answerMs = during.map(({ sentMs, answeredMs }) => (answeredMs ?? Number.POSITIVE_INFINITY) - sentMs)
      const { polls, failed, deltas, events, rssGrowthMiB, spoolBytes, catchUpMs } = outage
      return {
        figures: {
          polls_while_away: polls,
          polls_failed_while_away: failed,
          deltas_while_away: deltas,
          events_told_while_away: events,
          informs_answered_while_away: during.filter(({ answeredMs }) => (answeredMs ?? outage.toMs) < outage.toMs)
            .length,
          answer_while_away_p50_ms: finite(quantile(answerMs, 0.5)),
          answer_while_away_p99_ms: finite(quantile(answerMs, 0.99)),
          acknowledged_lost: lost,
          events_told_and_lost: missingIn(folded.events, told).length,
          decisions_differing: otherwise + proof.marks - proof.equal,
          marks_equal: proof.equal,
          rss_growth_mib: round(rssGrowthMiB),
          spool_bytes: spoolBytes,
          catch_up_ms: catchUpMs,
          twin_rebuilds: drill.logged(/twin stopped and is rebuilt|has a gap/),
        },
        outcome: { lost, equal: proof.problem === null },
      }
    })
  },
}

/** The first commit that does not come is waited for before the spool takes over (2 s); answers stand still as long. */
const FIRST_MS = 3_000

interface Outage {
  readonly fromMs: number
  readonly toMs: number
  readonly polls: number
  readonly failed: number
  readonly deltas: number
  readonly events: number
  readonly rssGrowthMiB: number
  readonly spoolBytes: number
  /** From the moment the server goes on until the spool's file is empty. */
  readonly catchUpMs: number
}

const watchOutage = async (drill: Drill, seconds: number, report: (line: string) => void): Promise<Outage> => {
  const { engine, cookie, viewer } = { engine: drill.engine(), cookie: drill.cookie(), viewer: drill.viewer() }
  const rss = (): number => rssMiB(engine.child.pid) ?? Number.NaN
  const seen = async () => {
    const metrics = await engine.metrics(cookie)
    const total = (name: string): number =>
      [...metrics].reduce((sum, [key, value]) => (key.startsWith(`${name}{`) ? sum + value : sum), 0)
    return {
      polls: total("heliograph_polls_total"),
      failed: total("heliograph_polls_failed_total"),
      deltas: viewer.deltaAgesMs().length,
      events: viewer.told().length,
    }
  }
  const rssBefore = rss()
  const before = await seen()
  const fromMs = Date.now()
  const resume = pausePostgres(drill.dataDir)
  try {
    for (let left = seconds; left > 0; left -= 10) {
      await wait(Math.min(10, left))
      report(
        `${Math.round((Date.now() - fromMs) / 1000)} s away: ${viewer.deltaAgesMs().length - before.deltas} deltas, ` +
          `${viewer.told().length - before.events} events, RSS ${round(rss())} MiB, spool ${spoolSize(drill)} bytes`,
      )
    }
  } finally {
    resume()
  }
  const toMs = Date.now()
  const spoolBytes = spoolSize(drill)
  const rssGrowthMiB = rss() - rssBefore
  for (const untilMs = toMs + 120_000; spoolSize(drill) > 0 && Date.now() < untilMs;) await wait(0.02)
  if (spoolSize(drill) > 0) throw new Error("the spool was not emptied within two minutes")
  const catchUpMs = Date.now() - toMs
  const after = await seen()
  report(`back: the spool was empty after ${catchUpMs} ms`)
  return {
    fromMs,
    toMs,
    polls: after.polls - before.polls,
    failed: after.failed - before.failed,
    deltas: after.deltas - before.deltas,
    events: after.events - before.events,
    rssGrowthMiB,
    spoolBytes,
    catchUpMs,
  }
}

const spoolSize = ({ dataDir }: Drill): number => {
  const dir = join(dataDir, "spool")
  return readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0)
}

const wait = (seconds: number): Promise<void> => new Promise((wake) => setTimeout(wake, seconds * 1_000))
const finite = (value: number): number | null => (Number.isFinite(value) ? round(value, 0) : null)
