/** A sentence of the twin on the screen; where it stays English on a page that is not, screen readers are told so. */
import { capital, headline, inPortuguese, leads, said } from "#client/i18n/said.ts"
import { language } from "#client/i18n/translate.ts"

export const Said = ({ text, show = same, lead = false, head = false }: SaidProps) => {
  const told = (words: string): string => show(lead && leads(text) ? capital(words) : words)
  return language.value !== "en" && inPortuguese(text) === null ? (
    <span lang="en">{told(text)}</span>
  ) : (
    <>{told(head ? headline(text) : said(text))}</>
  )
}

interface SaidProps {
  readonly text: string
  readonly show?: (words: string) => string
  /** It stands alone: a word of ours at its beginning has a capital, a name stays as the network writes it. */
  readonly lead?: boolean
  /** It is a title: what names a cause stands without its article. */
  readonly head?: boolean
}

const same = (words: string): string => words
