/** A sentence of the twin on the screen; where it stays English on a page that is not, screen readers are told so. */
import { inPortuguese, said } from "#client/i18n/said.ts"
import { language } from "#client/i18n/translate.ts"

export const Said = ({ text, show = same }: { text: string; show?: (words: string) => string }) =>
  language.value !== "en" && inPortuguese(text) === null ? <span lang="en">{show(text)}</span> : <>{show(said(text))}</>

const same = (words: string): string => words
