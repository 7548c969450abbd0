/**
 * The REST side of the engine: the generated client (protocol/rest.ts) over fetch. Every answer is `Answer`: the value, or
 * why there is none, so that a screen must say so. A 401 that is not about a password or a second factor means that the
 * session is over.
 */
import { makeRest } from "#protocol/rest.ts"
import type { AnswerOf, InputOf, OperationId, RestAnswer, RestRequest, RestResponse } from "#protocol/rest.ts"

export interface Failure {
  readonly ok: false
  /** 0 = no answer. */
  readonly status: number
  /** Words of the engine, in English; for the operator when there are no better ones. */
  readonly reason: string
  readonly retryAfterS: number | null
  /** The last word of the problem's type (engine/api/problems.ts); "" = the answer was no problem document. */
  readonly kind: string
  /** The problem's further members. */
  readonly fields: Readonly<Record<string, unknown>>
}
export type Answer<T> = { readonly ok: true; readonly value: T; readonly etag: string | null } | Failure

/** Where the engine serves the base map: its own, or the one that the operator set. */
export const BASEMAP = "/basemap.pmtiles"
export { NO_ANSWER } from "#protocol/rest.ts"
const TIMEOUT_MS = 15_000
/** An import of 50 MiB, an export, a whole hash chain, a dry run, an offboarding, a moment of the past or a what-if takes longer than a question. */
const LONG_TIMEOUT_MS = 120_000
const LONG = /\/(what-if(\/[a-z-]+)?|dry-run|imports|export|verify|offboard|replays(\/[^/?]+)?)(\?|$)/

let signedOut = (): void => {}
/** Called when an answer says that nobody is signed in. */
export const onSignedOut = (run: () => void): void => {
  signedOut = run
}

/** 128 random bits for an idempotency key: a retry of one form keeps its key. `randomUUID` is missing on plain http. */
export const newKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("")

const transport = async (request: RestRequest, given?: AbortSignal): Promise<RestResponse> => {
  const limit = AbortSignal.timeout(LONG.test(request.path) ? LONG_TIMEOUT_MS : TIMEOUT_MS)
  const response = await fetch(request.path, {
    method: request.method,
    credentials: "same-origin",
    headers: { ...request.headers },
    signal: given === undefined ? limit : AbortSignal.any([given, limit]),
    ...(request.body === null ? {} : { body: request.body }),
  })
  return { status: response.status, header: (name) => response.headers.get(name), body: await response.text() }
}
const rest = makeRest((request) => transport(request))

type Arguments<Id extends OperationId> = {} extends InputOf<Id> ? [input?: InputOf<Id>] : [input: InputOf<Id>]
/** Asks the engine; never rejects. */
export const call = async <Id extends OperationId>(id: Id, ...input: Arguments<Id>): Promise<Answer<AnswerOf<Id>>> => {
  const answer = toAnswer(await rest(id, ...input))
  if (!answer.ok && isOver(answer, id)) signedOut()
  return answer
}

/** As `call`, and given up when `signal` says so: then it answers as if there were no network. */
export const callUntil = async <Id extends OperationId>(
  signal: AbortSignal,
  id: Id,
  ...input: Arguments<Id>
): Promise<Answer<AnswerOf<Id>>> => {
  const answer = toAnswer(await makeRest((request) => transport(request, signal))(id, ...input))
  if (!answer.ok && isOver(answer, id)) signedOut()
  return answer
}

export const toAnswer = <T>(answer: RestAnswer<T>): Answer<T> => {
  if (answer.ok) return { ok: true, value: answer.value, etag: answer.etag }
  const { status, problem, retryAfterS } = answer
  const reason = problem.detail ?? problem.title
  const kind = /^urn:heliograph:([a-z-]+)$/.exec(problem.type)?.[1] ?? ""
  return {
    ok: false,
    status,
    reason,
    retryAfterS: retryAfterS ?? secondsOf(problem["retryAfterS"]),
    kind,
    fields: problem,
  }
}
const secondsOf = (value: unknown): number | null => (typeof value === "number" && value > 0 ? value : null)

/** A wrong password on the account screen ends nothing; neither does the sign-in's own refusal. */
const isOver = (failure: Failure, id: OperationId): boolean =>
  failure.status === 401 &&
  !["wrong-credentials", "second-factor-needed"].includes(failure.kind) &&
  !id.startsWith("signIn.")
