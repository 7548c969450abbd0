/** A new tenant, and the invitation of its first administrator, shown once. */
import { useSignal } from "@preact/signals"
import { useMemo } from "preact/hooks"
import { t } from "#client/i18n/translate.ts"
import { call, newKey } from "#client/state/api.ts"
import { invitationLink } from "#client/state/invitation.ts"
import { slugOf } from "#client/state/slug.ts"
import { useAct } from "#client/ui/ask.ts"
import { Dialog } from "#client/ui/dialog.tsx"
import { Field, Form, Select } from "#client/ui/form.tsx"
import { OnceDialog } from "#client/ui/once.tsx"
import { tierName } from "#client/ui/words.ts"
import { TIERS } from "#protocol/quota.ts"

export const NewTenantDialog = ({ close, changed }: { close: () => void; changed: () => Promise<void> }) => {
  const act = useAct()
  const key = useMemo(newKey, [])
  const name = useSignal("")
  const slug = useSignal("")
  const tier = useSignal("small")
  const token = useSignal<string | null>(null)
  if (token.value !== null) {
    return (
      <OnceDialog title={t("tenants.done")} why={t("tenants.once")} text={invitationLink(token.value)} close={close} />
    )
  }
  const submit = () =>
    void act.run(
      () =>
        call("tenants.create", {
          headers: { "idempotency-key": key },
          body: {
            name: name.value.trim(),
            slug: slug.value.trim() === "" ? slugOf(name.value) : slug.value.trim(),
            tier: TIERS.find((known) => known === tier.value) ?? "small",
          },
        }),
      async (answer) => {
        token.value = answer.invitationToken
        await changed()
      },
    )
  return (
    <Dialog title={t("tenants.add")} close={close}>
      <Form act={act} label={t("tenants.submit")} cancel={close} submit={submit}>
        <Field label={t("tenants.name")} name="tenantName" maxLength={200} autoFocus value={name} />
        <Field
          label={t("tenants.slug")}
          hint={t("tenants.slug.hint", { slug: slugOf(name.value) || "…" })}
          name="slug"
          mono
          maxLength={63}
          required={false}
          value={slug}
        />
        <Select
          label={t("quotas.tier")}
          name="tier"
          value={tier}
          options={TIERS.map((value) => ({ value, label: tierName(value) }))}
        />
      </Form>
    </Dialog>
  )
}
