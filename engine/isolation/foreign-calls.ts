/**
 * One tenant knocks at another's doors: thousands of calls to a running engine with ids that belong to somebody else, or
 * to nobody. Each must be answered 404, as if they did not exist (PRODUCT.md T2), or 403 where the role may not ask at
 * all. Only reads are tried, because this runs on live networks; the tests try every method.
 */
import { diceOf } from "#engine/dice.ts"
import { Agent as HttpAgent, request as httpRequest } from "node:http"
import { Agent as HttpsAgent, request as httpsRequest } from "node:https"
import { setTimeout as sleep } from "node:timers/promises"
import { uuidv7 } from "#engine/storage/uuidv7.ts"
import { pathOf, ROUTES_BY_ID } from "#engine/isolation/routes-by-id.ts"

export interface CallsReport {
  readonly calls: number
  readonly seed: number
  /** Of other tenants; the rest of the calls used ids that nobody has. */
  readonly foreignIds: number
  readonly byStatus: Readonly<Record<string, number>>
  readonly byRoute: Readonly<Record<string, number>>
  /** `METHOD path -> status`, at most 20. */
  readonly unexpected: readonly string[]
}

export interface CallsOptions {
  readonly url: string
  readonly bearer: string
  readonly calls: number
  readonly seed: number
  /** Ids of others that are not also ids of the caller's own tenant. */
  readonly foreign: readonly string[]
}

const AT_ONCE = 8
const TOLD_MAX = 20
const ANSWER_MS_MAX = 15_000
/** A quota that says "later" is obeyed this often in a row before the run gives up. */
const RETRIES_MAX = 20

export const knock = async (options: CallsOptions): Promise<CallsReport> => {
  const routes = ROUTES_BY_ID.filter(({ method }) => method === "GET")
  const dice = diceOf(options.seed)
  const [byStatus, byRoute]: [Record<string, number>, Record<string, number>] = [{}, {}]
  const unexpected: string[] = []
  const ask = askerOf(options.url, options.bearer)
  let made = 0
  const worker = async (): Promise<void> => {
    while (made < options.calls) {
      made += 1
      const route = routes[Math.floor(dice() * routes.length)]!
      const foreign = options.foreign[Math.floor(dice() * options.foreign.length)]
      const path = pathOf(route, () => (foreign === undefined || dice() < 0.2 ? uuidv7() : foreign))
      const status = await ask.get(path)
      byStatus[status] = (byStatus[status] ?? 0) + 1
      byRoute[route.name] = (byRoute[route.name] ?? 0) + 1
      if (status !== 404 && status !== 403 && unexpected.length < TOLD_MAX) unexpected.push(`GET ${path} -> ${status}`)
    }
  }
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
  } finally {
    ask.close()
  }
  return { calls: made, seed: options.seed, foreignIds: options.foreign.length, byStatus, byRoute, unexpected }
}

/** The engine on this machine: its certificate names the public host, so that here only the channel counts. */
const askerOf = (url: string, bearer: string): { get: (path: string) => Promise<number>; close: () => void } => {
  const secure = url.startsWith("https:")
  const agent = secure
    ? new HttpsAgent({ keepAlive: true, maxSockets: AT_ONCE, rejectUnauthorized: false })
    : new HttpAgent({ keepAlive: true, maxSockets: AT_ONCE })
  const once = (path: string): Promise<{ status: number; retryAfterS: number }> =>
    new Promise((settle, reject) => {
      const asking = (secure ? httpsRequest : httpRequest)(
        new URL(path, url),
        { agent, headers: { authorization: `Bearer ${bearer}` }, timeout: ANSWER_MS_MAX },
        (response) => {
          response
            .resume()
            .once("end", () =>
              settle({ status: response.statusCode ?? 0, retryAfterS: Number(response.headers["retry-after"] ?? 1) }),
            )
        },
      )
      asking.once("timeout", () => asking.destroy(new Error("the engine did not answer")))
      asking.once("error", reject).end()
    })
  const get = async (path: string): Promise<number> => {
    for (let retry = 0; ; retry++) {
      const { status, retryAfterS } = await once(path)
      if (status !== 429 || retry === RETRIES_MAX) return status
      await sleep(Math.min(60, Number.isFinite(retryAfterS) ? retryAfterS : 1) * 1000)
    }
  }
  return { get, close: () => agent.destroy() }
}
