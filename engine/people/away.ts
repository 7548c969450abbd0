/** What storage could not do becomes one 503 for the caller; what the rules refused stays what it is. */
import { Unavailable } from "#engine/api/ports.ts"
import type { DbError } from "#engine/storage/db.ts"
import type { PasswordBusy } from "#engine/storage/password.ts"
import type { MasterKeyUnusable, VaultRefused } from "#engine/storage/vault.ts"

type Away = DbError | PasswordBusy | MasterKeyUnusable | VaultRefused
const TAGS: ReadonlySet<string> = new Set<Away["_tag"]>([
  "DbError",
  "PasswordBusy",
  "MasterKeyUnusable",
  "VaultRefused",
])

export const away = <E extends { readonly _tag: string }>(error: E): Exclude<E, Away> | Unavailable =>
  TAGS.has(error._tag) ? new Unavailable({ detail: (error as unknown as Away).message }) : (error as Exclude<E, Away>)
