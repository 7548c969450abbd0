/** Whether a name server answers a question, and how fast. The server is an address; the system's resolver is not used. */
import { promises } from "node:dns"
import type { Literal } from "#engine/probes/address.ts"
import type { DnsType } from "#engine/probes/plan.ts"

export interface DnsAsk {
  readonly server: Literal
  readonly port: number
  readonly name: string
  readonly type: DnsType
  readonly deadlineMs: number
}

export interface DnsResult {
  /** It gave an answer of the asked type. */
  readonly up: boolean
  /** Time to any answer, be it "no such name"; null when none came. */
  readonly latencyMs: number | null
  /** As text, at most ANSWERS_MAX. */
  readonly answers: readonly string[]
  readonly error: string | null
}

export const ANSWERS_MAX = 20
const ANSWER_MAX = 300

/** The server did answer, though not with what was asked for. */
const ANSWERED: Readonly<Record<string, string>> = {
  ENOTFOUND: "there is no such name",
  ENODATA: "the name has no record of that type",
  EREFUSED: "the server refuses to answer",
  ESERVFAIL: "the server failed",
  EFORMERR: "the server does not understand the question",
  ENOTIMP: "the server does not know this kind of question",
}
const NOT_ANSWERED: Readonly<Record<string, string>> = {
  ETIMEOUT: "no answer",
  ECONNREFUSED: "nobody listens there, or it does not answer",
  EBADRESP: "the answer is broken",
  EBADNAME: "that is no name",
}

/** Ends within the deadline; never rejects. */
export const dnsProbe = async (ask: DnsAsk, signal?: AbortSignal): Promise<DnsResult> => {
  if (signal?.aborted === true) return { up: false, latencyMs: null, answers: [], error: "stopped" }
  const resolver = new promises.Resolver({ timeout: ask.deadlineMs, tries: 1 })
  const stop = (): void => resolver.cancel()
  const startedMs = performance.now()
  const deadline = setTimeout(stop, ask.deadlineMs)
  signal?.addEventListener("abort", stop, { once: true })
  try {
    const { text, family } = ask.server
    resolver.setServers([family === 6 ? `[${text}]:${ask.port}` : `${text}:${ask.port}`])
    const found: unknown = await resolver.resolve(ask.name, ask.type)
    const answers = (Array.isArray(found) ? found : [found]).slice(0, ANSWERS_MAX).map(answerText)
    return { up: answers.length > 0, latencyMs: performance.now() - startedMs, answers, error: null }
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? ""
    const answered = ANSWERED[code]
    const error = answered ?? NOT_ANSWERED[code] ?? (code === "ECANCELLED" ? NOT_ANSWERED["ETIMEOUT"] : code)
    const latencyMs = answered === undefined ? null : performance.now() - startedMs
    return {
      up: false,
      latencyMs,
      answers: [],
      error: error === undefined || error === "" ? "it cannot be asked" : error,
    }
  } finally {
    clearTimeout(deadline)
    signal?.removeEventListener("abort", stop)
  }
}

const answerText = (answer: unknown): string =>
  (typeof answer === "string"
    ? answer
    : Array.isArray(answer)
      ? answer.join("")
      : Object.values((answer ?? {}) as object).join(" ")
  ).slice(0, ANSWER_MAX)
