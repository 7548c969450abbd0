/** Becoming a user by an invitation link: a name, a password twice. The link works once, and the page says so. */
import { useSignal } from "@preact/signals"
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { invitationToken, newUser } from "#client/state/invitation.ts"
import { useAct } from "#client/ui/ask.ts"
import { DoorsFrame } from "#client/ui/doors-frame.tsx"
import { Field, Form } from "#client/ui/form.tsx"
import { NewPassword, passwordsAgree } from "#client/ui/new-password.tsx"

export const Invitation = ({ token }: { token: string }) => {
  const act = useAct()
  const name = useSignal("")
  const first = useSignal("")
  const second = useSignal("")
  const submit = () =>
    void act.run(
      () => call("signIn.acceptInvitation", { body: { token, name: name.value.trim(), password: first.value } }),
      () => {
        newUser.value = name.value.trim()
        invitationToken.value = null
      },
    )
  return (
    <DoorsFrame tagline={t("invitation.title")}>
      <div class="panel door-panel">
        <p class="quiet">{t("invitation.why")}</p>
        {act.failure?.kind === "not-found" && (
          <p class="problem" role="alert">
            {t("invitation.gone")}
          </p>
        )}
        <Form
          act={act.failure?.kind === "not-found" ? { ...act, problem: null } : act}
          label={t("invitation.submit")}
          disabled={!passwordsAgree(first.value, second.value)}
          submit={submit}
        >
          <Field label={t("invitation.name")} name="name" autocomplete="username" maxLength={200} value={name} />
          <NewPassword first={first} second={second} />
        </Form>
        <button type="button" class="text-button" onClick={() => (invitationToken.value = null)}>
          {t("invitation.leave")}
        </button>
      </div>
    </DoorsFrame>
  )
}
