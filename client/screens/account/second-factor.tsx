/** The second factor of the signed-in user: set it up, or take it away with the password and one last code. */
import { useSignal } from "@preact/signals"
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { enter } from "#client/state/app.ts"
import { session } from "#client/state/session.ts"
import { useAct } from "#client/ui/ask.ts"
import { Dialog } from "#client/ui/dialog.tsx"
import { Field, Form } from "#client/ui/form.tsx"
import { TotpSetup } from "#client/ui/totp.tsx"

export const SecondFactor = () => {
  const open = useSignal(false)
  const second = session.value?.secondFactor
  if (second === undefined) return null
  const done = () => {
    open.value = false
    void enter()
  }
  return (
    <section class="card panel" aria-labelledby="account-totp">
      <h2 id="account-totp">{t("totp.title")}</h2>
      <p>
        <span class="chip">{t(second.enabled ? "totp.on" : "totp.off")}</span>{" "}
        {second.required && <span class="chip">{t("totp.required")}</span>}
      </p>
      <p class="quiet">{t("totp.why")}</p>
      <button type="button" class="button" onClick={() => (open.value = true)}>
        {t(second.enabled ? "totp.remove" : "totp.set")}
      </button>
      {open.value && (
        <Dialog title={t(second.enabled ? "totp.remove" : "totp.set")} close={() => (open.value = false)}>
          {second.enabled ? (
            <Remove done={done} cancel={() => (open.value = false)} />
          ) : (
            <TotpSetup done={done} cancel={() => (open.value = false)} />
          )}
        </Dialog>
      )}
    </section>
  )
}

const Remove = ({ done, cancel }: { done: () => void; cancel: () => void }) => {
  const act = useAct()
  const password = useSignal("")
  const code = useSignal("")
  return (
    <Form
      act={act}
      label={t("totp.remove")}
      danger
      cancel={cancel}
      submit={() =>
        void act.run(
          () => call("account.removeTotp", { body: { password: password.value, code: code.value.replace(/\s/g, "") } }),
          done,
        )
      }
    >
      <Field
        label={t("password.current")}
        name="password"
        type="password"
        autocomplete="current-password"
        value={password}
      />
      <Field
        label={t("signin.code")}
        hint={t("signin.code.hint")}
        name="code"
        autocomplete="one-time-code"
        mono
        maxLength={32}
        value={code}
      />
    </Form>
  )
}
