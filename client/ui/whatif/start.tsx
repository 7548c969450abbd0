/** "What if this fails?": the way into the simulation from wherever a thing is on the screen. Hidden where it is refused. */
import { t } from "#client/i18n/translate.ts"
import { shownReplay } from "#client/state/app.ts"
import { screenOpen } from "#client/state/places.ts"
import { formatRoute } from "#client/state/route.ts"
import { formatFaults } from "#client/state/whatif-faults.ts"
import { BranchFault } from "#client/ui/replay/branch-fault.tsx"
import type { Fault } from "#protocol/rest-generated.ts"

/** The simulation is of now: a replay does not offer it, but its branch may break the same. */
export const WhatIfLink = ({ faults }: { faults: readonly Fault[] }) =>
  shownReplay.value !== null ? (
    <BranchFault faults={faults} />
  ) : faults.length === 0 || !screenOpen("whatif") ? null : (
    <a
      class="button whatif-start"
      href={formatRoute({ screen: "whatif", tab: null, selection: null, camera: null, item: formatFaults(faults) })}
    >
      {t("whatif.start")}
    </a>
  )
