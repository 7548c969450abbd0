/** `heliograph replay`: a kept stretch of a tenant's past, folded anew; proven equal to what was live, or compared. */
import { readFileSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import * as Effect from "effect/Effect"
import { failed, settingsOf } from "#engine/cli/command.ts"
import type { Command, CommandIo } from "#engine/cli/command.ts"
import type { Config } from "#engine/config.ts"
import { diceOf } from "#engine/dice.ts"
import type { ReplaySource } from "#engine/replay/source.ts"
import type { Verified } from "#engine/replay/verify.ts"
import type { Status } from "#protocol/status.ts"
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
  --topology FILE   an import document: which events would have been others with that inventory
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
      return failed("replay", cause, io)
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
  readonly topology: string | null
  readonly fork: { readonly atMs: number; readonly file: string; readonly alone: boolean } | null
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
    topology: text("topology"),
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
  if (asked.topology !== null) return compared(source, asked, asked.topology, io)
  if (asked.fork !== null) return forked(source, asked, asked.fork, io)
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

/** Subjects are ids; names are device text, which a terminal must not interpret, so they are printed as JSON. */
const lineOf = ({ atMs, type, severity, subject, entity, old, new: now }: EventView): string =>
  `${new Date(atMs).toISOString()}  ${severity.padEnd(13)} ${type}  ${subject} ${JSON.stringify(entity)} ${JSON.stringify(old)} -> ${JSON.stringify(now)}`

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

const compared = async (source: ReplaySource, asked: Asked, file: string, io: CommandIo): Promise<number> => {
  const { parseImport, formatImportErrors } = await import("#engine/import/parse.ts")
  const { openReplay } = await import("#engine/replay/replay.ts")
  const { compareDecisions, inventoryOf } = await import("#engine/replay/counterfactual.ts")
  const parsed = parseImport(readFileSync(file))
  if (!parsed.ok) {
    for (const line of formatImportErrors(file, parsed)) io.err(line)
    return 2
  }
  const replay = await openReplay(source, asked.fromMs)
  try {
    await replay.runTo({ atMs: asked.fromMs })
    const inventory = inventoryOf(parsed.document, replay.world.topology.inventory)
    const decisions = await compareDecisions(replay, inventory, asked.toMs)
    for (const event of decisions.onlyBefore) io.out(`- ${lineOf(event)}`)
    for (const event of decisions.onlyNow) io.out(`+ ${lineOf(event)}`)
    io.out(
      JSON.stringify({
        case: "replay-compare",
        from: new Date(asked.fromMs).toISOString(),
        to: new Date(asked.toMs).toISOString(),
        inputs: decisions.inputs,
        same: decisions.same,
        onlyBefore: decisions.onlyBefore.length,
        onlyNow: decisions.onlyNow.length,
      }),
    )
    return 0
  } finally {
    await replay.close()
  }
}

const forked = async (source: ReplaySource, asked: Asked, fork: NonNullable<Asked["fork"]>, io: CommandIo) => {
  const { openReplay } = await import("#engine/replay/replay.ts")
  const { compareBranch } = await import("#engine/replay/branch.ts")
  const { readForkInputs } = await import("#engine/replay/fork-inputs.ts")
  const text = readFileSync(fork.file, "utf8")
  const replay = await openReplay(source, fork.atMs)
  try {
    await replay.runTo({ atMs: fork.atMs })
    const own = readForkInputs(text, replay.world.topology.inventory, fork.atMs)
    const found = await compareBranch(replay, own, asked.toMs, fork.alone)
    for (const event of found.onlyBefore) io.out(`- ${lineOf(event)}`)
    for (const event of found.onlyNow) io.out(`+ ${lineOf(event)}`)
    for (const { kind, name, before, now } of found.otherwise)
      io.out(`~ ${kind} ${JSON.stringify(name)}: ${statusWords(before)} -> ${statusWords(now)}`)
    io.out(
      JSON.stringify({
        case: "replay-fork",
        at: new Date(fork.atMs).toISOString(),
        to: new Date(asked.toMs).toISOString(),
        inputs: found.inputs,
        own: own.filter(({ atMs }) => atMs <= asked.toMs).length,
        same: found.same,
        onlyBefore: found.onlyBefore.length,
        onlyNow: found.onlyNow.length,
        otherwise: found.otherwise.length,
        stateHash: found.stateHash,
        branchHash: found.branchHash,
      }),
    )
    return 0
  } finally {
    await replay.close()
  }
}

const statusWords = ({ health, severity, stale }: Status): string => `${health} ${severity}${stale ? " stale" : ""}`
