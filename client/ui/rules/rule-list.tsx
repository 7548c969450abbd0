/** All rules of the tenant: what they watch, how bad, for whom, whether they are on, and how many alerts they have now. */
import { useSignal } from "@preact/signals"
import { said } from "#client/i18n/said.ts"
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { can } from "#client/state/places.ts"
import { go } from "#client/state/route.ts"
import { asRule, valueAt, withValue, worstSeverity } from "#client/state/rule-doc.ts"
import { drafts, isChanged } from "#client/state/rule-drafts.ts"
import { plain } from "#client/state/search.ts"
import { markOfSeverityWord } from "#client/ui/alerts/words.ts"
import { useAct } from "#client/ui/ask.ts"
import { Problem } from "#client/ui/form.tsx"
import { MarkIcon } from "#client/ui/icons.tsx"
import { scopeText } from "#client/ui/rules/scope-editor.tsx"
import type { AlertRuleRow } from "#protocol/rest-generated.ts"

type Shown = "all" | "on" | "off" | "mine" | "firing"
const SHOWN: readonly Shown[] = ["all", "on", "off", "mine", "firing"]

export const originWord = (origin: string): string =>
  origin === "own" || origin === "changed" ? t(`ruleOrigin.${origin}`) : t("ruleOrigin.pack")

export const RuleList = (props: {
  rows: readonly AlertRuleRow[]
  open: string | null
  changed: () => Promise<void>
}) => {
  const text = useSignal("")
  const shown = useSignal<Shown>("all")
  const act = useAct()
  const words = plain(text.value).split(/\s+/).filter(Boolean)
  const rows = props.rows.filter((row) => fits(row, shown.value) && says(row, words))
  const switchTo = (id: string, enabled: boolean) =>
    void act.run(async () => {
      const stored = await call("alertRules.get", { params: { id } })
      if (!stored.ok) return stored
      const body = withValue(stored.value.rule, ["enabled"], enabled) as AlertRuleRow["rule"]
      return call("alertRules.put", { params: { id }, headers: { "if-match": stored.etag ?? undefined }, body })
    }, props.changed)
  return (
    <>
      <div class="rule-filters">
        <input
          class="filter"
          type="search"
          aria-label={t("rules.filter")}
          placeholder={t("rules.filter")}
          value={text.value}
          onInput={(event) => (text.value = event.currentTarget.value)}
        />
        <div class="segments" role="group" aria-label={t("rules.shown")}>
          {SHOWN.map((one) => (
            <button key={one} type="button" aria-pressed={shown.value === one} onClick={() => (shown.value = one)}>
              {t(`rules.shown.${one}`)}
            </button>
          ))}
        </div>
      </div>
      <Problem text={act.problem} />
      <ul
        class="rule-rows panel"
        data-list
        data-testid="rules"
        tabIndex={rows.length === 0 ? undefined : 0}
        aria-label={t("rules.title")}
      >
        {rows.length === 0 && <li class="calm quiet">{t("rules.none")}</li>}
        {rows.map((row) => (
          <RuleLine key={idOf(row)} row={row} open={idOf(row) === props.open} busy={act.busy} switchTo={switchTo} />
        ))}
      </ul>
    </>
  )
}

const idOf = (row: AlertRuleRow): string => String(valueAt(row.rule, ["id"]))

const fits = ({ rule, origin, firing, pending }: AlertRuleRow, shown: Shown): boolean => {
  if (shown === "on" || shown === "off") return (rule["enabled"] === true) === (shown === "on")
  if (shown === "mine") return origin === "own" || origin === "changed"
  return shown === "all" || firing + pending > 0
}
const says = (row: AlertRuleRow, words: readonly string[]): boolean => {
  if (words.length === 0) return true
  const found = plain(
    `${row.rule["id"]} ${row.rule["name"]} ${row.origin} ${JSON.stringify(row.rule["condition"])} ${scopeText(row.rule["scope"])}`,
  )
  return words.every((word) => found.includes(word))
}

const RuleLine = (props: {
  row: AlertRuleRow
  open: boolean
  busy: boolean
  switchTo: (id: string, enabled: boolean) => void
}) => {
  const { row, open } = props
  const rule = asRule(row.rule)
  const draft = drafts.value.get(rule.id)
  return (
    <li class={`rule-line ${open ? "open" : ""} ${rule.enabled ? "" : "off"}`}>
      <button
        type="button"
        class="row"
        data-row
        data-id={rule.id}
        aria-current={open ? "true" : undefined}
        onClick={() => go({ item: rule.id, tab: null })}
      >
        <MarkIcon mark={markOfSeverityWord(worstSeverity(rule))} size={13} />
        <span class="row-main">
          <span class="row-title">{said(rule.name)}</span>
          <span class="row-detail">
            <span class="mono">{rule.id}</span>
            {row.origin === "own" || row.origin === "changed" ? (
              <span class="chip">{originWord(row.origin)}</span>
            ) : null}
            {draft !== undefined && isChanged(draft) && <span class="chip word-warning">{t("rules.unsaved")}</span>}
            <span class="quiet">{scopeText(rule.scope)}</span>
          </span>
        </span>
        <Counts row={row} />
      </button>
      {can("ruleEdit") ? (
        <label class="toggle" title={t(rule.enabled ? "rules.on" : "rules.off")}>
          <span class="unseen">{t("rules.switch", { name: rule.name })}</span>
          <input
            type="checkbox"
            role="switch"
            checked={rule.enabled}
            disabled={props.busy}
            onChange={(event) => props.switchTo(rule.id, event.currentTarget.checked)}
          />
        </label>
      ) : (
        <span class="quiet rule-onoff">{t(rule.enabled ? "rules.on" : "rules.off")}</span>
      )}
    </li>
  )
}

const Counts = ({ row }: { row: AlertRuleRow }) => (
  <span class="rule-counts num">
    {row.firing > 0 && <b class="state-firing">{t("rules.firing", { count: row.firing })}</b>}
    {row.pending > 0 && <span class="quiet">{t("rules.pending", { count: row.pending })}</span>}
  </span>
)
