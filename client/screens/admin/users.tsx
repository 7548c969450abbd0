/** People: who they are, what they may do, when they came last; invitations that still wait. */
import { useSignal } from "@preact/signals"
import { language, t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { serverNowMs } from "#client/state/app.ts"
import { joinPages } from "#client/state/pages.ts"
import { session } from "#client/state/session.ts"
import { useAct, useAsk } from "#client/ui/ask.ts"
import { formatAge, formatDateTime } from "#client/ui/format.ts"
import { Problem } from "#client/ui/form.tsx"
import { Loaded, Sheet } from "#client/ui/table.tsx"
import { userRoleName } from "#client/ui/words.ts"
import { InviteDialog } from "#client/screens/admin/invite-dialog.tsx"
import { UserDialog } from "#client/screens/admin/user-dialog.tsx"
import type { Invitation, User } from "#protocol/rest-generated.ts"

const PAGE = 100

export const UsersTab = () => {
  const more = useSignal<{ items: readonly User[]; next: string | null } | null>(null)
  const asked = useAsk(() => call("users.list", { query: { limit: PAGE } }))
  const invitations = useAsk(() => call("users.invitations", { query: { limit: PAGE } }))
  const inviting = useSignal(false)
  const chosen = useSignal<string | null>(null)
  const act = useAct()
  const reload = async () => {
    more.value = null
    await Promise.all([asked.reload(), invitations.reload()])
  }
  return (
    <>
      <div class="tools">
        <button type="button" class="primary" onClick={() => (inviting.value = true)}>
          {t("users.invite")}
        </button>
      </div>
      <Problem text={act.problem} />
      <Loaded asked={asked}>
        {(first) => {
          const page = more.value === null ? first : joinPages(first, more.value, ({ id }) => id)
          const load = () =>
            void act.run(
              () => call("users.list", { query: { limit: PAGE, cursor: page.next ?? undefined } }),
              (next) => {
                more.value = more.value === null ? next : joinPages(more.value, next, ({ id }) => id)
              },
            )
          return (
            <>
              <Sheet
                label={t("users.title")}
                columns={[t("users.name"), t("users.roles"), t("users.sites"), t("totp.title"), t("users.last"), ""]}
              >
                {page.items.map((user) => (
                  <UserRow key={user.id} user={user} open={() => (chosen.value = user.id)} />
                ))}
              </Sheet>
              {page.next !== null && (
                <button type="button" class="text-button older" onClick={load}>
                  {t("table.more")}
                </button>
              )}
            </>
          )
        }}
      </Loaded>
      {invitations.value !== null && invitations.value.items.length > 0 && (
        <Invitations items={invitations.value.items} changed={invitations.reload} />
      )}
      {inviting.value && <InviteDialog close={() => (inviting.value = false)} changed={reload} />}
      {chosen.value !== null && <UserDialog id={chosen.value} close={() => (chosen.value = null)} changed={reload} />}
    </>
  )
}

const UserRow = ({ user, open }: { user: User; open: () => void }) => (
  <tr class={user.disabled ? "off" : ""}>
    <td>
      <b>{user.name}</b> {user.id === session.value?.user.id && <span class="chip">{t("users.you")}</span>}{" "}
      {user.disabled && <span class="chip word-major">{t("users.disabled")}</span>}
    </td>
    <td>{user.roles.map(userRoleName).join(", ")}</td>
    <td>{user.sites === null ? t("users.sites.all") : user.sites.join(", ")}</td>
    <td>{t(user.secondFactor ? "totp.on" : "totp.off")}</td>
    <td class="num">
      {user.lastSignInMs === null
        ? t("devices.never")
        : formatAge(language.value, Math.max(0, serverNowMs.value - user.lastSignInMs))}
    </td>
    <td class="right">
      <button type="button" class="text-button" aria-label={t("users.edit.of", { name: user.name })} onClick={open}>
        {t("users.edit")}
      </button>
    </td>
  </tr>
)

const Invitations = ({ items, changed }: { items: readonly Invitation[]; changed: () => Promise<void> }) => {
  const act = useAct()
  return (
    <section aria-labelledby="invitations-title">
      <h2 class="part" id="invitations-title">
        {t("invitations.title")} <span class="count num">{items.length}</span>
      </h2>
      <Problem text={act.problem} />
      <Sheet
        label={t("invitations.title")}
        columns={[t("invite.note"), t("users.roles"), t("invitations.until"), t("invitations.by"), ""]}
      >
        {items.map(({ id, note, roles, expiresMs, by }) => (
          <tr key={id}>
            <td>{note}</td>
            <td>{roles.map(userRoleName).join(", ")}</td>
            <td class="num">{formatDateTime(language.value, expiresMs)}</td>
            <td>{by}</td>
            <td class="right">
              <button
                type="button"
                class="text-button"
                aria-label={t("invitations.withdraw.of", { note })}
                onClick={() => void act.run(() => call("users.withdraw", { params: { id } }), changed)}
              >
                {t("invitations.withdraw")}
              </button>
            </td>
          </tr>
        ))}
      </Sheet>
    </section>
  )
}
