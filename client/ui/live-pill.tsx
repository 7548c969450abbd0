/** How fresh the screen is, in one pill: live with its delay, reconnecting, without data, or out of date. */
import { language, t } from "#client/i18n/translate.ts"
import { delayMs, evidenceAgeMs, phase, roundTripMs, shownReplay, staleReason } from "#client/state/app.ts"
import { formatAge, formatDuration, NOTHING } from "#client/ui/format.ts"

export const LivePill = () => {
  const lang = language.value
  const time = (ms: number | null) => (ms === null ? NOTHING : formatDuration(lang, ms))
  const detail = t("live.detail", {
    delay: time(delayMs.value),
    rtt: time(roundTripMs.value),
    age: evidenceAgeMs.value === null ? NOTHING : formatAge(lang, evidenceAgeMs.value),
  })
  const { tone, text, value } = stateOf(time)
  if (phase.value === "outdated") {
    return (
      <button type="button" class="pill pill-stale" onClick={() => location.reload()}>
        {t("live.outdated")}
      </button>
    )
  }
  return (
    <span class={`pill pill-${tone}`} title={detail} data-testid="live-pill">
      <span class="dot" />
      {text}
      {value !== null && <span class="num quiet">{value}</span>}
    </span>
  )
}

const stateOf = (time: (ms: number | null) => string): { tone: string; text: string; value: string | null } => {
  if (phase.value === "waiting") return { tone: "stale", text: t("live.reconnecting"), value: null }
  if (phase.value !== "live") return { tone: "wait", text: t("live.connecting"), value: null }
  if (staleReason.value !== null) {
    return { tone: "stale", text: t("live.stale", { time: time(evidenceAgeMs.value) }), value: null }
  }
  if (shownReplay.value !== null) return { tone: "past", text: t("replay.banner"), value: null }
  return { tone: "live", text: t("live.live"), value: delayMs.value === null ? null : time(delayMs.value) }
}

/** Says across the map what the pill says in a corner, once it matters. */
export const StaleBanner = () => {
  const reason = staleReason.value
  if (reason === null) return null
  const age = formatAge(language.value, evidenceAgeMs.value ?? 0)
  return (
    <div class="banner" role="status">
      {t(reason === "reconnecting" ? "banner.reconnecting" : "banner.stale", { age })}
    </div>
  )
}
