/**
 * The map on screen: MapLibre for the ground, deck for the twin's layers, our own picking and labels. One object per
 * mounted map screen. Nothing is drawn while nothing changes: frames are asked for by the camera, by changes (and the
 * 0.7 s fade after them) and, where it is wanted, by the moving light.
 */
import "maplibre-gl/dist/maplibre-gl.css"
import { MapLibreOverlay } from "@deck.gl/maplibre"
import { addProtocol, Map as GroundMap, setWorkerUrl } from "maplibre-gl"
import type { GeoJSONSource, MapMouseEvent } from "maplibre-gl"
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url"
import { Protocol } from "pmtiles"
import type { Language } from "#client/i18n/translate.ts"
import { makeStyle, NAMES_SOURCE, SITES_SOURCE } from "#client/map/basemap-style.ts"
import { makeFlowGovernor } from "#client/map/flow-governor.ts"
import { placeLabels } from "#client/map/labels.ts"
import type { PlacedLabel, Rect } from "#client/map/labels.ts"
import { MAP_LAYERS } from "#client/map/layers/registry.ts"
import { isTrouble } from "#client/map/mark.ts"
import { toLngLat, toWorld } from "#client/map/mercator.ts"
import { cssToken, makePalette } from "#client/map/palette.ts"
import type { Picked } from "#client/map/pick.ts"
import { makeScene } from "#client/map/scene.ts"
import type { Scene } from "#client/map/scene.ts"
import { FADE_MS, TICK_MS } from "#client/map/texels.ts"
import { MAP_LABELS } from "#client/state/limits.ts"
import type { Camera, Selection } from "#client/state/route.ts"
import type { TwinState, TwinStore } from "#client/state/twin-store.ts"

const REACH_PX = 11
/** City lights and names of sites change at most this often. */
const SITES_REFRESH_MS = 1_000
const MAX_ZOOM = 13
/** A one-site network is not shown from the roof. */
const FIT_MAX_ZOOM = 8.5

export interface LiveMapOptions {
  readonly container: HTMLElement
  readonly store: TwinStore
  readonly basemapUrl: string
  readonly camera: Camera | null
  readonly language: Language
  /** For screen readers. */
  readonly title: string
  readonly frozen: boolean
  readonly textWidth: (text: string) => number
  /** Panels over the map, in pixels of the container: labels and fitting avoid them. */
  readonly taken: () => readonly Rect[]
  readonly events: {
    readonly picked: (picked: Picked | null) => void
    readonly hovered: (picked: Picked | null, x: number, y: number) => void
    readonly moved: (camera: Camera) => void
    readonly labelled: (labels: readonly PlacedLabel[]) => void
    readonly basemapFailed: () => void
    readonly flowStopped: () => void
  }
}

export interface LiveMap {
  readonly select: (selection: Selection | null, travel: boolean) => void
  readonly restyle: (language: Language) => void
  readonly setFlow: (on: boolean) => void
  readonly setGrey: (on: boolean) => void
  readonly fit: (animate: boolean) => void
  readonly zoomBy: (steps: number) => void
  readonly goTo: (longitude: number, latitude: number, zoom: number) => void
  /** Screen pixels of a node or the middle of a link; null when there is no such slot. */
  readonly screen: (slot: number, kind?: "node" | "link") => { x: number; y: number } | null
  readonly drawn: () => readonly number[]
  readonly ready: () => boolean
  readonly destroy: () => void
}

let protocolAdded = false
const prepare = (): void => {
  if (protocolAdded) return
  protocolAdded = true
  setWorkerUrl(workerUrl)
  addProtocol("pmtiles", new Protocol().tile)
}

/** Null when the browser has no WebGL2. */
export const makeLiveMap = (options: LiveMapOptions): LiveMap | null => {
  if (document.createElement("canvas").getContext("webgl2") === null) return null
  prepare()
  const { store, events, frozen } = options
  let language = options.language
  let basemapUrl: string | null = new URL(options.basemapUrl, location.href).href
  let palette = makePalette(cssToken)
  let scene: Scene | null = null
  let fadeUntil = 0
  let idle = false
  let fitted = options.camera !== null
  let wanted: Selection | null = null

  const map = new GroundMap({
    container: options.container,
    style: makeStyle({ token: cssToken, language, basemapUrl }),
    center: options.camera === null ? [-52, -15] : [options.camera.longitude, options.camera.latitude],
    zoom: options.camera?.zoom ?? 3.4,
    minZoom: 1.5,
    maxZoom: MAX_ZOOM,
    attributionControl: false,
    locale: { "Map.Title": options.title },
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    keyboard: false,
    fadeDuration: frozen ? 0 : 180,
    canvasContextAttributes: { antialias: false, preserveDrawingBuffer: frozen },
  })
  map.touchZoomRotate.disableRotation()
  const overlay = new MapLibreOverlay({ interleaved: true, layers: [] })
  const flow = makeFlowGovernor(events.flowStopped)

  const layers = () =>
    scene === null ? [] : MAP_LAYERS.map(({ id, beforeId, make }) => make((scene as Scene).figures, { id, beforeId }))
  const installLayers = () => overlay.setProps({ layers: layers() })

  // -- the frame ------------------------------------------------------------------------------------------------------
  const clock = () => (frozen ? 0 : performance.now())
  const look = () => {
    if (scene === null) return
    const bounds = map.getBounds()
    const margin = 40 / 2 ** map.getZoom()
    const low = toWorld(bounds.getWest(), bounds.getSouth())
    const high = toWorld(bounds.getEast(), bounds.getNorth())
    const view = { minX: low.x - margin, minY: low.y - margin, maxX: high.x + margin, maxY: high.y + margin }
    scene.look(map.getZoom(), view)
    label()
  }
  const label = () => {
    if (scene === null) return
    const { nodeMark, places, state } = scene
    const wishes = []
    for (let slot = 0; slot < nodeMark.length; slot++) {
      const mark = nodeMark[slot] as number
      if (!isTrouble(mark)) continue
      const { x, y } = project(places, slot)
      wishes.push({ slot, mark, x, y, width: options.textWidth(state.nodes.name[slot] as string) + 34 })
    }
    const { clientWidth, clientHeight } = options.container
    const screen = { left: 0, top: 0, right: clientWidth, bottom: clientHeight }
    events.labelled(placeLabels(wishes, screen, options.taken(), MAP_LABELS))
  }
  const project = (places: Float64Array, slot: number) => {
    const { longitude, latitude } = toLngLat({ x: places[slot * 2] as number, y: places[slot * 2 + 1] as number })
    return map.project([longitude, latitude])
  }
  const animate = () => {
    if (performance.now() < fadeUntil || flow.moving()) map.triggerRepaint()
  }
  map.on("render", () => {
    flow.drew(performance.now())
    animate()
  })
  map.on("move", look)
  map.on("moveend", () => {
    const { lng, lat } = map.getCenter()
    if (fitted) events.moved({ longitude: lng, latitude: lat, zoom: map.getZoom() })
  })
  map.on("resize", look)
  // Deck must be asked again once the style is there, or it would draw over the labels.
  map.on("idle", () => {
    if (!idle) installLayers()
    idle = true
  })
  map.on("error", ({ error }) => {
    if (basemapUrl === null || !/pmtiles|tile|archive|fetch|http|network/i.test(error?.message ?? "")) return
    basemapUrl = null
    events.basemapFailed()
    restyle(language)
  })
  map.addControl(overlay)

  // -- the twin -------------------------------------------------------------------------------------------------------
  let sitesTimer: ReturnType<typeof setTimeout> | null = null
  const paintSites = () => {
    if (scene === null || sitesTimer !== null) return
    sitesTimer = setTimeout(() => {
      sitesTimer = null
      if (scene === null || map.getSource(SITES_SOURCE) === undefined) return
      scene.siteMark.forEach((mark, id) => map.setFeatureState({ source: SITES_SOURCE, id }, { mark }))
    }, SITES_REFRESH_MS)
  }
  const fillSources = () => {
    if (scene === null) return
    const { state, siteNodes, nodeTier, places } = scene
    const sites = state.sites.id.map((_, id) =>
      pointFeature(id, state.sites.longitude[id] as number, state.sites.latitude[id] as number, {
        nodes: siteNodes[id] as number,
      }),
    )
    const names = state.nodes.name.map((name, id) => {
      const { longitude, latitude } = toLngLat({ x: places[id * 2] as number, y: places[id * 2 + 1] as number })
      return pointFeature(id, longitude, latitude, { name, tier: nodeTier[id] as number })
    })
    map.getSource<GeoJSONSource>(SITES_SOURCE)?.setData({ type: "FeatureCollection", features: sites })
    map.getSource<GeoJSONSource>(NAMES_SOURCE)?.setData({ type: "FeatureCollection", features: names })
    scene.siteMark.forEach((mark, id) => map.setFeatureState({ source: SITES_SOURCE, id }, { mark }))
  }
  const replaced = (state: TwinState) => {
    const grey = scene?.figures.nodes.grey ?? 0
    scene = makeScene(state, palette, { clock, flow: flow.strength })
    setGrey(grey > 0)
    whenStyled(() => {
      fillSources()
      installLayers()
      if (!fitted) fit(false)
      select(wanted, false)
      look()
      map.triggerRepaint()
    })
  }
  const whenStyled = (run: () => void) => {
    if (map.getSource(SITES_SOURCE) !== undefined) run()
    else void map.once("styledata", () => whenStyled(run))
  }

  // -- the pointer ----------------------------------------------------------------------------------------------------
  const pickAt = (event: MapMouseEvent): Picked | null => {
    if (scene === null) return null
    const at = toWorld(event.lngLat.lng, event.lngLat.lat)
    const drawn = { node: scene.isNodeDrawn, link: scene.isLinkDrawn }
    return scene.picker.pick(at, REACH_PX / 2 ** map.getZoom(), drawn)
  }
  map.on("click", (event) => events.picked(pickAt(event)))
  map.on("mousemove", (event) => {
    const picked = pickAt(event)
    map.getCanvas().style.cursor = picked === null ? "" : "pointer"
    events.hovered(picked, event.point.x, event.point.y)
  })
  map.on("mouseout", () => events.hovered(null, 0, 0))

  // -- what the screen asks -------------------------------------------------------------------------------------------
  const fit = (animated: boolean) => {
    if (scene === null || scene.state.sites.id.length === 0) return
    const { latitude, longitude } = scene.state.sites
    const west = Math.min(...longitude)
    const east = Math.max(...longitude)
    const corners: [[number, number], [number, number]] = [
      [west, Math.min(...latitude)],
      [east, Math.max(...latitude)],
    ]
    fitted = true
    map.fitBounds(corners, { padding: paddingOf(options), maxZoom: FIT_MAX_ZOOM, animate: animated && !frozen })
  }
  const travelTo = (slot: number, kind: "node" | "link") => {
    if (scene === null) return
    const nodes = kind === "node" ? [slot] : [scene.state.links.a[slot] as number, scene.state.links.b[slot] as number]
    const points = nodes.map((node) => {
      const { longitude, latitude } = toLngLat({
        x: (scene as Scene).places[node * 2] as number,
        y: (scene as Scene).places[node * 2 + 1] as number,
      })
      return [longitude, latitude] as [number, number]
    })
    const [a, b = a] = points
    if (a === undefined || b === undefined) return
    const corners: [[number, number], [number, number]] = [
      [Math.min(a[0], b[0]), Math.min(a[1], b[1])],
      [Math.max(a[0], b[0]), Math.max(a[1], b[1])],
    ]
    const maxZoom = kind === "node" ? Math.max(map.getZoom(), 7.2) : 8
    map.fitBounds(corners, { padding: paddingOf(options), maxZoom, animate: !frozen, duration: 700 })
  }
  const select = (selection: Selection | null, travel: boolean) => {
    wanted = selection
    if (scene === null) return
    const { nodeById, linkById } = scene.state
    const node = selection?.kind === "device" ? (nodeById.get(selection.id) ?? null) : null
    const link = selection?.kind === "link" ? (linkById.get(selection.id) ?? null) : null
    scene.select(node, link)
    if (travel && node !== null) travelTo(node, "node")
    if (travel && link !== null) travelTo(link, "link")
    look()
    map.triggerRepaint()
  }
  const setGrey = (on: boolean) => {
    if (scene === null) return
    for (const figure of Object.values(scene.figures)) figure.grey = on ? 1 : 0
    map.triggerRepaint()
  }
  const restyle = (next: Language) => {
    language = next
    palette = makePalette(cssToken)
    for (const figure of Object.values(scene?.figures ?? {})) figure.palette = palette
    idle = false
    map.setStyle(makeStyle({ token: cssToken, language, basemapUrl }), { diff: false })
    void map.once("styledata", () => {
      fillSources()
      installLayers()
      map.triggerRepaint()
    })
  }

  // Last, because it may bring the state at once.
  const stopListening = store.listen({
    replaced,
    changed: (nodes, links) => {
      if (scene === null) return
      scene.changed(nodes, links, !frozen)
      fadeUntil = performance.now() + FADE_MS + 2 * TICK_MS
      look()
      if (nodes.slot.length > 0) paintSites()
      map.triggerRepaint()
    },
    happened: () => {},
  })

  return {
    select,
    restyle,
    setGrey,
    fit,
    setFlow: (on) => {
      flow.want(on && !frozen)
      map.triggerRepaint()
    },
    zoomBy: (steps) => map.easeTo({ zoom: map.getZoom() + steps, animate: !frozen }),
    goTo: (longitude, latitude, zoom) => {
      map.easeTo({ center: [longitude, latitude], zoom, animate: !frozen, duration: 700 })
    },
    screen: (slot, kind = "node") => {
      if (scene === null) return null
      if (kind === "node") return slot * 2 < scene.places.length ? project(scene.places, slot) : null
      const a = scene.state.links.a[slot]
      const b = scene.state.links.b[slot]
      if (a === undefined || b === undefined) return null
      const [from, to] = [project(scene.places, a), project(scene.places, b)]
      return { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 }
    },
    drawn: () => [...(scene?.figures.nodes.visible ?? [])],
    ready: () => idle && scene !== null && map.loaded(),
    destroy: () => {
      stopListening()
      if (sitesTimer !== null) clearTimeout(sitesTimer)
      map.remove()
    },
  }
}

const pointFeature = (
  id: number,
  longitude: number,
  latitude: number,
  properties: Record<string, string | number>,
) => ({
  type: "Feature" as const,
  id,
  geometry: { type: "Point" as const, coordinates: [longitude, latitude] },
  properties,
})

/** Keeps what is fitted clear of the panels: the widest at the left and right edge, the deepest at top and bottom. */
const paddingOf = ({ container, taken }: LiveMapOptions) => {
  const { clientWidth, clientHeight } = container
  const padding = { left: 60, right: 60, top: 112, bottom: 84 }
  for (const rect of taken()) {
    const tall = rect.bottom - rect.top > clientHeight / 2
    if (tall && rect.right > clientWidth - 40) padding.right = Math.max(padding.right, clientWidth - rect.left + 40)
    else if (tall && rect.left < 40) padding.left = Math.max(padding.left, rect.right + 40)
    else if (rect.top < 40) padding.top = Math.max(padding.top, rect.bottom + 30)
    else if (rect.bottom > clientHeight - 40) padding.bottom = Math.max(padding.bottom, clientHeight - rect.top + 30)
  }
  const fits = padding.left + padding.right < clientWidth * 0.8 && padding.top + padding.bottom < clientHeight * 0.8
  return fits ? padding : 30
}
