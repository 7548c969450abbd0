/**
 * The engine as a process: settings in, progress out, one clear address, and an orderly end. Used by
 * `heliograph start` (production) and by `npm start` (lab/demo.ts), which adds an emulated ISP from outside.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { easeGarbage } from "#engine/garbage.ts"
import { assemble, type Engine } from "#engine/assemble.ts"
import { VERSION } from "#engine/version.ts"
import { keepCompiled } from "#engine/compiled.ts"
import type { Config } from "#engine/config.ts"
import { DEFAULT_TENANT } from "#engine/import/choose-tenant.ts"
import { formatImportErrors, parseImport } from "#engine/import/parse.ts"
import type { ImportReport } from "#engine/import/document.ts"
import { logLayer, makeLog } from "#engine/log.ts"
import type { NewTenant } from "#engine/storage/tenants.ts"

/** What `whenUp` may do with the engine that it was called by. */
export interface Running {
  readonly url: string
  readonly trapPort: number
  readonly syslogPort: number
  readonly progress: (what: string, ms: number | null) => void
  readonly ensureTenant: (tenant: NewTenant) => Promise<void>
  /** An import document as JSON text, checked as `heliograph import --replace` checks it. */
  readonly importText: (tenantSlug: string, text: string) => Promise<ImportReport>
}

export interface Hooks {
  readonly firstTenant: NewTenant
  readonly whenUp: (running: Running) => Promise<void>
  readonly whenDown: () => Promise<void>
}

const NO_HOOKS: Hooks = { firstTenant: DEFAULT_TENANT, whenUp: async () => undefined, whenDown: async () => undefined }
/** A second Ctrl-C ends at once. */
const SIGNALS = ["SIGINT", "SIGTERM"] as const

/** Runs until a signal; resolves with the exit code. */
export const runEngine = async (config: Config, hooks: Hooks = NO_HOOKS): Promise<number> => {
  easeGarbage()
  const startedMs = performance.now()
  const log = makeLog({ level: config.logLevel, format: config.logFormat, write: (line) => process.stderr.write(line) })
  const progress = (what: string, ms: number | null): void =>
    config.logFormat === "json"
      ? log.info(what, ms === null ? {} : { ms: Math.round(ms) })
      : console.log(progressLine(what, ms))
  progress(`Heliograph ${VERSION}, node ${process.version}`, null)

  const scope = Scope.makeUnsafe()
  const ended = nextSignal()
  const up = assemble({ config, log, firstTenant: hooks.firstTenant, progress }).pipe(Effect.provide(logLayer(log)))
  const exit = await Effect.runPromiseExit(
    Effect.raceFirst(up.pipe(Scope.provide(scope)), Effect.promise(() => ended).pipe(Effect.as(null))),
  )
  if (Exit.isFailure(exit)) {
    console.error(`cannot start: ${reason(exit.cause)}`)
    await Effect.runPromise(Scope.close(scope, Exit.void))
    return 1
  }
  let code = 0
  if (exit.value !== null) code = await live(exit.value, { config, hooks, progress, startedMs, ended })
  await hooks.whenDown()
  await Effect.runPromise(Scope.close(scope, Exit.void))
  progress("stopped; everything is saved", null)
  return code
}

interface Life {
  readonly config: Config
  readonly hooks: Hooks
  readonly progress: Running["progress"]
  readonly startedMs: number
  readonly ended: Promise<NodeJS.Signals>
}

const live = async (engine: Engine, { config, hooks, progress, startedMs, ended }: Life): Promise<number> => {
  const running: Running = {
    url: engine.url,
    trapPort: engine.trapPort,
    syslogPort: engine.syslogPort,
    progress,
    ensureTenant: async (tenant) => void (await Effect.runPromise(engine.ensureTenant(tenant))),
    importText: (slug, text) => importText(engine, slug, text),
  }
  try {
    await Promise.race([hooks.whenUp(running), ended])
  } catch (cause) {
    console.error(`cannot start: ${cause instanceof Error ? cause.message : String(cause)}`)
    return 1
  }
  announce(engine, config, performance.now() - startedMs)
  keepCompiled()
  const signal = await ended
  console.log(`\n${signal}: stopping`)
  return 0
}

const importText = async (engine: Engine, slug: string, text: string): Promise<ImportReport> => {
  const parsed = parseImport(text)
  if (!parsed.ok) throw new Error(formatImportErrors("import document", parsed).join("\n"))
  return Effect.runPromise(engine.importer.apply(slug, parsed.document, { dryRun: false, replace: true }))
}

const announce = (engine: Engine, config: Config, ms: number): void => {
  const lines = [`ready in ${(ms / 1000).toFixed(1)} s`, "", `  Open  ${engine.url}`, `  User  ${config.adminUser}`]
  if (engine.newPassword !== null) {
    lines.push(`  Password  ${engine.newPassword}   (shown this once; it is stored only as a hash)`)
  }
  console.log([...lines, "", "Ctrl-C stops."].join("\n"))
}

const progressLine = (what: string, ms: number | null): string =>
  `  ${what}${ms === null ? "" : `  (${ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`})`}`

const nextSignal = (): Promise<NodeJS.Signals> =>
  new Promise((settle) => {
    for (const signal of SIGNALS) {
      process.once(signal, () => {
        process.once(signal, () => {
          process.stderr.write(`${signal} again: ending at once\n`)
          process.exit(130)
        })
        settle(signal)
      })
    }
  })

/** The first failure in words; a defect with its stack, because nobody expected it. */
const reason = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  if (!(error instanceof Error)) return String(error)
  if (!cause.reasons.some(Cause.isFailReason)) return error.stack ?? error.message
  const { _tag, detail } = error as { readonly _tag?: unknown; readonly detail?: unknown }
  return error.message || (typeof detail === "string" ? detail : "") || String(_tag ?? error.name)
}
