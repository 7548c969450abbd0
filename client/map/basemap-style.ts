/**
 * The quiet ground under the network: land, water, borders, names. Layers and fields are Protomaps v4's, so an
 * operator's own Protomaps archive draws with the same style. No glyph or sprite files: MapLibre draws text from the
 * page's fonts when a style names no `glyphs`, so nothing leaves the origin.
 */
import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from "maplibre-gl"
import type { Language } from "#client/i18n/translate.ts"
import { GUESSED_IMAGE } from "#client/map/guessed-ring.ts"

/** Links are drawn under this layer: names stay readable over them. */
export const FIRST_LABEL_LAYER = "place-minor"
/** Devices are drawn under this one: over the names of places, which must not hide trouble. */
export const NODE_NAMES_LAYER = "node-names"
export const SITES_SOURCE = "sites"
export const NAMES_SOURCE = "node-names"
const FONT = ["Inter Variable"]

export interface StyleOptions {
  readonly token: (name: string) => string
  readonly language: Language
  /** PMTiles address, or null to draw without a ground. */
  readonly basemapUrl: string | null
}

export const makeStyle = ({ token, language, basemapUrl }: StyleOptions): StyleSpecification => ({
  version: 8,
  sources: {
    ...(basemapUrl === null ? {} : { ground: { type: "vector", url: `pmtiles://${basemapUrl}` } as const }),
    [SITES_SOURCE]: { type: "geojson", data: { type: "FeatureCollection", features: [] } },
    [NAMES_SOURCE]: { type: "geojson", data: { type: "FeatureCollection", features: [] } },
  },
  layers: [
    { id: "sea", type: "background", paint: { "background-color": token("--sea") } },
    ...(basemapUrl === null ? [] : groundLayers(token)),
    siteGlow(token),
    guessedPlaces,
    ...(basemapUrl === null ? [] : placeLayers(token, language)),
    // Without a ground the twin still needs its anchor.
    ...(basemapUrl === null
      ? [{ id: FIRST_LABEL_LAYER, type: "background", layout: { visibility: "none" } } as const]
      : []),
    nodeNames(token),
  ],
})

const groundLayers = (token: StyleOptions["token"]): LayerSpecification[] => [
  { id: "land", type: "fill", source: "ground", "source-layer": "earth", paint: { "fill-color": token("--land") } },
  {
    id: "coast-glow",
    type: "line",
    source: "ground",
    "source-layer": "earth",
    paint: { "line-color": token("--coast"), "line-width": 5, "line-blur": 5, "line-opacity": 0.45 },
  },
  {
    id: "lakes",
    type: "fill",
    source: "ground",
    "source-layer": "water",
    filter: ["==", ["geometry-type"], "Polygon"],
    paint: { "fill-color": token("--lake") },
  },
  {
    id: "rivers",
    type: "line",
    source: "ground",
    "source-layer": "water",
    filter: ["==", ["geometry-type"], "LineString"],
    paint: { "line-color": token("--river"), "line-width": ["interpolate", ["linear"], ["zoom"], 3, 0.5, 8, 2] },
  },
  {
    id: "borders-region",
    type: "line",
    source: "ground",
    "source-layer": "boundaries",
    filter: [">", ["get", "kind_detail"], 2],
    paint: { "line-color": token("--border-region"), "line-width": 1, "line-dasharray": [4, 3] },
  },
  {
    id: "borders-country",
    type: "line",
    source: "ground",
    "source-layer": "boundaries",
    filter: ["<=", ["get", "kind_detail"], 2],
    paint: { "line-color": token("--border"), "line-width": ["interpolate", ["linear"], ["zoom"], 2, 0.6, 8, 1.6] },
  },
]

/** Sites as soft city lights: density shows before there is room for devices; trouble tints them. */
const siteGlow = (token: StyleOptions["token"]): LayerSpecification => ({
  id: "site-glow",
  type: "circle",
  source: SITES_SOURCE,
  paint: {
    "circle-color": [
      "match",
      ["coalesce", ["feature-state", "mark"], 5],
      0,
      token("--critical"),
      1,
      token("--major"),
      2,
      token("--warning"),
      token("--glow"),
    ],
    "circle-radius": [
      "interpolate",
      ["linear"],
      ["zoom"],
      3,
      ["interpolate", ["linear"], ["sqrt", ["get", "nodes"]], 1, 4, 10, 13],
      8,
      ["interpolate", ["linear"], ["sqrt", ["get", "nodes"]], 1, 14, 10, 60],
    ],
    "circle-blur": 1,
    "circle-opacity": ["interpolate", ["linear"], ["zoom"], 4, 0.42, 7, 0.22, 10, 0.06],
  },
})

/** Where nobody said where it is, a dashed ring says that; the image comes from live-map.ts. */
const guessedPlaces: LayerSpecification = {
  id: GUESSED_IMAGE,
  type: "symbol",
  source: SITES_SOURCE,
  filter: ["==", ["get", "guessed"], 1],
  layout: {
    "icon-image": GUESSED_IMAGE,
    "icon-allow-overlap": true,
    "icon-ignore-placement": true,
    "icon-size": ["interpolate", ["linear"], ["zoom"], 3, 0.6, 7, 1],
  },
}

const placeLayers = (token: StyleOptions["token"], language: Language): LayerSpecification[] => {
  const localName: ExpressionSpecification = ["coalesce", ["get", `name:${language.slice(0, 2)}`], ["get", "name"]]
  const halo = { "text-halo-color": token("--place-halo"), "text-halo-width": 1.3, "text-halo-blur": 0.4 }
  return [
    {
      id: FIRST_LABEL_LAYER,
      type: "symbol",
      source: "ground",
      "source-layer": "places",
      minzoom: 3.2,
      filter: ["==", ["get", "kind"], "locality"],
      layout: {
        "text-field": ["get", "name"],
        "text-font": FONT,
        "text-size": [
          "interpolate",
          ["linear"],
          ["zoom"],
          4,
          ["interpolate", ["linear"], ["get", "population_rank"], 6, 10, 14, 12.5],
          8,
          ["interpolate", ["linear"], ["get", "population_rank"], 5, 11, 14, 15],
        ],
        "text-padding": ["interpolate", ["linear"], ["zoom"], 4, 9, 7, 20, 10, 26],
        "text-variable-anchor": ["top", "bottom", "left", "right"],
        "text-radial-offset": 0.65,
        "text-max-width": 8,
        "symbol-sort-key": ["-", 0, ["get", "population"]],
      },
      paint: {
        "text-color": ["step", ["get", "population_rank"], token("--place-minor"), 10, token("--place")],
        ...halo,
      },
    },
    {
      id: "place-country",
      type: "symbol",
      source: "ground",
      "source-layer": "places",
      maxzoom: 7,
      filter: ["==", ["get", "kind"], "country"],
      layout: {
        "text-field": localName,
        "text-font": FONT,
        "text-transform": "uppercase",
        "text-letter-spacing": 0.16,
        "text-size": ["interpolate", ["linear"], ["zoom"], 2, 10, 6, 15],
        "text-max-width": 7,
        "text-padding": 10,
      },
      paint: { "text-color": token("--place-minor"), ...halo },
    },
  ]
}

/** Names of devices, when there is room: small networks and city views. */
const nodeNames = (token: StyleOptions["token"]): LayerSpecification => ({
  id: NODE_NAMES_LAYER,
  type: "symbol",
  source: NAMES_SOURCE,
  minzoom: 7.4,
  layout: {
    "text-field": ["get", "name"],
    "text-font": FONT,
    "text-size": ["interpolate", ["linear"], ["zoom"], 7.4, 10, 10, 12],
    "text-anchor": "left",
    "text-offset": [0.9, 0],
    "text-padding": 4,
    "symbol-sort-key": ["get", "tier"],
    "text-optional": true,
  },
  paint: {
    "text-color": token("--ink-2"),
    "text-halo-color": token("--place-halo"),
    "text-halo-width": 1.4,
  },
})
