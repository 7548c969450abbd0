/** What if, and what fails next: the simulation, the ranking, single points, blind spots and drift, each by its address. */
import type { FunctionComponent } from "preact"
import { t } from "#client/i18n/translate.ts"
import { formatRoute, route } from "#client/state/route.ts"
import { BlindSpotsTab } from "#client/ui/whatif/blind-spots.tsx"
import { DriftTab } from "#client/ui/whatif/drift.tsx"
import { NextFailuresTab } from "#client/ui/whatif/next-failures.tsx"
import { PathsTab } from "#client/ui/whatif/paths.tsx"
import { Simulation } from "#client/ui/whatif/simulation.tsx"
import { SinglePointsTab } from "#client/ui/whatif/single-points.tsx"

const TABS = [
  { id: "simulate", view: Simulation },
  { id: "next", view: NextFailuresTab },
  { id: "single", view: SinglePointsTab },
  { id: "paths", view: PathsTab },
  { id: "blind", view: BlindSpotsTab },
  { id: "drift", view: DriftTab },
] as const satisfies readonly { readonly id: string; readonly view: FunctionComponent }[]

export const WhatIfScreen = () => {
  const { tab } = route.value
  const now = TABS.find(({ id }) => id === tab) ?? TABS[0]
  const View = now.view
  return (
    <div class="whatif-screen">
      <nav class="whatif-tabs" aria-label={t("whatif.tabs")}>
        {TABS.map(({ id }) => (
          <a
            key={id}
            href={formatRoute({
              screen: "whatif",
              tab: id === TABS[0].id ? null : id,
              selection: null,
              camera: null,
            })}
            aria-current={id === now.id ? "page" : undefined}
          >
            {t(`whatif.tab.${id}`)}
          </a>
        ))}
      </nav>
      <div class="whatif-view">
        <View key={now.id} />
      </div>
    </div>
  )
}
