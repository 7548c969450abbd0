/**
 * Regular expressions that users write, on RE2 (re2js: plain JavaScript, no backtracking): whatever pattern and text are,
 * matching takes at most program x text steps. Length, program and memory are bounded before anything is matched; what is
 * refused here is a mistake of the rule, with its path. Syntax: https://github.com/google/re2/wiki/Syntax
 */
import { RE2JS, RE2Set } from "re2js"

/** Characters of an expression. */
export const REGEX_MAX = 200
/** Instructions that an expression may compile to. */
export const PROGRAM_MAX = 1000
/** Compiled expressions that are remembered, of all tenants together; the one used longest ago goes first. */
const REMEMBERED_MAX = 512
/** What the remembered states of one expression may take; beyond it they are made anew, and at worst not remembered. */
const STATES_BYTES = 64 * 1024

/** What is wrong with an expression, or null. */
export const regexMistake = (source: string): string | null => {
  if (source.length > REGEX_MAX) return `has ${source.length} characters; at most ${REGEX_MAX} are taken`
  // Before it is compiled: what would grow too big costs nothing then.
  const atoms = unrolledAtoms(source)
  if (atoms > PROGRAM_MAX) return `repeats too much: about ${atoms} steps, at most ${PROGRAM_MAX} are taken`
  try {
    const steps = RE2JS.compile(source).programSize()
    return steps > PROGRAM_MAX ? `is too big: ${steps} steps, at most ${PROGRAM_MAX} are taken` : null
  } catch (error) {
    return `is no regular expression of RE2: ${(error instanceof Error ? error.message : "it cannot be read").slice(0, 160)}`
  }
}

/** Somewhere in the text; `^` and `$` tie it to its ends, `(?i)` ignores case. A mistaken expression matches nothing. */
export const regexFinds = (source: string, text: string): boolean => {
  const compiled = compiledOf(source)
  return compiled !== null && compiled.match(text).length > 0
}

/** Oldest use first. */
const remembered = new Map<string, RE2Set | null>()

const compiledOf = (source: string): RE2Set | null => {
  const known = remembered.get(source)
  const compiled = known === undefined ? compile(source) : known
  if (known !== undefined) remembered.delete(source)
  else if (remembered.size >= REMEMBERED_MAX) remembered.delete(remembered.keys().next().value as string)
  remembered.set(source, compiled)
  return compiled
}

/** A set of one: unlike a single expression it has a bound on its memory, and it says only whether, never where. */
const compile = (source: string): RE2Set | null => {
  if (regexMistake(source) !== null) return null
  const set = new RE2Set(RE2Set.UNANCHORED, 0, STATES_BYTES)
  set.add(source)
  set.compile()
  return set
}

/**
 * How many characters and classes there are once counted repeats (`a{3,9}`) are written out: an estimate that is never much
 * too small, so that an expression of 200 characters cannot ask for a program of 200,000 steps.
 */
const unrolledAtoms = (source: string): number => {
  const outer: number[] = []
  let total = 0
  /** Of what a repeat would repeat. */
  let last = 0
  for (let at = 0; at < source.length; at++) {
    const char = source[at] as string
    const repeat = char === "{" ? (REPEAT.exec(source.slice(at, at + 16)) ?? null) : null
    if (repeat !== null) {
      const times = Math.max(1, Number(repeat[1]), Number(repeat[2] ?? 0))
      total += last * (times - 1)
      last *= times
      at += repeat[0].length - 1
    } else if (char === "(") {
      outer.push(total)
      total = last = 0
    } else if (char === ")") {
      last = total
      total += outer.pop() ?? 0
    } else if (!"*+?|".includes(char)) {
      if (char === "\\") at++
      else if (char === "[") at = classEnd(source, at)
      last = 1
      total++
    }
  }
  return outer.reduce((sum, one) => sum + one, total)
}
const REPEAT = /^\{(\d{1,5})(?:,(\d{0,5}))?\}/

/** Index of the bracket that closes a class; a `]` right after its beginning is one of its characters. */
const classEnd = (source: string, from: number): number => {
  let at = from + 1
  if (source[at] === "^") at++
  if (source[at] === "]") at++
  while (at < source.length && source[at] !== "]") at += source[at] === "\\" ? 2 : 1
  return at
}
