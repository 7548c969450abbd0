/** The network in five numbers, from the stream's own counters. A number that nobody measures has no tile. */
import { language, t } from "#client/i18n/translate.ts"
import { twin } from "#client/state/app.ts"
import { AlertTile } from "#client/ui/alerts/alert-badge.tsx"
import { formatCompact, formatNumber } from "#client/ui/format.ts"
import { IncidentTile } from "#client/ui/incidents/incident-badge.tsx"

export const Kpis = () => {
  const counts = twin.value?.counts
  if (counts === undefined) return null
  const lang = language.value
  const whole = (value: number) => formatNumber(lang, value)
  return (
    <dl class="kpis panel" aria-label={t("kpi.label")}>
      <Tile
        label={t("kpi.routers")}
        value={whole(counts.routersUp)}
        of={whole(counts.routers)}
        bad={counts.routersUp < counts.routers}
      />
      <Tile
        label={t("kpi.linksDown")}
        value={whole(counts.linksDown)}
        of={whole(counts.links)}
        bad={counts.linksDown > 0}
      />
      <Tile label={t("kpi.linksHot")} value={whole(counts.linksHot)} bad={false} />
      <IncidentTile />
      <AlertTile />
      <Tile label={t("kpi.sites")} value={whole(counts.sites)} bad={false} />
      {counts.subscribers !== null && (
        <Tile label={t("kpi.subscribers")} value={formatCompact(lang, counts.subscribers)} bad={false} />
      )}
    </dl>
  )
}

const Tile = ({ label, value, of, bad }: { label: string; value: string; of?: string; bad: boolean }) => (
  <div class="kpi">
    <dt>{label}</dt>
    <dd class={bad ? "bad" : ""}>
      {value}
      {of !== undefined && <small> / {of}</small>}
    </dd>
  </div>
)
