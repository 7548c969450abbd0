/** Words and marks of an alert: severity in the map's shapes, what it is about, where, and until when it is held back. */
import { said } from "#client/i18n/said.ts"
import { language, t } from "#client/i18n/translate.ts"
import type { Mark } from "#client/map/mark.ts"
import { serverNowMs, twin } from "#client/state/app.ts"
import { formatDateTime, formatNumber, formatTime, NOTHING } from "#client/ui/format.ts"
import { entityKey, entityKind, entityName } from "#protocol/id.ts"
import type { Alert, HeldBack, Observation } from "#protocol/rest-generated.ts"
import type { AlertSeverity } from "#protocol/rule.ts"
import { metricByName } from "#protocol/metric.ts"

const MARKS: Readonly<Record<AlertSeverity, Mark>> = { critical: "critical", warn: "warning", info: "ok" }
/** What waits is hollow: it has a shape of its own, not only another colour. */
export const markOfAlert = ({ severity, state }: Pick<Alert, "severity" | "state">): Mark =>
  state === "pending" || state === "ok" ? "unknown" : MARKS[severity]
export const markOfSeverityWord = (severity: AlertSeverity): Mark => MARKS[severity]

/** Name of a site; its id when the twin does not have it. */
export const siteName = (id: string): string => {
  const sites = twin.value?.sites
  return sites?.name[sites.id.indexOf(id)] ?? id
}
export const deviceName = (id: string): string => {
  const state = twin.value
  const slot = state?.nodeById.get(id)
  return (slot === undefined ? undefined : state?.nodes.name[slot]) ?? id
}
/** "" = what is said beside it names it already: the device, or a service, whose id says nothing to people. */
export const entityWord = (entity: string): string =>
  entity === "" || entityKind(entityKey(entity)) === "service" ? "" : entityName(entityKey(entity))

/** 14:32:05 of a time not long ago, 14:32 of one soon to come; with its date when it is of another day. */
export const momentWord = (atMs: number): string => {
  const lang = language.value
  const now = serverNowMs.value
  if (atMs <= now && now - atMs < 86_400_000) return formatTime(lang, atMs, now)
  if (atMs > now && atMs - now < 43_200_000) {
    return new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit", hour12: false }).format(atMs)
  }
  return formatDateTime(lang, atMs)
}
/** Of maintenance, changes and mutes the reason is what somebody wrote, and is never translated. */
export const reasonWord = ({ by, reason }: Pick<HeldBack, "by" | "reason">): string =>
  by === "maintenance" || by === "change" || by === "mute" ? reason : said(reason)
export const untilWord = ({ untilMs }: Pick<HeldBack, "untilMs">): string =>
  untilMs === null ? t("why.held.open") : t("why.held.until", { time: momentWord(untilMs) })

/** As the rule's author compares it: plain, not scaled to other units, so that value and threshold can be read as one. */
export const valueWord = (
  value: number | null | undefined,
  metric: string | undefined,
  unit: string | undefined,
): string => {
  if (value === null || value === undefined) return NOTHING
  const known = metric === undefined ? null : metricByName(metric)
  const state = known?.states?.[value]
  if (state !== undefined) return state
  if (known?.kind === "flag" && (value === 0 || value === 1)) return t(value === 1 ? "value.yes" : "value.no")
  const size = Math.abs(value)
  const digits = size >= 1_000 ? 0 : size >= 10 ? 1 : size >= 0.1 || size === 0 ? 2 : 5
  const text = formatNumber(language.value, value, digits)
  return unit === undefined || unit === "" ? text : `${text} ${unit}`
}

/** What the compared value is measured in: of some conditions it is a number of changes or events, not a value of the metric. */
export const measureOf = ({
  type,
  text,
  metric,
  unit,
}: Observation): readonly [metric: string | undefined, unit: string | undefined] => {
  if (type === "rate_of_change") return [undefined, text.includes("of its value") ? undefined : `${unit ?? ""}/s`]
  if (type === "absent") return [undefined, "s"]
  if (type === "flap" || type === "event" || text.startsWith("count of")) return [undefined, undefined]
  return [metric, unit]
}
