/**
 * The engine's side of the thread that reasons (worker.ts): it starts with the first question, gets a moment of the asking
 * tenant's twin in slices that leave room for polls, and is let go when nobody asks for a while. A moment is asked again of
 * the twin only after a time that grows with what it cost, so that questions in a row never take more than a twentieth of
 * the engine's time.
 */
import { Worker } from "node:worker_threads"
import { errorLine } from "#engine/actors/dead-letters.ts"
import { nextTurn, PROCESS_TURNS, type Turns } from "#engine/actors/turns.ts"
import { piecesOf, type TwinMoment } from "#engine/whatif/lean.ts"
import type { AnswerOf, Question } from "#engine/whatif/question.ts"
import type { FromWorker, PastStart, ToWorker } from "#engine/whatif/worker.ts"
import type { TenantId } from "#protocol/id.ts"
import type { Topology } from "#twin/topology.ts"

export interface ReasoningThread {
  /** About now, or a moment of a little before (`freshTimes`). Rejects with QuestionRefused or ThreadAway. */
  readonly ask: <Q extends Question>(
    tenant: TenantId,
    moment: () => TwinMoment | null,
    question: Q,
  ) => Promise<AnswerOf<Q>>
  /** About a moment of the stored past, in a thread of its own. */
  readonly askPast: <Q extends Question>(start: PastStart & { readonly question: Q }) => Promise<AnswerOf<Q>>
  readonly end: () => void
}

/** The question is at fault. */
export class QuestionRefused extends Error {}
/** The thread, or what it needs, is. */
export class ThreadAway extends Error {}

export interface ThreadLimits {
  /** Questions that wait at once, of all tenants; one more is refused. */
  readonly questionsMax: number
  /** One question, moment included; then the thread is taken for stuck and ended. */
  readonly questionMs: number
  readonly idleMs: number
  readonly heapMb: number
  /** Tenants whose moments are held; the one that asked longest ago goes. */
  readonly tenantsMax: number
  readonly pastMax: number
  /** A moment is good for this long at least, and for this many times what it cost. */
  readonly freshMs: number
  readonly freshTimes: number
}

export const REASONING_LIMITS: ThreadLimits = {
  questionsMax: 64,
  questionMs: 120_000,
  idleMs: 300_000,
  heapMb: 2_048,
  tenantsMax: 8,
  pastMax: 2,
  freshMs: 1_000,
  freshTimes: 20,
}

/** What a slice may take of the engine's thread. */
const SLICE_MS = 4

const WORKER = new URL("worker.ts", import.meta.url)

interface Waiting {
  readonly settle: (answer: never) => void
  readonly refuse: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

/** What the thread has of one tenant. */
interface Held {
  topology: Topology
  /** On the monotonic clock. */
  goodUntilMs: number
  isSending: boolean
  sending: Promise<void>
}

export const makeReasoningThread = (
  limits: ThreadLimits = REASONING_LIMITS,
  turns: Turns = PROCESS_TURNS,
  url: URL = WORKER,
): ReasoningThread => new Reasoner(limits, turns, url)

class Reasoner implements ReasoningThread {
  readonly #limits: ThreadLimits
  readonly #turns: Turns
  readonly #url: URL
  #worker: Worker | null = null
  #last = 0
  readonly #waiting = new Map<number, Waiting>()
  /** The one that asked last is last. */
  readonly #held = new Map<TenantId, Held>()
  #idle: NodeJS.Timeout | null = null
  #pasts = 0

  constructor(limits: ThreadLimits, turns: Turns, url: URL) {
    this.#limits = limits
    this.#turns = turns
    this.#url = url
  }

  ask<Q extends Question>(tenant: TenantId, moment: () => TwinMoment | null, question: Q): Promise<AnswerOf<Q>> {
    if (this.#waiting.size >= this.#limits.questionsMax)
      return Promise.reject(new ThreadAway(`${this.#waiting.size} questions wait already; ask again`))
    const id = ++this.#last
    if (this.#idle !== null) clearTimeout(this.#idle)
    return new Promise<AnswerOf<Q>>((settle, refuse) => {
      const late = `a question took more than ${this.#limits.questionMs / 1_000} s`
      const timer = setTimeout(() => this.#end(late), this.#limits.questionMs)
      this.#waiting.set(id, { settle, refuse, timer })
      this.#put(tenant, moment, id, question).catch((error: Error) => this.#done(id)?.refuse(error))
    })
  }

  async #put(tenant: TenantId, moment: () => TwinMoment | null, id: number, question: Question): Promise<void> {
    const worker = (this.#worker ??= this.#start())
    await this.#freshen(worker, tenant, moment)
    // It may have ended while its moment was on the way.
    if (this.#worker !== worker) throw new ThreadAway("the thread that reasons was ended; ask again")
    worker.postMessage({ kind: "question", tenant, id, question } satisfies ToWorker, [])
  }

  async #freshen(worker: Worker, tenant: TenantId, moment: () => TwinMoment | null): Promise<void> {
    const known = this.#held.get(tenant)
    // A moment that is on its way is young enough for whoever asks meanwhile.
    if (known?.isSending === true) return known.sending
    const now = moment()
    if (now === null) throw new ThreadAway("the tenant is being restarted")
    if (known !== undefined && known.topology === now.world.topology && this.#turns.monoMs() < known.goodUntilMs) {
      this.#held.delete(tenant)
      this.#held.set(tenant, known)
      return
    }
    const next: Held = { topology: now.world.topology, goodUntilMs: 0, isSending: true, sending: Promise.resolve() }
    next.sending = this.#send(worker, tenant, now, known?.topology ?? null, next)
    this.#held.delete(tenant)
    this.#held.set(tenant, next)
    this.#dropOldest(worker)
    await next.sending
  }

  async #send(worker: Worker, tenant: TenantId, now: TwinMoment, known: Topology | null, held: Held): Promise<void> {
    const { monoMs } = this.#turns
    let costMs = 0
    let beganMs = monoMs()
    for (const piece of piecesOf(now, known)) {
      if (this.#worker !== worker) return
      worker.postMessage({ kind: "piece", tenant, piece } satisfies ToWorker, [])
      const tookMs = monoMs() - beganMs
      if (tookMs < SLICE_MS) continue
      costMs += tookMs
      await nextTurn(this.#turns)
      beganMs = monoMs()
    }
    costMs += monoMs() - beganMs
    held.isSending = false
    held.goodUntilMs = monoMs() + Math.max(this.#limits.freshMs, costMs * this.#limits.freshTimes)
  }

  #dropOldest(worker: Worker): void {
    for (const tenant of this.#held.keys()) {
      if (this.#held.size <= this.#limits.tenantsMax) return
      this.#held.delete(tenant)
      worker.postMessage({ kind: "forget", tenant } satisfies ToWorker, [])
    }
  }

  async askPast<Q extends Question>(start: PastStart & { readonly question: Q }): Promise<AnswerOf<Q>> {
    if (this.#pasts >= this.#limits.pastMax)
      throw new ThreadAway(`${this.#pasts} questions about the past are being answered already; ask again`)
    this.#pasts++
    const worker = new Worker(this.#url, { workerData: start, ...this.#options("heliograph what-if of the past") })
    try {
      return await new Promise<AnswerOf<Q>>((settle, refuse) => {
        const late = `it was not done after ${this.#limits.questionMs / 1_000} s`
        const timer = setTimeout(() => refuse(new QuestionRefused(late)), this.#limits.questionMs)
        worker.once("message", (message: FromWorker) => {
          if ("answer" in message) settle(message.answer as AnswerOf<Q>)
          else refuse(problemOf(message))
        })
        worker.once("error", (error) => refuse(new ThreadAway(errorLine(error))))
        worker.once("exit", () => {
          clearTimeout(timer)
          refuse(new ThreadAway("the thread ended by itself"))
        })
      })
    } finally {
      this.#pasts--
      void worker.terminate()
    }
  }

  end(): void {
    this.#end("the engine stops")
  }

  /** What still waits is refused with these words. */
  #end(why: string): void {
    const worker = this.#worker
    this.#worker = null
    if (this.#idle !== null) clearTimeout(this.#idle)
    void worker?.terminate()
    this.#held.clear()
    for (const id of this.#waiting.keys()) this.#done(id)?.refuse(new ThreadAway(why))
  }

  #options(name: string) {
    return {
      name,
      resourceLimits: { maxOldGenerationSizeMb: this.#limits.heapMb, maxYoungGenerationSizeMb: 64 },
      // The engine's settings hold secrets that this thread has no use for.
      env: {},
    }
  }

  #start(): Worker {
    const worker = new Worker(this.#url, this.#options("heliograph reasoning"))
    worker.on("message", (message: FromWorker) => {
      const waiting = this.#done(message.id)
      if ("answer" in message) waiting?.settle(message.answer as never)
      else waiting?.refuse(problemOf(message))
    })
    let why = "the thread that reasons ended by itself"
    worker.on("error", (error) => (why = `the thread that reasons ended by a defect: ${errorLine(error)}`))
    worker.once("exit", () => {
      if (this.#worker === worker) this.#end(why)
    })
    worker.unref()
    return worker
  }

  #done(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return undefined
    this.#waiting.delete(id)
    clearTimeout(waiting.timer)
    if (this.#waiting.size === 0) {
      if (this.#idle !== null) clearTimeout(this.#idle)
      this.#idle = setTimeout(() => this.#end("nobody asks"), this.#limits.idleMs)
      this.#idle.unref()
    }
    return waiting
  }
}

const problemOf = ({ refused, problem }: Extract<FromWorker, { problem: string }>): Error =>
  refused ? new QuestionRefused(problem) : new ThreadAway(problem)
