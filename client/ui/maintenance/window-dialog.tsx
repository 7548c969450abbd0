/** Plans a window or a change, or changes one: what, where, when in whose time, how often, and what is told all the same. */
import { useSignal } from "@preact/signals"
import type { ComponentChildren } from "preact"
import { useMemo } from "preact/hooks"
import { said } from "#client/i18n/said.ts"
import { language, t } from "#client/i18n/translate.ts"
import { call, newKey } from "#client/state/api.ts"
import { serverNowMs } from "#client/state/app.ts"
import { allPages } from "#client/state/pages.ts"
import { SCOPE_FIELDS, scopeList } from "#client/state/rule-doc.ts"
import { bodyOf, comesTwice, mistakeOf, skippedTo } from "#client/state/window-form.ts"
import type { WindowForm } from "#client/state/window-form.ts"
import { readField, zoneNames } from "#client/state/zone.ts"
import { useAct, useAsk } from "#client/ui/ask.ts"
import { Dialog } from "#client/ui/dialog.tsx"
import { Form } from "#client/ui/form.tsx"
import { formatDuration } from "#client/ui/format.ts"
import { weekdayNames } from "#client/ui/maintenance/words.ts"
import { ScopeEditor } from "#client/ui/rules/scope-editor.tsx"
import { WEEKDAYS } from "#protocol/maintenance.ts"
import type { MaintenanceRow } from "#protocol/rest-generated.ts"

const KINDS = ["maintenance", "change"] as const
const EVERY = ["never", "day", "week", "month"] as const

export const WindowDialog = (props: {
  /** Null = a new one. */
  id: string | null
  etag: string | null
  form: WindowForm
  close: () => void
  done: (row: MaintenanceRow) => void
}) => {
  const act = useAct()
  const form = useSignal(props.form)
  const key = useMemo(newKey, [])
  const now = form.value
  const set = (change: Partial<WindowForm>) => (form.value = { ...form.peek(), ...change })
  const mistake = mistakeOf(now, serverNowMs.value)
  const kinds = props.id === null ? KINDS : [now.kind]
  const submit = () => {
    const body = bodyOf(form.peek())
    void act.run(
      () =>
        props.id === null
          ? call("maintenance.create", { headers: { "idempotency-key": key }, body })
          : call("maintenance.put", {
              params: { id: props.id },
              headers: { "if-match": props.etag ?? undefined },
              body,
            }),
      props.done,
    )
  }
  return (
    <Dialog title={t(props.id === null ? "maintenance.new" : "maintenance.edit")} close={props.close} wide>
      <Form act={act} label={t("form.save")} cancel={props.close} disabled={mistake !== null} submit={submit}>
        <div class="segments" role="group" aria-label={t("window.kind")}>
          {kinds.map((kind) => (
            <button
              key={kind}
              type="button"
              aria-pressed={now.kind === kind}
              onClick={() => set(kind === "change" ? { kind, every: "never" } : { kind })}
            >
              {t(`silenceKind.${kind}`)}
            </button>
          ))}
        </div>
        <div class="window-fields">
          <Labelled label={t("window.title")} wide>
            <input
              type="text"
              name="title"
              maxLength={200}
              autoFocus
              value={now.title}
              onInput={(event) => set({ title: event.currentTarget.value })}
            />
          </Labelled>
          <Labelled label={t("window.note")} wide>
            <textarea
              name="note"
              rows={2}
              maxLength={2_000}
              value={now.note}
              onInput={(event) => set({ note: event.currentTarget.value })}
            />
          </Labelled>
        </div>
        <Times form={now} set={set} />
        <fieldset class="choices">
          <legend>{t("window.scope")}</legend>
          <ScopeEditor scope={now.scope} readOnly={false} set={(scope) => set({ scope })} />
          {SCOPE_FIELDS.every((field) => scopeList(now.scope, field).length === 0) && (
            <p class="notice">{t("window.everything")}</p>
          )}
        </fieldset>
        <RuleChoice rule={now.rule} set={(rule) => set({ rule })} />
        <label class="choice">
          <input
            type="checkbox"
            checked={now.sparesCritical}
            onChange={(event) => set({ sparesCritical: event.currentTarget.checked })}
          />
          <span>
            {t("window.spares")}
            <small class="quiet">{t("window.spares.why")}</small>
          </span>
        </label>
        {mistake !== null && mistake !== "title" && (
          <p class="mistake" role="status">
            {t(`windowMistake.${mistake}`)}
          </p>
        )}
      </Form>
    </Dialog>
  )
}

const Labelled = ({ label, wide, children }: { label: string; wide?: boolean; children: ComponentChildren }) => (
  <div class={`rule-field ${wide === true ? "wide" : ""}`}>
    <label>
      <span>{label}</span>
      {children}
    </label>
  </div>
)

const Times = ({ form, set }: { form: WindowForm; set: (change: Partial<WindowForm>) => void }) => {
  const from = readField(form.timeZone, form.starts)
  const to = readField(form.timeZone, form.ends)
  const skipped = skippedTo(form.timeZone, form.starts)
  return (
    <>
      <div class="window-fields">
        <Labelled label={t("window.starts")}>
          <input
            type="datetime-local"
            name="starts"
            value={form.starts}
            onInput={(event) => set({ starts: event.currentTarget.value })}
          />
        </Labelled>
        <Labelled label={t("window.ends")}>
          <input
            type="datetime-local"
            name="ends"
            value={form.ends}
            onInput={(event) => set({ ends: event.currentTarget.value })}
          />
        </Labelled>
        <Labelled label={t("window.zone")}>
          <input
            type="text"
            name="zone"
            list="zones"
            autocomplete="off"
            spellcheck={false}
            value={form.timeZone}
            onInput={(event) => set({ timeZone: event.currentTarget.value })}
          />
        </Labelled>
        <datalist id="zones">
          {zoneNames().map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </div>
      <p class="quiet window-length num">
        {from !== null &&
          to !== null &&
          to > from &&
          t("window.length", { time: formatDuration(language.value, to - from) })}
        {skipped !== null && <b> {t("window.skipped", { time: skipped })}</b>}
        {comesTwice(form.timeZone, form.starts) && <b> {t("window.twice")}</b>}
      </p>
      {/* A change is made once. */}
      <div class="segments" role="group" aria-label={t("window.every")} hidden={form.kind === "change"}>
        {EVERY.map((every) => (
          <button key={every} type="button" aria-pressed={form.every === every} onClick={() => set({ every })}>
            {t(`recurrence.${every}`)}
          </button>
        ))}
      </div>
      {form.every === "week" && <Weekdays form={form} set={set} />}
      {form.every !== "never" && (
        <div class="window-fields">
          <Labelled label={t("window.until")}>
            <input
              type="date"
              name="until"
              value={form.until}
              onInput={(event) => set({ until: event.currentTarget.value })}
            />
          </Labelled>
          <p class="quiet window-length">{t("window.every.why", { zone: form.timeZone })}</p>
        </div>
      )}
    </>
  )
}

const Weekdays = ({ form, set }: { form: WindowForm; set: (change: Partial<WindowForm>) => void }) => {
  const names = weekdayNames("short")
  return (
    <fieldset class="choices weekdays">
      <legend>{t("window.days")}</legend>
      <div class="chips">
        {WEEKDAYS.map((day, nth) => (
          <label key={day} class="choice">
            <input
              type="checkbox"
              value={day}
              checked={form.on.includes(day)}
              onChange={(event) =>
                set({ on: event.currentTarget.checked ? [...form.on, day] : form.on.filter((one) => one !== day) })
              }
            />
            <span>{names[nth]}</span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}

/** Only one rule, or all of them. */
const RuleChoice = ({ rule, set }: { rule: string; set: (rule: string) => void }) => {
  const rules = useAsk(() => allPages((cursor) => call("alertRules.list", { query: { limit: 1_000, cursor } })))
  const options = (rules.value ?? []).map((row) => ({
    id: String(row.rule["id"]),
    name: said(String(row.rule["name"])),
  }))
  return (
    <Labelled label={t("window.rule")}>
      <select name="rule" value={rule} onChange={(event) => set(event.currentTarget.value)}>
        <option value="">{t("window.rule.all")}</option>
        {rule !== "" && !options.some(({ id }) => id === rule) && <option value={rule}>{rule}</option>}
        {options.map(({ id, name }) => (
          <option key={id} value={id}>
            {name} · {id}
          </option>
        ))}
      </select>
    </Labelled>
  )
}
