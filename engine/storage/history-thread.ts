/**
 * Charts are read in a thread of their own: a report over a year unpacks a hundred thousand samples, and the thread that
 * polls devices and answers screens must not wait for that (PRODUCT.md W15). It starts with the first read, is let go when
 * nobody reads for a while, and a crash ends the reads that it had, no more.
 */
import { Worker } from "node:worker_threads"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { errorLine } from "#engine/actors/dead-letters.ts"
import { DbError } from "#engine/storage/db.ts"
import type { HistoryQuery, HistorySeries, WindowInMemory } from "#engine/storage/history-read.ts"
import type { PackedParts } from "#engine/storage/packed-window.ts"
import type { TenantId } from "#protocol/id.ts"
import type { Source } from "#protocol/view.ts"

export interface HistoryThread {
  /** Null = no such device, or not a metric. Rejects with DbError. */
  readonly read: (read: ThreadRead) => Promise<HistorySeries | null>
}

export interface ThreadRead {
  /** Of the database that the tenant lives in; null = it is away. Holds a password: it is never logged. */
  readonly appUrl: string | null
  readonly tenant: TenantId
  readonly windows: readonly WindowInMemory[]
  readonly query: HistoryQuery
}

export interface ToThread {
  readonly id: number
  readonly appUrl: string
  readonly tenant: TenantId
  readonly windows: ReadonlyArray<{ readonly source: Source; readonly parts: PackedParts }>
  readonly query: HistoryQuery
}

export type FromThread =
  | { readonly id: number; readonly series: HistorySeries | null }
  | { readonly id: number; readonly code: string; readonly problem: string }

export interface ThreadLimits {
  /** Reads at once; one more is refused. */
  readonly readsMax: number
  /** One read; then the thread is taken for stuck and ended. */
  readonly readMsMax: number
  /** Without a read, until the thread's memory is given back. */
  readonly idleMs: number
  readonly heapMb: number
}

export const THREAD_LIMITS: ThreadLimits = { readsMax: 64, readMsMax: 60_000, idleMs: 120_000, heapMb: 512 }

interface Waiting {
  readonly settle: (series: HistorySeries | null) => void
  readonly refuse: (error: DbError) => void
  readonly timer: NodeJS.Timeout
}

const WORKER = new URL("history-worker.ts", import.meta.url)

/** Ends with the scope. */
export const openHistoryThread = (
  limits: ThreadLimits = THREAD_LIMITS,
  worker: URL = WORKER,
): Effect.Effect<HistoryThread, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => new ReadThread(limits, worker)),
      (thread) => Effect.sync(() => thread.end("the engine stops")),
    ),
    (thread) => ({ read: (read) => thread.read(read) }),
  )

class ReadThread {
  readonly #limits: ThreadLimits
  readonly #url: URL
  #worker: Worker | null = null
  #last = 0
  readonly #waiting = new Map<number, Waiting>()
  #idle: NodeJS.Timeout | null = null

  constructor(limits: ThreadLimits, url: URL) {
    this.#limits = limits
    this.#url = url
  }

  read({ appUrl, tenant, windows, query }: ThreadRead): Promise<HistorySeries | null> {
    if (appUrl === null) return Promise.reject(away("the tenant's database is away"))
    if (this.#waiting.size >= this.#limits.readsMax)
      return Promise.reject(away(`${this.#waiting.size} charts are being read already; ask again`))
    const worker = (this.#worker ??= this.#start())
    if (this.#idle !== null) clearTimeout(this.#idle)
    const id = ++this.#last
    return new Promise((settle, refuse) => {
      const timer = setTimeout(
        () => this.end(`a chart took more than ${this.#limits.readMsMax / 1_000} s`),
        this.#limits.readMsMax,
      )
      this.#waiting.set(id, { settle, refuse, timer })
      const packed = windows.map(({ source, window }) => ({ source, parts: window.parts() }))
      worker.postMessage({ id, appUrl, tenant, windows: packed, query } satisfies ToThread, [])
    })
  }

  /** What still waits is refused with these words. */
  end(why: string): void {
    const worker = this.#worker
    this.#worker = null
    if (this.#idle !== null) clearTimeout(this.#idle)
    void worker?.terminate()
    for (const { refuse, timer } of this.#waiting.values()) {
      clearTimeout(timer)
      refuse(away(why))
    }
    this.#waiting.clear()
  }

  #start(): Worker {
    const worker = new Worker(this.#url, {
      name: "heliograph charts",
      resourceLimits: { maxOldGenerationSizeMb: this.#limits.heapMb, maxYoungGenerationSizeMb: 32 },
      // The engine's settings hold secrets that this thread has no use for.
      env: {},
    })
    worker.on("message", (message: FromThread) => this.#answered(message))
    let why = "the thread that reads charts ended by itself"
    worker.on("error", (error) => (why = `the thread that reads charts ended by a defect: ${errorLine(error)}`))
    worker.once("exit", () => {
      if (this.#worker === worker) this.end(why)
    })
    return worker
  }

  #answered(message: FromThread): void {
    const waiting = this.#waiting.get(message.id)
    if (waiting === undefined) return
    this.#waiting.delete(message.id)
    clearTimeout(waiting.timer)
    if ("series" in message) waiting.settle(message.series)
    else waiting.refuse(new DbError({ code: message.code, message: message.problem }))
    if (this.#waiting.size > 0) return
    this.#idle = setTimeout(() => this.end("nobody reads"), this.#limits.idleMs)
    this.#idle.unref()
  }
}

const away = (message: string): DbError => new DbError({ code: "AWAY", message })
