/**
 * What would hurt most if it failed next: every single failure tried, ranked by customers times expected failures a year.
 * The row under the pointer or the keyboard is simulated on the map beside, Enter opens it; the list goes out as CSV.
 */
import { useSignal } from "@preact/signals"
import { said } from "#client/i18n/said.ts"
import { language, t, tCount } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { setFaults } from "#client/state/whatif.ts"
import { rankingCsv } from "#client/state/whatif-csv.ts"
import { formatFaults } from "#client/state/whatif-faults.ts"
import { useAsk } from "#client/ui/ask.ts"
import { formatMoment, formatNumber } from "#client/ui/format.ts"
import { GridList } from "#client/ui/grid-list.tsx"
import type { RowPlace } from "#client/ui/grid-list.tsx"
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
const ROW_PX = 46
const COLUMNS = ["element", "customers", "sites", "probability", "redundancy"] as const
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
        <h1 id="next-title">{t("next.title")}</h1>
        <span class="segments" role="group" aria-label={t("next.kind")}>
          {KINDS.map((one) => (
            <button key={one} type="button" aria-pressed={kind.value === one} onClick={() => (kind.value = one)}>
              {t(one === "all" ? "next.kind.all" : `whatif.kind.${one}`)}
            </button>
          ))}
        </span>
        <span class="quiet alerts-keys">{t("next.keys")}</span>
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
  const cursor = useSignal<string | null>(null)
  const number = (value: number) => formatNumber(language.value, value)
  if (ranking.candidates.length === 0) return <p class="calm quiet">{t("next.none")}</p>
  const rank = new Map(ranking.candidates.map((row, at) => [keyOf(row), at + 1]))
  return (
    <>
      <p class="quiet next-sum">
        {t("next.sum", {
          tried: number(ranking.tried),
          harmful: number(ranking.harmful),
          single: tCount("next.single", ranking.single),
          time: formatMoment(language.value, ranking.atMs),
        })}
      </p>
      <GridList
        name="next"
        class="next-grid"
        labelledBy="next-title"
        rows={ranking.candidates}
        rowPx={ROW_PX}
        columns={COLUMNS.map((column) => t(`next.column.${column}`))}
        keyOf={keyOf}
        cursor={cursor}
        open={({ element }) => setFaults([elementFault(element)])}
        moved={({ element }) => preview.point(elementFault(element))}
        row={(row, place) => (
          <Row key={keyOf(row)} row={row} rank={rank.get(keyOf(row)) ?? 0} place={place} preview={preview} />
        )}
      />
      <Assumed lines={ranking.assumptions} />
    </>
  )
}

type Candidate = NextFailures["candidates"][number]
const keyOf = ({ element }: Candidate): string => `${element.kind} ${element.id}`

interface RowProps {
  readonly row: Candidate
  readonly rank: number
  readonly place: RowPlace
  readonly preview: Preview
}
const Row = ({ row, rank, place, preview }: RowProps) => {
  const { element, customers, overloaded, sites, devices } = row
  const fault = elementFault(element)
  const on = preview.fault !== null && formatFaults([preview.fault]) === formatFaults([fault])
  const number = (value: number) => formatNumber(language.value, value)
  const takes = [
    tCount("next.devices", devices),
    ...(overloaded === null || overloaded === 0 ? [] : [tCount("next.full", overloaded)]),
  ].join(" · ")
  return (
    <div
      {...place}
      class={`grid-row next-row ${on ? "shown" : ""}`}
      role="row"
      onMouseEnter={() => preview.point(fault)}
      data-id={element.id}
    >
      <span role="gridcell" class="grid-name">
        <span class="num quiet next-rank">{rank}</span>
        <span class="two">
          <b class="ellipsis" title={element.name}>
            {element.name}
          </b>
          <small class="ellipsis quiet" title={said(row.why)}>
            {t(`whatif.kind.${element.kind}`)} · <Said text={row.why} />
          </small>
        </span>
      </span>
      <span role="gridcell" class="two num" title={customersWhy(customers)}>
        <b>{customersText(customers)}</b>
        <small class={`quality-${customers.quality}`}>{t(`whatif.quality.${customers.quality}`)}</small>
      </span>
      <span role="gridcell" class={`num ${sites > 0 ? "" : "quiet"}`}>
        {number(sites)}
      </span>
      <span role="gridcell" class="two num" title={t("next.assumed")}>
        <span>{perYearText(row.perYear)}</span>
        <small class="quiet ellipsis">{t("next.assumed")}</small>
      </span>
      <span role="gridcell" class="two">
        <span class={`ellipsis ${devices > 0 ? "word-critical" : ""}`}>{t(redundancyKey(row))}</span>
        <small class="quiet ellipsis num" title={takes}>
          {takes}
        </small>
      </span>
    </div>
  )
}
