/**
 * The incidents of now, and the one that is open. Read anew when the stream brings an `incident.*` event (never twice
 * within a breath), when the picture is replaced, and slowly in case an event was missed. Closed ones are asked for only
 * when somebody looks at them (closed-incidents.ts); they change by events only.
 */
import { batch, computed, effect, signal } from "@preact/signals"
import { call } from "#client/state/api.ts"
import type { Failure } from "#client/state/api.ts"
import { serverNowMs, shownReplay, store } from "#client/state/app.ts"
import { addPage, askClosed, moreOf, questionOf, readAnew, textOf, together } from "#client/state/closed-incidents.ts"
import type { Shelf } from "#client/state/closed-incidents.ts"
import { LIVE, tallyOf } from "#client/state/incident-list.ts"
import type { IncidentFilter } from "#client/state/incident-list.ts"
import { allPages, LIST_ROWS } from "#client/state/pages.ts"
import { route } from "#client/state/route.ts"
import { may, session } from "#client/state/session.ts"
import type { IncidentRow, IncidentView } from "#protocol/incident.ts"

/** Not closed; null before the first answer. At most LIST_ROWS of each state. */
const live = signal<readonly IncidentRow[] | null>(null)
/** Null = nobody has asked for them. */
const closed = signal<Shelf | null>(null)
/** Of these, what the engine found by the text; null = none is typed. */
const found = signal<Shelf | null>(null)
let closedStale = true
export const incidents = computed(() =>
  live.value === null ? null : together(live.value, found.value?.page.items ?? [], closed.value?.page.items ?? []),
)
/** Found by words that a row does not show: devices, symptoms, notes. */
export const foundIds = computed((): ReadonlySet<string> => new Set(found.value?.page.items.map(({ id }) => id)))
/** When the list was read, server time: the time of the last look. */
export const incidentsReadMs = signal<number | null>(null)
export const incidentsFailure = signal<Failure | null>(null)
/** How many of those that go on are shown when there are more; null = all are. */
export const incidentsCut = computed(() => ((live.value?.length ?? 0) >= LIST_ROWS ? LIST_ROWS : null))
/** There are more that are over than were read; null = there are not. */
export const closedMore = computed(() => {
  const shelf = found.value ?? closed.value
  return shelf === null ? null : moreOf(shelf)
})
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
/** Of silence after a key before the engine is asked. */
const TYPED_MS = 300
const PAGE = 1_000
/** Screens whose open item is an incident. */
const SCREENS: readonly string[] = ["incidents", "map", "graph"]

let reading = false
let wanted = false
let timer: ReturnType<typeof setTimeout> | null = null
let typing: ReturnType<typeof setTimeout> | null = null

const readState = (state: IncidentRow["state"]) =>
  allPages((cursor) => call("incidents.list", { query: { state, limit: PAGE, cursor } }))

const wantsClosed = (): boolean => ["closed", "all"].includes(incidentFilter.peek().state)

/** What a text finds: only the answer to the newest one counts. */
let search = 0
const readFound = async (): Promise<void> => {
  const turn = ++search
  const filter = incidentFilter.peek()
  if (textOf(filter.text) === "" || !wantsClosed() || session.peek() == null) {
    found.value = null
    return
  }
  const answer = await askClosed(filter, filter.text)
  if (turn !== search) return
  if (answer.ok) found.value = readAnew(found.peek(), { question: questionOf(filter, filter.text), page: answer.value })
  else incidentsFailure.value = answer
}

let isAddingMore = false
/** One page further back, of what is searched or of all. */
export const readMoreClosed = async (): Promise<void> => {
  const shelf = found.peek() === null ? closed : found
  const at = shelf.peek()
  if (isAddingMore || at === null || at.page.next === null) return
  isAddingMore = true
  const filter = incidentFilter.peek()
  const answer = await askClosed(filter, shelf === found ? filter.text : "", at.page.next)
  isAddingMore = false
  if (!answer.ok) incidentsFailure.value = answer
  else if (shelf.peek() === at) shelf.value = addPage(at, answer.value)
}

export const readIncidents = async (): Promise<void> => {
  if (reading) {
    wanted = true
    return
  }
  if (session.peek() == null || !may("network.read")) return
  reading = true
  const filter = incidentFilter.peek()
  const readsClosed = wantsClosed() && (closedStale || closed.peek() === null)
  closedStale = closedStale && !readsClosed
  if (readsClosed) void readFound()
  const [open, recovering, over] = await Promise.all([
    readState("open"),
    readState("recovering"),
    readsClosed ? askClosed(filter, "") : null,
  ])
  reading = false
  const failed = [open, recovering, over].find((answer) => answer?.ok === false)
  batch(() => {
    incidentsFailure.value = failed?.ok === false ? failed : null
    if (open.ok && recovering.ok) {
      live.value = [...open.value, ...recovering.value]
      incidentsReadMs.value = serverNowMs.peek()
    }
    if (!wantsClosed()) {
      closed.value = null
      found.value = null
    } else if (over?.ok === true)
      closed.value = readAnew(closed.peek(), { question: questionOf(filter, ""), page: over.value })
    else if (over !== null) closedStale = true
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
      found.value = null
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
  const askedOf = (filter: IncidentFilter): string => `${filter.state} ${questionOf(filter, "")}`
  let asked = askedOf(incidentFilter.peek())
  effect(() => {
    const next = askedOf(incidentFilter.value)
    if (next === asked) return
    asked = next
    closedStale = true
    void readIncidents()
  })
  let typed = ""
  effect(() => {
    const next = textOf(incidentFilter.value.text)
    if (next === typed) return
    typed = next
    if (typing !== null) clearTimeout(typing)
    typing = setTimeout(() => void readFound(), next === "" ? 0 : TYPED_MS)
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
