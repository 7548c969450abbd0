/** What a person does with an alert: take it or give it back, mute its rule here or end that. One request at a time. */
import { signal, useSignal } from "@preact/signals"
import { said } from "#client/i18n/said.ts"
import { t } from "#client/i18n/translate.ts"
import { readAlerts } from "#client/state/alerts.ts"
import { call } from "#client/state/api.ts"
import { can } from "#client/state/places.ts"
import { useAct } from "#client/ui/ask.ts"
import type { Act } from "#client/ui/ask.ts"
import { Dialog } from "#client/ui/dialog.tsx"
import { Field, Form, Problem, Select } from "#client/ui/form.tsx"
import type { Alert } from "#protocol/rest-generated.ts"

/** Half a shift: the engine's own default. */
const ACK_MINUTES = "240"
const MINUTES = ["15", "60", "240", "480", "1440", "10080"] as const
const minuteOptions = () => MINUTES.map((value) => ({ value, label: t(`minutes.${value}`) }))

/** How long the next one is taken for: of the `a` key and of the button alike. */
const ackMinutes = signal(ACK_MINUTES)

/** Of an alert that waits nobody has to take anything. */
const canTake = ({ state }: Alert): boolean => state === "firing" || state === "recovering"

/** What the `a` key does, and the button: takes what nobody has, gives back what somebody has. */
export const takeOrGive = (act: Act, alert: Alert): void => {
  if (!can("alertAck")) return
  const { id, ack } = alert
  if (ack !== null) void act.run(() => call("alerts.withdraw", { params: { id } }), readAlerts)
  else if (canTake(alert)) {
    const minutes = Number(ackMinutes.peek())
    void act.run(() => call("alerts.acknowledge", { params: { id }, body: { minutes } }), readAlerts)
  }
}

export const AlertActs = ({ alert, mute }: { alert: Alert; mute: () => void }) => {
  const act = useAct()
  if (!can("alertAck")) return null
  const muted = alert.heldBack?.by === "mute"
  return (
    <div class="alert-acts">
      <div class="row-line">
        {(alert.ack !== null || canTake(alert)) && (
          <button type="button" class="primary" aria-disabled={act.busy} onClick={() => takeOrGive(act, alert)}>
            {t(alert.ack === null ? "ack.do" : "ack.undo")} <kbd>a</kbd>
          </button>
        )}
        {alert.ack === null && canTake(alert) && (
          <label class="inline-select">
            <span class="unseen">{t("ack.minutes")}</span>
            <select value={ackMinutes.value} onChange={(event) => (ackMinutes.value = event.currentTarget.value)}>
              {minuteOptions().map(({ value, label }) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </select>
          </label>
        )}
        <span class="grow" />
        {muted ? (
          <button
            type="button"
            class="button"
            aria-disabled={act.busy}
            onClick={() => void act.run(() => call("alerts.unmute", { params: { id: alert.id } }), readAlerts)}
          >
            {t("mute.undo")}
          </button>
        ) : (
          <button type="button" class="button" onClick={mute}>
            {t("mute.do")} <kbd>m</kbd>
          </button>
        )}
      </div>
      <Problem text={act.problem} />
    </div>
  )
}

export const MuteDialog = ({ alert, close }: { alert: Alert; close: () => void }) => {
  const act = useAct()
  const minutes = useSignal("60")
  const note = useSignal("")
  return (
    <Dialog title={t("mute.title")} close={close}>
      <Form
        act={act}
        label={t("mute.do")}
        cancel={close}
        disabled={note.value.trim() === ""}
        submit={() =>
          void act.run(
            () =>
              call("alerts.mute", {
                params: { id: alert.id },
                body: { minutes: Number(minutes.value), note: note.value.trim() },
              }),
            async () => {
              close()
              await readAlerts()
            },
          )
        }
      >
        <p>
          <b>{said(alert.ruleName)}</b> · {alert.deviceName}
          {alert.entity !== "" && <span class="mono"> · {alert.entity}</span>}
        </p>
        <p class="quiet">{t("mute.why")}</p>
        <Select label={t("ack.minutes")} name="minutes" value={minutes} options={minuteOptions()} />
        <Field label={t("mute.note")} hint={t("mute.note.hint")} name="note" maxLength={500} autoFocus value={note} />
      </Form>
    </Dialog>
  )
}
