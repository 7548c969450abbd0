/** The only screen that a stranger sees. Says plainly what went wrong, and never whether a user exists. */
import { useSignal } from "@preact/signals"
import { language, t } from "#client/i18n/translate.ts"
import { NO_ANSWER, signIn } from "#client/state/api.ts"
import { enter, sessionEnded } from "#client/state/app.ts"
import { formatDuration } from "#client/ui/format.ts"
import { LanguageButton, ThemeButton } from "#client/ui/header.tsx"
import { BrandIcon } from "#client/ui/icons.tsx"

export const SignIn = () => {
  const user = useSignal("admin")
  const password = useSignal("")
  const busy = useSignal(false)
  const problem = useSignal<string | null>(null)
  const submit = async (event: Event) => {
    event.preventDefault()
    if (busy.value) return
    busy.value = true
    const answer = await signIn(user.value.trim(), password.value)
    busy.value = false
    if (answer.ok) return enter()
    if (answer.status === NO_ANSWER) problem.value = t("signin.offline")
    else if (answer.status === 429) {
      const time = formatDuration(language.value, (answer.retryAfterS ?? 60) * 1_000)
      problem.value = t("signin.wait", { time })
    } else if (answer.status === 401) problem.value = t("signin.wrong")
    else problem.value = t("panel.failed", { reason: answer.reason })
  }
  return (
    <div class="signin">
      <div class="signin-tools">
        <LanguageButton />
        <ThemeButton />
      </div>
      <main>
        <div class="signin-brand">
          <BrandIcon size={40} />
          <h1>{t("app.name")}</h1>
          <p class="quiet">{t("signin.tagline")}</p>
        </div>
        <form class="panel" onSubmit={(event) => void submit(event)}>
          {sessionEnded.value && problem.value === null && <p class="notice">{t("signin.expired")}</p>}
          {problem.value !== null && (
            <p class="problem" role="alert">
              {problem.value}
            </p>
          )}
          <label>
            {t("signin.user")}
            <input
              name="user"
              autocomplete="username"
              autocapitalize="none"
              spellcheck={false}
              required
              value={user.value}
              onInput={(event) => (user.value = event.currentTarget.value)}
            />
          </label>
          <label>
            {t("signin.password")}
            <input
              name="password"
              type="password"
              autocomplete="current-password"
              required
              value={password.value}
              onInput={(event) => (password.value = event.currentTarget.value)}
            />
          </label>
          <button type="submit" class="primary" aria-disabled={busy.value}>
            {t(busy.value ? "signin.busy" : "signin.submit")}
          </button>
          <p class="hint quiet">{t("signin.hint")}</p>
        </form>
      </main>
    </div>
  )
}
