/**
 * One mutating act, as the audit keeps it: who, from where, what, on what, what it was before and after. The act is
 * written in the transaction that does it, so that there is never one without the other (PRODUCT.md S6).
 */
import type { Tx } from "#engine/storage/db.ts"
import type { TenantId } from "#protocol/id.ts"
import { writeEntry } from "#engine/audit/entry.ts"

/** Who acts. `source` is the address that the request came from; null = this machine. */
export interface Actor {
  readonly kind: "user" | "apiKey" | "local" | "system"
  /** User or key id; "" for the machine itself. */
  readonly id: string
  readonly name: string
  readonly source: string | null
}

export interface Act {
  /** `object.verb`: user.create, device.update, tenant.offboard ... */
  readonly action: string
  readonly object: { readonly kind: string; readonly id: string; readonly name: string }
  /** What changed, as plain JSON without any secret; null = there was, or is, nothing. */
  readonly before: Json | null
  readonly after: Json | null
  /** Given by the person where one is asked for. */
  readonly reason?: string
}
export type Json = { readonly [key: string]: unknown }

/** Inside the transaction of the act, as its tenant. Rejects with DbError. */
export const recordAct = (tx: Tx, tenant: TenantId, actor: Actor, act: Act): Promise<void> =>
  writeEntry(tx, tenant, actor, act, Date.now())
