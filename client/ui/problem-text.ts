/** What a refusal means, in the reader's language; the engine's own words follow where they say more. */
import { language, t } from "#client/i18n/translate.ts"
import type { Key } from "#client/i18n/translate.ts"
import { NO_ANSWER } from "#client/state/api.ts"
import type { Failure } from "#client/state/api.ts"
import { formatDuration, formatNumber } from "#client/ui/format.ts"
import { quotaName } from "#client/ui/words.ts"

/** A wait that the engine did not name. */
const WAIT_S = 60
const PLAIN: Readonly<Record<string, Key>> = {
  "wrong-credentials": "problem.password",
  "second-factor-needed": "signin.code.needed",
  "not-signed-in": "signin.expired",
  "not-found": "problem.notFound",
  changed: "problem.changed",
  unavailable: "problem.unavailable",
  "import-invalid": "problem.document",
}
const WITH_REASON: Readonly<Record<string, Key>> = {
  forbidden: "problem.forbidden",
  refused: "problem.refused",
  conflict: "problem.conflict",
}

export const problemText = (failure: Failure): string => {
  const { kind, reason, fields } = failure
  if (failure.status === NO_ANSWER) return t("signin.offline")
  const plain = PLAIN[kind]
  if (plain !== undefined) return t(plain)
  const withReason = WITH_REASON[kind]
  if (withReason !== undefined) return t(withReason, { reason })
  if (kind === "too-many-attempts") return t("signin.wait", { time: waitText(failure.retryAfterS ?? WAIT_S) })
  if (kind !== "quota-exceeded") return t("problem.other", { reason })
  const number = (value: unknown) => (typeof value === "number" ? formatNumber(language.value, value) : "?")
  const quota = quotaName(String(fields["quota"]))
  return t("problem.quota", { quota, used: number(fields["used"]), limit: number(fields["limit"]) })
}

export const waitText = (seconds: number): string => formatDuration(language.value, seconds * 1_000)
