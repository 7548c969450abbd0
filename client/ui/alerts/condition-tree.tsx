/** What each part of a condition saw: the observed value beside what was asked, whether that holds, and its samples. */
import { t } from "#client/i18n/translate.ts"
import { SampleChart } from "#client/ui/alerts/sample-chart.tsx"
import { measureOf, valueWord } from "#client/ui/alerts/words.ts"
import { MarkIcon } from "#client/ui/icons.tsx"
import { Said } from "#client/ui/said.tsx"
import type { Observation } from "#protocol/rest-generated.ts"

/** Deeper parts are told by their parent's text alone; the engine nests eight levels at most. */
const LEVELS = 10

export const ConditionTree = ({ seen, level = 0 }: { seen: Observation; level?: number }) => (
  <div class={`seen seen-${seen.truth}`}>
    <div class="seen-head">
      <Truth truth={seen.truth} />
      <Says seen={seen} />
    </div>
    <p class="seen-text quiet">
      <Said text={seen.text} />
    </p>
    <SampleChart seen={seen} />
    {seen.parts !== undefined && level < LEVELS && (
      <ul class="seen-parts">
        {seen.parts.map((part, nth) => (
          <li key={nth}>
            <ConditionTree seen={part} level={level + 1} />
          </li>
        ))}
      </ul>
    )}
  </div>
)

const MARKS = { true: "critical", false: "ok", unknown: "unknown" } as const
const Truth = ({ truth }: Pick<Observation, "truth">) => (
  <span class={`truth truth-${truth}`}>
    <MarkIcon mark={MARKS[truth]} size={11} />
    {t(`why.truth.${truth}`)}
  </span>
)

const Says = ({ seen }: { seen: Observation }) => {
  const { metric, value, operator, threshold } = seen
  const [name, unit] = measureOf(seen)
  if (seen.parts !== undefined) return <b>{joined(seen)}</b>
  return (
    <span class="seen-says">
      <span class="mono">{metric ?? t(`conditionType.${conditionWord(seen.type)}`)}</span>
      {(value !== undefined || operator !== undefined) && (
        <b class="num seen-value">{value == null ? t("why.noValue") : valueWord(value, name, unit)}</b>
      )}
      {operator !== undefined && (
        <span class="num seen-asked">{t("why.asked", { operator, threshold: valueWord(threshold, name, unit) })}</span>
      )}
    </span>
  )
}

/** The engine's own first word of a composite's text is its operator. */
const joined = ({ text }: Observation): string => {
  const op = (["and", "or", "not"] as const).find((word) => new RegExp(`\\b${word}\\b`).test(text))
  return op === undefined ? text : t(`why.op.${op}`)
}

const WORDS = [
  "threshold",
  "state_not_in",
  "consecutive",
  "rate_of_change",
  "baseline",
  "flap",
  "absent",
  "event",
  "composite",
] as const
const conditionWord = (type: string): (typeof WORDS)[number] => WORDS.find((word) => word === type) ?? "composite"
