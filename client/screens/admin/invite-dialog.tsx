/** Inviting a person: what they may do and for how long the link works. The link is shown once; no mail is sent. */
import { useSignal } from "@preact/signals"
import { useMemo } from "preact/hooks"
import { t } from "#client/i18n/translate.ts"
import { call, newKey } from "#client/state/api.ts"
import { invitationLink } from "#client/state/invitation.ts"
import { useAct } from "#client/ui/ask.ts"
import { Dialog } from "#client/ui/dialog.tsx"
import { Field, Form } from "#client/ui/form.tsx"
import { OnceDialog } from "#client/ui/once.tsx"
import { QuotaLeft, usedUp, useQuota } from "#client/ui/quota-left.tsx"
import { RoleChoices, SiteChoices } from "#client/screens/admin/role-choices.tsx"

export const InviteDialog = ({ close, changed }: { close: () => void; changed: () => Promise<void> }) => {
  const act = useAct()
  const key = useMemo(newKey, [])
  const quota = useQuota("max_users")
  const note = useSignal("")
  const hours = useSignal("72")
  const roles = useSignal<readonly string[]>(["viewer"])
  const limited = useSignal(false)
  const sites = useSignal<readonly string[]>([])
  const token = useSignal<string | null>(null)
  if (token.value !== null) {
    return (
      <OnceDialog title={t("invite.done")} why={t("invite.once")} text={invitationLink(token.value)} close={close} />
    )
  }
  const submit = () =>
    void act.run(
      () =>
        call("users.invite", {
          headers: { "idempotency-key": key },
          body: {
            note: note.value.trim(),
            roles: roles.value,
            sites: limited.value ? sites.value : null,
            hours: Number(hours.value),
          },
        }),
      async (answer) => {
        token.value = answer.token
        await changed()
      },
    )
  return (
    <Dialog title={t("users.invite")} close={close}>
      <Form
        act={act}
        label={t("invite.submit")}
        cancel={close}
        disabled={roles.value.length === 0 || usedUp(quota)}
        submit={submit}
      >
        <QuotaLeft quota={quota} />
        <Field
          label={t("invite.note")}
          hint={t("invite.note.hint")}
          name="note"
          maxLength={200}
          value={note}
          autoFocus
        />
        <RoleChoices value={roles} />
        <SiteChoices limited={limited} value={sites} />
        <Field label={t("invite.hours")} name="hours" type="number" min={1} max={720} value={hours} />
      </Form>
    </Dialog>
  )
}
