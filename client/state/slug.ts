/** A short name for addresses, made from what a person typed: "São Carlos Fibra" is `sao-carlos-fibra`. */
import { plain } from "#client/state/search.ts"

const SLUG_MAX = 40

export const slugOf = (name: string): string =>
  plain(name)
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, SLUG_MAX)
    .replace(/^-+|-+$/g, "")
