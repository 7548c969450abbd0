/** In a device's panel: the open incidents that have it as a cause. */
import { language, t } from "#client/i18n/translate.ts"
import { serverNowMs, shownReplay } from "#client/state/app.ts"
import { triageOrder } from "#client/state/incident-list.ts"
import { incidents, openIncident } from "#client/state/incidents.ts"
import { formatRoute } from "#client/state/route.ts"
import { formatDuration } from "#client/ui/format.ts"
import { IncidentMark } from "#client/ui/incidents/incident-mark.tsx"
import { Said } from "#client/ui/said.tsx"
import type { IncidentRow } from "#protocol/incident.ts"

export const DeviceIncidents = ({ id }: { id: string }) => {
  if (shownReplay.value !== null || incidents.value === null) return null
  const causes = ({ cause }: IncidentRow) => cause?.members.some((member) => member.id === id) === true
  const touched = openIncident.value?.impact.devices.includes(id) === true ? openIncident.value.id : null
  const rows = incidents.value
    .filter((row) => row.state !== "closed" && (causes(row) || row.id === touched))
    .sort(triageOrder)
  if (rows.length === 0) return null
  return (
    <section class="block device-alerts device-incidents" data-testid="device-incidents">
      <h3>
        {t("incidents.title")} <span class="count num">{rows.length}</span>
      </h3>
      <ul>
        {rows.map((row) => (
          <li key={row.id}>
            <a
              class="row"
              href={formatRoute({ screen: "incidents", tab: null, selection: null, camera: null, item: row.id })}
            >
              <IncidentMark row={row} size={14} />
              <span class="row-main">
                <span>
                  <Said text={row.title} head />
                </span>
                <span class="row-detail">
                  <span>{t(causes(row) ? "incident.device.cause" : "incident.device.hit")}</span>
                </span>
              </span>
              <time class="num quiet">{formatDuration(language.value, serverNowMs.value - row.startsAtMs)}</time>
            </a>
          </li>
        ))}
      </ul>
    </section>
  )
}
