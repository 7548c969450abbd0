/** What a tenant decides for itself, and its limits. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "#engine/api/contract.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { overQuota } from "#engine/api/handlers/over-quota.ts"
import { setHeader, unavailable } from "#engine/api/handlers/request.ts"
import { Caller } from "#engine/api/signed-in.ts"
import type { SettingsView } from "#engine/tenancy/settings.ts"

export const settings = (deps: ApiDeps) =>
  HttpApiBuilder.group(Api, "settings", (handlers) =>
    handlers
      .handle("get", () => Effect.flatMap(Caller, ({ principal }) => tagged(deps.settings.get(principal.tenant))))
      .handle("put", ({ payload, headers }) =>
        Effect.flatMap(Caller, (by) => deps.settings.put(by, payload, headers["if-match"])).pipe(
          Effect.catchTag("Unavailable", unavailable(deps)),
          Effect.catchTag("QuotaPassed", overQuota),
          Effect.flatMap(tagged),
        ),
      )
      .handle("quotas", () =>
        Effect.flatMap(Caller, ({ principal }) =>
          deps.settings.quotas(principal.tenant).pipe(Effect.catchTag("Unavailable", unavailable(deps))),
        ),
      ),
  )

const tagged = ({ settings, etag }: SettingsView) => Effect.as(setHeader("etag", etag), settings)
