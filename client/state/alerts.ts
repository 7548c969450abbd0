/**
 * The alerts of now, as the engine lists them. Read anew when the stream brings an `alert.*` event (never twice within a
 * breath), when the picture is replaced, and slowly in case an event was missed; between, nobody asks.
 */
import { computed, effect, signal } from "@preact/signals"
import { ALL, firingCounts } from "#client/state/alert-list.ts"
import type { AlertFilter, Grouping } from "#client/state/alert-list.ts"
import { call } from "#client/state/api.ts"
import type { Failure } from "#client/state/api.ts"
import { serverNowMs, store } from "#client/state/app.ts"
import { allPages, LIST_ROWS } from "#client/state/pages.ts"
import { route } from "#client/state/route.ts"
import { may, session } from "#client/state/session.ts"
import type { Alert } from "#protocol/rest-generated.ts"

/** Null before the first answer. At most LIST_ROWS. */
export const alerts = signal<readonly Alert[] | null>(null)
/** When the list was read, server time; a list that could not be read again shows its age. */
export const alertsReadMs = signal<number | null>(null)
export const alertsFailure = signal<Failure | null>(null)
/** Grows with every good answer: what hangs on a single alert asks again. */
export const alertsTurn = signal(0)
export const alertsCut = computed(() => (alerts.value?.length ?? 0) >= LIST_ROWS)
export const firing = computed(() => firingCounts(alerts.value ?? []))

/** What the screen shows of them; it stays while the page does. */
export const alertFilter = signal<AlertFilter>(ALL)
export const grouping = signal<Grouping>("none")
export const closedGroups = signal<ReadonlySet<string>>(new Set())
/** The row of the keyboard, by alert id or group key; null = none yet. */
export const cursor = signal<string | null>(null)
/** Set by the `a` and `m` keys; the screen follows. */
export const actWish = signal<"ack" | "mute" | null>(null)

const BREATH_MS = 1_500
/** What only waits (pending) tells nothing on the stream: while the list is looked at it is read a little oftener. */
const SAFETY_MS = 60_000
const WATCHED_MS = 15_000
const PAGE = 1_000

let reading = false
let wanted = false
let timer: ReturnType<typeof setTimeout> | null = null

export const readAlerts = async (): Promise<void> => {
  if (reading) {
    wanted = true
    return
  }
  if (session.peek() == null || !may("network.read")) return
  reading = true
  const answer = await allPages((at) => call("alerts.list", { query: { limit: PAGE, cursor: at } }))
  reading = false
  alertsFailure.value = answer.ok ? null : answer
  if (answer.ok) {
    alerts.value = answer.value
    alertsReadMs.value = serverNowMs.peek()
    alertsTurn.value = alertsTurn.peek() + 1
  }
  if (!wanted) return
  wanted = false
  soon()
}

const soon = (): void => {
  timer ??= setTimeout(() => {
    timer = null
    if (document.hidden) wanted = true
    else void readAlerts()
  }, BREATH_MS)
}

/** Ties the list to session and stream, once, when the page starts. */
export const followAlerts = (): void => {
  effect(() => {
    if (session.value == null) {
      alerts.value = null
      alertsReadMs.value = null
      alertsFailure.value = null
      cursor.value = null
    } else void readAlerts()
  })
  store.listen({
    replaced: soon,
    changed: () => {},
    happened: (events) => {
      if (events.some(({ type }) => type.startsWith("alert."))) soon()
    },
  })
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && wanted) soon()
  })
  setInterval(() => {
    const age = serverNowMs.peek() - (alertsReadMs.peek() ?? 0)
    if (!document.hidden && (route.peek().screen === "alerts" || age >= SAFETY_MS)) soon()
  }, WATCHED_MS)
}
