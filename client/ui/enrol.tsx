/** A role of this user asks for the second factor: nothing else opens before it is set up. */
import { t } from "#client/i18n/translate.ts"
import { enter, leave } from "#client/state/app.ts"
import { DoorsFrame } from "#client/ui/doors-frame.tsx"
import { TotpSetup } from "#client/ui/totp.tsx"

export const Enrol = () => (
  <DoorsFrame tagline={t("enrol.title")}>
    <div class="panel door-panel">
      <p class="notice">{t("enrol.why")}</p>
      <TotpSetup done={() => void enter()} />
      <button type="button" class="text-button" onClick={() => void leave()}>
        {t("signout")}
      </button>
    </div>
  </DoorsFrame>
)
