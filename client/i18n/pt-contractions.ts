/**
 * Prepositions of Portuguese that melt with the article behind them: `por` + `o roteador` is `pelo roteador`. Only phrases
 * of the twin come here (protocol/phrase.ts): what a device or a person is called keeps its letters.
 */

const CONTRACTIONS: Readonly<Record<string, string>> = {
  "de o": "do",
  "de a": "da",
  "de os": "dos",
  "de as": "das",
  "em o": "no",
  "em a": "na",
  "em os": "nos",
  "em as": "nas",
  "por o": "pelo",
  "por a": "pela",
  "por os": "pelos",
  "por as": "pelas",
  "a o": "ao",
  "a a": "à",
  "a os": "aos",
  "a as": "às",
}

/** The words of a phrase behind those before it. */
export const contracted = (before: string, words: string): string => {
  const [, head = "", preposition = ""] = /^(.*(?:^|\s))(de|em|por|a) $/s.exec(before) ?? []
  const [, article = "", rest = ""] = /^([oa]s?) (.*)$/s.exec(words) ?? []
  const melted = CONTRACTIONS[`${preposition} ${article}`]
  return melted === undefined ? before + words : `${head}${melted} ${rest}`
}
