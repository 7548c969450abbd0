/**
 * The screen that a stranger sees: password, then the second factor when the engine asks for it. Says plainly what went
 * wrong, never whether a user exists, and counts down when it is too many attempts.
 */
import { useSignal } from "@preact/signals"
import { useEffect } from "preact/hooks"
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import type { Failure } from "#client/state/api.ts"
import { enter } from "#client/state/app.ts"
import { newUser } from "#client/state/invitation.ts"
import { sessionEnded } from "#client/state/session.ts"
import { FIRST_STEP, nextStep, outcomeOf, waitLeftS } from "#client/state/sign-in-step.ts"
import type { SignInStep } from "#client/state/sign-in-step.ts"
import { DoorsFrame } from "#client/ui/doors-frame.tsx"
import { Field } from "#client/ui/form.tsx"
import { problemText, waitText } from "#client/ui/problem-text.ts"

/** Where the engine sends a browser on to the identity provider. */
const OIDC_START = "/oidc/start"

/** Read once: a reload of the page is a new try. */
const told = outcomeOf(location.search)
if (told !== null) history.replaceState(null, "", `/${location.hash}`)

export const SignIn = () => {
  const user = useSignal(newUser.value ?? "admin")
  const password = useSignal("")
  const code = useSignal("")
  const tenant = useSignal("")
  const busy = useSignal(false)
  const step = useSignal<SignInStep>(FIRST_STEP)
  const failure = useSignal<Failure | null>(null)
  const waitS = useWait(step.value)
  const submit = async (event: Event) => {
    event.preventDefault()
    if (busy.value || waitS > 0) return
    busy.value = true
    const answer = await call("signIn.create", {
      body: {
        user: user.value.trim(),
        password: password.value,
        ...(step.value.step === "code" ? { code: code.value.replace(/\s/g, "") } : {}),
        ...(tenant.value.trim() === "" ? {} : { tenant: tenant.value.trim() }),
      },
    })
    busy.value = false
    // The password may be right and the engine still unable to say who this is.
    const refused = answer.ok ? await enter() : answer
    if (refused === null) return
    failure.value = refused
    step.value = nextStep(step.value, refused, Date.now())
    code.value = ""
  }
  const { step: now, askTenant, said } = step.value
  const shut = busy.value || waitS > 0
  return (
    <DoorsFrame tagline={t("signin.tagline")}>
      <form class="panel" onSubmit={(event) => void submit(event)}>
        {newUser.value !== null && said === "nothing" && <p class="notice">{t("invitation.done")}</p>}
        {sessionEnded.value && said === "nothing" && now === "password" && <p class="notice">{t("signin.expired")}</p>}
        {told !== null && said === "nothing" && (
          <p class="problem" role="alert">
            {t(`signin.oidc.${told}`)}
          </p>
        )}
        <Said step={step.value} failure={failure.value} waitS={waitS} />
        {now === "password" ? (
          <>
            <Field label={t("signin.user")} name="user" autocomplete="username" value={user} />
            <Field
              label={t("signin.password")}
              name="password"
              type="password"
              autocomplete="current-password"
              value={password}
            />
            {askTenant && (
              <Field label={t("signin.tenant")} hint={t("signin.tenant.hint")} name="tenant" value={tenant} />
            )}
          </>
        ) : (
          <Field
            label={t("signin.code")}
            hint={t("signin.code.hint")}
            name="code"
            autocomplete="one-time-code"
            maxLength={32}
            mono
            autoFocus
            value={code}
          />
        )}
        <button type="submit" class="primary" aria-disabled={shut}>
          {t(busy.value ? "signin.busy" : "signin.submit")}
        </button>
        {now === "code" ? (
          <button type="button" class="text-button" onClick={() => (step.value = FIRST_STEP)}>
            {t("signin.back")}
          </button>
        ) : (
          <Ways askTenant={askTenant} open={() => (step.value = { ...step.value, askTenant: true })} />
        )}
      </form>
    </DoorsFrame>
  )
}

const Said = ({ step, failure, waitS }: { step: SignInStep; failure: Failure | null; waitS: number }) => {
  const text = () => {
    switch (step.said) {
      case "nothing":
        return null
      case "wrong":
        return t("signin.wrong")
      case "wrong-code":
        return t("signin.code.wrong")
      case "wait":
        return waitS > 0 ? t("signin.wait", { time: waitText(waitS) }) : t("signin.wait.over")
      case "offline":
        return t("signin.offline")
      case "other":
        return failure === null ? null : problemText(failure)
    }
  }
  const words = text()
  if (words === null) return null
  // A countdown that speaks every second would drown a screen reader: only its start is announced.
  return (
    <p class="problem" role="alert" aria-atomic="true">
      {words}
    </p>
  )
}

/** Seconds until a next try makes sense, counted down. */
const useWait = (step: SignInStep): number => {
  const left = useSignal(0)
  useEffect(() => {
    const count = () => (left.value = waitLeftS(step, Date.now()))
    if (count() === 0) return
    const timer = setInterval(() => {
      if (count() === 0) clearInterval(timer)
    }, 1_000)
    return () => clearInterval(timer)
  }, [step])
  return left.value
}

const Ways = ({ askTenant, open }: { askTenant: boolean; open: () => void }) => {
  const oidc = useSignal<{ readonly name: string } | null>(null)
  useEffect(() => {
    const load = async () => {
      const answer = await call("signIn.ways")
      if (answer.ok) oidc.value = answer.value.oidc
    }
    void load()
  }, [])
  return (
    <>
      {oidc.value !== null && (
        <a class="button wide-button" href={OIDC_START}>
          {t("signin.oidc", { name: oidc.value.name })}
        </a>
      )}
      {!askTenant && (
        <button type="button" class="text-button" onClick={open}>
          {t("signin.tenant.open")}
        </button>
      )}
      <p class="hint quiet">{t("signin.hint")}</p>
    </>
  )
}
