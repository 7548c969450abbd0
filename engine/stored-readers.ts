/** What the API reads of the stored past, each through the tenant that asks: its series and its events. */
import * as Effect from "effect/Effect"
import { Unavailable, type EventReader, type HistoryReader } from "#engine/api/ports.ts"
import type { DbShape } from "#engine/storage/db.ts"
import { listEvents } from "#engine/storage/events.ts"
import type { TenantServices } from "#engine/tenant-services.ts"
import type { TenantId } from "#protocol/id.ts"

export const historyOf = (running: ReadonlyMap<TenantId, TenantServices>): HistoryReader => ({
  read: (tenant, query) =>
    Effect.suspend(() => {
      const history = running.get(tenant)?.history() ?? null
      if (history === null) return new Unavailable({ detail: "the tenant is being restarted" })
      return Effect.tryPromise({ try: () => history.read(query), catch: asUnavailable })
    }),
})

export const eventsOf = (db: DbShape): EventReader => ({
  page: (tenant, query) => listEvents(db, tenant, query).pipe(Effect.mapError(asUnavailable)),
})

const asUnavailable = (cause: unknown): Unavailable =>
  new Unavailable({
    detail: cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : "the database did not answer",
  })
