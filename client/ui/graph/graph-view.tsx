/**
 * The logical view as a thing to look at and to walk through: one canvas with wheel, drag, click and keys, and a line for
 * screen readers that says where the keyboard is. What is drawn comes from the twin's columns and follows every change.
 */
import { useComputed, useSignal } from "@preact/signals"
import type { Signal } from "@preact/signals"
import { useEffect, useMemo, useRef } from "preact/hooks"
import { language, t, tCount } from "#client/i18n/translate.ts"
import { isBrokenByte, isTrouble, MARKS, markOfByte } from "#client/map/mark.ts"
import { cssToken, LOAD_STOPS } from "#client/map/palette.ts"
import type { Blast } from "#client/state/blast.ts"
import { bundlesOf, foldGraph, itemAt, layerKey, siteKey, stepTo, tallyMarks } from "#client/state/graph-folding.ts"
import type { Bundle, Folds, Shown, ShownGraph, Way } from "#client/state/graph-folding.ts"
import { LAYERS } from "#client/state/graph-layout.ts"
import type { GraphLayout } from "#client/state/graph-layout.ts"
import type { GraphCamera } from "#client/state/graph.ts"
import type { Selection } from "#client/state/route.ts"
import { theme } from "#client/state/settings.ts"
import { testHook } from "#client/state/test-hook.ts"
import type { TwinState } from "#client/state/twin-store.ts"
import { formatNumber } from "#client/ui/format.ts"
import { paintGraph } from "#client/ui/graph/paint-graph.ts"
import type { Colors, Live, Picture, View } from "#client/ui/graph/paint-graph.ts"
import { statusWord } from "#client/ui/status-word.ts"
import { unpackStatus } from "#protocol/status.ts"
import { unpackUtil, UTIL_UNKNOWN } from "#protocol/wire.ts"

const ZOOM_MAX_PX = 150
const ZOOM_STEP = 1.35
const MARGIN_PX = 28
/** One device alone is not shown larger than this. */
const FIT_MAX_PX = 96

export interface GraphViewProps {
  readonly state: TwinState
  readonly layout: GraphLayout
  readonly folds: Folds
  readonly camera: Signal<GraphCamera | null>
  readonly blast: Blast | null
  readonly selection: Selection | null
  /** Read aloud. */
  readonly label: string
  readonly select: (selection: Selection | null) => void
  /** A group was pressed: by its key, and whether it is folded now. */
  readonly toggle: (key: string, folded: boolean) => void
  /** Not folded away by the zoom. */
  readonly always: ReadonlySet<number>
}

export const GraphView = (props: GraphViewProps) => {
  const { state, layout, folds, camera, blast, selection, always } = props
  const canvas = useRef<HTMLCanvasElement>(null)
  const size = useSignal({ width: 0, height: 0 })
  const focused = useSignal("")
  const hovered = useSignal(-1)
  const view = useComputed(() => viewOf(camera.value, layout, size.value.width, size.value.height))
  const { unitPx } = view.value
  // Folding by zoom changes at few sizes: between two of them the picture is only moved.
  const step = unitPx < 7 ? 0 : unitPx < 15 ? 1 : 2
  const shown = useMemo(
    () => foldGraph(layout, state.sites.id, folds, unitPx, always),
    [layout, state.sites.id, folds, step, always],
  )
  const bundles = useMemo(() => bundlesOf(shown, state.links.a, state.links.b), [shown, state.links.a, state.links.b])
  const colors = useMemo(readColors, [theme.value])
  const focus = shown.items.findIndex(({ key }) => key === focused.value)
  const selectedNode = selection?.kind === "device" ? (state.nodeById.get(selection.id) ?? -1) : -1
  const selectedLink = selection?.kind === "link" ? (state.linkById.get(selection.id) ?? null) : null
  const picture: Picture = {
    shown,
    bundles,
    colors,
    blast,
    live: liveOf(state),
    selected: selectedNode < 0 ? -1 : (shown.itemOf[selectedNode] ?? -1),
    selectedLink,
    hovered: hovered.value,
    focused: focus,
  }
  useSize(canvas, size)
  useEffect(() => {
    if (canvas.current !== null) paint(canvas.current, view.value, picture)
  })
  useEffect(() => tellTests(canvas, view, shown), [shown])
  const hand = handOf({ canvas, view, camera, size, shown, bundles, hovered, focused, focus, props })
  return (
    <>
      <canvas
        ref={canvas}
        class="graph-canvas"
        data-testid="graph"
        tabIndex={0}
        role="application"
        aria-roledescription={t("graph.role")}
        aria-label={props.label}
        aria-describedby="graph-focus"
        {...hand}
      />
      <p id="graph-focus" class="unseen" aria-live="polite">
        {focus < 0 ? t("graph.keys") : spoken(state, shown.items[focus] as Shown)}
      </p>
    </>
  )
}

// -- the camera ---------------------------------------------------------------------------------------------------------

/** Pixels per unit at which all of it fits. */
const fitPx = ({ width: w, height: h }: Pick<GraphLayout, "width" | "height">, width: number, height: number): number =>
  Math.max(
    0.5,
    Math.min(FIT_MAX_PX, (width - 2 * MARGIN_PX) / Math.max(1, w), (height - 2 * MARGIN_PX) / Math.max(1, h)),
  )

const viewOf = (camera: GraphCamera | null, layout: GraphLayout, width: number, height: number): View => {
  const unitPx = camera?.unitPx ?? fitPx(layout, width, height)
  const x = camera?.x ?? layout.width / 2
  const y = camera?.y ?? layout.height / 2
  return { left: width / 2 - x * unitPx, top: height / 2 - y * unitPx, unitPx, width, height }
}

const zoomed = (view: View, factor: number, atX: number, atY: number, leastPx: number): GraphCamera => {
  const unitPx = Math.max(leastPx * 0.6, Math.min(ZOOM_MAX_PX, view.unitPx * factor))
  const [x, y] = [(atX - view.left) / view.unitPx, (atY - view.top) / view.unitPx]
  return { unitPx, x: x + (view.width / 2 - atX) / unitPx, y: y + (view.height / 2 - atY) / unitPx }
}

export const zoomBy = (
  camera: Signal<GraphCamera | null>,
  layout: GraphLayout,
  host: HTMLElement | null,
  steps: number,
): void => {
  const [width, height] = [host?.clientWidth ?? 0, host?.clientHeight ?? 0]
  const view = viewOf(camera.peek(), layout, width, height)
  camera.value = zoomed(view, ZOOM_STEP ** steps, width / 2, height / 2, fitPx(layout, width, height))
}

// -- hands --------------------------------------------------------------------------------------------------------------

interface Hand {
  readonly canvas: { readonly current: HTMLCanvasElement | null }
  readonly view: Signal<View>
  readonly camera: Signal<GraphCamera | null>
  readonly size: Signal<{ width: number; height: number }>
  readonly shown: ShownGraph
  readonly bundles: readonly Bundle[]
  readonly hovered: Signal<number>
  readonly focused: Signal<string>
  readonly focus: number
  readonly props: GraphViewProps
}
/** A press that moves further is a drag. */
const STILL_PX = 4
const WAYS: Readonly<Record<string, Way>> = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" }

const handOf = (hand: Hand) => {
  const { canvas, view, camera, shown, hovered, focused, focus, props } = hand
  const leastPx = () => fitPx(props.layout, view.peek().width, view.peek().height)
  const at = (event: MouseEvent) => {
    const box = canvas.current?.getBoundingClientRect()
    const { left, top, unitPx } = view.peek()
    return {
      x: (event.clientX - (box?.left ?? 0) - left) / unitPx,
      y: (event.clientY - (box?.top ?? 0) - top) / unitPx,
    }
  }
  const press = (index: number) => {
    const item = shown.items[index]
    if (item === undefined) return props.select(null)
    focused.value = item.key
    if (item.kind === "device") {
      props.select({ kind: "device", id: props.state.nodes.id[item.nodes[0] as number] as string })
    } else props.toggle(item.key, true)
  }
  const bringIn = (item: Shown) => {
    const { left, top, unitPx, width, height } = view.peek()
    const [x, y] = [item.box.x + item.box.w / 2, item.box.y + item.box.h / 2]
    const [sx, sy] = [left + x * unitPx, top + y * unitPx]
    if (sx < 30 || sy < 30 || sx > width - 30 || sy > height - 30) camera.value = { x, y, unitPx }
  }
  return {
    onPointerDown: (event: PointerEvent) => {
      const start = { x: event.clientX, y: event.clientY, view: view.peek(), moved: false }
      const target = event.currentTarget as HTMLElement
      const move = (next: PointerEvent) => {
        const [dx, dy] = [next.clientX - start.x, next.clientY - start.y]
        start.moved ||= Math.hypot(dx, dy) > STILL_PX
        if (!start.moved) return
        const { left, top, unitPx, width, height } = start.view
        camera.value = { unitPx, x: (width / 2 - left - dx) / unitPx, y: (height / 2 - top - dy) / unitPx }
      }
      const up = (last: PointerEvent) => {
        target.removeEventListener("pointermove", move)
        target.removeEventListener("pointerup", up)
        if (start.moved) return
        const { x, y } = at(last)
        press(itemAt(shown.items, x, y))
      }
      target.setPointerCapture(event.pointerId)
      target.addEventListener("pointermove", move)
      target.addEventListener("pointerup", up)
    },
    onPointerMove: (event: PointerEvent) => {
      const { x, y } = at(event)
      const next = itemAt(shown.items, x, y)
      if (next !== hovered.peek()) hovered.value = next
    },
    onPointerLeave: () => (hovered.value = -1),
    onWheel: (event: WheelEvent) => {
      event.preventDefault()
      const box = canvas.current?.getBoundingClientRect()
      const factor = Math.exp(-event.deltaY * 0.0016)
      camera.value = zoomed(
        view.peek(),
        factor,
        event.clientX - (box?.left ?? 0),
        event.clientY - (box?.top ?? 0),
        leastPx(),
      )
    },
    onKeyDown: (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return
      const { width, height } = view.peek()
      const way = WAYS[event.key]
      const item = shown.items[focus]
      if (way !== undefined) {
        const next = shown.items[stepTo(shown.items, focus, way)]
        if (next !== undefined) {
          focused.value = next.key
          bringIn(next)
        }
      } else if (event.key === "Enter" || event.key === " ") press(focus)
      else if (event.key === "+" || event.key === "=")
        camera.value = zoomed(view.peek(), ZOOM_STEP, width / 2, height / 2, leastPx())
      else if (event.key === "-") camera.value = zoomed(view.peek(), 1 / ZOOM_STEP, width / 2, height / 2, leastPx())
      else if (event.key === "0") camera.value = null
      else if (event.key === "c" && item !== undefined) foldUp(item, props)
      else return
      event.preventDefault()
      event.stopPropagation()
    },
  }
}

/** A device folds its layer, a folded layer its site. */
const foldUp = (item: Shown, { state, toggle }: GraphViewProps): void => {
  const id = state.sites.id[item.site] ?? ""
  if (item.kind === "device") toggle(layerKey(id, item.layer), false)
  else if (item.kind === "layer") toggle(siteKey(id), false)
}

// -- drawing ------------------------------------------------------------------------------------------------------------

const useSize = (
  canvas: { readonly current: HTMLCanvasElement | null },
  size: Signal<{ width: number; height: number }>,
) => {
  useEffect(() => {
    const element = canvas.current
    if (element === null) return
    const measure = () => (size.value = { width: element.clientWidth, height: element.clientHeight })
    const resized = new ResizeObserver(measure)
    resized.observe(element)
    measure()
    return () => resized.disconnect()
  }, [])
}

const paint = (canvas: HTMLCanvasElement, view: View, picture: Picture): void => {
  if (view.width === 0) return
  const ratio = devicePixelRatio
  const [width, height] = [Math.round(view.width * ratio), Math.round(view.height * ratio)]
  if (canvas.width !== width) canvas.width = width
  if (canvas.height !== height) canvas.height = height
  const ctx = canvas.getContext("2d", { willReadFrequently: true })
  if (ctx === null) return
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0)
  paintGraph(ctx, view, picture)
}

const readColors = (): Colors => ({
  mark: Object.fromEntries(MARKS.map((mark) => [mark, cssToken(`--${mark}`)])) as Colors["mark"],
  load: Array.from({ length: LOAD_STOPS }, (_, stop) => cssToken(`--load-${stop}`)),
  unknown: cssToken("--load-unknown"),
  ink: cssToken("--ink"),
  ink2: cssToken("--ink-2"),
  panel: hexOf(cssToken("--panel")),
  raised: cssToken("--raised"),
  line: cssToken("--line"),
  lineStrong: cssToken("--line-strong"),
  accent: cssToken("--accent"),
})
/** A short colour has no room for an alpha. */
const hexOf = (color: string): string => (color.length === 4 ? `#${color.slice(1).replace(/./g, "$&$&")}` : color)

const liveOf = (state: TwinState): Live => ({
  nodeMark: (slot) => markOfByte(state.nodes.status[slot] as number),
  linkMark: (slot) => markOfByte(state.links.status[slot] as number),
  linkBroken: (slot) => isBrokenByte(state.links.status[slot] as number),
  linkLoad: (slot) => {
    const [ab, ba] = [state.links.utilAB[slot] ?? UTIL_UNKNOWN, state.links.utilBA[slot] ?? UTIL_UNKNOWN]
    const known = [unpackUtil(ab), unpackUtil(ba)].filter((one) => one !== null)
    return known.length === 0 ? null : Math.max(...known)
  },
  nodeName: (slot) => state.nodes.name[slot] ?? "",
  siteName: (site) => state.sites.name[site] ?? "",
  layerName: (layer) => t(`graph.layer.${LAYERS[layer] ?? "access"}`),
  count: (count) => formatNumber(language.value, count),
})

const spoken = (state: TwinState, item: Shown): string => {
  const site = state.sites.name[item.site] ?? ""
  if (item.kind === "device") {
    const slot = item.nodes[0] as number
    return `${state.nodes.name[slot]}, ${statusWord(unpackStatus(state.nodes.status[slot] as number))}, ${site}`
  }
  const { trouble } = tallyMarks(item.nodes, (slot) => markOfByte(state.nodes.status[slot] as number))
  const what = item.kind === "site" ? site : `${site}, ${t(`graph.layer.${LAYERS[item.layer] ?? "access"}`)}`
  return `${what}: ${tCount("incident.devices", item.nodes.length)}, ${t("graph.trouble", { count: trouble })}`
}

const tellTests = (canvas: { readonly current: HTMLCanvasElement | null }, view: Signal<View>, shown: ShownGraph) => {
  testHook.graph = () =>
    shown.items.map(({ key, kind, box, nodes }) => {
      const base = canvas.current?.getBoundingClientRect()
      const { left, top, unitPx } = view.peek()
      const x = (base?.left ?? 0) + left + (box.x + box.w / 2) * unitPx
      const y = (base?.top ?? 0) + top + (box.y + box.h / 2) * unitPx
      return { key, kind, x, y, count: nodes.length }
    })
  return () => {
    testHook.graph = () => []
  }
}

/** How many of a list are in trouble: for the head of the screen. */
export const troubled = (state: TwinState): number =>
  state.nodes.status.reduce((sum, byte) => sum + (isTrouble(markOfByte(byte)) ? 1 : 0), 0)
