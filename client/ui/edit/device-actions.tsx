/** What may be done with the open device or link: change it, give it credentials, take it away. Hidden where refused. */
import { useSignal } from "@preact/signals"
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { shownReplay } from "#client/state/app.ts"
import { can } from "#client/state/places.ts"
import { go } from "#client/state/route.ts"
import { useAct, useAsk } from "#client/ui/ask.ts"
import { Confirm } from "#client/ui/confirm.tsx"
import { Dialog } from "#client/ui/dialog.tsx"
import { CREDENTIAL_KINDS, CredentialForm } from "#client/ui/edit/credential-form.tsx"
import { DeviceForm } from "#client/ui/edit/device-form.tsx"
import { Field, Form } from "#client/ui/form.tsx"
import { Loaded } from "#client/ui/table.tsx"

export const DeviceActions = ({ id, name }: { id: string; name: string }) => {
  const open = useSignal<"edit" | "credentials" | "remove" | null>(null)
  if (shownReplay.value !== null) return null
  if (!can("deviceEdit") && !can("credential") && !can("deviceRemove")) return null
  const close = () => (open.value = null)
  return (
    <div class="panel-acts">
      {can("deviceEdit") && (
        <button type="button" class="button" onClick={() => (open.value = "edit")}>
          {t("users.edit")}
        </button>
      )}
      {can("credential") && (
        <button type="button" class="button" onClick={() => (open.value = "credentials")}>
          {t("credential.title")}
        </button>
      )}
      {can("deviceRemove") && (
        <button type="button" class="button danger-text" onClick={() => (open.value = "remove")}>
          {t("form.remove")}
        </button>
      )}
      {open.value === "edit" && <EditDialog id={id} name={name} close={close} />}
      {open.value === "credentials" && <CredentialsDialog id={id} name={name} close={close} />}
      {open.value === "remove" && (
        <Confirm
          title={t("edit.device.remove")}
          text={t("edit.device.remove.sure", { name })}
          label={t("form.remove")}
          word={name}
          ask={() => call("inventory.removeDevice", { params: { id } })}
          done={() => {
            close()
            go({ selection: null })
          }}
          close={close}
        />
      )}
    </div>
  )
}

const EditDialog = ({ id, name, close }: { id: string; name: string; close: () => void }) => {
  const asked = useAsk(() => call("inventory.declaredDevice", { params: { id } }), id)
  return (
    <Dialog title={name} close={close}>
      <Loaded asked={asked}>
        {(device) => (
          <DeviceForm device={device} etag={asked.etag} label={t("form.save")} done={close} cancel={close} />
        )}
      </Loaded>
    </Dialog>
  )
}

const CredentialsDialog = ({ id, name, close }: { id: string; name: string; close: () => void }) => {
  const asked = useAsk(() => call("inventory.declaredDevice", { params: { id } }), id)
  return (
    <Dialog title={t("credential.of", { name })} close={close}>
      <p class="quiet">{t("credential.why")}</p>
      <Loaded asked={asked}>
        {({ credentials }) => (
          <>
            {CREDENTIAL_KINDS.map((kind) => (
              <CredentialForm
                key={kind}
                device={id}
                kind={kind}
                isSet={credentials.includes(kind)}
                changed={() => void asked.reload()}
              />
            ))}
          </>
        )}
      </Loaded>
    </Dialog>
  )
}

export const LinkActions = (props: { id: string; name: string; capacityBps: number | null }) => {
  const open = useSignal<"edit" | "remove" | null>(null)
  if (!can("linkEdit") || shownReplay.value !== null) return null
  const close = () => (open.value = null)
  return (
    <div class="panel-acts">
      <button type="button" class="button" onClick={() => (open.value = "edit")}>
        {t("edit.capacity")}
      </button>
      <button type="button" class="button danger-text" onClick={() => (open.value = "remove")}>
        {t("form.remove")}
      </button>
      {open.value === "edit" && <CapacityDialog {...props} close={close} />}
      {open.value === "remove" && (
        <Confirm
          title={t("edit.link.remove")}
          text={t("edit.link.remove.sure", { name: props.name })}
          label={t("form.remove")}
          ask={() => call("inventory.removeLink", { params: { id: props.id } })}
          done={() => {
            close()
            go({ selection: null })
          }}
          close={close}
        />
      )}
    </div>
  )
}

const CapacityDialog = (props: { id: string; name: string; capacityBps: number | null; close: () => void }) => {
  const act = useAct()
  const megabits = useSignal(props.capacityBps === null ? "" : String(props.capacityBps / 1e6))
  const submit = () =>
    void act.run(
      () =>
        call("inventory.updateLink", {
          params: { id: props.id },
          body: { capacityBps: megabits.value.trim() === "" ? null : Number(megabits.value) * 1e6 },
        }),
      props.close,
    )
  return (
    <Dialog title={props.name} close={props.close}>
      <Form act={act} label={t("form.save")} cancel={props.close} submit={submit}>
        <Field
          label={t("edit.megabits")}
          hint={t("edit.megabits.hint")}
          name="capacity"
          type="number"
          min={0}
          step="any"
          required={false}
          autoFocus
          value={megabits}
        />
      </Form>
    </Dialog>
  )
}
