/**
 * Credentials go one way: in. The form says whether one is set, takes a new one, or takes it away; it never shows one.
 * The fields are those of an import document (engine/import/schema.json).
 */
import { useSignal } from "@preact/signals"
import type { Signal } from "@preact/signals"
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { credentialBody } from "#client/state/credential-body.ts"
import type { CredentialFields } from "#client/state/credential-body.ts"
import { useAct } from "#client/ui/ask.ts"
import { Check, Field, Form, Notice, Select } from "#client/ui/form.tsx"

export type CredentialKind = "snmp" | "routeros"
export const CREDENTIAL_KINDS: readonly CredentialKind[] = ["snmp", "routeros"]

export const CredentialForm = (props: {
  device: string
  kind: CredentialKind
  isSet: boolean
  changed: () => void
  label?: string
}) => {
  const act = useAct()
  const fields = useCredentialFields()
  const saved = useSignal(false)
  const params = { id: props.device, kind: props.kind }
  const finish = () => {
    for (const field of [fields.community, fields.authPassword, fields.privPassword, fields.password]) field.value = ""
    saved.value = true
    props.changed()
  }
  const send = () =>
    void act.run(
      () => call("inventory.putCredential", { params, body: credentialBody(props.kind, valuesOf(fields)) }),
      finish,
    )
  return (
    <section class="credential" aria-label={t(`credential.${props.kind}`)}>
      <p class="row-line">
        <b>{t(`credential.${props.kind}`)}</b>{" "}
        <span class="chip">{t(props.isSet ? "credential.set" : "credential.unset")}</span>
        {props.isSet && (
          <button
            type="button"
            class="text-button"
            aria-label={t("credential.remove.of", { kind: t(`credential.${props.kind}`) })}
            onClick={() => void act.run(() => call("inventory.removeCredential", { params }), props.changed)}
          >
            {t("form.remove")}
          </button>
        )}
      </p>
      {saved.value && <Notice>{t("credential.saved")}</Notice>}
      <Form act={act} label={props.label ?? t(props.isSet ? "credential.replace" : "credential.put")} submit={send}>
        {props.kind === "snmp" ? <Snmp fields={fields} /> : <RouterOs fields={fields} />}
      </Form>
    </section>
  )
}

type Fields = { readonly [K in keyof CredentialFields]: Signal<CredentialFields[K]> }
const useCredentialFields = (): Fields => ({
  version: useSignal("2c"),
  community: useSignal(""),
  user: useSignal(""),
  authProtocol: useSignal("sha256"),
  authPassword: useSignal(""),
  privProtocol: useSignal("aes"),
  privPassword: useSignal(""),
  password: useSignal(""),
  port: useSignal(""),
  tls: useSignal(true),
})
const valuesOf = (fields: Fields): CredentialFields => ({
  version: fields.version.value,
  community: fields.community.value,
  user: fields.user.value,
  authProtocol: fields.authProtocol.value,
  authPassword: fields.authPassword.value,
  privProtocol: fields.privProtocol.value,
  privPassword: fields.privPassword.value,
  password: fields.password.value,
  port: fields.port.value,
  tls: fields.tls.value,
})

const SECRET = { type: "password", autocomplete: "new-password", maxLength: 256 } as const
const words = (values: readonly string[]) => values.map((value) => ({ value, label: value.toUpperCase() }))

const Snmp = ({ fields }: { fields: Fields }) => (
  <>
    <Select
      label={t("credential.version")}
      name="version"
      value={fields.version}
      options={[
        { value: "2c", label: "SNMPv2c" },
        { value: "3", label: "SNMPv3" },
      ]}
    />
    {fields.version.value === "2c" ? (
      <Field label={t("credential.community")} name="community" {...SECRET} value={fields.community} />
    ) : (
      <div class="columns">
        <Field label={t("signin.user")} name="snmpUser" maxLength={32} value={fields.user} />
        <Select
          label={t("credential.auth")}
          name="authProtocol"
          value={fields.authProtocol}
          options={[
            { value: "", label: t("credential.none") },
            ...words(["md5", "sha", "sha224", "sha256", "sha384", "sha512"]),
          ]}
        />
        {fields.authProtocol.value !== "" && (
          <>
            <Field label={t("credential.authPassword")} name="authPassword" {...SECRET} value={fields.authPassword} />
            <Select
              label={t("credential.priv")}
              name="privProtocol"
              value={fields.privProtocol}
              options={[{ value: "", label: t("credential.none") }, ...words(["des", "aes", "aes256b", "aes256r"])]}
            />
            {fields.privProtocol.value !== "" && (
              <Field label={t("credential.privPassword")} name="privPassword" {...SECRET} value={fields.privPassword} />
            )}
          </>
        )}
      </div>
    )}
    <Port value={fields.port} hint="161" />
  </>
)

const RouterOs = ({ fields }: { fields: Fields }) => (
  <>
    <div class="columns">
      <Field label={t("signin.user")} name="routerosUser" maxLength={128} value={fields.user} />
      <Field label={t("signin.password")} name="routerosPassword" {...SECRET} value={fields.password} />
    </div>
    <Check label={t("credential.tls")} hint={t("credential.tls.hint")} value={fields.tls} />
    <Port value={fields.port} hint={fields.tls.value ? "8729" : "8728"} />
  </>
)

const Port = ({ value, hint }: { value: Signal<string>; hint: string }) => (
  <Field
    label={t("credential.port")}
    hint={t("credential.port.hint", { port: hint })}
    name="port"
    type="number"
    min={1}
    max={65_535}
    required={false}
    value={value}
  />
)
