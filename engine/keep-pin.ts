/**
 * Keeps the certificate that a router's API showed first, for whichever tenant has the device (trust on first use). Storage
 * alone knows tenants; a session of a collector knows a device.
 */
import * as Effect from "effect/Effect"
import type { AddressBook } from "#engine/address-book.ts"
import type { Log } from "#engine/log.ts"
import type { DbShape } from "#engine/storage/db.ts"
import { storePin } from "#engine/storage/pins.ts"
import type { DeviceId } from "#protocol/id.ts"

/** Best effort: a pin that could not be kept is seen again at the next session. */
export const keepPin = (db: DbShape, book: AddressBook, log: Log, device: DeviceId, fingerprint: string): void => {
  const entry = book.byDevice(device)
  if (entry === null) return
  Effect.runFork(
    storePin(db, entry.tenant, device, fingerprint).pipe(
      Effect.catch((error) => Effect.sync(() => log.warn("a certificate pin was not kept", { cause: error }))),
    ),
  )
}
