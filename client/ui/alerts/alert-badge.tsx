/** How many alerts wait for somebody: on the rail, and as a tile over the map. Both lead to the list. */
import { language, t } from "#client/i18n/translate.ts"
import { alerts, firing } from "#client/state/alerts.ts"
import { shownReplay } from "#client/state/app.ts"
import { formatRoute } from "#client/state/route.ts"
import { badgeCount } from "#client/ui/badge-count.ts"
import { formatNumber } from "#client/ui/format.ts"

/** The number of the rail: criticals in their colour, else warnings. Said in words by the item's own label. */
export const RailBadge = () => {
  const { critical, warn } = firing.value
  const count = critical > 0 ? critical : warn
  if (count === 0) return null
  return (
    <span
      class={`rail-badge ${critical > 0 ? "badge-critical" : "badge-warn"}`}
      data-testid="alert-badge"
      aria-hidden="true"
    >
      {badgeCount(count)}
    </span>
  )
}
export const badgeText = (): string | null => {
  const { critical, warn } = firing.value
  return critical + warn === 0 ? null : t("alerts.badge", { critical: badgeCount(critical), warn: badgeCount(warn) })
}

/** Of now: over a map of the past it would be of another time. */
export const AlertTile = () => {
  if (alerts.value === null || shownReplay.value !== null) return null
  const { critical, warn } = firing.value
  const whole = (value: number) => formatNumber(language.value, value)
  return (
    <div class="kpi">
      <dt>{t("kpi.alerts")}</dt>
      <dd class={critical > 0 ? "bad" : ""}>
        <a
          class="kpi-link"
          href={formatRoute({ screen: "alerts", tab: null, selection: null, camera: null })}
          title={badgeText() ?? t("alerts.none")}
        >
          {whole(critical)}
          <small> + {whole(warn)}</small>
        </a>
      </dd>
    </div>
  )
}
