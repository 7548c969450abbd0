/**
 * An incident as a row of its table, and back. The whole travels as compressed JSON, so that it comes back to the very
 * character, hostile ones included; what a list filters and sorts by stands in columns of its own, made fit for PostgreSQL.
 */
import { gunzipSync, gzipSync } from "node:zlib"
import { faultsOf, wordsOf } from "#engine/incidents/incident-list.ts"
import { rowOf } from "#engine/incidents/row.ts"
import { pgText } from "#engine/storage/pg-text.ts"
import type { IncidentRow, IncidentView } from "#protocol/incident.ts"

/** What the table keeps of one. */
export interface StoredIncident {
  readonly seq: number
  readonly view: IncidentView
  readonly sites: readonly string[]
}

/** UTF-16 units that a search looks into. */
export const WORDS_MAX = 32_768
const NAME_MAX = 512
/** A damaged row must not cost the engine's memory: far above 1,024 symptoms and 400 lines of 2,000 characters. */
const BODY_BYTES_MAX = 64 * 1024 * 1024

export const COLUMNS = [
  "incident_id",
  "seq",
  "state",
  "severity",
  "starts_ms",
  "ends_ms",
  "assignee",
  "ack_by",
  "sites",
  "faults",
  "words",
  "confirmed_ms",
  "verdict_fault",
  "verdict_confidence",
  "verdict_right",
  "line",
  "body",
] as const

/** In the order of COLUMNS. */
export const valuesOf = ({ seq, view, sites }: StoredIncident): readonly unknown[] => {
  const { confirmed } = view
  const verdict = confirmed?.verdict ?? null
  return [
    view.id,
    seq,
    view.state,
    view.severity,
    Math.trunc(view.startsAtMs),
    Math.trunc(view.endsAtMs ?? view.updatedAtMs),
    nameOf(view.assignee),
    nameOf(view.ack?.by ?? null),
    sites.map((site) => pgText(site, NAME_MAX)),
    faultsOf(view),
    pgText(wordsOf(view), WORDS_MAX),
    confirmed === null ? null : Math.trunc(confirmed.atMs),
    verdict?.fault ?? null,
    verdict?.confidence == null ? null : millionths(verdict.confidence),
    verdict?.isRight ?? null,
    JSON.stringify(rowOf(view)),
    gzipSync(JSON.stringify(view)),
  ]
}

/** PostgreSQL refuses sums of squares that are too small for it (22003). */
const millionths = (share: number): number => Math.round(share * 1e6) / 1e6

const nameOf = (name: string | null): string | null => (name === null ? null : pgText(name, NAME_MAX))

export const lineOf = (line: string): IncidentRow => JSON.parse(line) as IncidentRow

export const viewOf = (body: Uint8Array): IncidentView =>
  JSON.parse(gunzipSync(body, { maxOutputLength: BODY_BYTES_MAX }).toString("utf8")) as IncidentView
