/** An audit row's before and after, field by field: what came, what went, what became something else. Pure. */
export interface FieldChange {
  /** Dotted path, `retentionDays.samples`. */
  readonly path: string
  /** As text; null = it was not there. */
  readonly before: string | null
  readonly after: string | null
}
type Change = Readonly<Record<string, unknown>> | null

/** Fields of one row that are drawn; an import of thousands tells its counts, not its content. */
export const DIFF_FIELDS = 200
/** Deeper nesting is told as JSON. */
const DEPTH = 4

/** Only what differs, by path. */
export const diffOf = (before: Change, after: Change): readonly FieldChange[] => {
  const old = new Map(flatten(before ?? {}, "", DEPTH))
  const now = new Map(flatten(after ?? {}, "", DEPTH))
  return [...new Set([...old.keys(), ...now.keys()])]
    .filter((path) => old.get(path) !== now.get(path))
    .sort()
    .slice(0, DIFF_FIELDS)
    .map((path) => ({ path, before: old.get(path) ?? null, after: now.get(path) ?? null }))
}

const flatten = (value: unknown, path: string, depth: number): readonly (readonly [string, string])[] => {
  if (typeof value === "object" && value !== null && !Array.isArray(value) && depth > 0) {
    const entries = Object.entries(value)
    if (entries.length > 0 || path === "") {
      return entries.flatMap(([name, inner]) => flatten(inner, path === "" ? name : `${path}.${name}`, depth - 1))
    }
  }
  return [[path, textOf(value)]]
}
/** Text stays as it is; a list is its items; null is told apart from "". */
const textOf = (value: unknown): string => {
  if (typeof value === "string") return value === "" ? "“”" : value
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value.join(", ") || "[]"
  return JSON.stringify(value) ?? "null"
}
