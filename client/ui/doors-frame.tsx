/** The frame of the screens before the application: sign-in, invitation, enrolment. Usable at 390 px. */
import type { ComponentChildren } from "preact"
import { t } from "#client/i18n/translate.ts"
import { LanguageButton, ThemeButton } from "#client/ui/header.tsx"
import { BrandIcon } from "#client/ui/icons.tsx"

export const DoorsFrame = ({ tagline, children }: { tagline: string; children: ComponentChildren }) => (
  <div class="signin">
    <div class="signin-tools">
      <LanguageButton />
      <ThemeButton />
    </div>
    <main>
      <div class="signin-brand">
        <BrandIcon size={40} />
        <h1>{t("app.name")}</h1>
        <p class="quiet">{tagline}</p>
      </div>
      {children}
    </main>
  </div>
)
