/**
 * The REST side of the engine. Every answer is `Answer`: the value, or why there is none, so that a screen must say so.
 * A 401 anywhere means that the session is over.
 */
import type { DeviceView, EventView, LinkView } from "#protocol/view.ts"

export interface Session {
  readonly user: { readonly name: string }
  readonly tenant: { readonly id: string; readonly name: string; readonly demo: boolean }
}

export interface History {
  readonly metric: string
  readonly unit: string
  readonly atMs: readonly number[]
  readonly min: readonly (number | null)[]
  readonly avg: readonly (number | null)[]
  readonly max: readonly (number | null)[]
}

export interface EventPage {
  readonly items: readonly EventView[]
  /** Cursor of the page that follows; null = this was the oldest. */
  readonly next: string | null
}

export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly status: number; readonly reason: string; readonly retryAfterS: number | null }

/** Where the engine serves the base map: its own, or the one that the operator set. */
export const BASEMAP = "/basemap.pmtiles"
/** The engine did not answer at all. */
export const NO_ANSWER = 0
const TIMEOUT_MS = 15_000

export const getSession = (): Promise<Answer<Session>> => ask("GET", "/api/v1/session")
export const signIn = (user: string, password: string): Promise<Answer<null>> =>
  ask("POST", "/api/v1/session", { user, password })
export const signOut = (): Promise<Answer<null>> => ask("DELETE", "/api/v1/session")
export const getDevice = (id: string): Promise<Answer<DeviceView>> =>
  ask("GET", `/api/v1/devices/${encodeURIComponent(id)}`)
export const getLink = (id: string): Promise<Answer<LinkView>> => ask("GET", `/api/v1/links/${encodeURIComponent(id)}`)

export interface HistoryQuery {
  readonly device: string
  /** "" = the device itself. */
  readonly entity: string
  readonly metric: string
  readonly from: number
  readonly to: number
  readonly points: number
}
export const getHistory = (query: HistoryQuery): Promise<Answer<History>> => {
  const fields = Object.entries(query).map(([name, value]) => [name, String(value)])
  return ask("GET", `/api/v1/history?${new URLSearchParams(fields).toString()}`)
}

/** Newest first; `cursor` is the page before's `next`. */
export const getEvents = (limit: number, cursor: string | null): Promise<Answer<EventPage>> => {
  const query = new URLSearchParams({ limit: String(limit), ...(cursor === null ? {} : { cursor }) })
  return ask("GET", `/api/v1/events?${query.toString()}`)
}

let signedOut = (): void => {}
/** Called at every 401 but the sign-in's own. */
export const onSignedOut = (run: () => void): void => {
  signedOut = run
}

const ask = async <T>(method: string, path: string, body?: unknown): Promise<Answer<T>> => {
  try {
    const response = await fetch(path, {
      method,
      credentials: "same-origin",
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    })
    if (response.ok) {
      const text = await response.text()
      return { ok: true, value: (text === "" ? null : JSON.parse(text)) as T }
    }
    if (response.status === 401 && method !== "POST") signedOut()
    const wait = Number(response.headers.get("retry-after"))
    const retryAfterS = Number.isFinite(wait) && wait > 0 ? wait : null
    return { ok: false, status: response.status, reason: `HTTP ${response.status}`, retryAfterS }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { ok: false, status: NO_ANSWER, reason, retryAfterS: null }
  }
}
