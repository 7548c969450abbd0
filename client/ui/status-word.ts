/** A status in one word, agreeing with its mark: maintenance and stale data outrank an "ok" that would mislead. */
import { t } from "#client/i18n/translate.ts"
import type { Status } from "#protocol/status.ts"

export const statusWord = (status: Status): string => {
  if (status.maintenance) return t("mark.maintenance")
  return t(status.stale && status.health === "ok" ? "health.stale" : `health.${status.health}`)
}
