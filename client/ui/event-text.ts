/** An event in words. Types that this version does not know are shown as they came. */
import { capital, headline, ruleWord, said } from "#client/i18n/said.ts"
import { isKey, t } from "#client/i18n/translate.ts"
import type { Mark } from "#client/map/mark.ts"
import { linkTitle } from "#client/state/trouble.ts"
import type { TwinState } from "#client/state/twin-store.ts"
import { ENGINE_DEVICE, ENGINE_NAME, entityKey, entityKind, entityName } from "#protocol/id.ts"
import type { Severity } from "#protocol/status.ts"
import type { EventView } from "#protocol/view.ts"

export const eventText = (event: EventView): string => {
  const key = `event.${event.type}`
  const name = isKey(key) ? t(key) : event.type
  // The twin's own sentence names the service; its id says nothing to people.
  if (tellsService(event))
    return event.type.startsWith("alert.") ? `${said(event.raw)} · ${name}` : capital(said(event.raw))
  const what = event.entity === "" ? name : `${name} · ${entityName(entityKey(event.entity))}`
  // Of an alert `old` names the rule and `new` says what the type says already (twin/judge/alert-events.ts).
  if (event.type.startsWith("alert.") && event.old !== null)
    return [ruleWord(event.old), event.entity === "" ? null : entityName(entityKey(event.entity)), name]
      .filter((part) => part !== null)
      .join(" · ")
  // Of an incident `raw` is the title; its id says nothing to people.
  if (event.type.startsWith("incident.") && event.raw !== null) return `${headline(event.raw)} · ${name}`
  if (event.old === null && event.new === null) return what
  return t("event.change", { what, old: wordOf(event.old, event.type), new: wordOf(event.new, event.type) })
}

/** What the twin itself says beside an event, in the reader's language; null = nothing, or what eventText says already. */
export const twinSays = (event: EventView): string | null => {
  const { source, raw, type } = event
  return source !== "twin" || raw === null || type.startsWith("incident.") || tellsService(event) ? null : raw
}

const tellsService = (event: EventView): event is EventView & { readonly raw: string } =>
  event.source === "twin" &&
  event.raw !== null &&
  event.raw !== "" &&
  event.entity !== "" &&
  entityKind(entityKey(event.entity)) === "service"

/** Health and severity words are translated; anything else (a version, a state name) stays as the network says it. */
const wordOf = (word: string | null, type: string): string => {
  if (word === null) return "—"
  // An interface is `ativa`; of a device or its API that would be the wrong gender in one language or another.
  const own = type.startsWith("interface.") ? `interface.${word}` : `event.word.${word}`
  for (const key of [`health.${word}`, `severity.${word}`, own]) if (isKey(key)) return t(key)
  return word
}

/** Name of what it happened to; its id when that is not in the twin. */
export const subjectName = (event: EventView, state: TwinState | null): string => {
  if (event.subject === ENGINE_DEVICE) return ENGINE_NAME
  if (state === null) return event.subject
  const node = event.subjectKind === "device" ? state.nodeById.get(event.subject) : undefined
  if (node !== undefined) return state.nodes.name[node] ?? event.subject
  const link = event.subjectKind === "link" ? state.linkById.get(event.subject) : undefined
  return link === undefined ? event.subject : linkTitle(state, link)
}

export const markOfSeverity = (severity: Severity): Mark => {
  if (severity === "critical" || severity === "major") return severity
  if (severity === "minor" || severity === "warning") return "warning"
  return severity === "cleared" ? "ok" : "unknown"
}
