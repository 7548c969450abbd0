/** Where no second way is: the links and routers that others hang on, and the routers that hang, with why. */
import { useSignal } from "@preact/signals"
import { language, t, tCount } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { allPages, LIST_ROWS } from "#client/state/pages.ts"
import { plain } from "#client/state/search.ts"
import { setFaults } from "#client/state/whatif.ts"
import { csvOf } from "#client/state/whatif-csv.ts"
import { faultOfPoint, pointsOf } from "#client/state/whatif-points.ts"
import type { Point } from "#client/state/whatif-points.ts"
import { useAsk } from "#client/ui/ask.ts"
import { formatNumber } from "#client/ui/format.ts"
import { saveFile } from "#client/ui/once.tsx"
import { Said } from "#client/ui/said.tsx"
import { Loaded } from "#client/ui/table.tsx"
import { BesideMap } from "#client/ui/whatif/beside-map.tsx"
import { usePreview } from "#client/ui/whatif/preview.ts"
import type { Preview } from "#client/ui/whatif/preview.ts"
import type { SinglePoint } from "#protocol/rest-generated.ts"

const PAGE = 1_000
/** Drawn at once; the filter finds the others. */
const SHOWN = 150
const NAMES = 4

export const SinglePointsTab = () => {
  const asked = useAsk(() => allPages((cursor) => call("whatIf.singlePoints", { query: { limit: PAGE, cursor } })))
  const preview = usePreview(0)
  const query = useSignal("")
  const lostOnly = useSignal(false)
  const shown = (rows: readonly SinglePoint[]) =>
    rows.filter(
      ({ device, site, lostNow }) =>
        (lostNow || !lostOnly.value) && plain(`${device.name} ${site.name}`).includes(plain(query.value)),
    )
  return (
    <BesideMap preview={preview}>
      <header class="screen-head">
        <h1>{t("single.title")}</h1>
        <label class="check">
          <input
            type="checkbox"
            checked={lostOnly.value}
            onChange={(event) => (lostOnly.value = event.currentTarget.checked)}
          />
          {t("single.lostOnly")}
        </label>
        <input
          class="filter"
          type="search"
          aria-label={t("single.filter")}
          placeholder={t("single.filter")}
          value={query.value}
          onInput={(event) => (query.value = event.currentTarget.value)}
        />
      </header>
      <Loaded asked={asked}>{(rows) => <Both rows={shown(rows)} all={rows.length} preview={preview} />}</Loaded>
    </BesideMap>
  )
}

const Both = ({ rows, all, preview }: { rows: readonly SinglePoint[]; all: number; preview: Preview }) => {
  if (all === 0) {
    return (
      <div class="calm">
        <strong>{t("single.none")}</strong>
        <span class="quiet">{t("single.none.detail")}</span>
      </div>
    )
  }
  const save = () => saveFile("single-points.csv", "text/csv;charset=utf-8", singleCsv(rows))
  return (
    <div class="single-lists" data-list tabIndex={0} role="region" aria-label={t("single.title")}>
      {all >= LIST_ROWS && <p class="quiet">{t("alerts.cut", { count: LIST_ROWS })}</p>}
      <Points points={pointsOf(rows)} preview={preview} />
      <section class="single-routers">
        <header class="sim-head">
          <h2>{t("single.routers")}</h2>
          <span class="count num">{formatNumber(language.value, rows.length)}</span>
          <span class="grow" />
          <button type="button" class="button" onClick={save}>
            {t("next.csv")}
          </button>
        </header>
        <ul>
          {rows.slice(0, SHOWN).map((row) => (
            <Router key={row.device.id} row={row} preview={preview} />
          ))}
        </ul>
        {rows.length > SHOWN && <p class="quiet pad">{t("whatif.more", { count: rows.length - SHOWN })}</p>}
      </section>
    </div>
  )
}

/** What only one router hangs on is said by that router's own row. */
const Points = ({ points, preview }: { points: readonly Point[]; preview: Preview }) => {
  const shared = points.filter(({ routers }) => routers.length > 1)
  const alone = points.length - shared.length
  return points.length === 0 ? null : (
    <section>
      <header class="sim-head">
        <h2>{t("single.points")}</h2>
        <span class="count num">{formatNumber(language.value, points.length)}</span>
      </header>
      <ul>
        {shared.slice(0, SHOWN).map((point) => (
          <li key={JSON.stringify(point.fault)}>
            <button
              type="button"
              class="row"
              data-row
              onFocus={() => preview.point(point.fault)}
              onMouseEnter={() => preview.point(point.fault)}
              onClick={() => setFaults([point.fault])}
            >
              <span class="chip">{t(`whatif.kind.${point.fault.kind}`)}</span>
              <span class="row-main">
                <span class="row-title">{point.name}</span>
                <span class="row-detail">
                  {point.routers.slice(0, NAMES).join(", ")}
                  {point.routers.length > NAMES && ` ${t("whatif.more", { count: point.routers.length - NAMES })}`}
                </span>
              </span>
              <b class="num">{tCount("single.hang", point.routers.length)}</b>
            </button>
          </li>
        ))}
      </ul>
      {alone > 0 && <p class="quiet pad">{tCount("single.alone", alone)}</p>}
    </section>
  )
}

const Router = ({ row, preview }: { row: SinglePoint; preview: Preview }) => {
  const fault = faultOfPoint(row) ?? { kind: "router" as const, device: row.device.id }
  return (
    <li>
      <button
        type="button"
        class="row"
        data-row
        onFocus={() => preview.point(fault)}
        onMouseEnter={() => preview.point(fault)}
        onClick={() => setFaults([fault])}
      >
        <span class="row-main">
          <span class="row-title">
            {t("single.noPath", { name: row.device.name })}
            {row.lostNow && (
              <>
                {" "}
                <span class="chip word-major">{t("single.lostNow")}</span>
              </>
            )}
          </span>
          <span class="row-detail">
            <Said text={row.why} lead />
          </span>
        </span>
        <span class="quiet">{row.site.name}</span>
      </button>
    </li>
  )
}

const singleCsv = (rows: readonly SinglePoint[]): string =>
  csvOf(
    ["device", "site", "link", "by_device", "lost_now", "why"],
    rows.map(({ device, site, link, byDevice, lostNow, why }) => [
      device.name,
      site.name,
      link?.name ?? null,
      byDevice?.name ?? null,
      lostNow ? "yes" : "no",
      why,
    ]),
  )
