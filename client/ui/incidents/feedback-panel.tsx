/** How often verdicts were right, by kind of fault and how sure they were, and what the confirmations would shift. */
import { useSignal } from "@preact/signals"
import { useEffect } from "preact/hooks"
import { language, t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import type { Failure } from "#client/state/api.ts"
import { incidentFilter } from "#client/state/incidents.ts"
import { Problem } from "#client/ui/form.tsx"
import { formatMoment, formatNumber, formatPercent } from "#client/ui/format.ts"
import { problemText } from "#client/ui/problem-text.ts"
import type { AnswerOf } from "#protocol/rest.ts"

type Feedback = AnswerOf<"incidents.feedback">
const COLUMNS = [
  "incident.feedback.fault",
  "incident.feedback.said",
  "incident.feedback.right",
  "incident.feedback.wrong",
  "incident.feedback.shift",
] as const
/** Newest lines of the log that are shown. */
const LINES = 20

/** Read when it is opened, and when the time that is asked for changes. */
export const FeedbackPanel = () => {
  const isOpen = useSignal(false)
  const told = useSignal<Feedback | null>(null)
  const failure = useSignal<Failure | null>(null)
  const { fromMs, toMs } = incidentFilter.value
  useEffect(() => {
    if (!isOpen.value) return
    let gone = false
    const query = { ...(fromMs === null ? {} : { from: fromMs }), ...(toMs === null ? {} : { to: toMs }) }
    const read = async () => {
      const answer = await call("incidents.feedback", { query })
      if (gone) return
      if (answer.ok) told.value = answer.value
      failure.value = answer.ok ? null : answer
    }
    void read()
    return () => {
      gone = true
    }
  }, [isOpen.value, fromMs, toMs])
  return (
    <details class="pad" data-testid="feedback" onToggle={(event) => (isOpen.value = event.currentTarget.open)}>
      <summary>{t("incident.feedback")}</summary>
      <Problem text={failure.value === null ? null : problemText(failure.value)} />
      {told.value !== null &&
        (told.value.confirmed === 0 ? <p class="quiet">{t("incident.feedback.none")}</p> : <Table told={told.value} />)}
    </details>
  )
}

const Table = ({ told }: { told: Feedback }) => {
  const lang = language.value
  const { rows, right, confirmed, unnamed, shifts, log } = told
  const number = (value: number) => formatNumber(lang, value)
  const signed = (value: number) => `${value > 0 ? "+" : ""}${formatNumber(lang, value, 2)}`
  return (
    <>
      <p>
        {t("incident.feedback.sum", {
          right: number(right),
          named: number(confirmed - unnamed),
          unnamed: number(unnamed),
        })}
      </p>
      <table class="num">
        <thead>
          <tr>
            {COLUMNS.map((column) => (
              <th key={column} scope="col">
                {t(column)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ fault, from, to, right: good, wrong }, at) => (
            <tr key={`${fault} ${from}`}>
              <th scope="row">{t(`fault.${fault}`)}</th>
              <td>
                {formatPercent(lang, from * 100)}–{formatPercent(lang, to * 100)}
              </td>
              <td>{number(good)}</td>
              <td>{number(wrong)}</td>
              <td>
                {rows[at - 1]?.fault === fault ? "" : signed(shifts.find((one) => one.fault === fault)?.shift ?? 0)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="quiet">{t("incident.feedback.not")}</p>
      <ul class="quiet">
        {log.slice(0, LINES).map(({ atMs, incident, by, fault, from, to }) => (
          <li key={`${atMs} ${incident} ${fault} ${from}`}>
            {formatMoment(lang, atMs)}{" "}
            {t("incident.feedback.log", { by, fault: t(`fault.${fault}`), from: signed(from), to: signed(to) })}
          </li>
        ))}
      </ul>
    </>
  )
}
