/** What a tenant chose about its subscribers, from its stored settings; counts only when it chose nothing. */
import * as Effect from "effect/Effect"
import { PRIVATE, type PrivacySettings } from "#engine/privacy/subscribers.ts"
import type { DbError, DbShape } from "#engine/storage/db.ts"
import { readTenancy } from "#engine/tenancy/rows.ts"
import type { TenantId } from "#protocol/id.ts"

export const storedPrivacy =
  (db: DbShape) =>
  (tenant: TenantId): Effect.Effect<PrivacySettings, DbError> =>
    Effect.map(readTenancy(db, tenant), ({ settings }) => settings ?? PRIVATE)
