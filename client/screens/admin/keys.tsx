/** API keys: how programs sign in. The key itself is shown once; after that only its first characters. */
import { useSignal } from "@preact/signals"
import { language, t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { serverNowMs } from "#client/state/app.ts"
import { useAct, useAsk } from "#client/ui/ask.ts"
import { Confirm } from "#client/ui/confirm.tsx"
import { Dialog } from "#client/ui/dialog.tsx"
import { formatAge, formatDateTime } from "#client/ui/format.ts"
import { Field, Form, Select } from "#client/ui/form.tsx"
import { OnceDialog } from "#client/ui/once.tsx"
import { QuotaLeft, usedUp, useQuota } from "#client/ui/quota-left.tsx"
import { Loaded, Sheet } from "#client/ui/table.tsx"
import { PermissionChoices } from "#client/screens/admin/permission-choices.tsx"
import { isPermission } from "#protocol/permission.ts"
import type { ApiKey } from "#protocol/rest-generated.ts"

/** Keys shown at once; the contract's own maximum. */
const PAGE = 1_000

export const KeysTab = () => {
  const asked = useAsk(() => call("keys.list", { query: { limit: PAGE } }))
  const making = useSignal(false)
  const revoking = useSignal<ApiKey | null>(null)
  return (
    <>
      <div class="tools">
        <p class="quiet">{t("keys.why")}</p>
        <button type="button" class="primary" onClick={() => (making.value = true)}>
          {t("keys.add")}
        </button>
      </div>
      <Loaded asked={asked}>
        {({ items }) =>
          items.length === 0 ? (
            <p class="calm quiet">{t("keys.none")}</p>
          ) : (
            <Sheet
              label={t("keys.title")}
              columns={[
                t("keys.name"),
                t("keys.prefix"),
                t("keys.owner"),
                t("keys.scope"),
                t("keys.used"),
                t("keys.until"),
                "",
              ]}
            >
              {items.map((key) => (
                <KeyRow key={key.id} row={key} revoke={() => (revoking.value = key)} />
              ))}
            </Sheet>
          )
        }
      </Loaded>
      {making.value && <KeyDialog close={() => (making.value = false)} changed={asked.reload} />}
      {revoking.value !== null && (
        <Confirm
          title={t("keys.revoke")}
          text={t("keys.revoke.sure", { name: revoking.value.name })}
          label={t("keys.revoke")}
          ask={() => call("keys.revoke", { params: { id: revoking.value?.id ?? "" } })}
          done={() => {
            revoking.value = null
            void asked.reload()
          }}
          close={() => (revoking.value = null)}
        />
      )}
    </>
  )
}

const KeyRow = ({ row, revoke }: { row: ApiKey; revoke: () => void }) => {
  const now = serverNowMs.value
  const over = row.expiresMs !== null && row.expiresMs <= now
  return (
    <tr class={over ? "off" : ""}>
      <td>
        <b>{row.name}</b>
      </td>
      <td class="mono">{row.prefix}…</td>
      <td>{row.owner.name}</td>
      <td class="mono scope">{row.scope.join(" ")}</td>
      <td class="num">
        {row.lastUsedMs === null ? t("devices.never") : formatAge(language.value, Math.max(0, now - row.lastUsedMs))}
      </td>
      <td class="num">
        {row.expiresMs === null ? t("keys.forever") : formatDateTime(language.value, row.expiresMs)}{" "}
        {over && <span class="chip word-major">{t("keys.over")}</span>}
      </td>
      <td class="right">
        <button type="button" class="text-button" aria-label={t("keys.revoke.of", { name: row.name })} onClick={revoke}>
          {t("keys.revoke")}
        </button>
      </td>
    </tr>
  )
}

const FOREVER = "0"
const KeyDialog = ({ close, changed }: { close: () => void; changed: () => Promise<void> }) => {
  const act = useAct()
  const quota = useQuota("max_api_keys")
  const name = useSignal("")
  const days = useSignal("90")
  const scope = useSignal<readonly string[]>([])
  const secret = useSignal<string | null>(null)
  if (secret.value !== null) {
    return <OnceDialog title={t("keys.done")} why={t("keys.once")} text={secret.value} close={close} />
  }
  const submit = () =>
    void act.run(
      () =>
        call("keys.create", {
          body: {
            name: name.value.trim(),
            scope: scope.value.filter(isPermission),
            days: days.value === FOREVER ? null : Number(days.value),
          },
        }),
      async (answer) => {
        secret.value = answer.secret
        await changed()
      },
    )
  const options = [
    ...[7, 30, 90, 365].map((count) => ({ value: String(count), label: t("keys.days", { count }) })),
    { value: FOREVER, label: t("keys.forever") },
  ]
  return (
    <Dialog title={t("keys.add")} close={close}>
      <Form
        act={act}
        label={t("keys.submit")}
        cancel={close}
        disabled={scope.value.length === 0 || usedUp(quota)}
        submit={submit}
      >
        <QuotaLeft quota={quota} />
        <Field label={t("keys.name")} hint={t("keys.name.hint")} name="key" maxLength={200} autoFocus value={name} />
        <Select label={t("keys.until")} name="days" value={days} options={options} />
        <PermissionChoices label={t("keys.scope")} value={scope} />
      </Form>
    </Dialog>
  )
}
