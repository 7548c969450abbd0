/** What was seen: what a cause explains, with why nobody is told of it one by one; what nothing explains stands apart, first. */
import { useSignal } from "@preact/signals"
import { useMemo } from "preact/hooks"
import { capital } from "#client/i18n/said.ts"
import { language, t, tCount } from "#client/i18n/translate.ts"
import { serverNowMs } from "#client/state/app.ts"
import { symptomGroups } from "#client/state/incident-story.ts"
import type { SymptomGroup } from "#client/state/incident-story.ts"
import { formatRoute } from "#client/state/route.ts"
import { entityWord } from "#client/ui/alerts/words.ts"
import { formatDuration, formatNumber } from "#client/ui/format.ts"
import { causeName } from "#client/ui/incidents/words.ts"
import { Said } from "#client/ui/said.tsx"
import type { IncidentView } from "#protocol/incident.ts"

/** In the page at first: a site of two hundred devices has hundreds. */
const ROWS = 40

export const Symptoms = ({ view }: { view: IncidentView }) => {
  const groups = useMemo(() => symptomGroups(view.symptoms), [view.symptoms])
  return (
    <section class="symptoms" aria-labelledby="symptoms-title" data-testid="symptoms">
      <h3 id="symptoms-title">
        {t("incident.symptoms")} <span class="count num">{view.symptoms.length}</span>
      </h3>
      {groups.length === 0 && <p class="quiet">{t("incident.symptoms.none")}</p>}
      {groups.map((group) => (
        <Group key={group.cause ?? -1} group={group} view={view} />
      ))}
    </section>
  )
}

const Group = ({ group: { cause, symptoms }, view }: { group: SymptomGroup; view: IncidentView }) => {
  const all = useSignal(false)
  const shown = all.value ? symptoms : symptoms.slice(0, ROWS)
  const known = cause === null ? undefined : view.causes[cause]
  return (
    <div class={cause === null ? "symptom-group unexplained" : "symptom-group"}>
      <h4>
        {known === undefined
          ? tCount("incident.unexplained", symptoms.length)
          : capital(
              t("incident.explained", {
                cause: causeName(known.members),
                count: formatNumber(language.value, symptoms.length),
              }),
            )}
      </h4>
      <ul>
        {shown.map((one, at) => (
          <li key={`${one.alert} ${one.device} ${one.entity} ${at}`} class="symptom">
            <a
              class="text-button ellipsis"
              href={formatRoute({
                screen: "map",
                tab: null,
                camera: null,
                selection: { kind: "device", id: one.device },
              })}
            >
              {one.deviceName}
            </a>
            <span class="symptom-what">
              {one.alert === "" ? (
                <span>
                  <Said text={one.summary} lead />
                </span>
              ) : (
                <a
                  class="plain-link"
                  href={formatRoute({ screen: "alerts", tab: null, camera: null, selection: null, item: one.alert })}
                >
                  <Said text={one.summary} lead />
                </a>
              )}
              {one.entity !== "" && !one.summary.includes(entityWord(one.entity)) && (
                <span class="mono quiet"> {entityWord(one.entity)}</span>
              )}
              {one.why !== null && (
                <small class="quiet">
                  <Said text={one.why} lead />
                </small>
              )}
            </span>
            <time class="num quiet">{formatDuration(language.value, serverNowMs.value - one.sinceMs)}</time>
          </li>
        ))}
      </ul>
      {symptoms.length > shown.length && (
        <button type="button" class="text-button" onClick={() => (all.value = true)}>
          {t("incident.more", { count: symptoms.length - shown.length })}
        </button>
      )}
    </div>
  )
}
