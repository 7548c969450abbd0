/** One window: when, where, what it spares, who planned it; and what can be done with it now. */
import { useSignal } from "@preact/signals"
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { can } from "#client/state/places.ts"
import { go } from "#client/state/route.ts"
import { formOf } from "#client/state/window-form.ts"
import { momentWord } from "#client/ui/alerts/words.ts"
import { useAct, useAsk } from "#client/ui/ask.ts"
import type { Act } from "#client/ui/ask.ts"
import { Confirm } from "#client/ui/confirm.tsx"
import { Problem } from "#client/ui/form.tsx"
import { CloseIcon } from "#client/ui/icons.tsx"
import { WindowDialog } from "#client/ui/maintenance/window-dialog.tsx"
import { kindWord, longSpanWord, offsetWord, weekdayNames } from "#client/ui/maintenance/words.ts"
import { Fact, Facts } from "#client/ui/panel-parts.tsx"
import { scopeText } from "#client/ui/rules/scope-editor.tsx"
import { Loaded } from "#client/ui/table.tsx"
import { WEEKDAYS } from "#protocol/maintenance.ts"
import type { ChangeState } from "#protocol/maintenance.ts"
import type { MaintenanceRow, MaintenanceWindow } from "#protocol/rest-generated.ts"

/** What a change may become next: the engine refuses the rest. */
const NEXT: Readonly<Record<ChangeState, readonly ChangeState[]>> = {
  planned: ["in_progress", "canceled"],
  in_progress: ["completed", "canceled"],
  completed: [],
  canceled: [],
}

export const WindowPanel = (props: { id: string; turn: number; zone: string; changed: () => void }) => {
  const { id } = props
  const asked = useAsk(() => call("maintenance.get", { params: { id } }), `${id} ${props.turn}`)
  const act = useAct()
  const open = useSignal<"edit" | "remove" | null>(null)
  const done = () => {
    open.value = null
    props.changed()
    void asked.reload()
  }
  return (
    <aside class="selection panel window-panel" data-testid="window" aria-labelledby="window-title">
      <Loaded asked={asked}>
        {(row) => (
          <>
            <Head row={row} />
            <div class="panel-body" tabIndex={0} role="group" aria-labelledby="window-title">
              <Problem text={act.problem} />
              {can("windowEdit") && <Buttons row={row} act={act} done={done} open={(what) => (open.value = what)} />}
              <About row={row} zone={props.zone} />
            </div>
            {open.value === "edit" && (
              <WindowDialog
                id={id}
                etag={asked.etag}
                form={formOf(row.window)}
                close={() => (open.value = null)}
                done={done}
              />
            )}
            {open.value === "remove" && (
              <Confirm
                title={t("maintenance.remove")}
                text={t("maintenance.remove.sure", { title: row.window.title })}
                label={t("maintenance.remove")}
                ask={() =>
                  call("maintenance.remove", { params: { id }, headers: { "if-match": asked.etag ?? undefined } })
                }
                done={() => {
                  open.value = null
                  props.changed()
                  go({ item: null })
                }}
                close={() => (open.value = null)}
              />
            )}
          </>
        )}
      </Loaded>
    </aside>
  )
}

const Head = ({ row }: { row: MaintenanceRow }) => (
  <header class="panel-head">
    <div class="panel-title">
      <h2 id="window-title">{row.window.title}</h2>
      <button
        type="button"
        class="icon-button"
        aria-label={t("panel.close")}
        title={t("panel.close")}
        onClick={() => go({ item: null })}
      >
        <CloseIcon />
      </button>
    </div>
    <p class="panel-state">
      <span class={`chip kind-word-${row.window.kind}`}>{kindWord(row.window)}</span>
      <span class={row.active ? "word-maintenance strong" : "quiet"}>
        {t(row.active ? "window.active" : row.next === null ? "window.over" : "window.waits")}
      </span>
    </p>
  </header>
)

const Buttons = (props: {
  row: MaintenanceRow
  act: Act
  done: () => void
  open: (what: "edit" | "remove") => void
}) => {
  const { row, act } = props
  const { id, changeState } = row.window
  return (
    <div class="window-buttons">
      {row.active && (
        <button
          type="button"
          class="primary"
          aria-disabled={act.busy}
          onClick={() => void act.run(() => call("maintenance.end", { params: { id } }), props.done)}
        >
          {t("maintenance.end")}
        </button>
      )}
      {(changeState === undefined ? [] : NEXT[changeState]).map((state) => (
        <button
          key={state}
          type="button"
          class="button"
          aria-disabled={act.busy}
          onClick={() => void act.run(() => call("maintenance.state", { params: { id }, body: { state } }), props.done)}
        >
          {t(`changeAct.${state}`)}
        </button>
      ))}
      <button type="button" class="button" onClick={() => props.open("edit")}>
        {t("maintenance.change")}
      </button>
      <button type="button" class="text-button danger-text" onClick={() => props.open("remove")}>
        {t("maintenance.remove")}
      </button>
    </div>
  )
}

const About = ({ row, zone }: { row: MaintenanceRow; zone: string }) => {
  const { window, next } = row
  const own = window.timeZone
  return (
    <section class="block">
      {next !== null && (
        <p class="window-next">
          <span class="quiet">{t(row.active ? "window.now" : "window.next")}</span>
          <b class="num">{longSpanWord(zone, next.fromMs, next.toMs)}</b>
          {own !== zone && (
            <span class="quiet num">
              {own}: {longSpanWord(own, next.fromMs, next.toMs)}
            </span>
          )}
        </p>
      )}
      {window.note !== "" && <p class="window-note">{window.note}</p>}
      <Facts>
        <Fact label={t("window.scope")} value={scopeText(window.scope)} />
        <Fact label={t("window.rule")} value={window.rule ?? t("window.rule.all")} />
        <Fact label={t("window.every")} value={everyWord(window)} />
        <Fact label={t("window.zone")} value={`${own} (${offsetWord(own, next?.fromMs ?? window.startsAtMs)})`} />
        <Fact label={t("window.until")} value={window.untilMs === null ? null : momentWord(window.untilMs)} />
        <Fact
          label={t("window.critical")}
          value={t(window.sparesCritical ? "window.critical.told" : "window.critical.held")}
        />
        <Fact label={t("window.by")} value={`${row.updatedBy} · ${momentWord(row.updatedAtMs)}`} />
      </Facts>
    </section>
  )
}

const everyWord = ({ recurrence }: MaintenanceWindow): string => {
  const word = t(`recurrence.${recurrence.every}`)
  if (recurrence.every !== "week") return word
  const names = weekdayNames("short")
  return `${word}: ${recurrence.on.map((day) => names[WEEKDAYS.indexOf(day)]).join(", ")}`
}
