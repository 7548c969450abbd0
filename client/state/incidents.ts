/**
 * The incidents of now, and the one that is open. Read anew when the stream brings an `incident.*` event (never twice
 * within a breath), when the picture is replaced, and slowly in case an event was missed. Closed ones are asked for only
 * when somebody looks at them, the newest CLOSED_ROWS of the time that is asked for; they change by events only.
 */
import { batch, computed, effect, signal } from "@preact/signals"
import { call } from "#client/state/api.ts"
import type { Failure } from "#client/state/api.ts"
import { serverNowMs, shownReplay, store } from "#client/state/app.ts"
import { LIVE, tallyOf } from "#client/state/incident-list.ts"
import type { IncidentFilter } from "#client/state/incident-list.ts"
import { allPages, LIST_ROWS } from "#client/state/pages.ts"
import { route } from "#client/state/route.ts"
import { may, session } from "#client/state/session.ts"
import type { IncidentRow, IncidentView } from "#protocol/incident.ts"

/** Not closed; null before the first answer. At most LIST_ROWS of each state. */
const live = signal<readonly IncidentRow[] | null>(null)
/** Null = nobody has asked for them. */
const closed = signal<readonly IncidentRow[] | null>(null)
/** There are more that fit. */
const closedCut = signal(false)
let closedStale = true
/** One page: who looks for more narrows the time. */
export const CLOSED_ROWS = 1_000
export const incidents = computed(() => (live.value === null ? null : [...live.value, ...(closed.value ?? [])]))
/** When the list was read, server time: the time of the last look. */
export const incidentsReadMs = signal<number | null>(null)
export const incidentsFailure = signal<Failure | null>(null)
/** How many rows are shown when there are more; null = all are. */
export const incidentsCut = computed(() =>
  (live.value?.length ?? 0) >= LIST_ROWS ? LIST_ROWS : closed.value !== null && closedCut.value ? CLOSED_ROWS : null,
)
export const tally = computed(() => tallyOf(live.value ?? []))

export const incidentFilter = signal<IncidentFilter>(LIVE)
/** The row of the keyboard, by incident id; null = none yet. */
export const incidentCursor = signal<string | null>(null)
export type IncidentWish = "ack" | "mine" | "assign" | "note" | "escalate" | "close"
/** Set by the keys; the screen follows. */
export const incidentWish = signal<IncidentWish | null>(null)

export interface Detail {
  readonly id: string
  readonly view: IncidentView | null
  readonly failure: Failure | null
}
/** The one that is open, on whichever screen. */
export const detail = signal<Detail | null>(null)
/** Null in a replay: what it says is of now. */
export const openIncident = computed(() => (shownReplay.value === null ? (detail.value?.view ?? null) : null))

const BREATH_MS = 1_500
const SAFETY_MS = 60_000
const WATCHED_MS = 15_000
const PAGE = 1_000
/** Screens whose open item is an incident. */
const SCREENS: readonly string[] = ["incidents", "map", "graph"]

let reading = false
let wanted = false
let timer: ReturnType<typeof setTimeout> | null = null

const readState = (state: IncidentRow["state"]) =>
  allPages((cursor) => call("incidents.list", { query: { state, limit: PAGE, cursor } }))

const readClosed = () => {
  const { fromMs, toMs, cause } = incidentFilter.peek()
  const query = {
    state: "closed" as const,
    limit: CLOSED_ROWS,
    ...(fromMs === null ? {} : { from: fromMs }),
    ...(toMs === null ? {} : { to: toMs }),
    ...(cause === "" ? {} : { cause }),
  }
  return call("incidents.list", { query })
}

export const readIncidents = async (): Promise<void> => {
  if (reading) {
    wanted = true
    return
  }
  if (session.peek() == null || !may("network.read")) return
  reading = true
  const wantsClosed = ["closed", "all"].includes(incidentFilter.peek().state)
  const readsClosed = wantsClosed && (closedStale || closed.peek() === null)
  closedStale = closedStale && !readsClosed
  const [open, recovering, over] = await Promise.all([
    readState("open"),
    readState("recovering"),
    readsClosed ? readClosed() : null,
  ])
  reading = false
  const failed = [open, recovering, over].find((answer) => answer?.ok === false)
  batch(() => {
    incidentsFailure.value = failed?.ok === false ? failed : null
    if (open.ok && recovering.ok) {
      live.value = [...open.value, ...recovering.value]
      incidentsReadMs.value = serverNowMs.peek()
    }
    if (!wantsClosed) closed.value = null
    else if (over?.ok === true) {
      closed.value = over.value.items
      closedCut.value = over.value.next !== null
    } else if (over !== null) closedStale = true
  })
  void readDetail()
  if (!wanted) return
  wanted = false
  soon()
}

const itemShown = (): string | null => {
  const { screen, item } = route.value
  return item !== null && SCREENS.includes(screen) && session.value != null ? item : null
}

const readDetail = async (): Promise<void> => {
  const id = detail.peek()?.id
  if (id === undefined) return
  const answer = await call("incidents.get", { params: { id } })
  const now = detail.peek()
  if (now?.id !== id) return
  detail.value = answer.ok ? { id, view: answer.value, failure: null } : { id, view: now.view, failure: answer }
}

/** An act answers with the incident as it is now. */
export const acted = (view: IncidentView | null): void => {
  if (view !== null && detail.peek()?.id === view.id) detail.value = { id: view.id, view, failure: null }
  closedStale = true
  void readIncidents()
}

const soon = (): void => {
  timer ??= setTimeout(() => {
    timer = null
    if (document.hidden) wanted = true
    else void readIncidents()
  }, BREATH_MS)
}

/** Ties list and open incident to session, address and stream, once, when the page starts. */
export const followIncidents = (): void => {
  effect(() => {
    if (session.value != null) return void readIncidents()
    batch(() => {
      live.value = null
      closed.value = null
      incidentsReadMs.value = null
      incidentsFailure.value = null
      incidentCursor.value = null
      detail.value = null
    })
  })
  effect(() => {
    const id = itemShown()
    if (id === (detail.peek()?.id ?? null)) return
    detail.value = id === null ? null : { id, view: null, failure: null }
    if (id !== null) void readDetail()
  })
  const askedOf = ({ state, fromMs, toMs, cause }: IncidentFilter): string => [state, fromMs, toMs, cause].join()
  let asked = askedOf(incidentFilter.peek())
  effect(() => {
    const next = askedOf(incidentFilter.value)
    if (next === asked) return
    asked = next
    closedStale = true
    void readIncidents()
  })
  store.listen({
    replaced: () => {
      closedStale = true
      soon()
    },
    changed: () => {},
    happened: (events) => {
      if (!events.some(({ type }) => type.startsWith("incident."))) return
      closedStale = true
      soon()
    },
  })
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && wanted) soon()
  })
  setInterval(() => {
    const age = serverNowMs.peek() - (incidentsReadMs.peek() ?? 0)
    if (!document.hidden && (route.peek().screen === "incidents" || age >= SAFETY_MS)) soon()
  }, WATCHED_MS)
}
