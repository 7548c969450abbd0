/** Imports into the running engine: the document goes to the tenant that was asked for, or to the only one that there is. */
import * as Effect from "effect/Effect"
import { ImportFailed, Unavailable, type Importer } from "#engine/api/ports.ts"
import { chooseTenant } from "#engine/import/choose-tenant.ts"
import { DbError } from "#engine/storage/db.ts"
import type { TenantServices } from "#engine/tenant-services.ts"
import type { TenantId } from "#protocol/id.ts"

export const makeImporter = (running: ReadonlyMap<TenantId, TenantServices>): Importer => ({
  apply: (asked, document, mode) =>
    Effect.gen(function* () {
      const all = [...running.values()]
      const choice = chooseTenant(
        asked,
        all.map((it) => it.twin.tenant.slug),
      )
      if ("refuse" in choice) return yield* new ImportFailed({ detail: choice.refuse })
      const services = "use" in choice ? all.find((it) => it.twin.tenant.slug === choice.use) : undefined
      // A running engine has at least the tenant of its first user.
      if (services === undefined)
        return yield* new ImportFailed({ detail: "there is no tenant yet; try again when the engine is up" })
      return yield* services.importDocument(document, mode).pipe(Effect.mapError(asImportError))
    }),
})

const asImportError = (error: Error): ImportFailed | Unavailable =>
  error instanceof DbError && error.isAway
    ? new Unavailable({ detail: error.message.split("\n")[0] ?? "" })
    : new ImportFailed({ detail: error.message })
