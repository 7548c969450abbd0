/** What the triage list shows: severity, state, site, told or held back, words; and what it is grouped by. */
import { t } from "#client/i18n/translate.ts"
import { ALL } from "#client/state/alert-list.ts"
import type { AlertFilter, Grouping, HeldFilter } from "#client/state/alert-list.ts"
import { alertFilter, alerts, grouping } from "#client/state/alerts.ts"
import { siteName } from "#client/ui/alerts/words.ts"
import { HELD_BACK_BY } from "#protocol/alert.ts"
import { ALERT_SEVERITIES } from "#protocol/rule.ts"

const STATES = ["firing", "recovering", "pending"] as const
const GROUPINGS = ["none", "device", "rule"] as const

export const AlertFilters = () => {
  const filter = alertFilter.value
  const set = (change: Partial<AlertFilter>) => (alertFilter.value = { ...alertFilter.peek(), ...change })
  const sites = [...new Set((alerts.value ?? []).map(({ site }) => site))].sort()
  const any = { value: "", label: t("alerts.any") }
  const busy = JSON.stringify(filter) !== JSON.stringify(ALL)
  return (
    <div class="alert-filters">
      <Pick
        label={t("alerts.severity")}
        value={filter.severity}
        set={(severity) => set({ severity: severity as AlertFilter["severity"] })}
        options={[
          any,
          ...ALERT_SEVERITIES.toReversed().map((value) => ({ value, label: t(`alertSeverity.${value}`) })),
        ]}
      />
      <Pick
        label={t("alerts.state")}
        value={filter.state}
        set={(state) => set({ state: state as AlertFilter["state"] })}
        options={[any, ...STATES.map((value) => ({ value, label: t(`alertState.${value}`) }))]}
      />
      <Pick
        label={t("alerts.site")}
        value={filter.site}
        set={(site) => set({ site })}
        options={[any, ...sites.map((value) => ({ value, label: siteName(value) }))]}
      />
      <Pick
        label={t("alerts.held")}
        value={filter.held}
        set={(held) => set({ held: held as HeldFilter })}
        options={[
          { value: "any", label: t("alerts.any") },
          { value: "told", label: t("alerts.held.told") },
          { value: "held", label: t("alerts.held.held") },
          ...HELD_BACK_BY.map((value) => ({ value, label: t(`heldBack.${value}`) })),
        ]}
      />
      <div class="segments" role="group" aria-label={t("alerts.group")}>
        {GROUPINGS.map((value: Grouping) => (
          <button
            key={value}
            type="button"
            aria-pressed={grouping.value === value}
            onClick={() => (grouping.value = value)}
          >
            {t(`alerts.group.${value}`)}
          </button>
        ))}
      </div>
      {busy && (
        <button type="button" class="text-button" onClick={() => (alertFilter.value = ALL)}>
          {t("alerts.clear")}
        </button>
      )}
      <input
        class="filter"
        type="search"
        aria-label={t("alerts.filter")}
        placeholder={t("alerts.filter")}
        value={filter.text}
        onInput={(event) => set({ text: event.currentTarget.value })}
      />
    </div>
  )
}

const Pick = (props: {
  label: string
  value: string
  set: (value: string) => void
  options: readonly { readonly value: string; readonly label: string }[]
}) => (
  <label class="pick-one">
    <span>{props.label}</span>
    <select value={props.value} onChange={(event) => props.set(event.currentTarget.value)}>
      {props.options.map(({ value, label }) => (
        <option key={value} value={value}>
          {label}
        </option>
      ))}
    </select>
  </label>
)
