/**
 * Dry runs by REST: one of a tenant at a time and a few of the engine, each in a thread of its own with a limit of memory
 * and of time, so that trying rules out never slows the judgement of the network.
 */
import { Worker } from "node:worker_threads"
import * as Effect from "effect/Effect"
import { errorLine } from "#engine/actors/dead-letters.ts"
import { Unavailable } from "#engine/api/ports.ts"
import { Refused } from "#engine/api/problems.ts"
import type { DryRun, DryRunRequest } from "#engine/rules/dry-run.ts"
import type { DryRunAnswer, DryRunStart } from "#engine/rules/dry-run-worker.ts"
import type { TenantInfo } from "#engine/tenant/live-twin.ts"
import type { TenantId } from "#protocol/id.ts"

export interface DryRuns {
  readonly run: (tenant: TenantInfo, request: DryRunRequest) => Effect.Effect<DryRun, Refused | Unavailable>
}

export interface DryRunsOptions {
  /** Of the database that has the tenant's rows; null = it is away. Holds a password. */
  readonly appUrl: (slug: string) => string | null
  /** Default DEADLINE_MS. */
  readonly deadlineMs?: number
  /** Tests plant other threads. */
  readonly worker?: URL
}

/** Threads of all tenants together. */
export const DRY_RUNS_MAX = 4
/** Half of what a browser or a proxy usually waits for an answer. */
export const DEADLINE_MS = 60_000
/** Longest stretch of one dry run. */
export const STRETCH_MAX_MS = 7 * 86_400_000
const HEAP_MB = 1_024
const WORKER = new URL("dry-run-worker.ts", import.meta.url)

export const makeDryRuns = (options: DryRunsOptions): DryRuns => {
  const running = new Set<TenantId>()
  const refused = (detail: string) => Effect.fail(new Refused({ detail }))
  return {
    run: ({ id, slug }, request) =>
      Effect.suspend((): Effect.Effect<DryRun, Refused | Unavailable> => {
        if (request.toMs <= request.fromMs) return refused("`toMs` must be after `fromMs`")
        if (request.toMs - request.fromMs > STRETCH_MAX_MS) return refused("a dry run looks at a week at most")
        if (running.has(id)) return refused("a dry run of this tenant is under way: wait for its end")
        if (running.size >= DRY_RUNS_MAX)
          return Effect.fail(new Unavailable({ detail: `${DRY_RUNS_MAX} dry runs are under way in this engine` }))
        const appUrl = options.appUrl(slug)
        if (appUrl === null) return Effect.fail(new Unavailable({ detail: "the tenant's database is away" }))
        running.add(id)
        return threaded({ ...request, appUrl, tenant: id }, options).pipe(
          Effect.ensuring(Effect.sync(() => running.delete(id))),
        )
      }),
  }
}

/** Whoever goes away ends the thread. */
const threaded = (start: DryRunStart, { deadlineMs = DEADLINE_MS, worker: url = WORKER }: DryRunsOptions) =>
  Effect.callback<DryRun, Refused>((resume) => {
    const worker = new Worker(url, {
      workerData: start,
      name: "heliograph dry run",
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, maxYoungGenerationSizeMb: 64 },
      // The engine's settings hold secrets that this thread has no use for.
      env: {},
    })
    const end = (result: Effect.Effect<DryRun, Refused>): void => {
      clearTimeout(late)
      resume(result)
      void worker.terminate()
    }
    const refuse = (detail: string): void => end(Effect.fail(new Refused({ detail })))
    const late = setTimeout(
      () => refuse(`it was not done after ${deadlineMs / 1_000} s: ask for a shorter stretch`),
      deadlineMs,
    )
    worker.once("message", (answer: DryRunAnswer) =>
      answer.ok ? end(Effect.succeed(answer.run)) : refuse(answer.problem),
    )
    worker.once("error", (error) => refuse(wordsOf(error)))
    worker.once("exit", () => refuse("the dry run's thread ended by itself"))
    return Effect.promise(async () => {
      clearTimeout(late)
      await worker.terminate()
    })
  })

const wordsOf = (error: unknown): string =>
  error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY"
    ? `the dry run needed more than ${HEAP_MB} MB of memory`
    : `the dry run ended by a defect: ${errorLine(error)}`
