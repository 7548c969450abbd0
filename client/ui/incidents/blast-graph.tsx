/** The room's graph: cause, what it took with it, and the devices one link away, layered as the whole network is. */
import { useSignal } from "@preact/signals"
import { useMemo } from "preact/hooks"
import { t } from "#client/i18n/translate.ts"
import { aroundOf } from "#client/state/blast.ts"
import type { Blast } from "#client/state/blast.ts"
import type { Fold, Folds } from "#client/state/graph-folding.ts"
import { layoutOf } from "#client/state/graph.ts"
import type { GraphCamera } from "#client/state/graph.ts"
import { go } from "#client/state/route.ts"
import type { TwinState } from "#client/state/twin-store.ts"
import { GraphView } from "#client/ui/graph/graph-view.tsx"

/** More would be no neighbourhood any more. */
const DEVICES_MAX = 600
/** So few are all shown, however small. */
const UNFOLDED_MAX = 150

export const BlastGraph = ({ blast, state, id }: { blast: Blast; state: TwinState; id: string }) => {
  const camera = useSignal<GraphCamera | null>(null)
  const folds = useSignal<Folds>(new Map())
  const around = useMemo(() => aroundOf(blast, state, DEVICES_MAX), [blast, state.nodes.id])
  const layout = useMemo(() => layoutOf(state, around), [around])
  const toggle = (key: string, folded: boolean) => {
    const to: Fold = folded ? "open" : "folded"
    folds.value = new Map(folds.peek()).set(key, to)
  }
  return (
    <GraphView
      state={state}
      layout={layout}
      folds={folds.value}
      camera={camera}
      blast={blast}
      selection={null}
      label={t("incident.graph")}
      select={(selection) => {
        if (selection !== null) go({ screen: "graph", item: id, selection })
      }}
      toggle={toggle}
      always={around.size <= UNFOLDED_MAX ? around : blast.causeNodes}
    />
  )
}
