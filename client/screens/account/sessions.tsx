/** Where this user is signed in, and a way to end each. Ending this very one is signing out. */
import { language, t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { leave, serverNowMs } from "#client/state/app.ts"
import { useAct, useAsk } from "#client/ui/ask.ts"
import { formatAge, formatDateTime } from "#client/ui/format.ts"
import { Problem } from "#client/ui/form.tsx"
import { Loaded } from "#client/ui/table.tsx"

export const OwnSessions = () => {
  const asked = useAsk(() => call("account.sessions"))
  const act = useAct()
  const end = (id: string, current: boolean) =>
    current
      ? void leave()
      : void act.run(
          () => call("account.endSession", { params: { id } }),
          () => asked.reload(),
        )
  return (
    <section class="card panel" aria-labelledby="account-sessions">
      <h2 id="account-sessions">{t("account.sessions")}</h2>
      <Problem text={act.problem} />
      <Loaded asked={asked}>
        {({ items }) => (
          <ul class="lines">
            {items.map(({ id, createdMs, expiresMs, source, current }) => (
              <li key={id}>
                <span class="row-main">
                  <span class="mono">{source ?? t("account.session.unknown")}</span>
                  <small class="quiet">
                    {formatAge(language.value, Math.max(0, serverNowMs.value - createdMs))} ·{" "}
                    {t("account.session.until", { time: formatDateTime(language.value, expiresMs) })}
                  </small>
                </span>
                {current && <span class="chip">{t("account.session.this")}</span>}
                <button type="button" class="button" onClick={() => end(id, current)}>
                  {t(current ? "signout" : "account.session.end")}
                </button>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </section>
  )
}
