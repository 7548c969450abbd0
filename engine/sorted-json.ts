/** The one JSON text of a value: equal values, equal text, whatever the order of their members. For hashes and comparisons. */

/** What JSON has no word for. */
const DROPPED: ReadonlySet<string> = new Set(["undefined", "function", "symbol"])

/**
 * JSON with its members sorted by UTF-16 units and no spaces, without a bound. Undefined members are left out, undefined
 * itself is null, and what has a `toJSON` is written as that says. Throws RangeError for what is nested without end.
 */
export const sortedJson = (value: unknown): string => {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null"
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(",")}]`
  if ("toJSON" in value && typeof value.toJSON === "function") return sortedJson(value.toJSON())
  const members = Object.entries(value)
    .filter(([, member]) => !DROPPED.has(typeof member))
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${sortedJson(member)}`).join(",")}}`
}
