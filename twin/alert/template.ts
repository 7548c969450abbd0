/**
 * Summary templates: text with `{{placeholders}}`. An unknown placeholder or an open brace is a mistake when the rule is
 * checked, so that filling one in cannot fail at three in the morning.
 */
import type { RulePlaceholder } from "#protocol/rule.ts"
import { RULE_PLACEHOLDERS } from "#protocol/rule.ts"

const BRACES = /\{\{([^{}]*)\}\}/g
/** Characters of a filled-in value, which a device may have named. */
const VALUE_MAX = 120

/** What is wrong with a template, or null. */
export const templateMistake = (template: string): string | null => {
  for (const [, inner] of template.matchAll(BRACES))
    if (!(RULE_PLACEHOLDERS as readonly string[]).includes((inner as string).trim()))
      return `has an unknown placeholder ${JSON.stringify((inner as string).trim().slice(0, 40))}; known are: ${RULE_PLACEHOLDERS.join(", ")}`
  return /\{\{|\}\}/.test(template.replaceAll(BRACES, "")) ? "has braces that are never closed or opened" : null
}

export const fillTemplate = (template: string, values: Readonly<Record<RulePlaceholder, string>>): string =>
  template.replaceAll(BRACES, (_, inner: string) => values[inner.trim() as RulePlaceholder].slice(0, VALUE_MAX))

/** Four significant digits; no exponent where people would not write one. */
export const numberText = (value: number): string =>
  Number.isInteger(value) || Math.abs(value) >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(4)))
