/**
 * Alert rules in a file that a person names: one rule, a list of rules, or what `heliograph rules export` prints. Read here
 * for every command that takes one, so that a mistake is told in the same words everywhere: by its path in the file.
 */
import type { CommandIo } from "#engine/cli/command.ts"
import { readText, WrongFile } from "#engine/cli/named-file.ts"
import { escapeText } from "#engine/log.ts"
import type { Rule } from "#protocol/rule.ts"

/** Not checked. Throws WrongFile. */
export const readRules = (file: string): readonly unknown[] => {
  let json: unknown
  try {
    json = JSON.parse(readText(file))
  } catch (cause) {
    throw cause instanceof WrongFile ? cause : new WrongFile(`${file} is not JSON`)
  }
  if (Array.isArray(json)) return json
  const { rules } = (json ?? {}) as { readonly rules?: unknown }
  return Array.isArray(rules) ? rules : [json]
}

/** Null after every mistake was named through `say` (the command's output, unless told otherwise). Throws WrongFile. */
export const usable = async (
  file: string,
  io: CommandIo,
  say: (line: string) => void = io.out,
): Promise<readonly Rule[] | null> => {
  const { checkedRules } = await import("#engine/rules/rule-plan.ts")
  const { RuleInvalid } = await import("#engine/api/problems.ts")
  const given = readRules(file)
  try {
    return checkedRules(given, (index) => (given.length === 1 ? "" : `rules[${index}]`)).map(({ rule }) => rule)
  } catch (cause) {
    if (!(cause instanceof RuleInvalid)) throw cause
    for (const { path, problem } of cause.mistakes)
      say(escapeText(`${file}: ${path === "" ? "the rule" : path} ${problem}`))
    return null
  }
}
