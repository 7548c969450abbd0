/**
 * Sentences of the twin as code and parameters. The twin says them in English (`say`), where they are kept, journaled and
 * exported as they were said; a screen in another language finds the code and the parameters again (`readPhrase`) and says
 * them in its own words. So one catalogue serves stored sentences of years as well as new ones, and no state grows by it.
 * What a device or a person named is a parameter that is never translated.
 */
import { causePhrases } from "#protocol/phrases/cause.ts"
import { incidentPhrases } from "#protocol/phrases/incident.ts"
import { judgementPhrases } from "#protocol/phrases/judgement.ts"
import { ruleDescriptions } from "#protocol/phrases/rule-descriptions.ts"
import { ruleNames, ruleSummaries } from "#protocol/phrases/rules.ts"
import { servicePhrases } from "#protocol/phrases/service.ts"
import { topologyPhrases } from "#protocol/phrases/topology.ts"
import { whatIfPhrases } from "#protocol/phrases/what-if.ts"

/**
 * Every code, and its English. A hole is `{name}`, text as it is, or `{name:kind}`:
 * - `number`: digits, a point, a sign, or `unknown`; `word`: no space in it;
 * - `name`: a device's name, or one of the phrases that stand for an unknown one (`name.*`);
 * - `said`: another phrase, or the whole is not this phrase;
 * - `any`: another phrase, or text as it is;
 * - `ors`, `list`, `commas`, `ands`, `parens`: several of `any`: `a, or b`, `a; b`, `a, b`, `a and b`, `(a) (b)`.
 */
export const PHRASES = {
  ...causePhrases,
  ...incidentPhrases,
  ...judgementPhrases,
  ...servicePhrases,
  ...topologyPhrases,
  ...whatIfPhrases,
  ...ruleNames,
  ...ruleSummaries,
  ...ruleDescriptions,
} as const
export type PhraseCode = keyof typeof PHRASES

export interface Phrase {
  readonly code: PhraseCode
  /** By hole; text that is no phrase stands as itself. */
  readonly params: Readonly<Record<string, Param>>
  /** It begins a sentence or a title. */
  readonly capital: boolean
}
export type Param = string | Phrase | readonly (string | Phrase)[]

/** The English sentence. A hole without a value stays open, which the type does not allow. */
export const say = <C extends PhraseCode>(code: C, ...[values]: Args<(typeof PHRASES)[C]>): string =>
  fill(PHRASES[code], (hole) => String((values as Record<string, string | number> | undefined)?.[hole] ?? `{${hole}}`))

type Holes<T extends string> = T extends `${string}{${infer H}}${infer Rest}`
  ? (H extends `${infer Name}:${string}` ? Name : H) | Holes<Rest>
  : never
type Args<T extends string> = [Holes<T>] extends [never] ? [] : [values: { readonly [K in Holes<T>]: string | number }]

/** A template's holes filled in; what it fills them with is looked at by nobody. */
export const fill = (template: string, value: (hole: string, kind: Kind) => string): string =>
  template.replace(HOLE, (_all, hole: string, kind?: string) => value(hole, (kind ?? "text") as Kind))

const HOLE = /\{(\w+)(?::(\w+))?\}/g

export type Kind = "text" | "number" | "word" | "name" | "said" | "any" | keyof typeof JOINTS
/** What stands between several. */
export const JOINTS = { ors: ", or ", list: "; ", commas: ", ", ands: " and ", parens: ") (" } as const

/** A language to say phrases in. */
export interface Tongue {
  readonly templates: Readonly<Record<PhraseCode, string>>
  readonly joints: Readonly<Record<keyof typeof JOINTS, string>>
  readonly number: (text: string) => string
  /**
   * How a phrase goes on from the words before it, `explicado por` + `o enlace`. A language that has it writes no phrase
   * with a capital inside a sentence; one that has not says what was read letter by letter.
   */
  readonly join?: (before: string, words: string) => string
}
export const ENGLISH: Tongue = { templates: PHRASES, joints: JOINTS, number: (text) => text }

export const sayIn = (tongue: Tongue, phrase: Phrase): string => saidIn(tongue, phrase, false)

/** `inside` = other words of the same sentence stand before it. */
const saidIn = (tongue: Tongue, { code, params, capital }: Phrase, inside: boolean): string => {
  const kinds = KINDS.get(code)
  const template = tongue.templates[code]
  const { join } = tongue
  let text = ""
  let from = 0
  for (const match of template.matchAll(HOLE)) {
    const hole = match[1] as string
    const param = params[hole]
    const before = text + template.slice(from, match.index)
    const told = (one: string | Phrase, first = true): string =>
      typeof one === "string" ? one : saidIn(tongue, one, join !== undefined && (inside || before !== "" || !first))
    from = match.index + match[0].length
    if (param === undefined) text = before
    else if (typeof param === "string") text = before + (kinds?.get(hole) === "number" ? tongue.number(param) : param)
    else if (!("code" in param))
      text =
        before +
        param.map((one, at) => told(one, at === 0)).join(tongue.joints[kinds?.get(hole) as keyof typeof JOINTS])
    else text = join !== undefined && !startsWithHole(tongue, param) ? join(before, told(param)) : before + told(param)
  }
  text += template.slice(from)
  return capital && !inside ? `${text.charAt(0).toUpperCase()}${text.slice(1)}` : text
}
/** What a device or a person is called is never bent. */
const startsWithHole = (tongue: Tongue, { code, params }: Phrase): boolean => {
  const [, hole] = /^\{(\w+)/.exec(tongue.templates[code]) ?? []
  if (hole === undefined) return false
  const first = params[hole]
  return first === undefined || typeof first === "string" || !("code" in first) || startsWithHole(tongue, first)
}

// -- and back -----------------------------------------------------------------------------------------------------------

/** Longer texts are nobody's sentence. */
const TEXT_MAX = 2_000
/** Phrases in phrases. */
const DEPTH_MAX = 6

interface Pattern {
  readonly code: PhraseCode
  /** Text between the holes: one more than there are holes. */
  readonly literals: readonly string[]
  readonly holes: readonly (readonly [name: string, kind: Kind])[]
}

const patternOf = (code: PhraseCode): Pattern => {
  const literals: string[] = []
  const holes: (readonly [string, Kind])[] = []
  let from = 0
  const template: string = PHRASES[code]
  for (const match of template.matchAll(HOLE)) {
    literals.push(template.slice(from, match.index))
    holes.push([match[1] as string, (match[2] ?? "text") as Kind])
    from = match.index + match[0].length
  }
  return { code, literals: [...literals, template.slice(from)], holes }
}

const weight = ({ literals }: Pattern): number => literals.reduce((sum, { length }) => sum + length, 0)

/** Characters of a phrase that could be nearly anything. */
const LIGHT = 2

/**
 * What proves itself, by a phrase inside or by its own words at both ends, comes first, and what could be nearly anything
 * last; summaries of rules, which operators may write alike, come after our own. Within these, what says most comes first.
 */
const rank = (pattern: Pattern): number => {
  const { holes, literals, code } = pattern
  const hasPhrase = holes.some(([, kind]) => kind === "said")
  if (weight(pattern) <= LIGHT) return hasPhrase ? 2 : 4
  if (code.startsWith("rule.")) return 3
  return hasPhrase || (literals[0] !== "" && literals.at(-1) !== "") ? 0 : 1
}
const PATTERNS: readonly Pattern[] = (Object.keys(PHRASES) as PhraseCode[])
  .map(patternOf)
  .toSorted((a, b) => rank(a) - rank(b) || weight(b) - weight(a))

/** What stands in the holes of a phrase: its English says so for every language. */
const KINDS: ReadonlyMap<PhraseCode, ReadonlyMap<string, Kind>> = new Map(
  PATTERNS.map(({ code, holes }) => [code, new Map(holes)]),
)

/** Null = no sentence of the twin's. Saying what it returns in English gives the very same text. */
export const readPhrase = (text: string): Phrase | null => read(text, 0, { left: TRIES_MAX })

/** Patterns and places that one text is held against; a text that asks for more stays as it is. */
const TRIES_MAX = 20_000
interface Budget {
  left: number
}

const read = (text: string, depth: number, budget: Budget): Phrase | null => {
  if (text === "" || text.length > TEXT_MAX || depth > DEPTH_MAX) return null
  for (const pattern of PATTERNS) {
    if (budget.left-- <= 0) return null
    const params = matched(pattern, text, depth, budget)
    if (params !== null) return { code: pattern.code, params, capital: false }
  }
  // A title is a phrase with a capital.
  const first = text.charAt(0)
  if (first === first.toLowerCase()) return null
  const found = read(`${first.toLowerCase()}${text.slice(1)}`, depth + 1, budget)
  return found === null || found.capital ? null : { ...found, capital: true }
}

const matched = (pattern: Pattern, text: string, depth: number, budget: Budget): Phrase["params"] | null => {
  const { literals, holes } = pattern
  const [first, last] = [literals[0] as string, literals.at(-1) as string]
  if (holes.length === 0) return text === first ? {} : null
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return null
  const params: Record<string, Param> = {}
  return filled(pattern, text, 0, first.length, depth, budget, params) ? params : null
}

/** The hole and those after it: each ends at the first place of the text behind it that lets all of them be read. */
const filled = (
  pattern: Pattern,
  text: string,
  at: number,
  from: number,
  depth: number,
  budget: Budget,
  params: Record<string, Param>,
): boolean => {
  const { literals, holes } = pattern
  const [name, kind] = holes[at] as Pattern["holes"][number]
  const literal = literals[at + 1] as string
  const end = text.length - (literals.at(-1) as string).length
  const isLast = at === holes.length - 1
  for (let to = isLast ? end : text.indexOf(literal, from + 1); to > from && to <= end;) {
    if (budget.left-- <= 0) return false
    const param = paramOf(kind, text.slice(from, to), depth, budget)
    if (param !== null) {
      params[name] = param
      if (isLast || filled(pattern, text, at + 1, to + literal.length, depth, budget, params)) return true
    }
    if (isLast) return false
    to = text.indexOf(literal, to + 1)
  }
  return false
}

const paramOf = (kind: Kind, text: string, depth: number, budget: Budget): Param | null => {
  switch (kind) {
    case "text":
      return text
    case "number":
      return text === "unknown" || /^[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?$/.test(text) ? text : null
    case "word":
      return /^\S+$/.test(text) ? text : null
    case "name": {
      const phrase = NAMES.find((code) => PHRASES[code] === text)
      return phrase === undefined ? text : { code: phrase, params: {}, capital: false }
    }
    case "said": {
      const phrase = read(text, depth + 1, budget)
      // A number with its unit proves nothing.
      return phrase === null || phrase.code.startsWith("value.") ? null : phrase
    }
    case "any":
      return anyOf(text, depth, budget)
    default:
      return text.split(JOINTS[kind]).map((part) => anyOf(part, depth, budget))
  }
}

const NAMES = (Object.keys(PHRASES) as PhraseCode[]).filter((code) => code.startsWith("name."))

const anyOf = (text: string, depth: number, budget: Budget): string | Phrase => read(text, depth + 1, budget) ?? text
