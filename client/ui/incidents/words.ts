/** Words of an incident: its cause as a person says it, how many customers and how that is known, how sure the twin is. */
import { capital, nameHeadline, saidName } from "#client/i18n/said.ts"
import { language, t } from "#client/i18n/translate.ts"
import type { Mark } from "#client/map/mark.ts"
import { twin } from "#client/state/app.ts"
import { linkTitle } from "#client/state/trouble.ts"
import { deviceName, markOfSeverityWord, siteName } from "#client/ui/alerts/words.ts"
import { formatAge, formatNumber, formatPercent, NOTHING } from "#client/ui/format.ts"
import type { CauseMember, IncidentRow } from "#protocol/incident.ts"

export const markOfIncident = ({ severity, state }: Pick<IncidentRow, "severity" | "state">): Mark =>
  state === "closed" ? "ok" : markOfSeverityWord(severity)

/** In a sentence, "the router CR1-SAO-01, or the link to it": what nothing seen so far tells apart is one cause with several names. */
export const causeName = (members: readonly CauseMember[]): string => {
  const [first, ...others] = members.map(({ name }) => saidName(name))
  if (first === undefined) return t("incident.cause.unknown")
  return others.length === 0 ? first : t("incident.cause.or", { first, others: others.join(t("incident.cause.join")) })
}

/** The cause under a title that does not name it already; null = it does. */
export const causeBeside = ({ title, cause }: Pick<IncidentRow, "title" | "cause">): string | null => {
  if (cause === null) return t("incident.cause.unknown")
  const [first] = cause.members
  return first !== undefined && title.toLowerCase().includes(first.name.toLowerCase())
    ? null
    : capital(causeName(cause.members))
}

/** What is wrong with the likeliest cause; null = none is named. */
export const whatWord = ({ cause }: Pick<IncidentRow, "cause">): string | null => {
  const [first] = cause?.members ?? []
  return first === undefined ? null : t(`fault.${first.fault}`)
}

export const customersWord = (subscribers: IncidentRow["impact"]["subscribers"]): string => {
  if (subscribers === null) return NOTHING
  const count = formatNumber(language.value, subscribers.count)
  return subscribers.quality === "estimated" ? `≈ ${count}` : count
}

/** Law 1: how a count is known, and how old it is. */
export const knownWord = (subscribers: NonNullable<IncidentRow["impact"]["subscribers"]>, nowMs: number): string =>
  t(`incident.quality.${subscribers.quality}`, { age: formatAge(language.value, nowMs - subscribers.atMs) })

export const sureWord = (confidence: number): string => formatPercent(language.value, Math.round(confidence * 100))

/** Null = the twin does not have it. */
export const linkName = (id: string): string | null => {
  const state = twin.value
  const slot = state?.linkById.get(id)
  return state === null || slot === undefined ? null : linkTitle(state, slot)
}

/** As a title. */
export const memberName = ({ kind, id, name }: CauseMember): string => {
  if (name !== "") return nameHeadline(name)
  if (kind === "link") return linkName(id) ?? id
  return kind === "site" ? siteName(id) : deviceName(id)
}
