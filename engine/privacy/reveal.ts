/** The API's port on the sealed identities of a tenant's subscribers. */
import * as Effect from "effect/Effect"
import type { Actor } from "#engine/audit/act.ts"
import { Unavailable } from "#engine/api/ports.ts"
import { NobodyKnown, reveal, RevealedTooOften, type Revealed } from "#engine/privacy/identities.ts"
import type { PrivacySettings } from "#engine/privacy/subscribers.ts"
import type { DbShape } from "#engine/storage/db.ts"
import type { Vault } from "#engine/storage/vault.ts"
import type { TenantId } from "#protocol/id.ts"

export interface SubscriberReveal {
  readonly reveal: (
    tenant: TenantId,
    actor: Actor,
    asked: { readonly pseudonym: string; readonly reason: string },
  ) => Effect.Effect<Revealed, NobodyKnown | RevealedTooOften | Unavailable>
}

export interface RevealOptions {
  readonly db: DbShape
  readonly vault: Vault
  readonly settings: (tenant: TenantId) => Effect.Effect<PrivacySettings, unknown>
  readonly nowMs: () => number
}

const DAY_MS = 86_400_000

/** Opting out counts at once, also while what was kept is still being forgotten. */
export const makeReveal = ({ db, vault, settings, nowMs }: RevealOptions): SubscriberReveal => ({
  reveal: (tenant, actor, { pseudonym, reason }) =>
    Effect.gen(function* () {
      const { subscriberIdentities, subscriberDays } = yield* settings(tenant)
      if (!subscriberIdentities) return yield* new NobodyKnown({ pseudonym })
      const now = nowMs()
      const asked = { pseudonym, reason, sinceMs: now - subscriberDays * DAY_MS, nowMs: now }
      return yield* db.tenant(tenant)<Revealed, NobodyKnown | RevealedTooOften>((tx) =>
        reveal(tx, vault, tenant, actor, asked),
      )
    }).pipe(Effect.mapError((error) => (isRefusal(error) ? error : away(error)))),
})

const isRefusal = (error: unknown): error is NobodyKnown | RevealedTooOften =>
  error instanceof NobodyKnown || error instanceof RevealedTooOften

const away = (cause: unknown): Unavailable =>
  new Unavailable({
    detail: cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : "the vault did not answer",
  })
