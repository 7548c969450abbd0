/**
 * The one text of a JSON value: members sorted, no spaces, nothing that PostgreSQL refuses. The audit stores and hashes
 * this very text, so that what the database gives back can be hashed again byte for byte. What is too large is cut, and
 * says so where it was cut; a value that is no JSON (a function, a symbol) is left out as JSON.stringify does.
 */
import { pgText } from "#engine/storage/pg-text.ts"

/** Of one side (before or after) of an act, UTF-8. */
export const SIDE_BYTES_MAX = 64 * 1024
/** Room for the marks of what was cut. */
const MARK_BYTES = 256
const STRING_UNITS_MAX = 8_192
const KEY_UNITS_MAX = 200
const DEPTH_MAX = 32
/** Stands for what was cut: as a string's end, as the last item of a list, and as a member of an object. */
export const CUT = "[cut]"

/** At most SIDE_BYTES_MAX bytes, whatever is given. */
export const canonicalJson = (value: unknown): string => {
  const budget: Budget = { bytes: SIDE_BYTES_MAX - MARK_BYTES }
  return write(value, 0, budget) ?? "null"
}

interface Budget {
  bytes: number
}

/** Undefined = nothing that JSON has. */
const write = (value: unknown, depth: number, budget: Budget): string | undefined => {
  switch (typeof value) {
    case "string":
      return spent(budget, quoted(value, STRING_UNITS_MAX))
    case "number":
      // Also -0, NaN and the infinities as JSON.stringify writes them.
      return spent(budget, JSON.stringify(value))
    case "boolean":
      return spent(budget, String(value))
    case "bigint":
      return spent(budget, quoted(String(value), STRING_UNITS_MAX))
    case "object":
      if (value === null) return spent(budget, "null")
      if (depth >= DEPTH_MAX) return spent(budget, quoted(CUT, CUT.length))
      if (value instanceof Date)
        return spent(budget, Number.isFinite(value.getTime()) ? `"${value.toISOString()}"` : "null")
      if (Array.isArray(value)) return list(value, depth, budget)
      return object(value, depth, budget)
    default:
      return undefined
  }
}

const list = (items: readonly unknown[], depth: number, budget: Budget): string => {
  const parts: string[] = []
  budget.bytes -= 2
  for (const [index, item] of items.entries()) {
    const part = within(budget, (own) => write(item, depth + 1, own) ?? spent(own, "null"))
    if (part === null) {
      parts.push(`"${CUT} ${items.length - index} more"`)
      break
    }
    parts.push(part)
  }
  return `[${parts.join(",")}]`
}

const object = (value: object, depth: number, budget: Budget): string => {
  const parts: Array<readonly [key: string, text: string]> = []
  budget.bytes -= 2
  const members = membersOf(value)
  for (const [index, [key, member]] of members.entries()) {
    const part = within(budget, (own) => {
      const text = write(member, depth + 1, own)
      return text === undefined ? "" : spent(own, `${JSON.stringify(key)}:`) + text
    })
    if (part === null) {
      parts.push([CUT, `"${CUT}":"${members.length - index} more"`])
      break
    }
    if (part !== "") parts.push([key, part])
  }
  // The mark stands at its own place among the members.
  return `{${parts
    .sort(byKey)
    .map(([, text]) => text)
    .join(",")}}`
}

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : a > b ? 1 : 0)

/** Own members by their stored names, sorted; of two that become one name the later stays. `__proto__` is a name. */
const membersOf = (value: object): ReadonlyArray<readonly [string, unknown]> => {
  const members = new Map<string, unknown>()
  for (const [key, member] of Object.entries(value)) {
    const name = pgText(key, KEY_UNITS_MAX)
    // A member that was called like our own mark must not pass for one.
    members.set(name === CUT ? `${CUT}'` : name, member)
  }
  return [...members].sort(byKey)
}

/** What fits and is then spent; null = it does not fit, and nothing of it is written. A comma is counted. */
const within = (budget: Budget, make: (own: Budget) => string): string | null => {
  const own: Budget = { bytes: budget.bytes - 1 - MARK_BYTES }
  const text = make(own)
  if (own.bytes < 0) return null
  budget.bytes = own.bytes + MARK_BYTES
  return text
}

const spent = (budget: Budget, text: string): string => {
  budget.bytes -= Buffer.byteLength(text)
  return text
}

const quoted = (text: string, max: number): string =>
  JSON.stringify(text.length > max ? pgText(text, max - CUT.length) + CUT : pgText(text, max))
