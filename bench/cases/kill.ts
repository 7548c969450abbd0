/**
 * kill -9 of the engine and of PostgreSQL (its postmaster, or one backend, in turns) under load: polls, traps and syslog of
 * a lab whose links flap, and informs that the engine answers. Whatever it had acknowledged must be in the journal, once
 * per datagram that was sent: each answered inform, and each event that a viewer was told. And what the engine decided
 * through all its lives must be what one fold of its journal decides.
 */
import type { Case } from "#bench/case.ts"
import { differing, fold, lineOf, missingIn, prove } from "#bench/fold.ts"
import { quantile, round } from "#bench/statistics.ts"
import { withDrill, type Drill } from "#lab/drive/drill.ts"
import type { Informed } from "#lab/drive/informs.ts"
import { backendPids, killNow, postmasterPid } from "#lab/drive/postgres.ts"

export const kill: Case = {
  name: "kill",
  about: "inputs lost, duplicated or decided otherwise by kill -9 of the engine and of PostgreSQL under load",
  tier: "emulator (ours)",
  full: { kills: 25, routers: 60, pollSeconds: 2, informsPerSecond: 40, seed: 1 },
  small: { kills: 2, routers: 12, pollSeconds: 1, informsPerSecond: 20, seed: 1 },
  run: async (parameters, report) => {
    const { kills, routers, pollSeconds, informsPerSecond, seed } = parameters as Readonly<
      Record<"kills" | "routers" | "pollSeconds" | "informsPerSecond" | "seed", number>
    >
    return withDrill({ routers, pollSeconds, informsPerSecond, seed, snapshotSeconds: 2 }, async (drill) => {
      const engine = await killEngine(drill, kills, report)
      const postgres = await killPostgres(drill, kills, report)
      const sent = await drill.settle()
      await drill.stop()
      return judge(drill, sent, { engine, postgres }, report)
    })
  },
}

interface Recovery {
  /** From the kill to the first answered inform that was sent after it. */
  readonly answeredMs: number
  /** To the engine's health, or to the first commit of the new server. */
  readonly backMs: number
}

const killEngine = async (drill: Drill, kills: number, report: (line: string) => void): Promise<Recovery[]> => {
  const found: Recovery[] = []
  for (let i = 0; i < kills; i++) {
    await pause(drill)
    const killedMs = Date.now()
    await drill.restartEngine("SIGKILL")
    const backMs = Date.now() - killedMs
    const answeredMs = (await drill.informs.answerAfter(killedMs, 120_000)) - killedMs
    found.push({ answeredMs, backMs })
    report(`engine ${i + 1}: healthy after ${backMs} ms, an inform answered after ${answeredMs} ms`)
  }
  return found
}

const killPostgres = async (drill: Drill, kills: number, report: (line: string) => void): Promise<Recovery[]> => {
  const found: Recovery[] = []
  for (let i = 0; i < kills; i++) {
    await pause(drill)
    const postmaster = postmasterPid(drill.dataDir)
    const backends = backendPids(postmaster)
    const isWhole = i % 2 === 0 || backends.length === 0
    const victim = isWhole ? postmaster : (backends[Math.floor(drill.dice() * backends.length)] as number)
    const killedMs = Date.now()
    killNow(victim)
    const answeredMs = (await drill.informs.answerAfter(killedMs, 120_000)) - killedMs
    await drill.databaseAnswers(120_000)
    const backMs = Date.now() - killedMs
    found.push({ answeredMs, backMs })
    report(
      `PostgreSQL ${i + 1} (${isWhole ? "postmaster" : "one backend"}): an inform answered after ${answeredMs} ms, ` +
        `the database after ${backMs} ms`,
    )
  }
  return found
}

/** Kills fall anywhere in the rhythm of polls, rounds and commits. */
const pause = (drill: Drill): Promise<void> =>
  new Promise((wake) => setTimeout(wake, 300 + Math.floor(drill.dice() * 1_700)))

const judge = async (
  drill: Drill,
  sent: readonly Informed[],
  recoveries: { readonly engine: readonly Recovery[]; readonly postgres: readonly Recovery[] },
  report: (line: string) => void,
) => {
  const proof = await prove(drill.dataDir, drill.loadFromMs)
  if (proof.problem !== null) report(proof.problem)
  const folded = await fold(drill.dataDir, drill.loadFromMs)
  const copies = countsByInform(folded.events)
  const lost = sent.filter(({ name, answeredMs }) => answeredMs !== null && !copies.has(name))
  const duplicated = sent.filter(({ name, sent: datagrams }) => (copies.get(name) ?? 0) > datagrams)
  const told = drill.toldEvents().map(lineOf)
  const taken = missingIn(folded.events, told)
  for (const line of taken.slice(0, 5)) report(`told, and not in the fold: ${line}`)
  const otherwise = differing(folded.events, drill.storedEvents(), report)
  return {
    figures: {
      informs_acknowledged: sent.filter(({ answeredMs }) => answeredMs !== null).length,
      informs_sent_again: sent.reduce((sum, { sent: datagrams }) => sum + datagrams - 1, 0),
      acknowledged_lost: lost.length,
      duplicated: duplicated.length,
      events_told: told.length,
      events_told_and_lost: taken.length,
      events_stored: drill.storedEvents().length,
      decisions_differing: otherwise + proof.marks - proof.equal,
      marks_equal: proof.equal,
      inputs_folded: folded.inputs,
      twin_rebuilds: drill.logged(/twin stopped and is rebuilt|JournalGap|has a gap/),
      ...spread("engine_kill_to_healthy", recoveries.engine, ({ backMs }) => backMs),
      ...spread("engine_kill_to_answer", recoveries.engine, ({ answeredMs }) => answeredMs),
      ...spread("postgres_kill_to_answer", recoveries.postgres, ({ answeredMs }) => answeredMs),
      ...spread("postgres_kill_to_database", recoveries.postgres, ({ backMs }) => backMs),
    },
    outcome: { lost: lost.length, duplicated: duplicated.length, otherwise },
  }
}

const countsByInform = (events: readonly string[]): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const line of events) {
    const name = /inform\d+/.exec(line)?.[0]
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return counts
}

const spread = (name: string, all: readonly Recovery[], read: (one: Recovery) => number): Record<string, number> => {
  const ms = all.map(read)
  return {
    [`${name}_p50_ms`]: round(quantile(ms, 0.5), 0),
    [`${name}_p95_ms`]: round(quantile(ms, 0.95), 0),
    [`${name}_max_ms`]: round(quantile(ms, 1), 0),
  }
}
