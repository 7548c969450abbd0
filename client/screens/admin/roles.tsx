/**
 * The matrix: a row for each permission, a column for each role. Built-in roles are read-only; the tenant's own can be
 * changed. Whether a role needs the second factor is decided for both.
 */
import { useSignal } from "@preact/signals"
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { useAct, useAsk } from "#client/ui/ask.ts"
import { Confirm } from "#client/ui/confirm.tsx"
import { Problem } from "#client/ui/form.tsx"
import { CheckIcon } from "#client/ui/icons.tsx"
import { Loaded } from "#client/ui/table.tsx"
import { permissionName, userRoleName } from "#client/ui/words.ts"
import { RoleDialog } from "#client/screens/admin/role-dialog.tsx"
import type { Permission, Role } from "#protocol/rest-generated.ts"

export const RolesTab = () => {
  const asked = useAsk(() => call("roles.list"))
  const editing = useSignal<Role | "new" | null>(null)
  const removing = useSignal<Role | null>(null)
  const act = useAct()
  const require = (role: Role) =>
    void act.run(
      () =>
        call("roles.put", {
          params: { name: role.name },
          body: { secondFactorRequired: !role.secondFactorRequired },
        }),
      asked.reload,
    )
  return (
    <>
      <div class="tools">
        <p class="quiet">{t("roles.why")}</p>
        <button type="button" class="primary" onClick={() => (editing.value = "new")}>
          {t("roles.add")}
        </button>
      </div>
      <Problem text={act.problem} />
      <Loaded asked={asked}>
        {({ permissions, items }) => (
          <Matrix
            permissions={permissions}
            roles={items}
            require={require}
            edit={(role) => (editing.value = role)}
            remove={(role) => (removing.value = role)}
          />
        )}
      </Loaded>
      {editing.value !== null && (
        <RoleDialog
          role={editing.value === "new" ? null : editing.value}
          close={() => (editing.value = null)}
          changed={asked.reload}
        />
      )}
      {removing.value !== null && (
        <Confirm
          title={t("roles.remove")}
          text={t("roles.remove.sure", { name: removing.value.name })}
          label={t("roles.remove")}
          ask={() => call("roles.remove", { params: { name: removing.value?.name ?? "" } })}
          done={() => {
            removing.value = null
            void asked.reload()
          }}
          close={() => (removing.value = null)}
        />
      )}
    </>
  )
}

const Matrix = (props: {
  permissions: readonly Permission[]
  roles: readonly Role[]
  require: (role: Role) => void
  edit: (role: Role) => void
  remove: (role: Role) => void
}) => (
  <div class="sheet panel matrix" tabIndex={0} role="region" aria-label={t("roles.title")}>
    <table class="table">
      <thead>
        <tr>
          <th scope="col">{t("roles.permission")}</th>
          {props.roles.map((role) => (
            <th key={role.name} scope="col">
              {userRoleName(role.name)}
              <small class="quiet num">{t("roles.users", { count: role.users })}</small>
              {!role.builtIn && (
                <span class="row-line">
                  <button
                    type="button"
                    class="text-button"
                    aria-label={t("roles.edit.of", { name: role.name })}
                    onClick={() => props.edit(role)}
                  >
                    {t("users.edit")}
                  </button>
                  <button
                    type="button"
                    class="text-button"
                    aria-label={t("roles.remove.of", { name: role.name })}
                    onClick={() => props.remove(role)}
                  >
                    {t("form.remove")}
                  </button>
                </span>
              )}
            </th>
          ))}
        </tr>
        <tr class="second-factor">
          <th scope="row">{t("roles.secondFactor")}</th>
          {props.roles.map((role) => (
            <td key={role.name}>
              <input
                type="checkbox"
                aria-label={t("roles.secondFactor.of", { name: userRoleName(role.name) })}
                checked={role.secondFactorRequired}
                onChange={() => props.require(role)}
              />
            </td>
          ))}
        </tr>
      </thead>
      <tbody>
        {props.permissions.map((permission) => (
          <tr key={permission}>
            <th scope="row">
              {permissionName(permission)}
              <small class="quiet mono">{permission}</small>
            </th>
            {props.roles.map((role) => (
              <td key={role.name}>
                <Held held={role.permissions.includes(permission)} />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  </div>
)

const Held = ({ held }: { held: boolean }) =>
  held ? (
    <span class="held">
      <CheckIcon size={18} />
      <span class="unseen">{t("roles.yes")}</span>
    </span>
  ) : (
    <span class="quiet">
      <span aria-hidden="true">·</span>
      <span class="unseen">{t("roles.no")}</span>
    </span>
  )
