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
import { PMTiles, Protocol } from "pmtiles"
import type { Language } from "#client/i18n/translate.ts"
import { makeStyle, NAMES_SOURCE, SITES_SOURCE } from "#client/map/basemap-style.ts"
import { cornersOf, paddingAround } from "#client/map/camera.ts"
import type { LngLat } from "#client/map/camera.ts"
import { makeFlowGovernor } from "#client/map/flow-governor.ts"
import { GUESSED_IMAGE, guessedRing, PIXEL_RATIO } from "#client/map/guessed-ring.ts"
import { placeLabels } from "#client/map/labels.ts"
import type { PlacedLabel, Rect } from "#client/map/labels.ts"
import { MAP_LAYERS } from "#client/map/layers/registry.ts"
import { isTrouble } from "#client/map/mark.ts"
import { toLngLat, toWorld } from "#client/map/mercator.ts"
import { cssToken, makePalette, parseColor } from "#client/map/palette.ts"
import type { Picked } from "#client/map/pick.ts"
import { makeScene } from "#client/map/scene.ts"
import type { Scene } from "#client/map/scene.ts"
import { FADE_MS, TICK_MS } from "#client/map/texels.ts"
import { MAP_LABELS } from "#client/state/limits.ts"
import type { Camera, Selection } from "#client/state/route.ts"
import type { TwinState, TwinStore } from "#client/state/twin-store.ts"
import type { LinkDelta, NodeDelta } from "#protocol/wire.ts"

const REACH_PX = 11
/** What is this far beyond the edge is drawn, so that marks do not pop in. */
const MARGIN_PX = 40
/** City lights of sites change at most this often. */
const SITES_REFRESH_MS = 1_000
const MAX_ZOOM = 13
/** A one-site network is not shown from the roof. */
const FIT_MAX_ZOOM = 8.5
const DEVICE_ZOOM = 7.2
const LINK_MAX_ZOOM = 8
const TRAVEL_MS = 700
/** Mark's icon and padding of a label beside its text. */
const LABEL_EXTRA_PX = 34
const START: Camera = { longitude: -52, latitude: -15, zoom: 3.4 }

export interface LiveMapOptions {
  readonly container: HTMLElement
  readonly store: TwinStore
  /** Path of the PMTiles archive on this origin. */
  readonly basemap: string
  readonly camera: Camera | null
  readonly language: Language
  /** For screen readers. */
  readonly title: string
  readonly frozen: boolean
  /** Changes stand at once, without the fade: one frame each instead of many. For a map that is not the main thing. */
  readonly still?: boolean
  readonly textWidth: (text: string) => number
  /** Panels over the map, in pixels of the container: labels and fitting avoid them. */
  readonly taken: () => readonly Rect[]
  readonly events: {
    readonly picked: (picked: Picked | null) => void
    readonly hovered: (picked: Picked | null, x: number, y: number) => void
    readonly moved: (camera: Camera) => void
    readonly labelled: (labels: readonly PlacedLabel[]) => void
    /** The camera has moved: what stands over the map in pixels stands elsewhere. Deltas move nothing. */
    readonly looked?: () => void
    /** Who made the base map, in their own words. */
    readonly credited: (attribution: string) => void
    readonly basemapFailed: () => void
    readonly flowStopped: () => void
  }
}

/** Null when the browser has no WebGL2. */
export const makeLiveMap = (options: LiveMapOptions): LiveMap | null =>
  document.createElement("canvas").getContext("webgl2") === null ? null : new LiveMap(options)

export class LiveMap {
  readonly #options: LiveMapOptions
  readonly #map: GroundMap
  readonly #overlay = new MapLibreOverlay({ interleaved: true, layers: [] })
  readonly #flow: ReturnType<typeof makeFlowGovernor>
  readonly #stopListening: () => void
  #language: Language
  /** Null after the archive failed: the twin is drawn without a ground. */
  #basemapUrl: string | null
  #palette = makePalette(cssToken)
  #scene: Scene | null = null
  #grey = false
  #fadeUntilMs = 0
  #idle = false
  /** The layers were given to deck while the style was whole; else deck draws over the labels until asked again. */
  #settled = false
  /** The camera was placed, by the address or by fitting. */
  #placed: boolean
  #wanted: Selection | null = null
  #sitesTimer: ReturnType<typeof setTimeout> | null = null

  constructor(options: LiveMapOptions) {
    this.#options = options
    this.#language = options.language
    this.#placed = options.camera !== null
    this.#basemapUrl = new URL(options.basemap, location.href).href
    this.#flow = makeFlowGovernor(options.events.flowStopped)
    const archive = tileArchive(this.#basemapUrl)
    this.#map = this.#makeGround(options.camera ?? START)
    this.#map.addControl(this.#overlay)
    this.#listenToMap()
    void this.#credit(archive)
    this.#stopListening = options.store.listen({
      replaced: (state) => this.#replaced(state),
      changed: (nodes, links) => this.#changed(nodes, links),
      happened: () => {},
    })
  }

  // -- what the screen asks -------------------------------------------------------------------------------------------

  /** Rings what is selected; `travel` brings it into view. */
  select(selection: Selection | null, travel: boolean): void {
    this.#wanted = selection
    const scene = this.#scene
    if (scene === null) return
    const node = selection?.kind === "device" ? (scene.state.nodeById.get(selection.id) ?? null) : null
    const link = selection?.kind === "link" ? (scene.state.linkById.get(selection.id) ?? null) : null
    scene.select(node, link)
    if (travel && node !== null) this.#travel([node], Math.max(this.#map.getZoom(), DEVICE_ZOOM))
    if (travel && link !== null) this.#travel(endsOf(scene, link), LINK_MAX_ZOOM)
    this.#look()
    this.#map.triggerRepaint()
  }

  /** Theme or language changed. */
  restyle(language: Language): void {
    this.#language = language
    this.#palette = makePalette(cssToken)
    for (const figure of Object.values(this.#scene?.figures ?? {})) figure.palette = this.#palette
    this.#idle = false
    this.#map.setStyle(this.#style(), { diff: false })
    void this.#map.once("styledata", () => {
      this.#fillSources()
      this.#installLayers()
      this.#map.triggerRepaint()
    })
  }

  setFlow(on: boolean): void {
    this.#flow.want(on && !this.#options.frozen)
    this.#map.triggerRepaint()
  }

  /** A stale picture is grey. */
  setGrey(on: boolean): void {
    this.#grey = on
    for (const figure of Object.values(this.#scene?.figures ?? {})) figure.grey = on ? 1 : 0
    this.#map.triggerRepaint()
  }

  /** Shows the whole network. */
  fit(animated: boolean): void {
    const sites = this.#scene?.state.sites
    if (sites === undefined || sites.id.length === 0) return
    this.#placed = true
    const places = sites.id.map((_, at): LngLat => [sites.longitude[at] as number, sites.latitude[at] as number])
    this.#show(places, FIT_MAX_ZOOM, animated)
  }

  zoomBy(steps: number): void {
    this.#map.easeTo({ zoom: this.#map.getZoom() + steps, animate: !this.#options.frozen })
  }

  goTo({ longitude, latitude, zoom }: Camera): void {
    this.#map.easeTo({
      center: [longitude, latitude],
      zoom,
      animate: !this.#options.frozen,
      duration: TRAVEL_MS,
    })
  }

  /** Brings some devices into view, clear of the panels, or with just this many pixels around them. */
  frame(nodes: readonly number[], maxZoom: number, padding?: number): void {
    this.#placed = true
    this.#travel(nodes, maxZoom, padding)
  }

  /** Pixels of the container. */
  project(longitude: number, latitude: number): { x: number; y: number } {
    return this.#map.project([longitude, latitude])
  }

  /** Pixels of the container: a node, or the middle of a link; null when there is no such slot. */
  screen(slot: number, kind: "node" | "link" = "node"): { x: number; y: number } | null {
    const scene = this.#scene
    if (scene === null) return null
    if (kind === "node") return slot * 2 < scene.places.length ? this.#map.project(placeOf(scene, slot)) : null
    if (slot >= scene.state.links.id.length) return null
    const [a, b] = endsOf(scene, slot).map((node) => this.#map.project(placeOf(scene, node)))
    return a === undefined || b === undefined ? null : { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }
  }

  drawn(): readonly number[] {
    return [...(this.#scene?.figures.nodes.visible ?? [])]
  }

  ready(): boolean {
    return this.#idle && this.#settled && this.#scene !== null && this.#map.loaded()
  }

  destroy(): void {
    this.#stopListening()
    if (this.#sitesTimer !== null) clearTimeout(this.#sitesTimer)
    this.#map.remove()
  }

  // -- the ground -----------------------------------------------------------------------------------------------------

  #makeGround({ longitude, latitude, zoom }: Camera): GroundMap {
    const { container, title, frozen } = this.#options
    const map = new GroundMap({
      container,
      style: this.#style(),
      center: [longitude, latitude],
      zoom,
      minZoom: 1.5,
      maxZoom: MAX_ZOOM,
      attributionControl: false,
      locale: { "Map.Title": title },
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      keyboard: false,
      fadeDuration: frozen ? 0 : 180,
      canvasContextAttributes: { antialias: false, preserveDrawingBuffer: frozen },
    })
    map.touchZoomRotate.disableRotation()
    return map
  }

  #style() {
    return makeStyle({ token: cssToken, language: this.#language, basemapUrl: this.#basemapUrl })
  }

  async #credit(archive: PMTiles): Promise<void> {
    try {
      const { attribution } = (await archive.getMetadata()) as { attribution?: string }
      this.#options.events.credited((attribution ?? "").replace(/<[^>]*>/g, ""))
    } catch {
      this.#basemapUrl = null
      this.#options.events.basemapFailed()
      this.restyle(this.#language)
    }
  }

  #listenToMap(): void {
    const map = this.#map
    map.on("render", () => {
      const now = performance.now()
      this.#flow.drew(now)
      if (now < this.#fadeUntilMs || this.#flow.moving()) map.triggerRepaint()
    })
    // The style names one image only; a new style (theme, language) asks for it again.
    map.on("styleimagemissing", ({ id }) => {
      if (id === GUESSED_IMAGE)
        map.addImage(id, guessedRing(parseColor(cssToken("--ink-2"))), { pixelRatio: PIXEL_RATIO })
    })
    map.on("move", () => this.#look())
    map.on("resize", () => this.#look())
    map.on("moveend", () => {
      const { lng, lat } = map.getCenter()
      if (this.#placed) this.#options.events.moved({ longitude: lng, latitude: lat, zoom: map.getZoom() })
    })
    map.on("idle", () => {
      if (!this.#idle || !this.#settled) this.#installLayers()
      this.#idle = true
    })
    map.on("click", (event) => this.#options.events.picked(this.#pick(event)))
    map.on("mousemove", (event) => {
      const picked = this.#pick(event)
      map.getCanvas().style.cursor = picked === null ? "" : "pointer"
      this.#options.events.hovered(picked, event.point.x, event.point.y)
    })
    map.on("mouseout", () => this.#options.events.hovered(null, 0, 0))
  }

  #pick(event: MapMouseEvent): Picked | null {
    const scene = this.#scene
    if (scene === null) return null
    const at = toWorld(event.lngLat.lng, event.lngLat.lat)
    const drawn = { node: scene.isNodeDrawn, link: scene.isLinkDrawn }
    return scene.picker.pick(at, REACH_PX / 2 ** this.#map.getZoom(), drawn)
  }

  // -- the twin -------------------------------------------------------------------------------------------------------

  #replaced(state: TwinState): void {
    const clock = () => (this.#options.frozen ? 0 : performance.now())
    this.#scene = makeScene(state, this.#palette, { clock, flow: this.#flow.strength })
    this.setGrey(this.#grey)
    this.#whenStyled(() => {
      this.#fillSources()
      this.#installLayers()
      if (!this.#placed) this.fit(false)
      this.select(this.#wanted, false)
    })
  }

  #changed(nodes: NodeDelta, links: LinkDelta): void {
    if (this.#scene === null) return
    const { frozen, still = false } = this.#options
    this.#scene.changed(nodes, links, !frozen && !still)
    if (!still) this.#fadeUntilMs = performance.now() + FADE_MS + 2 * TICK_MS
    this.#look(false)
    if (nodes.slot.length > 0) this.#paintSitesSoon()
    this.#map.triggerRepaint()
  }

  #whenStyled(run: () => void): void {
    if (this.#map.getSource(SITES_SOURCE) !== undefined) run()
    else void this.#map.once("styledata", () => this.#whenStyled(run))
  }

  #installLayers(): void {
    const figures = this.#scene?.figures
    if (figures === undefined) return
    this.#overlay.setProps({
      layers: MAP_LAYERS.map(({ id, beforeId, make }) => make(figures, { id, beforeId })),
    })
    this.#settled = this.#map.isStyleLoaded() === true
  }

  #fillSources(): void {
    const scene = this.#scene
    if (scene === null) return
    const { sites, nodes } = scene.state
    const lights = sites.id.map((_, id) =>
      point(id, [sites.longitude[id] as number, sites.latitude[id] as number], {
        nodes: scene.siteNodes[id] as number,
        guessed: sites.placeGuessed[id] as number,
      }),
    )
    const names = nodes.name.map((name, id) =>
      point(id, placeOf(scene, id), { name, tier: scene.nodeTier[id] as number }),
    )
    this.#map.getSource<GeoJSONSource>(SITES_SOURCE)?.setData({ type: "FeatureCollection", features: lights })
    this.#map.getSource<GeoJSONSource>(NAMES_SOURCE)?.setData({ type: "FeatureCollection", features: names })
    this.#paintSites()
  }

  #paintSites(): void {
    if (this.#map.getSource(SITES_SOURCE) === undefined) return
    this.#scene?.siteMark.forEach((mark, id) => this.#map.setFeatureState({ source: SITES_SOURCE, id }, { mark }))
  }

  #paintSitesSoon(): void {
    this.#sitesTimer ??= setTimeout(() => {
      this.#sitesTimer = null
      this.#paintSites()
    }, SITES_REFRESH_MS)
  }

  /** Decides anew what is drawn and labelled. */
  #look(moved = true): void {
    const scene = this.#scene
    if (scene === null) return
    const bounds = this.#map.getBounds()
    const margin = MARGIN_PX / 2 ** this.#map.getZoom()
    const low = toWorld(bounds.getWest(), bounds.getSouth())
    const high = toWorld(bounds.getEast(), bounds.getNorth())
    const view = { minX: low.x - margin, minY: low.y - margin, maxX: high.x + margin, maxY: high.y + margin }
    scene.look(this.#map.getZoom(), view)
    this.#label(scene)
    if (moved) this.#options.events.looked?.()
  }

  #label({ nodeMark, state, ...rest }: Scene): void {
    const wishes = []
    for (let slot = 0; slot < nodeMark.length; slot++) {
      const mark = nodeMark[slot] as number
      if (!isTrouble(mark)) continue
      const { x, y } = this.#map.project(placeOf(rest, slot))
      wishes.push({
        slot,
        mark,
        x,
        y,
        width: this.#options.textWidth(state.nodes.name[slot] as string) + LABEL_EXTRA_PX,
      })
    }
    const { clientWidth, clientHeight } = this.#options.container
    const screen = { left: 0, top: 0, right: clientWidth, bottom: clientHeight }
    this.#options.events.labelled(placeLabels(wishes, screen, this.#options.taken(), MAP_LABELS))
  }

  #travel(nodes: readonly number[], maxZoom: number, padding?: number): void {
    const scene = this.#scene
    if (scene !== null)
      this.#show(
        nodes.map((node) => placeOf(scene, node)),
        maxZoom,
        true,
        padding,
      )
  }

  #show(places: readonly LngLat[], maxZoom: number, animated: boolean, least?: number): void {
    const corners = cornersOf(places)
    const { container, taken, frozen } = this.#options
    const padding = least ?? paddingAround(container.clientWidth, container.clientHeight, taken())
    if (corners === null) return
    this.#map.fitBounds(corners, { padding, maxZoom, animate: animated && !frozen, duration: TRAVEL_MS })
  }
}

let protocol: Protocol | null = null
/** The archive behind `pmtiles://URL`; worker and protocol are set up with the first one. */
const tileArchive = (url: string): PMTiles => {
  if (protocol === null) {
    protocol = new Protocol()
    setWorkerUrl(workerUrl)
    addProtocol("pmtiles", protocol.tile)
  }
  const archive = new PMTiles(url)
  protocol.add(archive)
  return archive
}

const placeOf = ({ places }: Pick<Scene, "places">, slot: number): [number, number] => {
  const { longitude, latitude } = toLngLat({ x: places[slot * 2] as number, y: places[slot * 2 + 1] as number })
  return [longitude, latitude]
}

const endsOf = ({ state: { links } }: Scene, link: number): readonly number[] => [
  links.a[link] as number,
  links.b[link] as number,
]

const point = (id: number, coordinates: [number, number], properties: Record<string, string | number>) => ({
  type: "Feature" as const,
  id,
  geometry: { type: "Point" as const, coordinates },
  properties,
})
