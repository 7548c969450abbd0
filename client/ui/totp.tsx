/**
 * Setting up the second factor (RFC 6238): the password again, then the secret as a picture and as letters, then a code
 * that proves it works, then the recovery codes, shown once.
 */
import { useSignal } from "@preact/signals"
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { useAct } from "#client/ui/ask.ts"
import { Field, Form } from "#client/ui/form.tsx"
import { Copyable } from "#client/ui/once.tsx"
import { QrCode } from "#client/ui/qr.tsx"

export const TotpSetup = ({ done, cancel }: { done: () => void; cancel?: () => void }) => {
  const secret = useSignal<{ readonly secret: string; readonly uri: string } | null>(null)
  const codes = useSignal<readonly string[] | null>(null)
  if (codes.value !== null) return <RecoveryCodes codes={codes.value} done={done} />
  if (secret.value !== null) {
    return (
      <Prove
        {...secret.value}
        confirmed={(list) => (codes.value = list)}
        {...(cancel === undefined ? {} : { cancel })}
      />
    )
  }
  return <Begin begun={(value) => (secret.value = value)} {...(cancel === undefined ? {} : { cancel })} />
}

const Begin = (props: { begun: (value: { secret: string; uri: string }) => void; cancel?: () => void }) => {
  const act = useAct()
  const password = useSignal("")
  return (
    <Form
      act={act}
      label={t("totp.begin")}
      {...(props.cancel === undefined ? {} : { cancel: props.cancel })}
      submit={() => void act.run(() => call("account.beginTotp", { body: { password: password.value } }), props.begun)}
    >
      <p class="quiet">{t("totp.why")}</p>
      <Field
        label={t("password.current")}
        name="password"
        type="password"
        autocomplete="current-password"
        value={password}
      />
    </Form>
  )
}

const Prove = (props: {
  secret: string
  uri: string
  confirmed: (codes: readonly string[]) => void
  cancel?: () => void
}) => {
  const act = useAct()
  const code = useSignal("")
  const wrong = act.failure?.kind === "wrong-credentials" ? t("signin.code.wrong") : act.problem
  return (
    <Form
      act={{ ...act, problem: wrong }}
      label={t("totp.confirm")}
      {...(props.cancel === undefined ? {} : { cancel: props.cancel })}
      submit={() =>
        void act.run(
          () => call("account.confirmTotp", { body: { code: code.value.replace(/\s/g, "") } }),
          ({ recoveryCodes }) => props.confirmed(recoveryCodes),
        )
      }
    >
      <ol class="steps">
        <li>{t("totp.scan")}</li>
        <li>{t("totp.prove")}</li>
      </ol>
      <QrCode text={props.uri} label={t("totp.picture")} />
      <p class="quiet">{t("totp.type")}</p>
      <Copyable text={props.secret.replace(/(.{4})(?=.)/g, "$1 ")} label={t("totp.secret")} />
      <Field
        label={t("totp.code")}
        name="code"
        autocomplete="one-time-code"
        inputMode="numeric"
        maxLength={8}
        mono
        value={code}
      />
    </Form>
  )
}

const RecoveryCodes = ({ codes, done }: { codes: readonly string[]; done: () => void }) => (
  <div class="form recovery">
    <p class="notice" role="status">
      {t("totp.codes.why")}
    </p>
    <div class="printed">
      <Copyable text={codes.join("\n")} label={t("totp.codes")} />
    </div>
    <div class="form-end">
      <button type="button" class="button" onClick={() => print()}>
        {t("totp.print")}
      </button>
      <button type="button" class="primary" onClick={done}>
        {t("once.kept")}
      </button>
    </div>
  </div>
)
