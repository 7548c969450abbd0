/** Words as a reader of one language meets them, whatever the tests before and after ask for. */
import { language } from "#client/i18n/translate.ts"
import type { Language } from "#client/i18n/translate.ts"

export const inLanguage = <A>(lang: Language, run: () => A): A => {
  const before = language.value
  language.value = lang
  try {
    return run()
  } finally {
    language.value = before
  }
}
