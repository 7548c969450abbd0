/**
 * The language of the screen and the look-up of its words. Dictionaries are typed objects in the bundle: a missing key
 * does not compile, so there is no untranslated text to find at run time.
 */
import { signal } from "@preact/signals"
import { en } from "#client/i18n/en.ts"
import { pt } from "#client/i18n/pt.ts"
import type { Key } from "#client/i18n/pt.ts"

export const LANGUAGES = ["pt-BR", "en"] as const
export type Language = (typeof LANGUAGES)[number]
export type { Key }

const DICTIONARIES: Readonly<Record<Language, Readonly<Record<Key, string>>>> = { "pt-BR": pt, en }

export const language = signal<Language>("pt-BR")

export const t = (key: Key, values: Readonly<Record<string, string | number>> = {}): string =>
  translate(language.value, key, values)

export const translate = (lang: Language, key: Key, values: Readonly<Record<string, string | number>> = {}): string =>
  DICTIONARIES[lang][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))

/** Picks `<key>.one` or `<key>.other` by the language's own plural rule. */
export const tCount = (key: PluralKey, count: number): string => {
  const form = new Intl.PluralRules(language.value).select(count) === "one" ? "one" : "other"
  return t(`${key}.${form}`, { count: new Intl.NumberFormat(language.value).format(count) })
}

type PluralKey = Key extends infer K ? (K extends `${infer Base}.one` ? Base : never) : never

/** True when the dictionary has this key: for words that come from the wire (roles, event types). */
export const isKey = (text: string): text is Key => Object.hasOwn(pt, text)
