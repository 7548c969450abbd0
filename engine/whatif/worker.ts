/**
 * The thread that reasons: it holds one moment of each tenant that asked lately and answers about it; or, started with a
 * moment of the past, folds that tenant's journal up to there by a read-only door of its own. A tenant's answers are made of
 * its own moment only; a defect in here ends the questions that wait, no more.
 */
import { parentPort, workerData } from "node:worker_threads"
import * as Effect from "effect/Effect"
import { errorLine } from "#engine/actors/dead-letters.ts"
import { inWords } from "#engine/replay/in-words.ts"
import { openReplay, ReplayImpossible } from "#engine/replay/replay.ts"
import { storedSource } from "#engine/replay/source.ts"
import { openDb } from "#engine/storage/db.ts"
import { readOnlyUrl } from "#engine/storage/read-only-url.ts"
import { answer } from "#engine/whatif/answer.ts"
import { Assembly, type Piece } from "#engine/whatif/lean.ts"
import { Impossible, type Answers, type Question } from "#engine/whatif/question.ts"
import { Seen } from "#engine/whatif/seen.ts"
import type { TenantId } from "#protocol/id.ts"

export type ToWorker =
  | { readonly kind: "piece"; readonly tenant: TenantId; readonly piece: Piece }
  | { readonly kind: "question"; readonly tenant: TenantId; readonly id: number; readonly question: Question }
  | { readonly kind: "forget"; readonly tenant: TenantId }

export type FromWorker =
  | { readonly id: number; readonly answer: Answers[Question["kind"]] }
  /** `refused` = the question is at fault, in words for who asked. */
  | { readonly id: number; readonly refused: boolean; readonly problem: string }

/** `appUrl` holds a password: it is never logged and never answered. */
export interface PastStart {
  readonly appUrl: string
  readonly tenant: TenantId
  readonly atMs: number
  readonly question: Question
}

const live = (say: (message: FromWorker) => void): ((message: ToWorker) => void) => {
  const tenants = new Map<TenantId, { readonly assembly: Assembly; seen: Seen | null }>()
  return (message) => {
    if (message.kind === "forget") return void tenants.delete(message.tenant)
    const known = tenants.get(message.tenant) ?? { assembly: new Assembly(), seen: null }
    tenants.set(message.tenant, known)
    if (message.kind === "piece") {
      const moment = known.assembly.take(message.piece)
      if (moment !== null) known.seen = new Seen(moment.world, moment.cells)
      return
    }
    say(answered(message.id, known.seen, message.question))
  }
}

const answered = (id: number, seen: Seen | null, question: Question): FromWorker => {
  if (seen === null) return { id, refused: false, problem: "the thread has no moment of this tenant" }
  try {
    return { id, answer: answer(seen, question) }
  } catch (error) {
    return { id, refused: error instanceof Impossible, problem: errorLine(error) }
  }
}

/** There is no engine role in here: whatever would ask for it is the app role, which sees one tenant. */
const past = async ({ appUrl, tenant, atMs, question }: PastStart): Promise<FromWorker> => {
  const url = readOnlyUrl(appUrl)
  const connections = { tenantConnections: 2, ingestConnections: 1, engineConnections: 1 }
  const program = Effect.gen(function* () {
    const db = yield* openDb({ appUrl: url, engineUrl: url, ...connections })
    return yield* Effect.promise(async (): Promise<FromWorker> => {
      try {
        const replay = await openReplay(storedSource(db, tenant), atMs)
        await replay.runTo({ atMs })
        if (replay.world.seq === 0) throw new Impossible("nothing is kept of that time")
        return answered(0, new Seen(replay.world, replay.cells), question)
      } catch (error) {
        return {
          id: 0,
          refused: error instanceof Impossible || error instanceof ReplayImpossible,
          problem: inWords(error),
        }
      }
    })
  })
  return Effect.runPromise(Effect.scoped(program))
}

const port = parentPort
if (port === null) throw new Error("engine/whatif/worker.ts runs as a worker of the engine only")
const say = (message: FromWorker): void => port.postMessage(message, [])
if (workerData === null || workerData === undefined) port.on("message", live(say))
else {
  say(await past(workerData as PastStart))
  port.close()
}
