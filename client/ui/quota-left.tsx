/** Before somebody fills in a form whose thing the quota would refuse: the limit, said at once (PRODUCT.md T5, U). */
import { language, t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { fillOf } from "#client/state/quota-bar.ts"
import { may } from "#client/state/session.ts"
import { useAsk } from "#client/ui/ask.ts"
import { formatNumber } from "#client/ui/format.ts"
import { Problem } from "#client/ui/form.tsx"
import type { QuotaName } from "#protocol/quota.ts"
import type { Quota } from "#protocol/rest-generated.ts"

/** Null = not known (who may not see quotas hears of them from the engine's refusal). */
export const useQuota = (name: QuotaName): Quota | null => {
  const asked = useAsk(
    () =>
      may("quotas.view") ? call("settings.quotas") : Promise.resolve({ ok: true as const, value: null, etag: null }),
    name,
  )
  return asked.value?.items.find((quota) => quota.name === name) ?? null
}
export const usedUp = (quota: Quota | null): boolean => quota !== null && fillOf(quota).level === "full"

export const QuotaLeft = ({ quota }: { quota: Quota | null }) => {
  if (quota === null || !usedUp(quota)) return null
  const number = (value: number | null) => formatNumber(language.value, value ?? 0)
  return <Problem text={t("quotas.none.left", { used: number(quota.used), limit: number(quota.limit) })} />
}
