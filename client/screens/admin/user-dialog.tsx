/** One user: roles, sites, disabling; and the acts on their sessions and second factor, each with its meaning said. */
import { useSignal } from "@preact/signals"
import type { Signal } from "@preact/signals"
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { session } from "#client/state/session.ts"
import { useAct, useAsk } from "#client/ui/ask.ts"
import { Confirm } from "#client/ui/confirm.tsx"
import { Dialog } from "#client/ui/dialog.tsx"
import { Check, Form } from "#client/ui/form.tsx"
import { Loaded } from "#client/ui/table.tsx"
import { RoleChoices, SiteChoices } from "#client/screens/admin/role-choices.tsx"
import type { User } from "#protocol/rest-generated.ts"

type Sure = "totp" | "signOut" | "remove"

export const UserDialog = (props: { id: string; close: () => void; changed: () => Promise<void> }) => {
  const asked = useAsk(() => call("users.get", { params: { id: props.id } }), props.id)
  const sure = useSignal<Sure | null>(null)
  const user = asked.value
  if (user !== null && sure.value !== null) {
    return (
      <AreYouSure
        user={user}
        what={sure.value}
        close={() => (sure.value = null)}
        done={() => {
          props.close()
          void props.changed()
        }}
      />
    )
  }
  return (
    <Dialog title={user?.name ?? t("users.edit")} close={props.close}>
      <Loaded asked={asked}>
        {(value) => (
          <>
            <Edit key={asked.etag ?? ""} user={value} etag={asked.etag} close={props.close} changed={props.changed} />
            {value.id !== session.value?.user.id && <Acts user={value} sure={sure} />}
          </>
        )}
      </Loaded>
    </Dialog>
  )
}

const Edit = (props: { user: User; etag: string | null; close: () => void; changed: () => Promise<void> }) => {
  const { user } = props
  const act = useAct()
  const roles = useSignal(user.roles)
  const limited = useSignal(user.sites !== null)
  const sites = useSignal<readonly string[]>(user.sites ?? [])
  const disabled = useSignal(user.disabled)
  const submit = () =>
    void act.run(
      () =>
        call("users.update", {
          params: { id: user.id },
          headers: { "if-match": props.etag ?? undefined },
          body: { roles: roles.value, sites: limited.value ? sites.value : null, disabled: disabled.value },
        }),
      async () => {
        props.close()
        await props.changed()
      },
    )
  return (
    <Form act={act} label={t("form.save")} cancel={props.close} disabled={roles.value.length === 0} submit={submit}>
      <RoleChoices value={roles} />
      <SiteChoices limited={limited} value={sites} />
      {user.id !== session.value?.user.id && (
        <Check label={t("users.disable")} hint={t("users.disable.hint")} value={disabled} />
      )}
    </Form>
  )
}

const Acts = ({ user, sure }: { user: User; sure: Signal<Sure | null> }) => (
  <div class="acts">
    <button type="button" class="button" onClick={() => (sure.value = "signOut")}>
      {t("users.signOut")}
    </button>
    {user.secondFactor && (
      <button type="button" class="button" onClick={() => (sure.value = "totp")}>
        {t("users.totp")}
      </button>
    )}
    <button type="button" class="button danger-text" onClick={() => (sure.value = "remove")}>
      {t("users.remove")}
    </button>
  </div>
)

const AreYouSure = (props: { user: User; what: Sure; close: () => void; done: () => void }) => {
  const { id, name } = props.user
  const params = { id }
  const ask = {
    totp: () => call("users.resetTotp", { params }),
    signOut: () => call("users.signOut", { params }),
    remove: () => call("users.remove", { params }),
  }[props.what]
  return (
    <Confirm
      title={t(TITLES[props.what])}
      text={t(TEXTS[props.what], { name })}
      label={t(TITLES[props.what])}
      ask={ask}
      done={props.done}
      close={props.close}
    />
  )
}
const TITLES = { totp: "users.totp", signOut: "users.signOut", remove: "users.remove" } as const
const TEXTS = { totp: "users.totp.sure", signOut: "users.signOut.sure", remove: "users.remove.sure" } as const
