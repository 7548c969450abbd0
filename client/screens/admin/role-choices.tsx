/** Which roles and which sites: the pickers that inviting and changing a user share. */
import type { Signal } from "@preact/signals"
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { givableRoles } from "#client/state/giving.ts"
import { allPages } from "#client/state/pages.ts"
import { may, session } from "#client/state/session.ts"
import { useAsk } from "#client/ui/ask.ts"
import { Check, Choices, Problem } from "#client/ui/form.tsx"
import { userRoleName } from "#client/ui/words.ts"

/** All roles are shown; those that hold more than the giver are shut, so that nobody wonders where they are. */
export const RoleChoices = ({ value }: { value: Signal<readonly string[]> }) => {
  const asked = useAsk(() => call("roles.list"))
  const roles = asked.value?.items ?? []
  const open = new Set(givableRoles(roles, session.value?.permissions ?? []))
  return (
    <>
      <Problem text={asked.problem} />
      <Choices
        label={t("users.roles")}
        value={value}
        options={roles.map(({ name }) => ({
          value: name,
          label: userRoleName(name),
          disabled: !open.has(name) && !value.value.includes(name),
          ...(open.has(name) ? {} : { detail: t("users.role.more") }),
        }))}
      />
    </>
  )
}

/** Off = the whole network. */
export const SiteChoices = (props: { limited: Signal<boolean>; value: Signal<readonly string[]> }) => {
  const asked = useAsk(
    () =>
      may("network.read")
        ? allPages((cursor) => call("network.sites", { query: { limit: 1_000, cursor } }))
        : Promise.resolve({ ok: true as const, value: [], etag: null }),
    "sites",
  )
  if (!may("network.read")) return null
  return (
    <>
      <Check label={t("users.sites.limit")} hint={t("users.sites.hint")} value={props.limited} />
      <Problem text={asked.problem} />
      {props.limited.value && (
        <Choices
          label={t("users.sites")}
          value={props.value}
          tall
          options={(asked.value ?? []).map(({ id, name }) => ({ value: id, label: name, detail: id }))}
        />
      )}
    </>
  )
}
