/** What the list of incidents shows: state, severity, mine, what nobody has, words. */
import { t } from "#client/i18n/translate.ts"
import { LIVE } from "#client/state/incident-list.ts"
import type { IncidentFilter, StateFilter } from "#client/state/incident-list.ts"
import { incidentFilter } from "#client/state/incidents.ts"
import { FAULT_TYPES } from "#protocol/incident.ts"
import { ALERT_SEVERITIES } from "#protocol/rule.ts"

const STATES: readonly StateFilter[] = ["live", "open", "recovering", "closed", "all"]

export const IncidentFilters = () => {
  const filter = incidentFilter.value
  const set = (change: Partial<IncidentFilter>) => (incidentFilter.value = { ...incidentFilter.peek(), ...change })
  const changed = JSON.stringify(filter) !== JSON.stringify(LIVE)
  return (
    <div class="alert-filters incident-filters">
      <div class="segments" role="group" aria-label={t("incidents.whose")}>
        <button
          type="button"
          aria-pressed={!filter.mine && !filter.needsYou}
          onClick={() => set({ mine: false, needsYou: false })}
        >
          {t("incidents.whose.all")}
        </button>
        <button type="button" aria-pressed={filter.needsYou} onClick={() => set({ mine: false, needsYou: true })}>
          {t("incidents.whose.nobody")}
        </button>
        <button type="button" aria-pressed={filter.mine} onClick={() => set({ mine: true, needsYou: false })}>
          {t("incidents.whose.mine")}
        </button>
      </div>
      <label class="pick-one">
        <span>{t("incidents.state")}</span>
        <select value={filter.state} onChange={(event) => set({ state: event.currentTarget.value as StateFilter })}>
          {STATES.map((state) => (
            <option key={state} value={state}>
              {t(`incidents.state.${state}`)}
            </option>
          ))}
        </select>
      </label>
      <label class="pick-one">
        <span>{t("alerts.severity")}</span>
        <select
          value={filter.severity}
          onChange={(event) => set({ severity: event.currentTarget.value as IncidentFilter["severity"] })}
        >
          <option value="">{t("alerts.any")}</option>
          {ALERT_SEVERITIES.toReversed().map((severity) => (
            <option key={severity} value={severity}>
              {t(`alertSeverity.${severity}`)}
            </option>
          ))}
        </select>
      </label>
      {filter.state === "closed" && <ClosedFilters filter={filter} set={set} />}
      {changed && (
        <button type="button" class="text-button" onClick={() => (incidentFilter.value = LIVE)}>
          {t("alerts.clear")}
        </button>
      )}
      <input
        class="filter"
        type="search"
        aria-label={t("incidents.filter")}
        placeholder={t("incidents.filter")}
        value={filter.text}
        onInput={(event) => set({ text: event.currentTarget.value })}
      />
    </div>
  )
}

const NO_CAUSE = "unknown"

/** Closed ones are many: their time and cause are asked of the engine. */
const ClosedFilters = ({ filter, set }: { filter: IncidentFilter; set: (change: Partial<IncidentFilter>) => void }) => (
  <>
    <Moment label={t("incidents.from")} name="from" atMs={filter.fromMs} set={(fromMs) => set({ fromMs })} />
    <Moment label={t("incidents.to")} name="to" atMs={filter.toMs} set={(toMs) => set({ toMs })} />
    <label class="pick-one">
      <span>{t("incident.cause")}</span>
      <select
        name="cause"
        value={filter.cause}
        onChange={(event) => set({ cause: event.currentTarget.value as IncidentFilter["cause"] })}
      >
        <option value="">{t("alerts.any")}</option>
        {FAULT_TYPES.map((fault) => (
          <option key={fault} value={fault}>
            {t(`fault.${fault}`)}
          </option>
        ))}
        <option value={NO_CAUSE}>{t("incident.cause.unknown")}</option>
      </select>
    </label>
  </>
)

const MINUTE_MS = 60_000
/** A moment as the browser's field writes it: local, to the minute. */
const fieldOf = (atMs: number): string =>
  new Date(atMs - new Date(atMs).getTimezoneOffset() * MINUTE_MS).toISOString().slice(0, 16)

const Moment = (props: { label: string; name: string; atMs: number | null; set: (atMs: number | null) => void }) => (
  <label class="pick-one">
    <span>{props.label}</span>
    <input
      type="datetime-local"
      name={props.name}
      value={props.atMs === null ? "" : fieldOf(props.atMs)}
      onChange={(event) => {
        const atMs = Date.parse(event.currentTarget.value)
        props.set(Number.isNaN(atMs) ? null : Math.max(0, atMs))
      }}
    />
  </label>
)
