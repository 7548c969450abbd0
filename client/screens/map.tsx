/** The live map: the network on the ground, tiles above, legend below, and at the side what is wrong or what is selected. */
import { effect, useSignal, useSignalEffect } from "@preact/signals"
import type { ComponentChildren } from "preact"
import { useEffect, useMemo, useRef } from "preact/hooks"
import { language, t } from "#client/i18n/translate.ts"
import { MARKS, markOfByte } from "#client/map/mark.ts"
import { LABEL_HEIGHT } from "#client/map/labels.ts"
import type { PlacedLabel, Rect } from "#client/map/labels.ts"
import { makeLiveMap } from "#client/map/live-map.ts"
import type { LiveMap } from "#client/map/live-map.ts"
import type { Picked } from "#client/map/pick.ts"
import { BASEMAP } from "#client/state/api.ts"
import { frozen, staleReason, store, twin } from "#client/state/app.ts"
import { blastOf, extentOf } from "#client/state/blast.ts"
import { isGuessed } from "#client/state/guessed-places.ts"
import { openIncident } from "#client/state/incidents.ts"
import { go, route } from "#client/state/route.ts"
import type { Selection } from "#client/state/route.ts"
import { flow, theme } from "#client/state/settings.ts"
import { siteView } from "#client/state/site-view.ts"
import { testHook } from "#client/state/test-hook.ts"
import type { TestHook } from "#client/state/test-hook.ts"
import { linkTitle, siteOf } from "#client/state/trouble.ts"
import type { TwinState } from "#client/state/twin-store.ts"
import { formatPercent } from "#client/ui/format.ts"
import { FitIcon, FlowIcon, MarkIcon, MinusIcon, PlusIcon } from "#client/ui/icons.tsx"
import { BlastLayer } from "#client/ui/incidents/blast-layer.tsx"
import { IncidentPins, pinRects } from "#client/ui/incidents/incident-pins.tsx"
import { Kpis } from "#client/ui/kpis.tsx"
import { Legend } from "#client/ui/legend.tsx"
import { SelectionPanel } from "#client/ui/selection-panel.tsx"
import { fitWish } from "#client/ui/shortcuts.ts"
import { statusWord } from "#client/ui/status-word.ts"
import { TroubleList } from "#client/ui/trouble-list.tsx"
import { unpackStatus } from "#protocol/status.ts"
import { unpackUtil, UTIL_UNKNOWN } from "#protocol/wire.ts"

interface Hover {
  readonly picked: Picked
  readonly x: number
  readonly y: number
}

/** A site found by search is shown from here. */
const SITE_ZOOM = 9
const REACH_ZOOM = 8

export const MapScreen = () => {
  const host = useRef<HTMLDivElement>(null)
  const screen = useRef<HTMLDivElement>(null)
  const live = useSignal<LiveMap | null>(null)
  const labels = useSignal<readonly PlacedLabel[]>([])
  const hover = useSignal<Hover | null>(null)
  const credit = useSignal("")
  const failure = useSignal<Failure | null>(null)
  const looks = useSignal(0)

  useEffect(() => {
    const container = host.current
    if (container === null) return
    const mounted = mountMap(container, screen.current, {
      hovered: (picked, x, y) => (hover.value = picked === null ? null : { picked, x, y }),
      labelled: (placed) => (labels.value = placed),
      credited: (attribution) => (credit.value = attribution),
      failed: (what) => (failure.value = what),
      looked: () => (looks.value = looks.peek() + 1),
    })
    live.value = mounted?.map ?? null
    return () => {
      mounted?.end()
      live.value = null
    }
  }, [])
  useSignalEffect(() => {
    if (fitWish.value > 0) live.peek()?.fit(true)
  })
  useSignalEffect(() => {
    const wish = siteView.value
    const sites = twin.peek()?.sites
    if (wish === null || sites === undefined) return
    live.peek()?.goTo({
      longitude: sites.longitude[wish.slot] as number,
      latitude: sites.latitude[wish.slot] as number,
      zoom: SITE_ZOOM,
    })
  })
  const { selection } = route.value
  void looks.value
  const pins = live.value === null ? [] : pinRects(live.value)
  return (
    <div ref={screen} class={staleReason.value === null ? "map-screen" : "map-screen stale"}>
      <div ref={host} class="map" data-testid="map" />
      {live.value !== null && <Reach map={live.value} looks={looks.value} />}
      <div class="labels">
        {labels.value
          .filter((label) => isNews(label) && isFree(label, pins))
          .map((label) => (
            <TroubleLabel key={label.slot} label={label} />
          ))}
      </div>
      {live.value !== null && <IncidentPins map={live.value} looks={looks.value} chosen={route.value.item} />}
      {hover.value !== null && <Tooltip hover={hover.value} />}
      <div class="map-top" data-taken>
        <Kpis />
      </div>
      {failure.value !== null && (
        <p class="map-notice panel" role="status">
          {t(`map.${failure.value}`)}
        </p>
      )}
      <div class="map-bottom" data-taken>
        <Legend />
        <MapTools map={live.value} />
      </div>
      {selection === null ? <TroubleList /> : <SelectionPanel selection={selection} />}
      <p class="credit">{credit.value}</p>
    </div>
  )
}

/** While an incident is open, what it explains is hatched already: names are for its cause and for what it does not explain. */
const isNews = ({ slot }: PlacedLabel): boolean => {
  const view = openIncident.value
  const id = twin.value?.nodes.id[slot]
  if (view === null || id === undefined || !view.impact.devices.includes(id)) return true
  return view.causes.some(({ members }) => members.some((member) => member.id === id))
}

/** Of a label's letters; too wide is better than under a pin. */
const LETTER_PX = 8
const isFree = ({ slot, left, top }: PlacedLabel, pins: readonly Rect[]): boolean => {
  const right = left + (twin.value?.nodes.name[slot]?.length ?? 0) * LETTER_PX + 34
  return !pins.some((pin) => pin.left < right && pin.right > left && pin.top < top + LABEL_HEIGHT && pin.bottom > top)
}

/** The reach of the open incident, brought into view once. */
const Reach = ({ map, looks }: { map: LiveMap; looks: number }) => {
  const view = openIncident.value
  const state = twin.value
  const blast = useMemo(
    () => (view === null || state === null ? null : blastOf(view, state)),
    [view?.causes, view?.impact, state?.nodes.id, state?.links.id],
  )
  /** An address that names incident and camera was sent by somebody who looked from there. */
  const given = useRef(route.peek().camera === null ? null : route.peek().item)
  useEffect(() => {
    if (blast === null || state === null) return
    if (view?.id !== given.current) map.frame(extentOf(blast, state), REACH_ZOOM)
    given.current = null
  }, [view?.id, blast !== null])
  if (blast === null || state === null) return null
  return <BlastLayer map={map} blast={blast} state={state} looks={looks} theme={theme.value} />
}

type Failure = "noWebgl" | "basemapFailed"
interface MapEvents {
  readonly hovered: (picked: Picked | null, x: number, y: number) => void
  readonly labelled: (labels: readonly PlacedLabel[]) => void
  readonly credited: (attribution: string) => void
  readonly looked: () => void
  readonly failed: (what: Failure) => void
}

/** Puts the map into its element and ties it to address, choices and selection. Null without WebGL2. */
const mountMap = (container: HTMLElement, screen: HTMLElement | null, { failed, ...events }: MapEvents) => {
  /** A click on the map does not move the map. */
  let pickedHere = ""
  /** The camera that the map itself wrote into the address; any other comes from the address bar. */
  let ownCamera = route.peek().camera
  let shown = ownCamera === null ? "" : (route.peek().selection?.id ?? "")
  const map = makeLiveMap({
    container,
    store,
    basemap: BASEMAP,
    camera: ownCamera,
    language: language.peek(),
    title: t("map.label"),
    frozen,
    textWidth: measurer(),
    taken: () => takenBy(screen, container),
    events: {
      ...events,
      picked: (picked) => {
        const selection = selectionOf(picked)
        pickedHere = selection?.id ?? ""
        go({ selection })
      },
      moved: (camera) => {
        ownCamera = camera
        go({ camera }, true)
      },
      basemapFailed: () => failed("basemapFailed"),
      flowStopped: () => (flow.value = false),
    },
  })
  if (map === null) {
    failed("noWebgl")
    return null
  }
  tellTests(map, container)
  const stop = [
    effect(() => {
      const { selection } = route.value
      const id = selection?.id ?? ""
      map.select(selection, id !== shown && id !== pickedHere)
      shown = id
      pickedHere = ""
    }),
    effect(() => {
      const { camera } = route.value
      if (camera !== null && camera !== ownCamera) map.goTo(camera)
      ownCamera = camera
    }),
    effect(() => map.setFlow(flow.value)),
    effect(() => map.setGrey(staleReason.value !== null)),
    followLook(map),
  ]
  const end = () => {
    for (const run of stop) run()
    map.destroy()
  }
  return { map, end }
}

const tellTests = (map: LiveMap, container: HTMLElement): void => {
  Object.assign(testHook, {
    screen: (slot, kind) => offset(map.screen(slot, kind), container),
    drawn: () => map.drawn(),
    ready: () => map.ready(),
  } satisfies Partial<TestHook>)
}

const MapTools = ({ map }: { map: LiveMap | null }) => {
  const still = frozen || matchMedia("(prefers-reduced-motion: reduce)").matches
  return (
    <div class="map-tools panel">
      <Tool label={t("map.zoomIn")} run={() => map?.zoomBy(1)}>
        <PlusIcon />
      </Tool>
      <Tool label={t("map.zoomOut")} run={() => map?.zoomBy(-1)}>
        <MinusIcon />
      </Tool>
      <Tool label={t("map.fit")} run={() => map?.fit(true)}>
        <FitIcon />
      </Tool>
      {!still && (
        <Tool label={t(flow.value ? "map.flow.off" : "map.flow.on")} run={() => (flow.value = !flow.value)}>
          <FlowIcon />
        </Tool>
      )}
    </div>
  )
}

const Tool = ({ label, run, children }: { label: string; run: () => void; children: ComponentChildren }) => (
  <button type="button" class="icon-button" aria-label={label} title={label} onClick={run}>
    {children}
  </button>
)

const TroubleLabel = ({ label }: { label: PlacedLabel }) => {
  const state = twin.value
  const id = state?.nodes.id[label.slot]
  if (state === null || id === undefined) return null
  return (
    <button
      type="button"
      class="map-label"
      style={{ transform: `translate(${label.left}px, ${label.top}px)` }}
      onClick={() => go({ selection: { kind: "device", id } })}
    >
      <MarkIcon mark={MARKS[label.mark] ?? "unknown"} size={11} />
      <span class="ellipsis" style={{ maxWidth: `${LABEL_TEXT_MAX_PX}px` }}>
        {state.nodes.name[label.slot]}
      </span>
    </button>
  )
}

const Tooltip = ({ hover: { picked, x, y } }: { hover: Hover }) => {
  const state = twin.value
  if (state === null) return null
  const { title, mark, detail } = picked.kind === "node" ? nodeTip(state, picked.slot) : linkTip(state, picked.slot)
  return (
    <div class="tooltip" style={{ transform: `translate(${Math.round(x) + 14}px, ${Math.round(y) + 14}px)` }}>
      <MarkIcon mark={MARKS[mark] ?? "unknown"} size={12} />
      <b>{title}</b>
      <span class="quiet num">{detail}</span>
    </div>
  )
}

const nodeTip = (state: TwinState, slot: number) => {
  const byte = state.nodes.status[slot] ?? 0
  const guessed = isGuessed(state, slot) ? ` · ${t("legend.guessed")}` : ""
  const detail = `${statusWord(unpackStatus(byte))} · ${siteOf(state, slot)}${guessed}`
  return { title: state.nodes.name[slot] ?? "", mark: markOfByte(byte), detail }
}
const linkTip = (state: TwinState, slot: number) => {
  const byte = state.links.status[slot] ?? 0
  const load = (util: number | undefined) => {
    const share = unpackUtil(util ?? UTIL_UNKNOWN)
    return share === null ? t("link.notMeasured") : formatPercent(language.value, share * 100)
  }
  const detail = `→ ${load(state.links.utilAB[slot])} · ← ${load(state.links.utilBA[slot])}`
  return { title: linkTitle(state, slot), mark: markOfByte(byte), detail }
}

const selectionOf = (picked: Picked | null): Selection | null => {
  const state = store.state()
  if (picked === null || state === null) return null
  const ids = picked.kind === "node" ? state.nodes.id : state.links.id
  const id = ids[picked.slot]
  return id === undefined ? null : { kind: picked.kind === "node" ? "device" : "link", id }
}

/** Theme and language change the style; the first run is what the map was made with. */
const followLook = (map: LiveMap): (() => void) => {
  let made = ""
  return effect(() => {
    const look = `${theme.value} ${language.value}`
    if (made !== "" && made !== look) requestAnimationFrame(() => map.restyle(language.peek()))
    made = look
  })
}

/** A longer name would hide what is beside it; the pointer tells it in full. */
const LABEL_TEXT_MAX_PX = 190
const measurer = (): ((text: string) => number) => {
  const context = document.createElement("canvas").getContext("2d")
  if (context === null) return (text) => text.length * 8
  context.font = '600 12px "Inter Variable"'
  return (text) => Math.min(LABEL_TEXT_MAX_PX, Math.ceil(context.measureText(text).width))
}

const takenBy = (screen: HTMLElement | null, container: HTMLElement): readonly Rect[] => {
  const base = container.getBoundingClientRect()
  return [...(screen?.querySelectorAll("[data-taken] > .panel, .panel[data-taken]") ?? [])].map((element) => {
    const { left, top, right, bottom } = element.getBoundingClientRect()
    return { left: left - base.left, top: top - base.top, right: right - base.left, bottom: bottom - base.top }
  })
}

const offset = (point: { x: number; y: number } | null, container: HTMLElement) => {
  const base = container.getBoundingClientRect()
  return point === null ? null : { x: point.x + base.left, y: point.y + base.top }
}
