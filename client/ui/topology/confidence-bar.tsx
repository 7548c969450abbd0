/** How sure the twin is: a bar and its percent; never 100, because nobody has looked. */
import { language, t } from "#client/i18n/translate.ts"
import { formatPercent } from "#client/ui/format.ts"

export const ConfidenceBar = ({ confidence }: { confidence: number }) => {
  const percent = Math.round(confidence * 100)
  const text = t("proposals.sure", { percent: formatPercent(language.value, percent) })
  return (
    <span class={`sure ${confidence >= 0.9 ? "high" : confidence >= 0.6 ? "" : "low"}`} title={text}>
      <meter min={0} max={100} value={percent} aria-label={text} />
      <span class="num">{formatPercent(language.value, percent)}</span>
    </span>
  )
}
