/**
 * The logical view of the network: core on top, access below, sites as blocks that fold. Selection and open incident are
 * the map's: the address holds both, so that one goes from the one to the other and is still at the same thing.
 */
import { useComputed, useSignalEffect } from "@preact/signals"
import { useRef } from "preact/hooks"
import { language, t, tCount } from "#client/i18n/translate.ts"
import { staleReason, twin } from "#client/state/app.ts"
import { blastOf } from "#client/state/blast.ts"
import type { Folds } from "#client/state/graph-folding.ts"
import { LAYERS } from "#client/state/graph-layout.ts"
import type { GraphLayout } from "#client/state/graph-layout.ts"
import { fold, foldAllSites, foldLayer, foldNothing, folds, graphCamera, wholeLayout } from "#client/state/graph.ts"
import { openIncident } from "#client/state/incidents.ts"
import { formatRoute, go, route } from "#client/state/route.ts"
import { siteView } from "#client/state/site-view.ts"
import type { TwinState } from "#client/state/twin-store.ts"
import { formatNumber } from "#client/ui/format.ts"
import { GraphView, troubled, zoomBy } from "#client/ui/graph/graph-view.tsx"
import { CloseIcon, FitIcon, MinusIcon, PlusIcon } from "#client/ui/icons.tsx"
import { IncidentMark } from "#client/ui/incidents/incident-mark.tsx"
import { ReachKey } from "#client/ui/incidents/room.tsx"
import { Legend } from "#client/ui/legend.tsx"
import { Said } from "#client/ui/said.tsx"
import { SelectionPanel } from "#client/ui/selection-panel.tsx"
import { fitWish } from "#client/ui/shortcuts.ts"

/** A device that was searched for is shown from so near that its name is readable. */
const NEAR_PX = 70
const NOBODY: ReadonlySet<number> = new Set()

export const GraphScreen = () => {
  const state = twin.value
  const layout = wholeLayout.value
  if (state === null || layout === null) return <p class="calm quiet">{t("trouble.waiting")}</p>
  if (layout.blocks.length === 0) return <p class="calm quiet">{t("graph.empty")}</p>
  return <Graph state={state} layout={layout} />
}

const Graph = ({ state, layout }: { state: TwinState; layout: GraphLayout }) => {
  const host = useRef<HTMLDivElement>(null)
  const { selection } = route.value
  const incident = openIncident.value
  const blast = useComputed(() => {
    const view = openIncident.value
    const now = twin.value
    return view === null || now === null ? null : blastOf(view, now)
  })
  const pressed = useTravel(layout)
  return (
    <div class={staleReason.value === null ? "graph-screen" : "graph-screen stale"}>
      <div ref={host} class="graph-host">
        <GraphView
          state={state}
          layout={layout}
          folds={folds.value}
          camera={graphCamera}
          blast={blast.value}
          selection={selection}
          label={t("graph.label", { devices: formatNumber(language.value, state.nodes.id.length) })}
          select={(next) => {
            pressed.current = next?.id ?? null
            go({ selection: next })
          }}
          toggle={(key, folded) => fold(key, folded ? "open" : "folded")}
          always={blast.value?.causeNodes ?? NOBODY}
        />
      </div>
      <div class="graph-top panel">
        <span class="graph-count">
          <b class="num">{formatNumber(language.value, state.nodes.id.length)}</b> {t("graph.devices")}
          {troubled(state) > 0 && <span class="nobody num">{tCount("graph.sick", troubled(state))}</span>}
        </span>
        <Folding state={state} folds={folds.value} />
      </div>
      {incident !== null && (
        <div class="graph-incident panel">
          <IncidentMark row={incident} />
          <a
            class="text-button strong ellipsis"
            href={formatRoute({ screen: "incidents", tab: null, selection: null, camera: null, item: incident.id })}
          >
            <Said text={incident.title} head />
          </a>
          <ReachKey />
          <button
            type="button"
            class="icon-button"
            aria-label={t("incident.unshow")}
            title={t("incident.unshow")}
            onClick={() => go({ item: null })}
          >
            <CloseIcon />
          </button>
        </div>
      )}
      <div class="map-bottom">
        <Legend />
        <div class="map-tools panel">
          <Tool label={t("map.zoomIn")} run={() => zoomBy(graphCamera, layout, host.current, 1)}>
            <PlusIcon />
          </Tool>
          <Tool label={t("map.zoomOut")} run={() => zoomBy(graphCamera, layout, host.current, -1)}>
            <MinusIcon />
          </Tool>
          <Tool label={t("map.fit")} run={() => (graphCamera.value = null)}>
            <FitIcon />
          </Tool>
        </div>
      </div>
      {selection !== null && <SelectionPanel selection={selection} />}
    </div>
  )
}

const Tool = (props: { label: string; run: () => void; children: preact.ComponentChildren }) => (
  <button type="button" class="icon-button" aria-label={props.label} title={props.label} onClick={props.run}>
    {props.children}
  </button>
)

/** By hand: all sites, or one layer everywhere; "by zoom" lets the zoom decide again. */
const Folding = ({ state, folds: now }: { state: TwinState; folds: Folds }) => (
  <div class="graph-folding">
    <div class="segments" role="group" aria-label={t("graph.fold")}>
      <button type="button" aria-pressed={now.size === 0} onClick={foldNothing}>
        {t("graph.fold.zoom")}
      </button>
      <button type="button" onClick={() => foldAllSites(state, "folded")}>
        {t("graph.fold.sites")}
      </button>
      <button
        type="button"
        onClick={() => {
          foldAllSites(state, "open")
          for (const layer of LAYERS.keys()) foldLayer(state, layer, "open")
        }}
      >
        {t("graph.fold.none")}
      </button>
    </div>
    <div class="segments" role="group" aria-label={t("graph.fold.layer")}>
      {(["service", "access"] as const).map((layer) => {
        const at = LAYERS.indexOf(layer)
        const all = state.sites.id.every((id) => now.get(`layer:${id}:${at}`) === "folded")
        return (
          <button
            key={layer}
            type="button"
            aria-pressed={all}
            onClick={() => foldLayer(state, at, all ? "auto" : "folded")}
          >
            {t("graph.fold.layer.of", { layer: t(`graph.layer.${layer}`) })}
          </button>
        )
      })}
    </div>
  </div>
)

/** Search and links bring their thing into view; `f` shows the whole. A click in the picture moves nothing. */
const useTravel = (layout: GraphLayout): { current: string | null } => {
  const known = useRef<string | null>(null)
  const pressed = useRef<string | null>(null)
  useSignalEffect(() => {
    const { selection } = route.value
    const id = selection?.id ?? null
    if (id === known.current) return
    known.current = id
    const now = twin.peek()
    const slot = selection?.kind === "device" ? now?.nodeById.get(selection.id) : undefined
    const camera = graphCamera.peek()
    if (id === pressed.current) return
    if (slot === undefined || (camera !== null && camera.unitPx >= NEAR_PX / 3)) return
    const [x, y] = [layout.places[slot * 2] as number, layout.places[slot * 2 + 1] as number]
    if (Number.isFinite(x)) graphCamera.value = { x, y, unitPx: NEAR_PX }
  })
  const wished = useRef(siteView.peek())
  useSignalEffect(() => {
    const wish = siteView.value
    if (wish === wished.current) return
    wished.current = wish
    const block = wish === null ? undefined : layout.blocks.find(({ site }) => site === wish.slot)
    if (block !== undefined) graphCamera.value = { x: block.x + block.w / 2, y: block.y + block.h / 2, unitPx: 60 }
  })
  const fits = useRef(fitWish.peek())
  useSignalEffect(() => {
    if (fitWish.value !== fits.current) graphCamera.value = null
    fits.current = fitWish.value
  })
  return pressed
}
