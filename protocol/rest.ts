/**
 * A typed client of the REST API: one call per operation, typed by what openapi.json says (rest-generated.ts). How a
 * request travels is the caller's (fetch in a browser, node:http in the command line), because this folder knows neither.
 */
import { OPERATIONS } from "#protocol/rest-generated.ts"
import type { Operations } from "#protocol/rest-generated.ts"

export type OperationId = keyof Operations
export type InputOf<Id extends OperationId> = Operations[Id]["input"]
/** The body of the good answer; null where there is none. */
export type AnswerOf<Id extends OperationId> = Operations[Id]["ok"]

export interface RestRequest {
  readonly method: string
  /** Path and query, percent-encoded. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** JSON, or null for none. */
  readonly body: string | null
}
export interface RestResponse {
  readonly status: number
  /** Lower-case names; null = not there. */
  readonly header: (name: string) => string | null
  readonly body: string
}
/** Rejects when the engine did not answer at all. */
export type RestTransport = (request: RestRequest) => Promise<RestResponse>

/** RFC 9457, as every refusal of the API comes; members beyond these depend on `type`. */
export interface RestProblem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail?: string
  readonly [member: string]: unknown
}

export type RestAnswer<T> =
  | { readonly ok: true; readonly status: number; readonly value: T; readonly etag: string | null }
  | {
      readonly ok: false
      /** 0 = no answer. */
      readonly status: number
      readonly problem: RestProblem
      readonly retryAfterS: number | null
    }

export interface Rest {
  /** A network without an answer is `status: 0`. Rejects only as requestOf throws. */
  <Id extends OperationId>(id: Id, ...input: InputArguments<Id>): Promise<RestAnswer<AnswerOf<Id>>>
}
/** Nothing has to be given where nothing is demanded. */
type InputArguments<Id extends OperationId> = {} extends InputOf<Id> ? [input?: InputOf<Id>] : [input: InputOf<Id>]

export const NO_ANSWER = 0

export const makeRest = (transport: RestTransport): Rest => {
  const call = async (id: OperationId, input: LooseInput = {}): Promise<RestAnswer<never>> => {
    const request = requestOf(id, input)
    try {
      return readAnswer(await transport(request)) as RestAnswer<never>
    } catch {
      return refused(NO_ANSWER, { type: "about:blank", title: "No answer", status: NO_ANSWER }, null)
    }
  }
  return call
}

type Value = string | number | boolean | undefined
/** Any operation's input, for whoever learns its id at run time (the command line). */
export interface LooseInput {
  readonly params?: Readonly<Record<string, Value>>
  readonly query?: Readonly<Record<string, Value>>
  readonly headers?: Readonly<Record<string, Value>>
  readonly body?: unknown
}

/** Throws RangeError for a parameter of the path that is missing or empty: it would ask for another resource. */
export const requestOf = (id: OperationId, input: LooseInput): RestRequest => {
  const route = OPERATIONS[id]
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(input.params?.[name] ?? "")
    if (value === "" || value === "." || value === "..") throw new RangeError(`${id} needs ${name}`)
    return encodeURIComponent(value)
  })
  const pairs = Object.entries(input.query ?? {}).flatMap(([name, value]) =>
    value === undefined ? [] : [`${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`],
  )
  const headers = Object.entries(input.headers ?? {}).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as const],
  )
  const body = route.hasBody ? JSON.stringify(input.body ?? {}) : null
  return {
    method: route.method,
    path: pairs.length === 0 ? path : `${path}?${pairs.join("&")}`,
    headers: { ...Object.fromEntries(headers), ...(body === null ? {} : { "content-type": "application/json" }) },
    body,
  }
}

const readAnswer = (response: RestResponse): RestAnswer<unknown> => {
  const { status, header, body } = response
  const value = body === "" ? null : parse(body)
  if (status >= 200 && status < 300 && value !== undefined) return { ok: true, status, value, etag: header("etag") }
  const retry = Number(header("retry-after") ?? Number.NaN)
  const problem = isProblem(value) ? value : { type: "about:blank", title: `HTTP ${status}`, status }
  return refused(status, problem, Number.isFinite(retry) ? retry : null)
}

const refused = (status: number, problem: RestProblem, retryAfterS: number | null): RestAnswer<never> => ({
  ok: false,
  status,
  problem,
  retryAfterS,
})

/** Undefined for what is no JSON: a proxy's page, a cut answer. */
const parse = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

const isProblem = (value: unknown): value is RestProblem =>
  typeof value === "object" && value !== null && "title" in value && typeof value.title === "string" && "type" in value
