/**
 * What would hurt most if it failed next: every single failure tried, ranked by customers times expected failures a year.
 * The row under the pointer is simulated on the map beside; the list goes out as CSV.
 */
import { useSignal } from "@preact/signals"
import { language, t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { setFaults } from "#client/state/whatif.ts"
import { rankingCsv } from "#client/state/whatif-csv.ts"
import { formatFaults } from "#client/state/whatif-faults.ts"
import { useAsk } from "#client/ui/ask.ts"
import { formatMoment, formatNumber, NOTHING } from "#client/ui/format.ts"
import { saveFile } from "#client/ui/once.tsx"
import { Said } from "#client/ui/said.tsx"
import { Loaded } from "#client/ui/table.tsx"
import { BesideMap } from "#client/ui/whatif/beside-map.tsx"
import { Assumed } from "#client/ui/whatif/assumed.tsx"
import { usePreview } from "#client/ui/whatif/preview.ts"
import type { Preview } from "#client/ui/whatif/preview.ts"
import { customersText, customersWhy, elementFault, perYearText, redundancyKey } from "#client/ui/whatif/words.ts"
import type { NextFailures } from "#protocol/rest-generated.ts"

const ROWS = 200
const KINDS = ["all", "link", "router", "site", "srlg"] as const

export const NextFailuresTab = () => {
  const kind = useSignal<(typeof KINDS)[number]>("all")
  const asked = useAsk(
    () =>
      call("whatIf.nextFailures", {
        query: { limit: ROWS, ...(kind.value === "all" ? {} : { kind: kind.value }) },
      }),
    kind.value,
  )
  const preview = usePreview(asked.value?.atMs ?? 0)
  const save = () => {
    if (asked.value !== null) saveFile("next-failures.csv", "text/csv;charset=utf-8", rankingCsv(asked.value))
  }
  return (
    <BesideMap preview={preview}>
      <header class="screen-head">
        <h1>{t("next.title")}</h1>
        <span class="segments" role="group" aria-label={t("next.kind")}>
          {KINDS.map((one) => (
            <button key={one} type="button" aria-pressed={kind.value === one} onClick={() => (kind.value = one)}>
              {t(one === "all" ? "next.kind.all" : `whatif.kind.${one}`)}
            </button>
          ))}
        </span>
        <span class="grow" />
        <button type="button" class="button" disabled={asked.value === null} onClick={save}>
          {t("next.csv")}
        </button>
      </header>
      <Loaded asked={asked}>{(ranking) => <Ranking ranking={ranking} preview={preview} />}</Loaded>
    </BesideMap>
  )
}

const Ranking = ({ ranking, preview }: { ranking: NextFailures; preview: Preview }) => {
  const number = (value: number) => formatNumber(language.value, value)
  if (ranking.candidates.length === 0) return <p class="calm quiet">{t("next.none")}</p>
  return (
    <>
      <p class="quiet next-sum">
        {t("next.sum", {
          tried: number(ranking.tried),
          harmful: number(ranking.harmful),
          single: number(ranking.single),
          time: formatMoment(language.value, ranking.atMs),
        })}
      </p>
      <div class="sheet panel next-sheet" role="region" tabIndex={0} aria-label={t("next.title")}>
        <table class="table next-table" data-list>
          <thead>
            <tr>
              <th scope="col">{t("next.column.element")}</th>
              <th scope="col" class="right">
                {t("next.column.customers")}
              </th>
              <th scope="col" class="right">
                {t("next.column.probability")}
              </th>
              <th scope="col">{t("next.column.redundancy")}</th>
              <th scope="col">{t("next.column.why")}</th>
            </tr>
          </thead>
          <tbody>
            {ranking.candidates.map((row, at) => (
              <Row key={`${row.element.kind}${row.element.id}`} row={row} rank={at + 1} preview={preview} />
            ))}
          </tbody>
        </table>
      </div>
      <Assumed lines={ranking.assumptions} />
    </>
  )
}

type Candidate = NextFailures["candidates"][number]
const Row = ({ row, rank, preview }: { row: Candidate; rank: number; preview: Preview }) => {
  const { element, customers, overloaded } = row
  const fault = elementFault(element)
  const on = preview.fault !== null && formatFaults([preview.fault]) === formatFaults([fault])
  const number = (value: number) => formatNumber(language.value, value)
  return (
    <tr class={on ? "chosen" : ""} onMouseEnter={() => preview.point(fault)}>
      <td>
        <button
          type="button"
          class="cell-button next-element"
          data-row
          title={t("next.open", { name: element.name })}
          onFocus={() => preview.point(fault)}
          onClick={() => setFaults([fault])}
        >
          <span class="num quiet next-rank">{rank}</span>
          <span>
            {element.name} <span class="chip">{t(`whatif.kind.${element.kind}`)}</span>
          </span>
        </button>
      </td>
      <td class="right num" title={customersWhy(customers)}>
        <b>{customersText(customers)}</b>
        <span class={`provenance quality-${customers.quality}`}>{t(`whatif.quality.${customers.quality}`)}</span>
      </td>
      <td class="right num">
        {perYearText(row.perYear)}
        <span class="provenance quiet">{t("next.assumed")}</span>
      </td>
      <td>
        <span class={row.devices > 0 ? "word-critical" : ""}>{t(redundancyKey(row))}</span>
        <span class="cell-detail quiet">
          {t("next.takes", { devices: number(row.devices), links: overloaded === null ? NOTHING : number(overloaded) })}
        </span>
      </td>
      <td class="next-why">
        <Said text={row.why} lead />
      </td>
    </tr>
  )
}
