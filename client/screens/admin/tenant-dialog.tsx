/** One tenant: name, tier, suspension; its quotas; going in for some minutes; and saying farewell to it for good. */
import { useSignal } from "@preact/signals"
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { session } from "#client/state/session.ts"
import { useAct } from "#client/ui/ask.ts"
import { Dialog } from "#client/ui/dialog.tsx"
import { Check, Field, Form, Select } from "#client/ui/form.tsx"
import { tierName } from "#client/ui/words.ts"
import { OffboardDialog } from "#client/screens/admin/offboard-dialog.tsx"
import { TenantQuotasDialog } from "#client/screens/admin/tenant-quotas-dialog.tsx"
import { TIERS } from "#protocol/quota.ts"
import type { TenantRow } from "#protocol/rest-generated.ts"

type Part = "edit" | "quotas" | "enter" | "offboard"

export const TenantDialog = (props: { row: TenantRow; close: () => void; changed: () => Promise<void> }) => {
  const part = useSignal<Part>("edit")
  const { row, close, changed } = props
  const back = () => (part.value = "edit")
  if (part.value === "quotas") return <TenantQuotasDialog slug={row.slug} name={row.name} close={back} />
  if (part.value === "enter") return <EnterDialog row={row} close={back} />
  if (part.value === "offboard") return <OffboardDialog row={row} close={back} done={close} changed={changed} />
  return (
    <Dialog title={row.name} close={close}>
      <Edit row={row} close={close} changed={changed} />
      <div class="acts">
        <button type="button" class="button" onClick={() => (part.value = "quotas")}>
          {t("tenants.quotas")}
        </button>
        {row.id !== session.value?.tenant.id && (
          <>
            <button type="button" class="button" onClick={() => (part.value = "enter")}>
              {t("tenants.enter")}
            </button>
            <button type="button" class="button danger-text" onClick={() => (part.value = "offboard")}>
              {t("tenants.offboard")}
            </button>
          </>
        )}
      </div>
    </Dialog>
  )
}

const Edit = (props: { row: TenantRow; close: () => void; changed: () => Promise<void> }) => {
  const { row } = props
  const act = useAct()
  const name = useSignal(row.name)
  const tier = useSignal<string>(row.tier)
  const suspended = useSignal(row.suspended)
  const submit = () =>
    void act.run(
      () =>
        call("tenants.update", {
          params: { slug: row.slug },
          body: {
            name: name.value.trim(),
            tier: TIERS.find((known) => known === tier.value) ?? row.tier,
            suspended: suspended.value,
          },
        }),
      async () => {
        props.close()
        await props.changed()
      },
    )
  return (
    <Form act={act} label={t("form.save")} cancel={props.close} submit={submit}>
      <Field label={t("tenants.name")} name="tenantName" maxLength={200} value={name} />
      <Select
        label={t("quotas.tier")}
        name="tier"
        value={tier}
        options={TIERS.map((value) => ({ value, label: tierName(value) }))}
      />
      <Check label={t("tenants.suspend")} hint={t("tenants.suspend.hint")} value={suspended} />
    </Form>
  )
}

const EnterDialog = ({ row, close }: { row: TenantRow; close: () => void }) => {
  const act = useAct()
  const reason = useSignal("")
  const minutes = useSignal("15")
  const submit = () =>
    void act.run(
      () =>
        call("tenants.enter", {
          params: { slug: row.slug },
          body: { reason: reason.value.trim(), minutes: Number(minutes.value) },
        }),
      () => {
        // Another tenant is another page: nothing of this one stays in it.
        location.hash = "#/map"
        location.reload()
      },
    )
  return (
    <Dialog title={t("tenants.enter.title", { name: row.name })} close={close}>
      <Form act={act} label={t("tenants.enter")} danger cancel={close} submit={submit}>
        <p class="notice">{t("tenants.enter.why")}</p>
        <Field label={t("tenants.reason")} name="reason" maxLength={1000} autoFocus value={reason} />
        <Field label={t("tenants.minutes")} name="minutes" type="number" min={1} max={60} value={minutes} />
      </Form>
    </Dialog>
  )
}
