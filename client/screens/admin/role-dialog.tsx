/** A tenant's own role: a name and a set of permissions, out of those that its maker holds. */
import { useSignal } from "@preact/signals"
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { isRoleName } from "#client/state/giving.ts"
import { useAct } from "#client/ui/ask.ts"
import { Dialog } from "#client/ui/dialog.tsx"
import { Field, Form } from "#client/ui/form.tsx"
import { PermissionChoices } from "#client/screens/admin/permission-choices.tsx"
import { isPermission } from "#protocol/permission.ts"
import type { Role } from "#protocol/rest-generated.ts"

export const RoleDialog = (props: { role: Role | null; close: () => void; changed: () => Promise<void> }) => {
  const act = useAct()
  const name = useSignal(props.role?.name ?? "")
  const permissions = useSignal<readonly string[]>(props.role?.permissions ?? ["network.read"])
  const submit = () =>
    void act.run(
      () =>
        call("roles.put", {
          params: { name: name.value.trim() },
          body: { permissions: permissions.value.filter(isPermission) },
        }),
      async () => {
        props.close()
        await props.changed()
      },
    )
  return (
    <Dialog title={t(props.role === null ? "roles.add" : "roles.edit")} close={props.close}>
      <Form
        act={act}
        label={t("form.save")}
        cancel={props.close}
        disabled={!isRoleName(name.value.trim()) || permissions.value.length === 0}
        submit={submit}
      >
        <Field
          label={t("roles.name")}
          hint={t("roles.name.hint")}
          name="role"
          mono
          maxLength={63}
          readOnly={props.role !== null}
          autoFocus={props.role === null}
          value={name}
        />
        <PermissionChoices label={t("roles.permission")} value={permissions} />
      </Form>
    </Dialog>
  )
}
