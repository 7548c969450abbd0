/**
 * What the twin says, in the reader's language: sentences that it knows are said anew from their code and parameters
 * (protocol/phrase.ts), every other text stands as it is and stays English. Never used for what people wrote.
 */
import { language } from "#client/i18n/translate.ts"
import type { Language } from "#client/i18n/translate.ts"
import { ptAssumed, ptCauses, ptIncidentLines, ptJudgement } from "#client/i18n/pt-phrases.ts"
import { contracted } from "#client/i18n/pt-contractions.ts"
import { ptServices } from "#client/i18n/pt-service-phrases.ts"
import { ptTopologyPhrases } from "#client/i18n/pt-topology-phrases.ts"
import { ptRuleDescriptions } from "#client/i18n/pt-rule-descriptions.ts"
import { ptRuleNames, ptRuleSummaries } from "#client/i18n/pt-rule-pack.ts"
import { ENGLISH, PHRASES, readPhrase, sayIn } from "#protocol/phrase.ts"
import type { Param, Phrase, PhraseCode, Tongue } from "#protocol/phrase.ts"

const PORTUGUESE: Tongue = {
  templates: {
    ...ptCauses,
    ...ptIncidentLines,
    ...ptJudgement,
    ...ptAssumed,
    ...ptServices,
    ...ptTopologyPhrases,
    ...ptRuleNames,
    ...ptRuleSummaries,
    ...ptRuleDescriptions,
  },
  joints: { ors: ", ou ", list: "; ", commas: ", ", ands: " e ", parens: ") (" },
  number: (text) => (text === "unknown" ? "desconhecido" : NUMBERS["pt-BR"].format(Number(text))),
  join: contracted,
}
/** What is stored keeps the twin's own figures and capitals; on a screen both are a person's. */
const SHOWN_ENGLISH: Tongue = {
  ...ENGLISH,
  number: (text) => (text === "unknown" ? text : NUMBERS.en.format(Number(text))),
  join: (before, words) => before + words,
}
/** As many digits as the twin said. */
const NUMBERS: Readonly<Record<Language, Intl.NumberFormat>> = {
  "pt-BR": new Intl.NumberFormat("pt-BR", { maximumFractionDigits: 6 }),
  en: new Intl.NumberFormat("en", { maximumFractionDigits: 6 }),
}

export const TONGUES: Readonly<Record<Language, Tongue>> = { "pt-BR": PORTUGUESE, en: SHOWN_ENGLISH }

/** Sentences that are remembered: a list is drawn again with every change. */
const REMEMBERED_MAX = 8_192
const remembered = new Map<string, Phrase | null>()
const phraseOf = (text: string): Phrase | null => {
  const known = remembered.get(text)
  if (known !== undefined) return known
  const found = readPhrase(text)
  const phrase = found === null ? null : onceNamed(found)
  if (remembered.size >= REMEMBERED_MAX) remembered.clear()
  remembered.set(text, phrase)
  return phrase
}

/** An alert is told as `R1: what it says`; where that names R1 itself, it says enough. Also where another sentence holds it. */
const onceNamed = (phrase: Phrase): Phrase => {
  const { device, summary } = phrase.params
  if (typeof device === "string" && isPhrase(summary) && names(summary, device)) {
    if (phrase.code === "incident.alert") return summary
    if (phrase.code === "line.again") return { ...phrase, code: "line.again.own", params: { summary } }
  }
  const params = Object.entries(phrase.params).map(
    ([hole, param]) => [hole, isPhrase(param) ? onceNamed(param) : param] as const,
  )
  return { ...phrase, params: Object.fromEntries(params) }
}
const names = ({ params }: Phrase, called: string): boolean =>
  Object.values(params).some((param) => param === called || (isPhrase(param) && names(param, called)))
const isPhrase = (param: Param | undefined): param is Phrase => typeof param === "object" && "code" in param

/** In Portuguese, or null = no sentence of the twin's. */
export const inPortuguese = (text: string): string | null => {
  const phrase = phraseOf(text)
  return phrase === null ? null : sayIn(PORTUGUESE, phrase)
}

export const said = (text: string): string => {
  const phrase = phraseOf(text)
  return phrase === null ? text : sayIn(TONGUES[language.value], phrase)
}

/** A cause's name, which the twin keeps without its article (`link A - B`), as it stands in a sentence: `the link A - B`. */
export const saidName = (name: string): string => {
  const phrase = phraseOf(`the ${name}`) ?? phraseOf(name)
  return phrase === null ? name : sayIn(TONGUES[language.value], phrase)
}

/** What names a cause, as a heading: `Link A - B`. Any other text as it is said. */
export const headline = (text: string): string => {
  const phrase = phraseOf(text)
  if (phrase === null || !phrase.code.startsWith("cause.")) return said(text)
  return capital(withoutArticle(sayIn(TONGUES[language.value], { ...phrase, capital: false })))
}
export const nameHeadline = (name: string): string => {
  const phrase = phraseOf(`the ${name}`)
  return phrase === null ? headline(name) : headline(`the ${name}`)
}
const withoutArticle = (words: string): string => words.replace(ARTICLES[language.value], "")
const ARTICLES: Readonly<Record<Language, RegExp>> = { "pt-BR": /^[oa]s? /i, en: /^the /i }

/** A shipped rule by its name, any other by its id. */
export const ruleWord = (id: string): string => {
  const code = `rule.${id}.name`
  return Object.hasOwn(PHRASES, code) ? TONGUES[language.value].templates[code as PhraseCode] : id
}

/** Whether it begins with a word of the twin's, and not with what a device or a person is called. */
export const leads = (text: string): boolean => {
  const phrase = phraseOf(text)
  return phrase !== null && ownFirst(phrase)
}
const ownFirst = ({ code, params }: Phrase): boolean => {
  const [, hole] = /^\{(\w+)/.exec(PHRASES[code]) ?? []
  if (hole === undefined) return true
  const first = params[hole]
  return isPhrase(first) && ownFirst(first)
}

export const capital = (words: string): string => `${words.charAt(0).toUpperCase()}${words.slice(1)}`
