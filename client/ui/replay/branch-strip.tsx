/** What holds in the branch that is shown, and what the twin makes of it: its faults, each to mend, and its incidents. */
import { useEffect } from "preact/hooks"
import { language, t } from "#client/i18n/translate.ts"
import { branch, branchEvents, branchIncidents, followBranch, toggleFaults } from "#client/state/branch.ts"
import { replay } from "#client/state/replay.ts"
import { keyOf } from "#client/state/whatif-faults.ts"
import { formatMoment, formatNumber, formatPercent } from "#client/ui/format.ts"
import { CloseIcon } from "#client/ui/icons.tsx"
import { Said } from "#client/ui/said.tsx"
import { faultName } from "#client/ui/whatif/words.ts"
import type { Fault, Incident } from "#protocol/rest-generated.ts"

/** Incidents that fit; how many there are is told. */
const ROWS = 5

export const BranchStrip = () => {
  useEffect(() => followBranch(), [])
  const now = branch.value
  if (now === null) return null
  const incidents = branchIncidents.value
  return (
    <section class="branch-strip panel" aria-label={t("branch.strip")} data-testid="branch-strip">
      <div>
        <h2>{t("branch.faults")}</h2>
        {now.faults.length === 0 && <p class="quiet">{t("branch.faults.none")}</p>}
        <ul class="branch-faults">
          {now.faults.map((fault) => (
            <Held key={keyOf(fault)} fault={fault} />
          ))}
        </ul>
      </div>
      <div>
        <h2>
          {t("branch.incidents")} <span class="count num">{formatNumber(language.value, incidents.length)}</span>
        </h2>
        {incidents.length === 0 && <p class="quiet">{t("branch.incidents.none")}</p>}
        <ul class="branch-incidents" aria-live="polite">
          {incidents.slice(0, ROWS).map((incident) => (
            <Row key={incident.id} incident={incident} />
          ))}
        </ul>
        <p class="quiet">{t("branch.events", { count: formatNumber(language.value, branchEvents.value) })}</p>
      </div>
    </section>
  )
}

const Held = ({ fault }: { fault: Fault }) => (
  <li class="pill">
    <span class="ellipsis">{faultName(fault)}</span>
    {replay.value?.mine === true && (
      <button
        type="button"
        class="icon-button"
        aria-label={t("branch.mend.name", { name: faultName(fault) })}
        onClick={() => void toggleFaults([fault])}
      >
        <CloseIcon />
      </button>
    )}
  </li>
)

const Row = ({ incident }: { incident: Incident }) => {
  const [cause] = incident.causes
  return (
    <li>
      <span class="num quiet">{formatMoment(language.value, incident.startsAtMs)}</span>
      <b class="ellipsis">
        <Said text={incident.title} head />
      </b>
      <span class="quiet">
        {t(`incidents.state.${incident.state}`)}
        {cause !== undefined && ` · ${formatPercent(language.value, cause.confidence * 100)}`}
      </span>
    </li>
  )
}
