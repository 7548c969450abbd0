/** The person's own matters: password, second factor, sessions, and how the screen looks. */
import { t } from "#client/i18n/translate.ts"
import { session } from "#client/state/session.ts"
import { singleKeys } from "#client/state/settings.ts"
import { OwnSessions } from "#client/screens/account/sessions.tsx"
import { PasswordForm } from "#client/screens/account/password.tsx"
import { SecondFactor } from "#client/screens/account/second-factor.tsx"
import { Check } from "#client/ui/form.tsx"
import { LanguageButton, ThemeButton } from "#client/ui/header.tsx"
import { userRoleName } from "#client/ui/words.ts"

export const AccountScreen = () => {
  const who = session.value
  if (who == null) return null
  return (
    <div class="page">
      <header class="screen-head">
        <h1>{t("nav.account")}</h1>
      </header>
      <div class="cards">
        <section class="card panel" aria-labelledby="account-who">
          <h2 id="account-who">{who.user.name}</h2>
          <p class="quiet">{who.tenant.name}</p>
          <ul class="chips" aria-label={t("users.roles")}>
            {who.roles.map((role) => (
              <li key={role} class="chip">
                {userRoleName(role)}
              </li>
            ))}
          </ul>
          <h3>{t("account.look")}</h3>
          <div class="row-line">
            <LanguageButton />
            <ThemeButton />
          </div>
          <Check label={t("help.single")} hint={t("help.single.why")} value={singleKeys} />
        </section>
        <PasswordForm />
        <SecondFactor />
        <OwnSessions />
      </div>
    </div>
  )
}
