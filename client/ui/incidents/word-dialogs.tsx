/** The acts that need words: a note, why more people are needed, why it is over, and what the true cause was. */
import { useSignal } from "@preact/signals"
import type { ComponentChildren } from "preact"
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import type { Answer } from "#client/state/api.ts"
import { acted } from "#client/state/incidents.ts"
import { useAct } from "#client/ui/ask.ts"
import { Dialog } from "#client/ui/dialog.tsx"
import { Form } from "#client/ui/form.tsx"
import type { Actable } from "#client/ui/incidents/incident-acts.tsx"
import { memberName } from "#client/ui/incidents/words.ts"
import { Said } from "#client/ui/said.tsx"
import { FAULT_TYPES } from "#protocol/incident.ts"
import type { CauseMember, IncidentView } from "#protocol/incident.ts"

/** The engine's own limit. */
const NOTE_MAX = 2_000

const WordsDialog = (props: {
  title: string
  label: string
  hint: string
  danger?: boolean
  incident: Actable
  close: () => void
  send: (text: string) => Promise<Answer<IncidentView>>
  children?: ComponentChildren
}) => {
  const act = useAct()
  const text = useSignal("")
  return (
    <Dialog title={props.title} close={props.close}>
      <Form
        act={act}
        label={props.label}
        danger={props.danger === true}
        cancel={props.close}
        disabled={text.value.trim() === ""}
        submit={() =>
          void act.run(
            () => props.send(text.value.trim()),
            (view) => {
              props.close()
              acted(view)
            },
          )
        }
      >
        <p>
          <b>
            <Said text={props.incident.title} />
          </b>
        </p>
        {props.children}
        <Words value={text.value} label={props.hint} set={(value) => (text.value = value)} focus />
      </Form>
    </Dialog>
  )
}

const Words = (props: { value: string; label: string; set: (value: string) => void; focus?: boolean }) => (
  <label class="field">
    <span>{props.label}</span>
    <textarea
      name="note"
      rows={3}
      maxLength={NOTE_MAX}
      autofocus={props.focus === true}
      value={props.value}
      onInput={(event) => props.set(event.currentTarget.value)}
    />
  </label>
)

export const NoteDialog = ({ incident, close }: { incident: Actable; close: () => void }) => (
  <WordsDialog
    title={t("incident.note.title")}
    label={t("incident.note.do")}
    hint={t("incident.note.hint")}
    incident={incident}
    close={close}
    send={(text) => call("incidents.note", { params: { id: incident.id }, body: { text } })}
  />
)
export const EscalateDialog = ({ incident, close }: { incident: Actable; close: () => void }) => (
  <WordsDialog
    title={t("incident.escalate.title")}
    label={t("incident.escalate")}
    hint={t("incident.escalate.hint")}
    incident={incident}
    close={close}
    send={(note) => call("incidents.escalate", { params: { id: incident.id }, body: { note } })}
  />
)
export const CloseDialog = ({ incident, close }: { incident: Actable; close: () => void }) => (
  <WordsDialog
    title={t("incident.close.title")}
    label={t("incident.close")}
    hint={t("incident.close.hint")}
    danger
    incident={incident}
    close={close}
    send={(note) => call("incidents.close", { params: { id: incident.id }, body: { note } })}
  >
    <p class="quiet">{t("incident.close.what")}</p>
  </WordsDialog>
)

const OTHER = "other"
/** One of the candidates, or a device that the twin did not think of: that is what teaches it most. */
export const ConfirmCauseDialog = ({ view, close }: { view: IncidentView; close: () => void }) => {
  const act = useAct()
  const note = useSignal("")
  const other = useSignal("")
  const fault = useSignal<CauseMember["fault"]>("router")
  const candidates = view.causes.flatMap(({ members }) => members)
  const chosen = useSignal(candidates.length === 0 ? OTHER : "0")
  const devices = [...new Map(view.symptoms.map(({ device, deviceName }) => [device, deviceName]))]
  const member = (): CauseMember | null => {
    if (chosen.value !== OTHER) return candidates[Number(chosen.value)] ?? null
    const found = devices.find(([id]) => id === other.value) ?? devices[0]
    return found === undefined ? null : { fault: fault.value, kind: "device", id: found[0], name: found[1] }
  }
  return (
    <Dialog title={t("incident.confirm.title")} close={close}>
      <Form
        act={act}
        label={t("incident.confirm.do")}
        cancel={close}
        disabled={member() === null}
        submit={() => {
          const one = member()
          if (one === null) return
          const body = { members: [one], note: note.value.trim() }
          void act.run(
            () => call("incidents.confirm", { params: { id: view.id }, body }),
            (next) => {
              close()
              acted(next)
            },
          )
        }}
      >
        <p class="quiet">{t("incident.confirm.why")}</p>
        <fieldset class="cause-choices">
          <legend>{t("incident.confirm.which")}</legend>
          {candidates.map((one, at) => (
            <label key={`${one.kind} ${one.id} ${one.fault}`} class="choice">
              <input
                type="radio"
                name="cause"
                checked={chosen.value === String(at)}
                onChange={() => (chosen.value = String(at))}
              />
              <span>
                {memberName(one)} <small class="quiet">{t(`fault.${one.fault}`)}</small>
              </span>
            </label>
          ))}
          {devices.length > 0 && (
            <label class="choice">
              <input
                type="radio"
                name="cause"
                checked={chosen.value === OTHER}
                onChange={() => (chosen.value = OTHER)}
              />
              <span>{t("incident.confirm.other")}</span>
            </label>
          )}
        </fieldset>
        {chosen.value === OTHER && devices.length > 0 && (
          <div class="row-line">
            <label class="pick-one">
              <span>{t("incident.confirm.fault")}</span>
              <select
                value={fault.value}
                onChange={(event) => (fault.value = event.currentTarget.value as CauseMember["fault"])}
              >
                {FAULT_TYPES.map((one) => (
                  <option key={one} value={one}>
                    {t(`fault.${one}`)}
                  </option>
                ))}
              </select>
            </label>
            <label class="pick-one">
              <span>{t("incident.confirm.device")}</span>
              <select value={other.value} onChange={(event) => (other.value = event.currentTarget.value)}>
                {devices.map(([id, name]) => (
                  <option key={id} value={id}>
                    {name}
                  </option>
                ))}
              </select>
            </label>
          </div>
        )}
        <Words value={note.value} label={t("incident.confirm.note")} set={(value) => (note.value = value)} />
      </Form>
    </Dialog>
  )
}
