/** A new password, typed twice. Its length is checked here for the reader's sake; the engine judges (ASVS 6.2). */
import type { Signal } from "@preact/signals"
import { t } from "#client/i18n/translate.ts"
import { Field } from "#client/ui/form.tsx"

/** engine/storage/users.ts has the same; a refusal of the engine is shown in its words. */
export const PASSWORD_MIN = 8
export const passwordsAgree = (first: string, second: string): boolean =>
  [...first].length >= PASSWORD_MIN && first === second

export const NewPassword = ({ first, second }: { first: Signal<string>; second: Signal<string> }) => (
  <>
    <Field
      label={t("password.new")}
      hint={t("password.hint", { count: PASSWORD_MIN })}
      name="newPassword"
      type="password"
      autocomplete="new-password"
      maxLength={256}
      value={first}
    />
    <Field
      label={t("password.again")}
      hint={second.value !== "" && first.value !== second.value ? t("password.differ") : null}
      name="newPasswordAgain"
      type="password"
      autocomplete="new-password"
      maxLength={256}
      value={second}
    />
  </>
)
