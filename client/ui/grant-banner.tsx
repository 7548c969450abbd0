/** Break glass stays in sight: whose network this is, why, and how long it still may be seen. At its end the page goes home. */
import { useEffect } from "preact/hooks"
import { t } from "#client/i18n/translate.ts"
import { enter, leave, leaveGrant, serverNowMs } from "#client/state/app.ts"
import { session } from "#client/state/session.ts"
import { waitText } from "#client/ui/problem-text.ts"

/** Between two questions whether the grant is over, once its time is up: the two clocks may differ. */
const ASK_MS = 5_000

export const GrantBanner = () => {
  const grant = session.value?.grant ?? null
  const left = grant === null ? 0 : Math.max(0, Math.ceil((grant.untilMs - serverNowMs.value) / 1_000))
  const over = grant !== null && left === 0
  useEffect(() => {
    if (!over) return
    // `enter` loads the page anew when the session is in another tenant again.
    const timer = setInterval(() => void enter(), ASK_MS)
    void enter()
    return () => clearInterval(timer)
  }, [over])
  if (grant === null) return null
  return (
    <div class="grant" role="status" aria-live="off" data-testid="grant">
      <b>{t("grant.in", { tenant: session.value?.tenant.name ?? "" })}</b>
      <span>“{grant.reason}”</span>
      <span class="num">{t("grant.left", { time: waitText(left) })}</span>
      <button type="button" class="text-button" onClick={() => void leaveGrant()} data-testid="grant-leave">
        {t("grant.leave")}
      </button>
      <button type="button" class="text-button" onClick={() => void leave()}>
        {t("signout")}
      </button>
    </div>
  )
}
