/**
 * One replay as the engine holds it: a worker thread, what it last said, and the viewers that look at it. The thread has
 * its own heap with a limit and its own database connections; whatever goes wrong in it ends this replay, with words.
 *
 *   opening --opened--> open --close/idle--> ended
 *   opening --impossible--> refused      any --crash--> failed
 */
import { Worker } from "node:worker_threads"
import * as Data from "effect/Data"
import { errorLine } from "#engine/actors/dead-letters.ts"
import { makeRemoteViewers, type RemoteViewers } from "#engine/replay/remote-hub.ts"
import type {
  BranchAnswers,
  BranchAsk,
  FromWorker,
  Standing,
  Steer,
  ToWorker,
  WorkerStart,
} from "#engine/replay/session-messages.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"

/** What was asked of a replay cannot be done; the words are for whoever asked. */
export class ReplayRefused extends Data.TaggedError("ReplayRefused")<{ readonly message: string }> {}

export interface SessionLimits {
  /** The thread's old space: a twin of 10,000 routers needs about half of it. */
  readonly heapMb: number
  /** From the thread's start to the first moment, checkpoint and journal included. */
  readonly openMsMax: number
  /** Until one command is done. */
  readonly steerMsMax: number
}

export const SESSION_LIMITS: SessionLimits = { heapMb: 1_024, openMsMax: 45_000, steerMsMax: 45_000 }

/** An orderly end takes a moment; after this the thread is stopped. */
const CLOSE_MS_MAX = 2_000
const WORKER = new URL("worker.ts", import.meta.url)

export interface Session {
  readonly standing: () => Standing
  readonly viewers: RemoteViewers
  /** Rejects with ReplayRefused. */
  readonly steer: (steer: Steer) => Promise<void>
  /** Of its branch. Rejects with ReplayRefused. */
  readonly ask: <K extends BranchAsk["kind"]>(ask: Extract<BranchAsk, { kind: K }>) => Promise<BranchAnswers[K]>
  readonly close: () => void
}

export interface SessionOptions {
  readonly start: WorkerStart
  readonly limits: SessionLimits
  /** The thread is gone. `why` = in words, when nobody asked for it; null = it was closed. Called once. */
  readonly ended: (why: string | null) => void
  /** Tests plant other threads. */
  readonly worker?: URL
}

type Done = Extract<FromWorker, { kind: "done" }>

/** Resolves when it stands at its first moment. Rejects with ReplayRefused. */
export const openReplaySession = (options: SessionOptions): Promise<Session> =>
  new Promise((opened, refused) => {
    const { start, limits } = options
    const worker = new Worker(options.worker ?? WORKER, {
      workerData: start,
      name: "heliograph replay",
      resourceLimits: { maxOldGenerationSizeMb: limits.heapMb, maxYoungGenerationSizeMb: 64 },
      // The engine's settings hold secrets that this thread has no use for.
      env: {},
    })
    const tell = (message: ToWorker): void => worker.postMessage(message, [])
    const asked = new Map<number, (message: Done | null) => void>()
    let last = 0
    let now: Standing | null = null
    let closing = false
    /** Why it ends; the first that is known. */
    let why: string | null = null
    const standing = (): Standing => now ?? notYet(start)
    const viewers = makeRemoteViewers({ twin: faceOf(start, standing), tell, monotonicMs: () => performance.now() })
    const lateOpening = setTimeout(() => {
      why ??= `the moment was not there after ${limits.openMsMax / 1_000} s; ask for one nearer to a checkpoint`
      void worker.terminate()
    }, limits.openMsMax)

    const done = async (message: (id: number) => ToWorker): Promise<Done> => {
      const id = ++last
      const answer = await new Promise<Done | null>((settle) => {
        const late = setTimeout(() => settle(null), limits.steerMsMax)
        asked.set(id, (told) => {
          clearTimeout(late)
          settle(told)
        })
        tell(message(id))
      })
      asked.delete(id)
      if (answer === null) throw new ReplayRefused({ message: why ?? "the replay is still at work; ask again" })
      now = answer.standing
      if (answer.problem !== null) throw new ReplayRefused({ message: answer.problem })
      return answer
    }
    const steer = async (wish: Steer): Promise<void> => void (await done((id) => ({ kind: "steer", id, steer: wish })))
    const ask = async <K extends BranchAsk["kind"]>(question: Extract<BranchAsk, { kind: K }>) =>
      (await done((id) => ({ kind: "ask", id, ask: question }))).answer as BranchAnswers[K]
    const close = (): void => {
      if (closing) return
      closing = true
      tell({ kind: "close" })
      setTimeout(() => void worker.terminate(), CLOSE_MS_MAX).unref()
    }

    worker.on("message", (message: FromWorker) => {
      switch (message.kind) {
        case "opened":
          clearTimeout(lateOpening)
          now = message.standing
          return opened({ standing, viewers, steer, ask, close })
        case "standing":
          now = message.standing
          return
        case "done":
          return asked.get(message.id)?.(message)
        case "frame":
          return viewers.frame(message)
        case "impossible":
          why ??= message.problem
      }
    })
    worker.on("error", (error) => (why ??= wordsOf(error, limits)))
    worker.once("exit", () => {
      clearTimeout(lateOpening)
      if (!closing) why ??= "the replay's thread ended by itself"
      viewers.end()
      for (const settle of asked.values()) settle(null)
      options.ended(closing ? null : why)
      // Without effect when it was open.
      refused(new ReplayRefused({ message: why ?? "the replay was closed" }))
    })
  })

const wordsOf = (error: unknown, { heapMb }: SessionLimits): string =>
  error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY"
    ? `the replay needed more than ${heapMb} MB of memory`
    : `the replay ended by a defect: ${errorLine(error)}`

const notYet = ({ fromMs, toMs, speed, epochBase }: WorkerStart): Standing => ({
  atMs: fromMs,
  toMs,
  playing: false,
  speed,
  seq: 0,
  epoch: epochBase,
  problem: null,
  branch: null,
})

/** What the WELCOME says of it; the twin itself is in the thread. */
const faceOf = ({ tenant }: WorkerStart, standing: () => Standing): Pick<LiveTwin, "tenant" | "epoch" | "seq"> => ({
  tenant,
  epoch: () => standing().epoch,
  seq: () => standing().seq,
})
