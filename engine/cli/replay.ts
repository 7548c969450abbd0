/** `heliograph replay`: a kept stretch of a tenant's past, folded anew; proven equal to what was live, or compared. */
import { setTimeout as sleep } from "node:timers/promises"
import * as Effect from "effect/Effect"
import { failed, settingsOf } from "#engine/cli/command.ts"
import type { Command, CommandIo } from "#engine/cli/command.ts"
import type { Fork, OtherwiseFiles } from "#engine/cli/replay-compare.ts"
import { lineOf } from "#engine/cli/replay-words.ts"
import { WrongFile } from "#engine/cli/named-file.ts"
import type { Config } from "#engine/config.ts"
import { diceOf } from "#engine/dice.ts"
import type { ReplaySource } from "#engine/replay/source.ts"
import type { Verified } from "#engine/replay/verify.ts"
import type { EventView } from "#protocol/view.ts"

const HELP = `usage: heliograph replay --tenant T --from A --to B [options]

Rebuilds the tenant's twin as it was at A and folds the journal to B through the same code that made it live.
  --tenant T        slug; not needed when there is one tenant
  --from A, --to B  a time (2026-11-21T10:00:00Z) or an age (-1h, -30m, -2d); default: the last hour
  --speed X         X times real time, printing events as they come; default: as fast as it goes
  --events          prints every event
  --verify          proves the replayed state at every mark that the live twin left
  --seek N          jumps to N random moments of the stretch and tells how long that takes; then N again, which
                    find the waypoints that the first ones left
  --seed S          of --seek (default 1)
  --topology FILE   an import document: what would have been decided otherwise with that inventory from A on
  --rules FILE      a rule pack (one rule, a list, or what \`rules export --all\` prints) in place of all rules from A on:
                    which alerts and incidents would have begun or ended otherwise, and who would have been told
  --rules-add FILE  the same with these rules beside the tenant's, in place of those of the same id
  --fork-at T       opens that moment as a branch, which hears the journal and --inputs; prints how it differs at --to
  --inputs FILE     of the branch, one JSON object per line: {"at": "+30s", "device": "core1", "kind": "poll",
                    "samples": [["if:ether1", "interface.oper_up", 0]]}; kinds: poll, unreachable, trap, syslog, tick
  --alone           the branch hears --inputs only
  --help            this text

Last line: one JSON object. Exit codes: 0 done and equal, 1 different or impossible, 2 wrong words or settings.`

export const replayCommand: Command = {
  name: "replay",
  summary: "fold a stretch of the past anew, prove it, or compare it",
  help: () => HELP,
  words: [],
  options: {
    tenant: { type: "string" },
    from: { type: "string" },
    to: { type: "string" },
    speed: { type: "string" },
    events: { type: "boolean" },
    verify: { type: "boolean" },
    seek: { type: "string" },
    seed: { type: "string" },
    topology: { type: "string" },
    rules: { type: "string" },
    "rules-add": { type: "string" },
    "fork-at": { type: "string" },
    inputs: { type: "string" },
    alone: { type: "boolean" },
  },
  run: async ({ options }, io) => {
    const nowMs = Date.now()
    const asked = readAsked(options, nowMs)
    if (typeof asked === "string") {
      io.err(`heliograph replay: ${asked}`)
      return 2
    }
    const loaded = settingsOf(io)
    if (loaded === null) return 2
    try {
      return await withSource(loaded.config, asked.tenant, io, (source) => replayed(source, asked, io))
    } catch (cause) {
      const code = failed("replay", cause, io)
      return cause instanceof WrongFile ? 2 : code
    }
  },
}

export interface Asked {
  readonly tenant: string | null
  readonly fromMs: number
  readonly toMs: number
  readonly speed: number | null
  readonly events: boolean
  readonly verify: boolean
  readonly seek: number
  readonly seed: number
  /** Null = it was as it was. */
  readonly otherwise: OtherwiseFiles | null
  readonly fork: Fork | null
}

const readAsked = (options: Readonly<Record<string, string | boolean | undefined>>, nowMs: number): Asked | string => {
  const text = (name: string): string | null => (typeof options[name] === "string" ? options[name] : null)
  const fromMs = readTime(text("from") ?? "-1h", nowMs)
  const toMs = readTime(text("to") ?? "-0s", nowMs)
  if (fromMs === null || toMs === null)
    return "--from and --to take a time like 2026-11-21T10:00:00Z or an age like -1h"
  if (fromMs >= toMs) return "--from must be before --to"
  const fork = readFork(text("fork-at"), text("inputs"), options["alone"] === true, nowMs)
  if (typeof fork === "string") return fork
  if (fork !== null && fork.atMs >= toMs) return "--fork-at must be before --to"
  if (text("rules") !== null && text("rules-add") !== null)
    return "--rules replaces all rules: --rules-add has no place"
  const rules = text("rules") ?? text("rules-add")
  const otherwise: OtherwiseFiles | null =
    rules === null && text("topology") === null
      ? null
      : { topology: text("topology"), rules, rulesJoin: text("rules-add") !== null }
  if (otherwise !== null && fork !== null) return "a branch has the past's topology and rules: ask for one of the two"
  const numbers = { speed: 0, seek: 0, seed: 1 }
  for (const name of ["speed", "seek", "seed"] as const) {
    const number = text(name) === null ? numbers[name] : Number(text(name))
    if (!(number >= 0 && number <= 1e6)) return `--${name} takes a number from 0 to 1000000`
    numbers[name] = number
  }
  return {
    tenant: text("tenant"),
    fromMs,
    toMs,
    speed: numbers.speed === 0 ? null : numbers.speed,
    events: options["events"] === true || numbers.speed > 0,
    verify: options["verify"] === true,
    seek: Math.floor(numbers.seek),
    seed: Math.floor(numbers.seed),
    otherwise,
    fork,
  }
}

/** Null = no branch is wished. */
const readFork = (at: string | null, file: string | null, alone: boolean, nowMs: number): Asked["fork"] | string => {
  if (at === null && file === null && !alone) return null
  if (at === null || file === null) return "a branch needs --fork-at and --inputs"
  const atMs = readTime(at, nowMs)
  return atMs === null ? "--fork-at takes a time like 2026-11-21T10:00:00Z or an age like -1h" : { atMs, file, alone }
}

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Null when it is neither a time nor an age. */
export const readTime = (text: string, nowMs: number): number | null => {
  const age = /^-(\d{1,9})([smhd])$/.exec(text)
  if (age !== null) return nowMs - Number(age[1]) * UNITS[age[2] as keyof typeof UNITS]
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(time) ? null : time
}

const withSource = async <A>(
  config: Config,
  slug: string | null,
  io: CommandIo,
  use: (source: ReplaySource) => Promise<A>,
): Promise<A> => {
  const { openToolStorage } = await import("#engine/cli/storage.ts")
  const { listTenants } = await import("#engine/storage/tenants.ts")
  const { storedSource } = await import("#engine/replay/source.ts")
  const program = Effect.gen(function* () {
    const { db } = yield* openToolStorage(config, (line) => io.err(line))
    const tenants = yield* listTenants(db)
    const tenant = slug === null && tenants.length === 1 ? tenants[0] : tenants.find((one) => one.slug === slug)
    if (tenant === undefined)
      return yield* Effect.fail(
        new Error(`--tenant must be one of ${tenants.map((one) => one.slug).join(", ") || "none: there is no tenant"}`),
      )
    return yield* Effect.tryPromise({ try: () => use(storedSource(db, tenant.id)), catch: (cause) => cause })
  })
  return Effect.runPromise(Effect.scoped(program))
}

/** What `heliograph replay` prints of a past; the exit code. */
export const replayed = async (source: ReplaySource, asked: Asked, io: CommandIo): Promise<number> => {
  if (asked.otherwise !== null || asked.fork !== null) {
    const { compared, forked } = await import("#engine/cli/replay-compare.ts")
    if (asked.otherwise !== null) return compared(source, asked, asked.otherwise, io)
    if (asked.fork !== null) return forked(source, asked.toMs, asked.fork, io)
  }
  const { openReplay } = await import("#engine/replay/replay.ts")
  const { verifyTo } = await import("#engine/replay/verify.ts")
  const seeks = await seek(source, asked)
  const startedMs = performance.now()
  const replay = await openReplay(source, asked.fromMs)
  try {
    const lead = asked.verify ? 0 : await replay.runTo({ atMs: asked.fromMs })
    const leadMs = performance.now() - startedMs
    const pace = paced(asked, io)
    const done = asked.verify
      ? await verifyTo(source, replay, asked.toMs)
      : {
          inputs: await replay.runTo({ atMs: asked.toMs }, (result) => pace(result.atMs, result.events)),
          instants: 0,
          incomparable: 0,
          comparableMs: null,
          stateHash: (await replay.hash()).all,
        }
    const wallMs = performance.now() - startedMs - (asked.verify ? 0 : leadMs)
    const summary = {
      case: "replay",
      from: new Date(asked.fromMs).toISOString(),
      to: new Date(asked.toMs).toISOString(),
      checkpointSeq: replay.startSeq,
      leadInputs: lead,
      inputs: done.inputs,
      instants: done.instants,
      equal: done.instants,
      incomparable: done.incomparable,
      ...seeks,
      speed: Math.round((asked.toMs - asked.fromMs) / Math.max(1, wallMs)),
      stateHash: done.stateHash,
    }
    if (asked.verify) io.out(`${done.instants} of ${done.instants} marks equal over ${done.inputs} inputs`)
    if (done.incomparable > 0) io.out(foreignWords(done))
    io.out(JSON.stringify(summary))
    return 0
  } finally {
    await replay.close()
  }
}

/** Nothing is wrong: another build may decide otherwise. */
const foreignWords = ({ incomparable, comparableMs }: Verified): string => {
  const which = `${incomparable} marks cannot be compared: another build of the twin left them, or the state before them`
  if (comparableMs === null) return `${which}; this build has left none yet`
  return `${which}; what this build was can be proven with --from ${new Date(comparableMs).toISOString()}`
}

/** Prints events, and waits as long as they were apart. */
const paced = (asked: Asked, io: CommandIo) => {
  const beganMs = performance.now()
  return async (atMs: number, events: readonly EventView[]): Promise<void> => {
    // The first input after `from` brings what time alone had made due before it: that is not asked for.
    if (asked.events) for (const event of events) if (event.atMs >= asked.fromMs) io.out(lineOf(event))
    if (asked.speed === null) return
    const dueMs = beganMs + (atMs - asked.fromMs) / asked.speed
    if (dueMs > performance.now()) await sleep(dueMs - performance.now())
  }
}

const seek = async (source: ReplaySource, { seek: count, seed, fromMs, toMs }: Asked) => {
  if (count === 0) return {}
  const { measureSeeks } = await import("#engine/replay/seeks.ts")
  const monotonicMs = (): number => performance.now()
  const { cold, warm, inputsMax } = await measureSeeks(source, { fromMs, toMs, count, dice: diceOf(seed), monotonicMs })
  return {
    seeks: count,
    seekMsP50: cold.p50Ms,
    seekMsP95: cold.p95Ms,
    seekMsMax: cold.maxMs,
    seekInputsMax: inputsMax,
    seekWarmMsP50: warm.p50Ms,
    seekWarmMsP95: warm.p95Ms,
    seekWarmMsMax: warm.maxMs,
  }
}
