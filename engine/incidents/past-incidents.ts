/**
 * What doors ask of incidents that are over and that the twin does not hold any more: pages of them, one, and what
 * confirmations say of the verdicts. Whoever is bound to sites gets those that touch these, each cut to what stands there.
 */
import * as Effect from "effect/Effect"
import type { Unavailable } from "#engine/api/ports.ts"
import type { IncidentFilter, ReadStored, StoredRows } from "#engine/incidents/incident-list.ts"
import { calibrationOf, readVerdicts, type Calibration } from "#engine/incidents/calibration-table.ts"
import { rowOf } from "#engine/incidents/row.ts"
import { cutToPlaces, type SeenPlaces } from "#engine/incidents/seen.ts"
import {
  listIncidents,
  listWhole,
  readIncident,
  readWholes,
  type StoredFilter,
} from "#engine/incidents/stored-incidents.ts"
import { away } from "#engine/people/away.ts"
import type { DbShape, Tx } from "#engine/storage/db.ts"
import type { TenantId } from "#protocol/id.ts"
import type { IncidentRow, IncidentView } from "#protocol/incident.ts"

/** Null = everything. */
export interface Bound {
  readonly sites: readonly string[]
  readonly places: SeenPlaces
}

export interface PastIncidents {
  /** For incidentPage; `held` are those of the twin. */
  readonly reader: (
    tenant: TenantId,
    filter: IncidentFilter,
    me: string,
    held: readonly IncidentView[],
    bound: Bound | null,
  ) => ReadStored<Unavailable, never>
  /** Null = there is none that they may see. */
  readonly one: (tenant: TenantId, id: string, bound: Bound | null) => Effect.Effect<IncidentView | null, Unavailable>
  /** Of these, the ones that they may see, each with the title that they may read. At most a page of events names them. */
  readonly titles: (
    tenant: TenantId,
    ids: readonly string[],
    bound: Bound,
  ) => Effect.Effect<ReadonlyMap<string, string>, Unavailable>
  /** `held` are those of the twin, `counted` the ones among them that are seen. */
  readonly calibration: (
    tenant: TenantId,
    held: readonly IncidentView[],
    counted: readonly IncidentView[],
    range: { readonly from: number | null; readonly to: number | null },
    bound: Bound | null,
  ) => Effect.Effect<Calibration, Unavailable>
}

/** Wholes that are looked at for one page of somebody who sees parts; the page goes on behind them. */
const SCANNED_MAX = 1_000
const PER_READ = 100

export const makePastIncidents = (db: DbShape): PastIncidents => ({
  reader: (tenant, filter, me, held, bound) => (after, limit) => {
    const asked: StoredFilter = {
      ...filter,
      mine: filter.mine === undefined ? undefined : { who: me, is: filter.mine === "true" },
      sites: bound === null ? null : bound.sites,
      without: held.map(({ id }) => id),
      after,
      limit,
    }
    return db
      .tenant(tenant)<StoredRows>(async (tx) =>
        bound === null
          ? { rows: await listIncidents(tx, tenant, asked), stoppedAt: null }
          : readCut(tx, tenant, asked, bound.places),
      )
      .pipe(Effect.mapError(away))
  },

  one: (tenant, id, bound) =>
    db
      .tenant(tenant)((tx) => readIncident(tx, tenant, id))
      .pipe(
        Effect.map((found) =>
          found === null ? null : bound === null ? found.view : cutToPlaces(found.view, bound.places),
        ),
        Effect.mapError(away),
      ),

  titles: (tenant, ids, { places }) =>
    ids.length === 0
      ? Effect.succeed(new Map())
      : db
          .tenant(tenant)((tx) => readWholes(tx, tenant, ids))
          .pipe(
            Effect.map((wholes) => new Map(wholes.flatMap((whole) => titleOf(cutToPlaces(whole, places))))),
            Effect.mapError(away),
          ),

  calibration: (tenant, held, counted, range, bound) =>
    db
      .tenant(tenant)((tx) =>
        readVerdicts(
          tx,
          tenant,
          held.map(({ id }) => id),
          range,
          bound?.sites ?? null,
        ),
      )
      .pipe(
        Effect.map((stored) => calibrationOf(stored, counted, range)),
        Effect.mapError(away),
      ),
})

const titleOf = (seen: IncidentView | null): readonly (readonly [string, string])[] =>
  seen === null ? [] : [[seen.id, seen.title]]

/** Whole ones, cut, until the page is full or enough were looked at. */
const readCut = async (tx: Tx, tenant: TenantId, asked: StoredFilter, places: SeenPlaces): Promise<StoredRows> => {
  const rows: IncidentRow[] = []
  let { after } = asked
  for (let scanned = 0; scanned < SCANNED_MAX; scanned += PER_READ) {
    const some = await listWhole(tx, tenant, { ...asked, after, limit: PER_READ })
    for (const whole of some) {
      const seen = cutToPlaces(whole, places)
      if (seen !== null) rows.push(rowOf(seen))
      if (rows.length === asked.limit) return { rows, stoppedAt: null }
    }
    const last = some.at(-1)
    if (last === undefined || some.length < PER_READ) return { rows, stoppedAt: null }
    after = { startsAtMs: Math.trunc(last.startsAtMs), id: last.id }
  }
  return { rows, stoppedAt: after }
}
