/** A site: where devices stand. Its short id is made from the name unless one is typed. */
import { useSignal } from "@preact/signals"
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { slugOf } from "#client/state/slug.ts"
import { useAct } from "#client/ui/ask.ts"
import { Field, Form } from "#client/ui/form.tsx"
import type { Site } from "#protocol/rest-generated.ts"

export const SiteForm = (props: { label: string; done: (site: Site) => void; cancel?: () => void }) => {
  const act = useAct()
  const name = useSignal("")
  const latitude = useSignal("")
  const longitude = useSignal("")
  const id = slugOf(name.value)
  const submit = () =>
    void act.run(
      () =>
        call("inventory.putSite", {
          params: { id },
          body: { name: name.value.trim(), latitude: Number(latitude.value), longitude: Number(longitude.value) },
        }),
      props.done,
    )
  const degrees = { type: "number", step: "any" } as const
  return (
    <Form
      act={act}
      label={props.label}
      disabled={id === ""}
      {...(props.cancel === undefined ? {} : { cancel: props.cancel })}
      submit={submit}
    >
      <Field
        label={t("edit.site.name")}
        hint={id === "" ? t("edit.site.hint") : t("edit.site.id", { id })}
        name="siteName"
        maxLength={128}
        autoFocus
        value={name}
      />
      <div class="columns">
        <Field label={t("edit.latitude")} name="latitude" {...degrees} min={-90} max={90} value={latitude} />
        <Field label={t("edit.longitude")} name="longitude" {...degrees} min={-180} max={180} value={longitude} />
      </div>
    </Form>
  )
}
