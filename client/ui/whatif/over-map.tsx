/**
 * A map with something drawn over it: simulations, rankings and proposals show what would be, on the ground where it would
 * be. The map below is the live one (client/map/), dimmed by a veil; the canvas above is painted anew whenever it moves.
 */
import { effect, useSignal, useSignalEffect } from "@preact/signals"
import { useEffect, useRef } from "preact/hooks"
import type { ComponentChildren } from "preact"
import { language, t } from "#client/i18n/translate.ts"
import { makeLiveMap } from "#client/map/live-map.ts"
import type { LiveMap } from "#client/map/live-map.ts"
import { cssToken } from "#client/map/palette.ts"
import type { Picked } from "#client/map/pick.ts"
import { BASEMAP } from "#client/state/api.ts"
import { frozen, staleReason, store, twin } from "#client/state/app.ts"
import { theme } from "#client/state/settings.ts"
import { testHook } from "#client/state/test-hook.ts"
import { linkTitle, siteOf } from "#client/state/trouble.ts"
import type { TwinState } from "#client/state/twin-store.ts"
import { FitIcon, MinusIcon, PlusIcon } from "#client/ui/icons.tsx"
import { fitWish } from "#client/ui/shortcuts.ts"

/** One device is not shown from closer than this. */
const FRAME_ZOOM = 8
/** How much the network as it is steps back. */
const VEIL = 0.42

export type Paint = (ctx: CanvasRenderingContext2D, map: LiveMap, state: TwinState) => void

interface Props {
  readonly label: string
  /** A new function is a new picture. */
  readonly paint: Paint
  /** Devices to bring into view; done anew when `extentKey` changes. */
  readonly extent: readonly number[]
  readonly extentKey: string
  /** Null = a look at it, nothing to press. */
  readonly pick: ((picked: Picked, state: TwinState) => void) | null
  readonly veiled: boolean
  /** What stands over it: panels with `data-taken` are kept clear. */
  readonly children?: ComponentChildren
}
interface Hover {
  readonly picked: Picked
  readonly x: number
  readonly y: number
}

export const OverMap = (props: Props) => {
  const screen = useRef<HTMLDivElement>(null)
  const host = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const map = useSignal<LiveMap | null>(null)
  const hover = useSignal<Hover | null>(null)
  const failure = useSignal<"noWebgl" | "basemapFailed" | null>(null)
  const newest = useRef(props)
  newest.current = props
  const repaint = () => {
    const state = store.state()
    if (canvas.current !== null && map.peek() !== null && state !== null) {
      paintOver(canvas.current, map.peek() as LiveMap, state, newest.current)
    }
  }
  useEffect(() => {
    if (host.current === null) return
    const made = mount(host.current, screen.current, {
      repaint,
      hovered: (next) => (hover.value = newest.current.pick === null ? null : next),
      picked: (picked) => {
        const state = store.state()
        if (state !== null) newest.current.pick?.(picked, state)
      },
      failed: (what) => (failure.value = what),
    })
    map.value = made?.map ?? null
    return () => {
      made?.end()
      map.value = null
    }
  }, [])
  useEffect(repaint, [props.paint, props.veiled, map.value, theme.value])
  useEffect(() => {
    if (props.extent.length > 0) map.value?.frame(props.extent, FRAME_ZOOM)
  }, [props.extentKey, map.value])
  useSignalEffect(() => {
    if (fitWish.value > 0) map.peek()?.fit(true)
  })
  return (
    <div ref={screen} class={`map-screen over-map ${staleReason.value === null ? "" : "stale"}`}>
      <div ref={host} class="map" data-testid="map" />
      <canvas ref={canvas} class="over-canvas" role="img" aria-label={props.label} data-testid="over" />
      {hover.value !== null && <Tip hover={hover.value} />}
      {failure.value !== null && (
        <p class="map-notice panel" role="status">
          {t(`map.${failure.value}`)}
        </p>
      )}
      {props.children}
      <div class="over-tools panel" data-taken>
        <Tool label={t("map.zoomIn")} run={() => map.value?.zoomBy(1)}>
          <PlusIcon />
        </Tool>
        <Tool label={t("map.zoomOut")} run={() => map.value?.zoomBy(-1)}>
          <MinusIcon />
        </Tool>
        <Tool label={t("map.fit")} run={() => map.value?.fit(true)}>
          <FitIcon />
        </Tool>
      </div>
    </div>
  )
}

const Tool = ({ label, run, children }: { label: string; run: () => void; children: ComponentChildren }) => (
  <button type="button" class="icon-button" aria-label={label} title={label} onClick={run}>
    {children}
  </button>
)

const Tip = ({ hover: { picked, x, y } }: { hover: Hover }) => {
  const state = twin.value
  if (state === null) return null
  const [title, detail] =
    picked.kind === "node"
      ? [state.nodes.name[picked.slot] ?? "", siteOf(state, picked.slot)]
      : [linkTitle(state, picked.slot), ""]
  return (
    <div class="tooltip" style={{ transform: `translate(${Math.round(x) + 14}px, ${Math.round(y) + 14}px)` }}>
      <b>{title}</b>
      <span class="quiet">{detail}</span>
    </div>
  )
}

interface Events {
  readonly repaint: () => void
  readonly hovered: (hover: Hover | null) => void
  readonly picked: (picked: Picked) => void
  readonly failed: (what: "noWebgl" | "basemapFailed") => void
}

/** Null without WebGL2. The address keeps the faults, not the camera: what matters is brought into view. */
const mount = (container: HTMLElement, screen: HTMLElement | null, events: Events) => {
  const map = makeLiveMap({
    container,
    store,
    basemap: BASEMAP,
    camera: null,
    language: language.peek(),
    title: t("map.label"),
    frozen,
    still: true,
    textWidth: (text) => text.length * 8,
    taken: () => takenBy(screen, container),
    events: {
      picked: (picked) => picked !== null && events.picked(picked),
      hovered: (picked, x, y) => events.hovered(picked === null ? null : { picked, x, y }),
      moved: events.repaint,
      labelled: () => {},
      looked: events.repaint,
      credited: () => {},
      basemapFailed: () => events.failed("basemapFailed"),
      flowStopped: () => {},
    },
  })
  if (map === null) {
    events.failed("noWebgl")
    return null
  }
  tellTests(map, container)
  let look = ""
  const stop = [
    effect(() => map.setGrey(staleReason.value !== null)),
    effect(() => {
      const now = `${theme.value} ${language.value}`
      if (look !== "" && look !== now) requestAnimationFrame(() => map.restyle(language.peek()))
      look = now
    }),
  ]
  return {
    map,
    end: () => {
      for (const run of stop) run()
      map.destroy()
    },
  }
}

const tellTests = (map: LiveMap, container: HTMLElement): void => {
  Object.assign(testHook, {
    screen: (slot: number, kind: "node" | "link" = "node") => {
      const at = map.screen(slot, kind)
      const base = container.getBoundingClientRect()
      return at === null ? null : { x: at.x + base.left, y: at.y + base.top }
    },
    drawn: () => map.drawn(),
    ready: () => map.ready(),
  })
}

const takenBy = (screen: HTMLElement | null, container: HTMLElement) => {
  const base = container.getBoundingClientRect()
  return [...(screen?.querySelectorAll(".panel[data-taken]") ?? [])].map((element) => {
    const { left, top, right, bottom } = element.getBoundingClientRect()
    return { left: left - base.left, top: top - base.top, right: right - base.left, bottom: bottom - base.top }
  })
}

const paintOver = (canvas: HTMLCanvasElement, map: LiveMap, state: TwinState, { paint, veiled }: Props): void => {
  const { clientWidth, clientHeight } = canvas
  const ratio = devicePixelRatio
  const [width, height] = [Math.round(clientWidth * ratio), Math.round(clientHeight * ratio)]
  if (canvas.width !== width) canvas.width = width
  if (canvas.height !== height) canvas.height = height
  const ctx = canvas.getContext("2d")
  if (ctx === null) return
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0)
  ctx.clearRect(0, 0, clientWidth, clientHeight)
  if (veiled) {
    ctx.globalAlpha = VEIL
    ctx.fillStyle = cssToken("--land")
    ctx.fillRect(0, 0, clientWidth, clientHeight)
    ctx.globalAlpha = 1
  }
  paint(ctx, map, state)
}
