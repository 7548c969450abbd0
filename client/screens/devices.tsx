/** All devices in one table, only the visible rows in the DOM (10,000 scroll like 20), and the chosen one beside it. */
import { useComputed, useSignal } from "@preact/signals"
import { language, t } from "#client/i18n/translate.ts"
import { isTrouble, MARKS } from "#client/map/mark.ts"
import { serverNowMs, twin } from "#client/state/app.ts"
import { deviceRows } from "#client/state/device-rows.ts"
import type { DeviceRow } from "#client/state/device-rows.ts"
import { go, route } from "#client/state/route.ts"
import { AddMenu } from "#client/ui/edit/add-menu.tsx"
import { formatAge, formatNumber, roleName } from "#client/ui/format.ts"
import { MarkIcon } from "#client/ui/icons.tsx"
import { useRowWindow } from "#client/ui/row-window.ts"
import { SelectionPanel } from "#client/ui/selection-panel.tsx"
import { statusWord } from "#client/ui/status-word.ts"

const ROW_PX = 38
const HEAD_PX = 34
/** Rows beyond the window on both sides, so that fast scrolling shows no gaps. */
const OVERSCAN = 6

export const DevicesScreen = () => {
  const filter = useSignal("")
  const onlyTrouble = useSignal(false)
  const rows = useComputed(() => {
    if (twin.value === null) return []
    void language.value
    const all = deviceRows(twin.value, filter.value, roleName)
    return onlyTrouble.value ? all.filter(({ mark }) => isTrouble(mark)) : all
  })
  const { selection } = route.value
  const total = twin.value?.nodes.id.length ?? 0
  return (
    <div class="split">
      <section class="list-side" aria-labelledby="devices-title">
        <header class="screen-head">
          <h1 id="devices-title">{t("devices.title")}</h1>
          <span class="count num" data-testid="device-count">
            {formatNumber(language.value, rows.value.length)}
          </span>
          <label class="check">
            <input
              type="checkbox"
              checked={onlyTrouble.value}
              onChange={(event) => (onlyTrouble.value = event.currentTarget.checked)}
            />
            {t("devices.only")}
          </label>
          <AddMenu />
          <input
            class="filter"
            type="search"
            aria-label={t("devices.filter")}
            placeholder={t("devices.filter")}
            value={filter.value}
            onInput={(event) => (filter.value = event.currentTarget.value)}
          />
        </header>
        {rows.value.length === 0 ? (
          <p class="calm quiet">{t(total === 0 ? "devices.empty" : "devices.none")}</p>
        ) : (
          <DeviceTable rows={rows.value} selected={selection?.id ?? null} />
        )}
      </section>
      {selection === null ? (
        <p class="calm quiet pick">{t("devices.pick")}</p>
      ) : (
        <SelectionPanel selection={selection} />
      )}
    </div>
  )
}

const DeviceTable = ({ rows, selected }: { rows: readonly DeviceRow[]; selected: string | null }) => {
  const index = rows.findIndex(({ id }) => id === selected)
  const { body, top, height } = useRowWindow(index, selected, ROW_PX, HEAD_PX)
  const choose = (at: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, at))]
    if (row !== undefined) go({ selection: { kind: "device", id: row.id } }, true)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const page = Math.floor(height.value / ROW_PX)
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page }[event.key]
    if (event.key === "Home") choose(0)
    else if (event.key === "End") choose(rows.length - 1)
    else if (step !== undefined) choose(index < 0 ? 0 : index + step)
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  const first = Math.max(0, Math.floor(top.value / ROW_PX) - OVERSCAN)
  const last = Math.min(rows.length, Math.ceil((top.value + height.value) / ROW_PX) + OVERSCAN)
  return (
    <div
      ref={body}
      class="grid panel"
      role="grid"
      tabIndex={0}
      aria-labelledby="devices-title"
      aria-rowcount={rows.length + 1}
      onScroll={(event) => (top.value = event.currentTarget.scrollTop)}
      onKeyDown={onKeyDown}
    >
      <div class="grid-head" role="row" aria-rowindex={1}>
        {(["name", "role", "site", "state", "seen"] as const).map((column) => (
          <span key={column} role="columnheader">
            {t(`devices.column.${column}`)}
          </span>
        ))}
      </div>
      <div role="rowgroup" style={{ height: `${rows.length * ROW_PX}px` }}>
        <div role="presentation" style={{ transform: `translateY(${first * ROW_PX}px)` }}>
          {rows.slice(first, last).map((row, at) => (
            <GridRow key={row.id} row={row} index={first + at} selected={row.id === selected} choose={choose} />
          ))}
        </div>
      </div>
    </div>
  )
}

const GridRow = (props: { row: DeviceRow; index: number; selected: boolean; choose: (index: number) => void }) => {
  const { row } = props
  const seen = row.seenS === 0 ? t("devices.never") : formatAge(language.value, serverNowMs.value - row.seenS * 1_000)
  return (
    <div
      class="grid-row"
      role="row"
      aria-rowindex={props.index + 2}
      aria-selected={props.selected}
      data-id={row.id}
      onClick={() => props.choose(props.index)}
    >
      <span role="gridcell" class="grid-name">
        <MarkIcon mark={MARKS[row.mark] ?? "unknown"} size={12} />
        <b class="ellipsis">{row.name}</b>
      </span>
      <span role="gridcell">{row.role}</span>
      <span role="gridcell" class="ellipsis">
        {row.site}
      </span>
      <span role="gridcell" class={`word-${MARKS[row.mark] ?? "unknown"}`}>
        {statusWord(row.status)}
      </span>
      <span role="gridcell" class="num quiet">
        {seen}
      </span>
    </div>
  )
}
