/**
 * Which rules are about a device and its parts, and which of several variants counts: enabled rules of one name are
 * variants of one rule, and for each entity only the variant with the most specific scope is judged. Specific, most first:
 * entity, device, tag, role, site, entity type, everything; the first difference decides, then the smaller id.
 */
import type { EntityKind } from "#protocol/id.ts"
import type { Role } from "#protocol/role.ts"
import type { Rule, Scope } from "#protocol/rule.ts"

/** What a scope can ask of a device. */
export interface DeviceFacts {
  readonly device: string
  readonly name: string
  readonly site: string
  /** As people call it, for what is told; absent = nobody said, as in states of before. */
  readonly siteName?: string
  /** What the services that it stands for are called, by their id; absent = it stands for none. */
  readonly services?: Readonly<Record<string, string>>
  readonly roles: readonly Role[]
  readonly tags: readonly string[]
}

const DIMENSIONS = [
  ["by_entity_ids", "entity"],
  ["by_device_ids", "device"],
  ["by_tags", "tag"],
  ["by_roles", "role"],
  ["by_site_ids", "site"],
  ["by_entity_type", "entity type"],
] as const satisfies ReadonlyArray<readonly [keyof Scope, string]>

/** Bigger = more specific. One bit a dimension, so that a list of entities outweighs everything else together. */
export const specificity = (scope: Scope): number =>
  DIMENSIONS.reduce((bits, [field], index) => bits + (scope[field] === undefined ? 0 : 32 >> index), 0)

/** `device and role`, `everything`. */
export const scopeWords = (scope: Scope): string => {
  const named = DIMENSIONS.filter(([field]) => scope[field] !== undefined).map(([, word]) => word)
  return named.length === 0 ? "everything" : named.join(" and ")
}

const anyOf = <T>(wanted: readonly T[] | undefined, has: readonly T[]): boolean =>
  wanted === undefined || wanted.some((one) => has.includes(one))

/** Everything but the entity, which a device does not settle. */
export const coversDevice = (scope: Scope, facts: DeviceFacts): boolean =>
  anyOf(scope.by_device_ids, [facts.device]) &&
  anyOf(scope.by_site_ids, [facts.site]) &&
  anyOf(scope.by_tags, facts.tags) &&
  anyOf(scope.by_roles, facts.roles)

/** Entity ids are written as in the inventory, `if:ether1`; the device itself is `device`. */
export const coversEntity = (scope: Scope, kind: EntityKind, key: string): boolean =>
  anyOf(scope.by_entity_type, [kind]) && anyOf(scope.by_entity_ids, [key === "" ? "device" : key])

const moreSpecificFirst = (a: Rule, b: Rule): number =>
  specificity(b.scope) - specificity(a.scope) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)

/** A rule that counts, and why: the variants that it outweighs. */
export interface Chosen<R> {
  readonly rule: R
  readonly outweighs: readonly R[]
}

/** Of the rules that cover an entity, one of each name. Order: by rule id. */
export const mostSpecific = <R extends { readonly rule: Rule }>(covering: readonly R[]): ReadonlyArray<Chosen<R>> => {
  const byName = new Map<string, R[]>()
  for (const one of covering) {
    const variants = byName.get(one.rule.name)
    if (variants === undefined) byName.set(one.rule.name, [one])
    else variants.push(one)
  }
  return [...byName.values()]
    .map((variants) => variants.sort((a, b) => moreSpecificFirst(a.rule, b.rule)))
    .map(([rule, ...outweighs]) => ({ rule: rule as R, outweighs }))
    .sort((a, b) => (a.rule.rule.id < b.rule.rule.id ? -1 : 1))
}

/** Why this variant counts here, in words. */
export const whyChosen = (rule: Rule, outweighed: readonly Rule[]): string =>
  outweighed.length === 0
    ? `its scope is ${scopeWords(rule.scope)}`
    : `its scope, ${scopeWords(rule.scope)}, is more specific than that of ${outweighed.map((other) => `${other.id} (${scopeWords(other.scope)})`).join(", ")}`
