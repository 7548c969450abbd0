/** A set of permissions out of the own ones: for roles and for the scope of a key. */
import type { Signal } from "@preact/signals"
import { session } from "#client/state/session.ts"
import { Choices } from "#client/ui/form.tsx"
import { permissionName } from "#client/ui/words.ts"

export const PermissionChoices = ({ label, value }: { label: string; value: Signal<readonly string[]> }) => {
  const own: readonly string[] = session.value?.permissions ?? []
  // What a role holds beyond the own permissions stays in sight, so that saving it says why it is refused.
  const foreign = value.value.filter((permission) => !own.includes(permission))
  return (
    <Choices
      label={label}
      value={value}
      tall
      options={[...own, ...foreign].map((permission) => ({
        value: permission,
        label: permissionName(permission),
        detail: permission,
      }))}
    />
  )
}
