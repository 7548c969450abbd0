/**
 * Lists of the what-if screens as CSV (RFC 4180), for a spreadsheet. Names come from devices, so that a cell that a
 * spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV injection).
 */
import type { NextFailures } from "#protocol/rest-generated.ts"

type Cell = string | number | null

export const csvOf = (head: readonly string[], rows: readonly (readonly Cell[])[]): string =>
  [head, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n"

const cell = (value: Cell): string => {
  if (value === null) return ""
  if (typeof value === "number") return String(value)
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** Unknown stays empty, never 0. */
export const rankingCsv = ({ candidates }: Pick<NextFailures, "candidates">): string =>
  csvOf(
    [
      "rank",
      "kind",
      "id",
      "name",
      "customers",
      "customers_quality",
      "sites_isolated",
      "devices_offline",
      "links_full",
      "failures_per_year",
      "score",
      "why",
    ],
    candidates.map(({ element, customers, sites, devices, overloaded, perYear, score, why }, at) => [
      at + 1,
      element.kind,
      element.id,
      element.name,
      customers.count,
      customers.quality,
      sites,
      devices,
      overloaded,
      perYear,
      score,
      why,
    ]),
  )
