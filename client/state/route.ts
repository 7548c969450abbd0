/**
 * The address of the screen: `#/map?device=ID&at=LNG,LAT,ZOOM`. It holds the view and the selection, so that what one
 * person sees can be sent to another. Fifteen lines instead of a router package.
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
}

export const HOME: Route = { screen: "map", tab: null, selection: null, camera: null }

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
  return {
    screen: PATH.exec(path)?.[1] ?? HOME.screen,
    tab: PATH.exec(path)?.[2] ?? null,
    selection: kind === undefined ? null : { kind, id: parameters.get(kind) as string },
    camera: readable ? { longitude, latitude, zoom: Math.max(0, Math.min(22, zoom)) } : null,
  }
}

export const formatRoute = ({ screen, tab, selection, camera }: Route): string => {
  const parts: string[] = []
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
  const next = { ...route.peek(), ...change }
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
