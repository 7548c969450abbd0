/**
 * Trust on first use of a router's API certificate, kept beside the credential. The first one stays: a router that shows
 * another is refused until the operator gives the credential anew (engine/storage/inventory.ts then forgets the pin).
 */
import type * as Effect from "effect/Effect"
import type { DeviceId, TenantId } from "#protocol/id.ts"
import type { DbError, DbShape } from "#engine/storage/db.ts"

/** `fingerprint` = SHA-256 of the certificate, colon-separated hex. False = pinned already, or no such credential. */
export const storePin = (
  db: DbShape,
  tenant: TenantId,
  device: DeviceId,
  fingerprint: string,
): Effect.Effect<boolean, DbError> =>
  db.tenant(tenant)(async (tx) => {
    const { rowCount } = await tx.query(
      `update credential set pin = $3
       where tenant_id = $1 and device_id = $2 and kind = 'routeros' and pin is null`,
      [tenant, device, fingerprint],
    )
    return rowCount === 1
  })
