/** Deleting a tenant with everything that it has: typed by hand, with a reason, and a receipt of what went. */
import { useSignal } from "@preact/signals"
import { language, t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { useAct } from "#client/ui/ask.ts"
import { Dialog } from "#client/ui/dialog.tsx"
import { formatNumber } from "#client/ui/format.ts"
import { Field, Form } from "#client/ui/form.tsx"
import type { TenantRow } from "#protocol/rest-generated.ts"

export const OffboardDialog = (props: {
  row: TenantRow
  close: () => void
  done: () => void
  changed: () => Promise<void>
}) => {
  const { slug, name } = props.row
  const act = useAct()
  const typed = useSignal("")
  const reason = useSignal("")
  const gone = useSignal<Readonly<Record<string, number>> | null>(null)
  const finish = () => {
    props.done()
    void props.changed()
  }
  if (gone.value !== null) return <Receipt name={name} rows={gone.value} close={finish} />
  const submit = () =>
    void act.run(
      () => call("tenants.offboard", { params: { slug }, body: { confirm: typed.value, reason: reason.value.trim() } }),
      ({ rows }) => {
        gone.value = rows
      },
    )
  return (
    <Dialog title={t("tenants.offboard.title", { name })} close={props.close}>
      <Form
        act={act}
        label={t("tenants.offboard")}
        danger
        cancel={props.close}
        disabled={typed.value !== slug || reason.value.trim() === ""}
        submit={submit}
      >
        <p class="problem">{t("tenants.offboard.why")}</p>
        <Field label={t("tenants.reason")} name="reason" maxLength={1000} autoFocus value={reason} />
        <Field label={t("confirm.type", { word: slug })} name="confirm" mono value={typed} />
      </Form>
    </Dialog>
  )
}

const Receipt = (props: { name: string; rows: Readonly<Record<string, number>>; close: () => void }) => (
  <Dialog title={t("tenants.gone", { name: props.name })} close={props.close} keepOpen>
    <dl class="measures">
      {Object.entries(props.rows).map(([table, count]) => (
        <div key={table}>
          <dt class="mono">{table}</dt>
          <dd class="num">{formatNumber(language.value, count)}</dd>
        </div>
      ))}
    </dl>
    <div class="form-end">
      <button type="button" class="primary" onClick={props.close}>
        {t("help.close")}
      </button>
    </div>
  </Dialog>
)
