/**
 * The end of the served certificate is an input of the platform's own twin, so that it stands in its list of events like
 * everything that happened (`cert.expiring`, `cert.expired`). Other tenants cannot renew it and are not told.
 */
import * as Effect from "effect/Effect"
import type { CertificateKeeper } from "#engine/tls/keeper.ts"
import type { Twins } from "#engine/api/ports.ts"
import type { DbError, DbShape } from "#engine/storage/db.ts"
import { listTenants } from "#engine/storage/tenants.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"

export const tellExpiry = (
  keeper: Pick<CertificateKeeper, "onExpiring">,
  /** Of the oldest tenant; null = it does not run now, and log and metric alone tell. */
  platform: () => Pick<LiveTwin, "submit"> | null,
  nowMs: () => number,
): void =>
  keeper.onExpiring(({ names, validToMs, days }) => {
    const endsOn = new Date(validToMs).toISOString().slice(0, 10)
    platform()?.submit({
      kind: "certificate",
      atMs: Math.floor(nowMs()),
      names: names.slice(0, NAMES_MAX),
      endsOn,
      days,
    })
  })
/** A certificate may name hundreds of hosts. */
const NAMES_MAX = 200

/** The twin of the oldest tenant, which is the platform's own, as it is whenever it is asked for. */
export const platformTwin = (
  db: DbShape,
  twins: Pick<Twins, "byTenant">,
): Effect.Effect<() => LiveTwin | null, DbError> =>
  Effect.map(listTenants(db), (tenants) => {
    const [oldest] = tenants.toSorted((a, b) => a.createdMs - b.createdMs)
    return () => (oldest === undefined ? null : twins.byTenant(oldest.id))
  })
