/**
 * The logical view's own state: what is folded by hand, where the camera stands. It stays while the page does, so that
 * whoever goes to the map and comes back finds the picture as it was left. The layout is made once per keyframe.
 */
import { computed, signal } from "@preact/signals"
import { twin } from "#client/state/app.ts"
import type { Fold, Folds } from "#client/state/graph-folding.ts"
import { layerKey, siteKey } from "#client/state/graph-folding.ts"
import { layerOfRole, layoutGraph } from "#client/state/graph-layout.ts"
import type { GraphLayout } from "#client/state/graph-layout.ts"
import type { TwinState } from "#client/state/twin-store.ts"

export const folds = signal<Folds>(new Map())
/** What the rest follows when it was folded by nobody: the zoom. */
export const fold = (key: string, to: Fold | "auto"): void => {
  const next = new Map(folds.peek())
  if (to === "auto") next.delete(key)
  else next.set(key, to)
  folds.value = next
}
/** Every site, or one layer of every site; what was done by hand before is forgotten. */
export const foldAllSites = (state: TwinState, to: Fold): void => {
  folds.value = new Map(state.sites.id.map((id) => [siteKey(id), to]))
}
export const foldLayer = (state: TwinState, layer: number, to: Fold | "auto"): void => {
  const next = new Map(folds.peek())
  for (const id of state.sites.id) {
    if (to === "auto") next.delete(layerKey(id, layer))
    else next.set(layerKey(id, layer), to)
  }
  folds.value = next
}
export const foldNothing = (): void => {
  folds.value = new Map()
}

/** Units of the layout and pixels per unit; null = the whole picture is to be shown. */
export interface GraphCamera {
  readonly x: number
  readonly y: number
  readonly unitPx: number
}
export const graphCamera = signal<GraphCamera | null>(null)
/** Bumped by the `f` key and the button. */
export const layoutOf = (state: TwinState, only: ReadonlySet<number> | null): GraphLayout =>
  layoutGraph({
    siteId: state.sites.id,
    siteLongitude: state.sites.longitude,
    nodeId: state.nodes.id,
    nodeName: state.nodes.name,
    nodeSite: state.nodes.site,
    nodeLayer: Uint8Array.from(state.nodes.role, layerOfRole),
    linkA: state.links.a,
    linkB: state.links.b,
    only,
  })

let made: { readonly ids: readonly string[]; readonly layout: GraphLayout } | null = null
/** Of the whole network. Between keyframes slots keep their meaning, so that deltas lay out nothing anew. */
export const wholeLayout = computed((): GraphLayout | null => {
  const state = twin.value
  if (state === null) return null
  if (made === null || made.ids !== state.nodes.id) made = { ids: state.nodes.id, layout: layoutOf(state, null) }
  return made.layout
})
