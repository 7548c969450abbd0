/** A link between two interfaces of two devices. */
import { useSignal } from "@preact/signals"
import type { Signal } from "@preact/signals"
import { useMemo } from "preact/hooks"
import { t } from "#client/i18n/translate.ts"
import { call, newKey } from "#client/state/api.ts"
import { twin } from "#client/state/app.ts"
import { useAct, useAsk } from "#client/ui/ask.ts"
import { Field, Form } from "#client/ui/form.tsx"

export const LinkForm = ({ done, cancel }: { done: () => void; cancel: () => void }) => {
  const act = useAct()
  const key = useMemo(newKey, [])
  const a = { device: useSignal(""), interface: useSignal("") }
  const b = { device: useSignal(""), interface: useSignal("") }
  const megabits = useSignal("")
  const [idA, idB] = [deviceId(a.device.value), deviceId(b.device.value)]
  const submit = () =>
    void act.run(
      () =>
        call("inventory.createLink", {
          headers: { "idempotency-key": key },
          body: {
            a: { device: idA ?? "", interface: a.interface.value.trim() },
            b: { device: idB ?? "", interface: b.interface.value.trim() },
            capacityBps: megabits.value.trim() === "" ? null : Number(megabits.value) * 1e6,
          },
        }),
      done,
    )
  return (
    <Form
      act={act}
      label={t("edit.link.add")}
      cancel={cancel}
      disabled={idA === null || idB === null || (idA === idB && a.interface.value === b.interface.value)}
      submit={submit}
    >
      <datalist id="device-names">
        {(twin.value?.nodes.name ?? []).map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <EndFields letter="A" end={a} id={idA} />
      <EndFields letter="B" end={b} id={idB} />
      <Field
        label={t("edit.megabits")}
        hint={t("edit.megabits.hint")}
        name="capacity"
        type="number"
        min={0}
        step="any"
        required={false}
        value={megabits}
      />
    </Form>
  )
}

/** A device by its whole name; null while the name is no device's. */
const deviceId = (name: string): string | null => {
  const nodes = twin.value?.nodes
  const slot = nodes?.name.indexOf(name.trim()) ?? -1
  return slot < 0 ? null : (nodes?.id[slot] ?? null)
}

const EndFields = (props: {
  letter: string
  end: { device: Signal<string>; interface: Signal<string> }
  id: string | null
}) => {
  const { letter, end, id } = props
  // What was measured of the device names its interfaces; any other name may be typed.
  const asked = useAsk(
    () =>
      id === null
        ? Promise.resolve({ ok: true as const, value: null, etag: null })
        : call("network.device", { params: { id } }),
    id ?? "",
  )
  const list = `interfaces-${letter}`
  return (
    <fieldset class="end-fields">
      <legend>{t("link.end", { letter })}</legend>
      <div class="columns">
        <div class="field">
          <label>
            {t("devices.column.name")}
            <input
              name={`device${letter}`}
              list="device-names"
              required
              autocomplete="off"
              value={end.device.value}
              onInput={(event) => (end.device.value = event.currentTarget.value)}
            />
          </label>
        </div>
        <div class="field">
          <label>
            {t("interface.name")}
            <input
              name={`interface${letter}`}
              list={list}
              required
              autocomplete="off"
              class="mono"
              maxLength={200}
              value={end.interface.value}
              onInput={(event) => (end.interface.value = event.currentTarget.value)}
            />
          </label>
        </div>
      </div>
      <datalist id={list}>
        {(asked.value?.interfaces ?? []).map(({ name }) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </fieldset>
  )
}
