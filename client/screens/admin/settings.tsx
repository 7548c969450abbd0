/** What a tenant decides for itself: how long things are kept, subscribers' identities, how long a session lasts. */
import { useSignal } from "@preact/signals"
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { useAct, useAsk } from "#client/ui/ask.ts"
import { Check, Field, Form, Notice, Problem } from "#client/ui/form.tsx"
import { Loaded } from "#client/ui/table.tsx"
import type { TenantSettings } from "#protocol/rest-generated.ts"

export const SettingsTab = () => {
  const asked = useAsk(() => call("settings.get"))
  const saved = useSignal(false)
  /** A new form only when somebody else changed the settings: otherwise what has the focus keeps it. */
  const version = useSignal(0)
  return (
    <section class="card panel narrow">
      <Problem text={version.value > 0 && !saved.value ? t("settings.changed") : null} />
      {saved.value && <Notice>{t("settings.saved")}</Notice>}
      <Loaded asked={asked}>
        {(settings) => (
          <SettingsForm
            key={version.value}
            settings={settings}
            etag={asked.etag}
            saved={async () => {
              saved.value = true
              await asked.reload()
            }}
            changed={async () => {
              await asked.reload()
              version.value++
            }}
          />
        )}
      </Loaded>
    </section>
  )
}

const SettingsForm = (props: {
  settings: TenantSettings
  etag: string | null
  saved: () => Promise<void>
  changed: () => Promise<void>
}) => {
  const { settings } = props
  const act = useAct()
  const samples = useSignal(String(settings.retentionDays.samples))
  const events = useSignal(String(settings.retentionDays.events))
  const journal = useSignal(String(settings.retentionDays.journal))
  const identities = useSignal(settings.subscriberIdentities)
  const subscriberDays = useSignal(String(settings.subscriberDays))
  const sessionHours = useSignal(String(settings.sessionHours))
  const body: TenantSettings = {
    retentionDays: { samples: Number(samples.value), events: Number(events.value), journal: Number(journal.value) },
    subscriberIdentities: identities.value,
    subscriberDays: Number(subscriberDays.value),
    sessionHours: Number(sessionHours.value),
  }
  const send = async () => {
    const answer = await call("settings.put", { headers: { "if-match": props.etag ?? undefined }, body })
    if (!answer.ok && answer.kind === "changed") await props.changed()
    return answer
  }
  const submit = () => void act.run(send, props.saved)
  const days = { type: "number", min: 1, max: 3660 } as const
  return (
    <Form act={act} label={t("form.save")} submit={submit}>
      <h2>{t("settings.retention")}</h2>
      <div class="columns">
        <Field label={t("settings.samples")} name="samples" {...days} value={samples} />
        <Field label={t("settings.events")} name="events" {...days} value={events} />
        <Field label={t("settings.journal")} name="journal" {...days} value={journal} />
      </div>
      <h2>{t("settings.subscribers")}</h2>
      <Check label={t("settings.identities")} hint={t("settings.identities.hint")} value={identities} />
      <Field
        label={t("settings.subscriberDays")}
        name="subscriberDays"
        type="number"
        min={7}
        max={30}
        value={subscriberDays}
      />
      <h2>{t("account.sessions")}</h2>
      <Field
        label={t("settings.sessionHours")}
        name="sessionHours"
        type="number"
        min={1}
        max={168}
        value={sessionHours}
      />
    </Form>
  )
}
