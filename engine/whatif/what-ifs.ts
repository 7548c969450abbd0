/** The what-if port of the API: each question goes to the reasoning thread with a moment of the asking tenant's twin. */
import * as Effect from "effect/Effect"
import { Unavailable } from "#engine/api/ports.ts"
import type { TwinMoment } from "#engine/whatif/lean.ts"
import type { AnswerOf, Question } from "#engine/whatif/question.ts"
import { QuestionRefused, type ReasoningThread } from "#engine/whatif/thread.ts"
import { WhatIfRefused, type WhatIfApi } from "#engine/whatif/what-if-api.ts"
import type { TenantId } from "#protocol/id.ts"

export interface WhatIfsOptions {
  readonly thread: ReasoningThread
  /** Null while the tenant's twin does not run here. */
  readonly momentOf: (tenant: TenantId) => TwinMoment | null
  /** Of the database that has the tenant's rows; null = it is away. Holds a password. */
  readonly appUrl: (tenant: TenantId) => string | null
  readonly nowMs: () => number
}

export const makeWhatIfs = ({ thread, momentOf, appUrl, nowMs }: WhatIfsOptions): WhatIfApi => {
  const asked = <A>(promise: () => Promise<A>): Effect.Effect<A, WhatIfRefused | Unavailable> =>
    Effect.tryPromise({
      try: promise,
      catch: (error) => {
        const detail = error instanceof Error ? error.message : String(error)
        return error instanceof QuestionRefused ? new WhatIfRefused({ detail }) : new Unavailable({ detail })
      },
    })
  const now = <Q extends Question>(tenant: TenantId, question: Q) =>
    asked<AnswerOf<Q>>(() => thread.ask(tenant, () => momentOf(tenant), question))
  const past = <Q extends Question>(tenant: TenantId, atMs: number, question: Q) => {
    if (atMs > nowMs()) return Effect.fail(new WhatIfRefused({ detail: "`atMs` is in the future" }))
    const url = appUrl(tenant)
    if (url === null) return Effect.fail(new Unavailable({ detail: "the tenant's database is away" }))
    return asked<AnswerOf<Q>>(() => thread.askPast({ appUrl: url, tenant, atMs, question }))
  }
  const at = <Q extends Question>(tenant: TenantId, atMs: number | null, question: Q) =>
    atMs === null ? now(tenant, question) : past(tenant, atMs, question)
  return {
    ask: (tenant, faults, atMs, routesOf) => at(tenant, atMs, { kind: "ask", faults, routesOf }),
    nextFailures: (tenant, limit, element, atMs) => at(tenant, atMs, { kind: "nextFailures", limit, element }),
    singlePoints: (tenant, atMs) => at(tenant, atMs, { kind: "singlePoints" }),
    paths: (tenant, from, to, k, atMs) => at(tenant, atMs, { kind: "paths", from, to, k }),
    blindSpots: (tenant, atMs) => at(tenant, atMs, { kind: "blindSpots" }),
    drift: (tenant, limit, drift, atMs) => at(tenant, atMs, { kind: "drift", limit, drift }),
  }
}
