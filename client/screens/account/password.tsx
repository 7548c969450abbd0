/** Changing the own password; all other sessions end with it. */
import { useSignal } from "@preact/signals"
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { useAct } from "#client/ui/ask.ts"
import { Field, Form, Notice } from "#client/ui/form.tsx"
import { NewPassword, passwordsAgree } from "#client/ui/new-password.tsx"

export const PasswordForm = () => {
  const act = useAct()
  const password = useSignal("")
  const first = useSignal("")
  const second = useSignal("")
  const changed = useSignal(false)
  const submit = () =>
    void act.run(
      () => call("account.password", { body: { password: password.value, newPassword: first.value } }),
      () => {
        for (const field of [password, first, second]) field.value = ""
        changed.value = true
      },
    )
  return (
    <section class="card panel" aria-labelledby="account-password">
      <h2 id="account-password">{t("account.password")}</h2>
      {changed.value && <Notice>{t("account.password.done")}</Notice>}
      <Form
        act={act}
        label={t("account.password.submit")}
        disabled={!passwordsAgree(first.value, second.value)}
        submit={submit}
      >
        <Field
          label={t("password.current")}
          name="password"
          type="password"
          autocomplete="current-password"
          value={password}
        />
        <NewPassword first={first} second={second} />
      </Form>
    </section>
  )
}
