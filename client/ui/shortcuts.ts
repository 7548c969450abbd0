/** What single keys do. The help overlay lists this very table, so a key cannot work without being told. */
import { signal } from "@preact/signals"
import type { Key } from "#client/i18n/translate.ts"
import { actWish } from "#client/state/alerts.ts"
import { incidentWish } from "#client/state/incidents.ts"
import type { ScreenId } from "#client/state/places.ts"
import { decideWish } from "#client/state/proposals.ts"
import { moveBy, toNextEvent, togglePlay } from "#client/state/replay.ts"
import { go } from "#client/state/route.ts"
import { theme } from "#client/state/settings.ts"
import { focusSearch } from "#client/ui/search-focus.ts"

export interface Shortcut {
  /** As KeyboardEvent.key. */
  readonly keys: readonly string[]
  readonly text: Key
  readonly run: () => void
  /** The screen that it leads to. */
  readonly screen?: ScreenId
  /** The only screen where it works. Such a key leaves buttons, fields and the map their own meaning of it. */
  readonly on?: ScreenId
}

/** One press of an arrow in a replay. */
export const MOVE_MS = 10_000

/** Bumped by the `f` key; the map screen follows. */
export const fitWish = signal(0)
export const helpOpen = signal(false)

export const SHORTCUTS: readonly Shortcut[] = [
  { keys: ["/"], text: "help.search", run: focusSearch },
  { keys: ["j"], text: "help.next", run: () => moveInList(1) },
  { keys: ["k"], text: "help.previous", run: () => moveInList(-1) },
  { keys: ["1"], text: "help.map", run: () => go({ screen: "map", item: null }), screen: "map" },
  { keys: ["2"], text: "help.devices", run: () => go({ screen: "devices" }), screen: "devices" },
  { keys: ["3"], text: "help.events", run: () => go({ screen: "events" }), screen: "events" },
  { keys: ["4"], text: "help.replay", run: () => go({ screen: "replay" }), screen: "replay" },
  { keys: ["5"], text: "help.alerts", run: () => go({ screen: "alerts", item: null }), screen: "alerts" },
  { keys: ["6"], text: "help.rules", run: () => go({ screen: "rules", item: null }), screen: "rules" },
  {
    keys: ["7"],
    text: "help.maintenance",
    run: () => go({ screen: "maintenance", item: null }),
    screen: "maintenance",
  },
  {
    keys: ["8"],
    text: "help.incidents",
    run: () => go({ screen: "incidents", item: null }),
    screen: "incidents",
  },
  { keys: ["9"], text: "help.graph", run: () => go({ screen: "graph", item: null }), screen: "graph" },
  { keys: ["a"], text: "help.incidents.ack", run: () => (incidentWish.value = "ack"), on: "incidents" },
  { keys: ["g"], text: "help.incidents.mine", run: () => (incidentWish.value = "mine"), on: "incidents" },
  { keys: ["n"], text: "help.incidents.note", run: () => (incidentWish.value = "note"), on: "incidents" },
  { keys: ["e"], text: "help.incidents.escalate", run: () => (incidentWish.value = "escalate"), on: "incidents" },
  { keys: ["c"], text: "help.incidents.close", run: () => (incidentWish.value = "close"), on: "incidents" },
  { keys: ["a"], text: "help.alerts.ack", run: () => (actWish.value = "ack"), on: "alerts" },
  { keys: ["m"], text: "help.alerts.mute", run: () => (actWish.value = "mute"), on: "alerts" },
  { keys: [" "], text: "help.replay.play", run: togglePlay, on: "replay" },
  { keys: ["ArrowLeft"], text: "help.replay.move", run: () => moveBy(-MOVE_MS), on: "replay" },
  { keys: ["ArrowRight"], text: "help.replay.move", run: () => moveBy(MOVE_MS), on: "replay" },
  { keys: ["n"], text: "help.replay.next", run: toNextEvent, on: "replay" },
  { keys: ["w"], text: "help.whatif", run: () => go({ screen: "whatif", tab: null, item: null }), screen: "whatif" },
  {
    keys: ["p"],
    text: "help.topology",
    run: () => go({ screen: "topology", tab: null, item: null }),
    screen: "topology",
  },
  { keys: ["y"], text: "help.topology.accept", run: () => (decideWish.value = "accept"), on: "topology" },
  { keys: ["x"], text: "help.topology.reject", run: () => (decideWish.value = "reject"), on: "topology" },
  { keys: ["e"], text: "help.topology.edit", run: () => (decideWish.value = "edit"), on: "topology" },
  { keys: ["f"], text: "help.fit", run: () => fitWish.value++ },
  { keys: ["t"], text: "help.theme", run: () => (theme.value = theme.peek() === "dark" ? "light" : "dark") },
  { keys: ["?"], text: "help.help", run: () => (helpOpen.value = true) },
]

/** Focus goes to the next row of the list that has it, else to the first row on the screen. */
export const moveInList = (step: 1 | -1): void => {
  const from = document.activeElement?.closest("[data-row]") ?? null
  const list = from?.closest("[data-list]") ?? document.querySelector("[data-list]")
  const rows = [...(list?.querySelectorAll<HTMLElement>("[data-row]") ?? [])]
  const at = rows.findIndex((row) => row === from)
  const next = at < 0 ? rows[0] : rows[Math.max(0, Math.min(rows.length - 1, at + step))]
  next?.focus()
  next?.scrollIntoView({ block: "nearest" })
}
