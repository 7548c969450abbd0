/**
 * The address of the screen: `#/map?device=ID&at=LNG,LAT,ZOOM`, `#/replay?when=2026-11-21T10:00:00Z`. It holds the view and the selection, so that what one
 * person sees can be sent to another; `#/alerts?open=ID` opens one thing of a list. Fifteen lines instead of a router package.
 */
import { signal } from "@preact/signals"

export interface Selection {
  readonly kind: "device" | "link"
  readonly id: string
}
export interface Camera {
  readonly longitude: number
  readonly latitude: number
  readonly zoom: number
}
export interface Route {
  readonly screen: string
  /** The part of a screen that has several, as in `#/admin/users`; null = its first. */
  readonly tab: string | null
  readonly selection: Selection | null
  readonly camera: Camera | null
  /** Of the replay screen: the moment that it shows, Unix ms; null = none chosen. */
  readonly moment: number | null
  /** The alert, rule, window or incident that is open; on map and graph, the incident whose reach is shown. Null = none. */
  readonly item: string | null
}

export const HOME: Route = { screen: "map", tab: null, selection: null, camera: null, moment: null, item: null }

/** The screens that open one thing of a list. */
const WITH_ITEM: readonly string[] = [
  "map",
  "incidents",
  "graph",
  "alerts",
  "rules",
  "maintenance",
  "whatif",
  "topology",
]

const PATH = /^([a-z-]+)(?:\/([a-z-]+))?$/

/** Anything unreadable falls back to its default: a bad link still opens the map. */
export const parseRoute = (hash: string): Route => {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?")
  const parameters = new URLSearchParams(query)
  const kind = (["device", "link"] as const).find((name) => parameters.get(name))
  const numbers = (parameters.get("at") ?? "").split(",").map(Number)
  const [longitude = 0, latitude = 0, zoom = 0] = numbers
  const readable =
    numbers.length === 3 && numbers.every(Number.isFinite) && Math.abs(longitude) <= 180 && Math.abs(latitude) <= 90
  const screen = PATH.exec(path)?.[1] ?? HOME.screen
  return {
    screen,
    tab: PATH.exec(path)?.[2] ?? null,
    selection: kind === undefined ? null : { kind, id: parameters.get(kind) as string },
    camera: readable ? { longitude, latitude, zoom: Math.max(0, Math.min(22, zoom)) } : null,
    moment: screen === "replay" ? momentOf(parameters) : null,
    item: WITH_ITEM.includes(screen) ? parameters.get("open") || null : null,
  }
}

/** `when`, or `at` where somebody wrote a time into it by hand. */
const momentOf = (parameters: URLSearchParams): number | null => {
  const text = [parameters.get("when"), parameters.get("at")].find((one) => one !== null && TIME.test(one))
  const ms = text == null ? Number.NaN : Date.parse(text)
  return Number.isFinite(ms) ? ms : null
}
const TIME = /^\d{4}-\d\d-\d\dT/

/** `moment` and `item` may be left out: few screens have them. */
export const formatRoute = ({
  screen,
  tab,
  selection,
  camera,
  moment = null,
  item = null,
}: Omit<Route, "moment" | "item"> & Partial<Route>): string => {
  const parts: string[] = []
  if (item !== null && WITH_ITEM.includes(screen)) parts.push(`open=${encodeURIComponent(item)}`)
  if (screen === "replay" && moment !== null) parts.push(`when=${new Date(moment).toISOString()}`)
  if (selection !== null) parts.push(`${selection.kind}=${encodeURIComponent(selection.id)}`)
  if (camera !== null) {
    const { longitude, latitude, zoom } = camera
    parts.push(`at=${longitude.toFixed(4)},${latitude.toFixed(4)},${zoom.toFixed(2)}`)
  }
  return `#/${screen}${tab === null ? "" : `/${tab}`}${parts.length > 0 ? `?${parts.join("&")}` : ""}`
}

export const route = signal<Route>(HOME)

/** Goes there. `replace` keeps the browser's history short for camera moves. */
export const go = (change: Partial<Route>, replace = false): void => {
  const now = route.peek()
  // A part of one screen is none of another.
  const tab = change.screen === undefined || change.screen === now.screen ? now.tab : null
  const next = { ...now, tab, ...change }
  const hash = formatRoute(next)
  if (hash === formatRoute(route.peek())) return
  route.value = next
  if (replace) history.replaceState(null, "", hash)
  else history.pushState(null, "", hash)
}

export const followAddressBar = (): void => {
  const read = () => {
    route.value = parseRoute(location.hash)
  }
  read()
  window.addEventListener("popstate", read)
  window.addEventListener("hashchange", read)
}
