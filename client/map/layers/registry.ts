/** The layers of the twin, bottom first. To add one: its file, and a line here. */
import { FIRST_LABEL_LAYER, NODE_NAMES_LAYER } from "#client/map/basemap-style.ts"
import { LinksLayer } from "#client/map/layers/links.ts"
import { NodesLayer } from "#client/map/layers/nodes.ts"
import type { Figure } from "#client/map/layers/pulled-layer.ts"

export interface Figures {
  readonly links: Figure
  readonly nodes: Figure
}

export const MAP_LAYERS = [
  {
    id: "links",
    beforeId: FIRST_LABEL_LAYER,
    make: (figures: Figures, props: LayerPlace) => new LinksLayer({ ...props, figure: figures.links }),
  },
  {
    id: "nodes",
    beforeId: NODE_NAMES_LAYER,
    make: (figures: Figures, props: LayerPlace) => new NodesLayer({ ...props, figure: figures.nodes }),
  },
] as const

/** `beforeId` puts the layer under a layer of the base map's style. */
export interface LayerPlace {
  readonly id: string
  readonly beforeId: string
}
