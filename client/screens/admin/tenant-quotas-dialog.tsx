/** A tenant's quotas: the bars, and a field for each limit; an emptied field means the tier's own again. */
import { useSignal } from "@preact/signals"
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { useAct, useAsk } from "#client/ui/ask.ts"
import { Dialog } from "#client/ui/dialog.tsx"
import { Form, Notice } from "#client/ui/form.tsx"
import { QuotaBars } from "#client/ui/quota-bars.tsx"
import { Loaded } from "#client/ui/table.tsx"
import { quotaName } from "#client/ui/words.ts"
import type { Quota } from "#protocol/rest-generated.ts"

export const TenantQuotasDialog = (props: { slug: string; name: string; close: () => void }) => {
  const asked = useAsk(() => call("tenants.quotas", { params: { slug: props.slug } }), props.slug)
  const saved = useSignal(false)
  return (
    <Dialog title={t("tenants.quotas.title", { name: props.name })} close={props.close} wide>
      {saved.value && <Notice>{t("settings.saved")}</Notice>}
      <Loaded asked={asked}>
        {({ items }) => (
          <>
            <QuotaBars items={items} />
            <Limits
              slug={props.slug}
              items={items}
              close={props.close}
              changed={async () => {
                saved.value = true
                await asked.reload()
              }}
            />
          </>
        )}
      </Loaded>
    </Dialog>
  )
}

const Limits = (props: { slug: string; items: readonly Quota[]; close: () => void; changed: () => Promise<void> }) => {
  const act = useAct()
  const edited = useSignal<Readonly<Record<string, string>>>({})
  const body = Object.fromEntries(
    Object.entries(edited.value).map(([name, text]) => [name, text.trim() === "" ? null : Number(text)]),
  )
  const submit = () =>
    void act.run(
      () => call("tenants.setQuotas", { params: { slug: props.slug }, body }),
      async () => {
        await props.changed()
        edited.value = {}
      },
    )
  return (
    <Form
      act={act}
      label={t("form.save")}
      cancel={props.close}
      disabled={Object.keys(body).length === 0}
      submit={submit}
    >
      <p class="quiet">{t("tenants.quotas.hint")}</p>
      <div class="columns">
        {props.items.map(({ name, limit, unit }) => (
          <div key={name} class="field">
            <label>
              {quotaName(name)} <small class="quiet">{unit}</small>
              <input
                type="number"
                min={0}
                step="any"
                name={name}
                value={edited.value[name] ?? String(limit)}
                onInput={(event) => (edited.value = { ...edited.value, [name]: event.currentTarget.value })}
              />
            </label>
          </div>
        ))}
      </div>
    </Form>
  )
}
