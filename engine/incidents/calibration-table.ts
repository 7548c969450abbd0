/**
 * How often verdicts were right, by kind of fault and by how sure they were: of what was said with 90 to 95 % nine in ten
 * or a little more should be right. From what people confirmed, in the table and in the twin.
 */
import type { Tx } from "#engine/storage/db.ts"
import type { TenantId } from "#protocol/id.ts"
import { FAULT_TYPES, type FaultType, type IncidentView } from "#protocol/incident.ts"

/** Lower ends; the last one ends at 1. */
export const BUCKETS = [0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99] as const

export interface CalibrationRow {
  readonly fault: FaultType
  /** Confidences from here up to, and without, `to`; the last bucket has 1 in it. */
  readonly from: number
  readonly to: number
  readonly right: number
  readonly wrong: number
  /** Mean of what was said. */
  readonly said: number
}

export interface Calibration {
  readonly rows: readonly CalibrationRow[]
  readonly confirmed: number
  readonly right: number
  /** Confirmed, and the twin had named nothing. */
  readonly unnamed: number
  /** Mean squared error of what was said; null = nothing was confirmed that had been named. */
  readonly brier: number | null
}

/** Sums of one cell. */
export interface VerdictSum {
  /** Null = nothing was named. */
  readonly fault: FaultType | null
  /** Index into BUCKETS. */
  readonly bucket: number
  readonly count: number
  readonly right: number
  readonly said: number
  /** Sum of squared errors. */
  readonly squares: number
}

interface Range {
  readonly from: number | null
  readonly to: number | null
}

/** Of those that the twin does not hold. */
export const readVerdicts = async (
  tx: Tx,
  tenant: TenantId,
  without: readonly string[],
  { from, to }: Range,
  sites: readonly string[] | null,
): Promise<readonly VerdictSum[]> => {
  const { rows } = await tx.query<{ fault: string | null } & Omit<VerdictSum, "fault">>(
    `select verdict_fault as fault, coalesce(width_bucket(verdict_confidence, $2::float8[]) - 1, 0) as bucket,
       count(*)::int as count, count(*) filter (where verdict_right)::int as right,
       coalesce(sum(verdict_confidence), 0)::float8 as said,
       coalesce(sum((verdict_confidence - verdict_right::int) ^ 2), 0)::float8 as squares
     from incident
     where tenant_id = $1 and state = 'closed' and confirmed_ms is not null and verdict_right is not null
       and incident_id <> all($3::text[])
       and ($4::bigint is null or confirmed_ms >= $4) and ($5::bigint is null or confirmed_ms <= $5)
       and ($6::text[] is null or sites && $6)
     group by 1, 2`,
    [tenant, BUCKETS, without, from, to, sites],
  )
  return rows.map((row) => ({ ...row, fault: FAULT_TYPES.find((fault) => fault === row.fault) ?? null }))
}

export const calibrationOf = (
  stored: readonly VerdictSum[],
  held: readonly Pick<IncidentView, "confirmed">[],
  { from, to }: Range,
): Calibration => {
  const cells = new Map<string, VerdictSum>()
  const add = (one: VerdictSum): void => {
    const key = `${one.fault} ${one.bucket}`
    const sum = cells.get(key)
    cells.set(
      key,
      sum === undefined
        ? one
        : {
            ...one,
            count: sum.count + one.count,
            right: sum.right + one.right,
            said: sum.said + one.said,
            squares: sum.squares + one.squares,
          },
    )
  }
  for (const one of stored) add(one)
  for (const { confirmed } of held) {
    if (confirmed?.verdict === undefined) continue
    if ((from !== null && confirmed.atMs < from) || (to !== null && confirmed.atMs > to)) continue
    const { fault, confidence, isRight } = confirmed.verdict
    const said = confidence ?? 0
    const squares = confidence === null ? 0 : (said - Number(isRight)) ** 2
    add({ fault, bucket: bucketOf(said), count: 1, right: Number(isRight), said, squares })
  }
  const all = [...cells.values()]
  const named = all.filter(({ fault }) => fault !== null)
  const sum = (of: readonly VerdictSum[], what: "count" | "right" | "squares"): number =>
    of.reduce((total, one) => total + one[what], 0)
  const count = sum(named, "count")
  return {
    rows: named
      .flatMap(rowOf)
      .sort((a, b) => FAULT_TYPES.indexOf(a.fault) - FAULT_TYPES.indexOf(b.fault) || a.from - b.from),
    confirmed: sum(all, "count"),
    right: sum(named, "right"),
    unnamed: sum(all, "count") - count,
    brier: count === 0 ? null : sum(named, "squares") / count,
  }
}

/** Of a confidence. */
export const bucketOf = (confidence: number): number => {
  let found = 0
  for (const [index, from] of BUCKETS.entries()) if (confidence >= from) found = index
  return found
}

const rowOf = ({ fault, bucket, count, right, said }: VerdictSum): readonly CalibrationRow[] =>
  fault === null
    ? []
    : [
        {
          fault,
          from: BUCKETS[bucket] ?? 0,
          to: BUCKETS[bucket + 1] ?? 1,
          right,
          wrong: count - right,
          said: said / count,
        },
      ]
