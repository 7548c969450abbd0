/** What a person chose on this browser: language, theme, motion, single-key shortcuts. Kept in localStorage when it may be. */
import { effect, signal } from "@preact/signals"
import { language, LANGUAGES } from "#client/i18n/translate.ts"
import type { Language } from "#client/i18n/translate.ts"

export type Theme = "dark" | "light"

/** Dark first: control rooms are. */
export const theme = signal<Theme>("dark")
/** WCAG 2.1.4: single-key shortcuts can be switched off. */
export const singleKeys = signal(true)
/** Moving light on links; WCAG 2.2.2: it can be stopped. */
export const flow = signal(false)

const KEY = "heliograph.settings"

export const loadSettings = (): void => {
  const stored = read()
  if (stored["theme"] === "dark" || stored["theme"] === "light") theme.value = stored["theme"]
  const wanted = LANGUAGES.find((name) => name === stored["language"])
  language.value = wanted ?? browserLanguage(navigator.languages)
  singleKeys.value = stored["singleKeys"] !== false
  flow.value = stored["flow"] === true && !matchMedia("(prefers-reduced-motion: reduce)").matches
  effect(() => {
    document.documentElement.dataset["theme"] = theme.value
    document.documentElement.lang = language.value
    write({ theme: theme.value, language: language.value, singleKeys: singleKeys.value, flow: flow.value })
  })
}

/** Portuguese is the first language; English only for who asks for it before any Portuguese. */
export const browserLanguage = (wanted: readonly string[]): Language => {
  for (const name of wanted) {
    if (name.toLowerCase().startsWith("pt")) return "pt-BR"
    if (name.toLowerCase().startsWith("en")) return "en"
  }
  return "pt-BR"
}

/** Storage may be forbidden or hold anything: then the defaults hold. */
const read = (): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}")
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
const write = (settings: Record<string, unknown>): void => {
  try {
    localStorage.setItem(KEY, JSON.stringify(settings))
  } catch {
    // A full or forbidden storage costs the memory of a choice, nothing else.
  }
}
