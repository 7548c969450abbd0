/** How many incidents are open and how many nobody has: on the rail, and as a tile over the map. Both lead to the list. */
import { language, t, tCount } from "#client/i18n/translate.ts"
import { shownReplay } from "#client/state/app.ts"
import { incidents, tally } from "#client/state/incidents.ts"
import { formatRoute } from "#client/state/route.ts"
import { badgeCount } from "#client/ui/badge-count.ts"
import { formatNumber } from "#client/ui/format.ts"

export const IncidentRailBadge = () => {
  const { needsYou, critical } = tally.value
  if (needsYou === 0) return null
  return (
    <span
      class={`rail-badge ${critical > 0 ? "badge-critical" : "badge-warn"}`}
      data-testid="incident-badge"
      aria-hidden="true"
    >
      {badgeCount(needsYou)}
    </span>
  )
}
export const incidentBadgeText = (): string | null => {
  const { live, needsYou } = tally.value
  return live === 0 ? null : t("incidents.badge", { open: tCount("incidents.open", live), needs: badgeCount(needsYou) })
}

/** Of now: over a map of the past it would be of another time. */
export const IncidentTile = () => {
  if (incidents.value === null || shownReplay.value !== null) return null
  const { live, needsYou } = tally.value
  const whole = (value: number) => formatNumber(language.value, value)
  return (
    <div class="kpi" data-testid="incident-tile">
      <dt>{t("kpi.incidents")}</dt>
      <dd class={needsYou > 0 ? "bad" : ""}>
        <a
          class="kpi-link"
          href={formatRoute({ screen: "incidents", tab: null, selection: null, camera: null })}
          title={incidentBadgeText() ?? t("incidents.none")}
        >
          {whole(needsYou)}
          <small> / {whole(live)}</small>
        </a>
      </dd>
    </div>
  )
}
