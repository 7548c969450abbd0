/** A quota that was passed, as the API says it: 429, with Retry-After where waiting helps. For catchTag("QuotaPassed"). */
import * as Effect from "effect/Effect"
import { setHeader } from "#engine/api/handlers/request.ts"
import { QuotaExceeded } from "#engine/api/problems.ts"
import type { QuotaPassed } from "#engine/quota/quotas.ts"

export const overQuota = ({ quota, limit, wanted, retryAfterS, message }: QuotaPassed) =>
  Effect.gen(function* () {
    if (retryAfterS !== null) yield* setHeader("retry-after", String(retryAfterS))
    return yield* new QuotaExceeded({ quota, limit, used: wanted, retryAfterS, detail: message })
  })
