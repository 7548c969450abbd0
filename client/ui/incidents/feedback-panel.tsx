/** How often verdicts were right, by kind of fault and how sure they were; what that taught, each step of it, and the way back. */
import { useSignal } from "@preact/signals"
import { useEffect } from "preact/hooks"
import { language, t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import type { Failure } from "#client/state/api.ts"
import { incidentFilter } from "#client/state/incidents.ts"
import { can } from "#client/state/places.ts"
import { Problem } from "#client/ui/form.tsx"
import { formatMoment, formatNumber, formatPercent } from "#client/ui/format.ts"
import { problemText } from "#client/ui/problem-text.ts"
import type { AnswerOf } from "#protocol/rest.ts"

type Feedback = AnswerOf<"incidents.feedback">
type Shift = Feedback["shifts"][number]
const COLUMNS = [
  "incident.feedback.fault",
  "incident.feedback.said",
  "incident.feedback.right",
  "incident.feedback.wrong",
] as const
const WEIGHTS = [
  "incident.feedback.fault",
  "incident.feedback.confirmed",
  "incident.feedback.right",
  "incident.feedback.shift",
  "incident.feedback.wanted",
] as const
/** Newest lines of the log that are shown. */
const LINES = 20

/** Read when it is opened, and when the time that is asked for changes. */
export const FeedbackPanel = () => {
  const isOpen = useSignal(false)
  const told = useSignal<Feedback | null>(null)
  const failure = useSignal<Failure | null>(null)
  const { fromMs, toMs } = incidentFilter.value
  const reads = useSignal(0)
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
  }, [isOpen.value, fromMs, toMs, reads.value])
  const unlearn = async (fault: Shift["fault"]): Promise<void> => {
    const answer = await call("incidents.unlearn", { params: { fault } })
    if (answer.ok) reads.value++
    else failure.value = answer
  }
  return (
    <details class="pad" data-testid="feedback" onToggle={(event) => (isOpen.value = event.currentTarget.open)}>
      <summary>{t("incident.feedback")}</summary>
      <Problem text={failure.value === null ? null : problemText(failure.value)} />
      {told.value !== null &&
        (told.value.confirmed === 0 ? <p class="quiet">{t("incident.feedback.none")}</p> : <Table told={told.value} />)}
      {told.value !== null && told.value.shifts.length > 0 && (
        <Weights told={told.value} unlearn={(fault) => void unlearn(fault)} />
      )}
    </details>
  )
}

const Table = ({ told }: { told: Feedback }) => {
  const lang = language.value
  const { rows, right, confirmed, unnamed } = told
  const number = (value: number) => formatNumber(lang, value)
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
          {rows.map(({ fault, from, to, right: good, wrong }) => (
            <tr key={`${fault} ${from}`}>
              <th scope="row">{t(`fault.${fault}`)}</th>
              <td>
                {formatPercent(lang, from * 100)}–{formatPercent(lang, to * 100)}
              </td>
              <td>{number(good)}</td>
              <td>{number(wrong)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  )
}

/** What is added to the confidence of each kind of fault, where that leads, and each change of it. */
const Weights = ({ told: { shifts, log }, unlearn }: { told: Feedback; unlearn: (fault: Shift["fault"]) => void }) => {
  const lang = language.value
  const number = (value: number) => formatNumber(lang, value)
  const signed = (value: number) => `${value > 0 ? "+" : ""}${formatNumber(lang, value, 2)}`
  return (
    <>
      <table class="num" data-testid="weights">
        <caption>{t("incident.feedback.weights")}</caption>
        <thead>
          <tr>
            {WEIGHTS.map((column) => (
              <th key={column} scope="col">
                {t(column)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shifts.map(({ fault, confirmations, right, shift, wanted }) => (
            <tr key={fault}>
              <th scope="row">{t(`fault.${fault}`)}</th>
              <td>{number(confirmations)}</td>
              <td>{number(right)}</td>
              <td>{signed(shift)}</td>
              <td>{signed(wanted)}</td>
              {can("ruleEdit") && (
                <td>
                  <button type="button" class="button" onClick={() => unlearn(fault)}>
                    {t("incident.feedback.unlearn")}
                  </button>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
      <p class="quiet">{t("incident.feedback.applied")}</p>
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
