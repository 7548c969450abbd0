/** One bar for each quota: used of limit, a warning from 80 %, and how often something was refused (PRODUCT.md T5). */
import { language, t, tCount } from "#client/i18n/translate.ts"
import { byNeed, fillOf } from "#client/state/quota-bar.ts"
import { formatNumber, NOTHING } from "#client/ui/format.ts"
import { MarkIcon } from "#client/ui/icons.tsx"
import { quotaName } from "#client/ui/words.ts"
import type { Quota } from "#protocol/rest-generated.ts"

export const QuotaBars = ({ items }: { items: readonly Quota[] }) => (
  <ul class="quotas panel" aria-label={t("quotas.title")}>
    {byNeed(items).map((quota) => (
      <QuotaBar key={quota.name} quota={quota} />
    ))}
  </ul>
)

const QuotaBar = ({ quota }: { quota: Quota }) => {
  const { share, level } = fillOf(quota)
  const number = (value: number) => formatNumber(language.value, value, value < 10 ? 2 : 0)
  const label = quotaName(quota.name)
  return (
    <li data-quota={quota.name} data-level={level}>
      <span class="quota-name">
        {label} <small class="quiet mono">{quota.name}</small>
      </span>
      <meter class={`bar bar-${level}`} min={0} max={1} value={share ?? 0} aria-label={label} />
      <span class="num quota-value">
        {quota.used === null ? NOTHING : number(quota.used)} / {number(quota.limit)}{" "}
        <span class="quiet">{quota.unit}</span>
      </span>
      <span class="quota-state">
        {level !== "calm" && (
          <span class={level === "full" ? "word-critical" : "word-warning"}>
            <MarkIcon mark={level === "full" ? "critical" : "warning"} size={11} /> {t(`quotas.${level}`)}
          </span>
        )}
        {quota.exceeded > 0 && <span class="quiet num">{tCount("quotas.exceeded", quota.exceeded)}</span>}
      </span>
    </li>
  )
}
