/** The tenant's limits and how much of each is used; the fullest first. */
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { useAsk } from "#client/ui/ask.ts"
import { QuotaBars } from "#client/ui/quota-bars.tsx"
import { Loaded } from "#client/ui/table.tsx"
import { tierName } from "#client/ui/words.ts"

export const QuotasTab = () => {
  const asked = useAsk(() => call("settings.quotas"))
  return (
    <Loaded asked={asked}>
      {({ tier, items }) => (
        <>
          <div class="tools">
            <p>
              {t("quotas.tier")} <span class="chip">{tierName(tier)}</span>
            </p>
            <button type="button" class="button" onClick={() => void asked.reload()}>
              {t("table.refresh")}
            </button>
          </div>
          <QuotaBars items={items} />
        </>
      )}
    </Loaded>
  )
}
