/** What a dropped or pasted document is, and the mistakes that the engine names. Pure. */
import type { Failure } from "#client/state/api.ts"

/** As the engine (engine/import): larger ones are refused before they are read. */
export const DOCUMENT_BYTES = 50 * 1024 * 1024

/** JSON starts with a brace or a bracket and GraphML with a <, whatever the file is called; all else is CSV. */
export const formatOf = (text: string): "json" | "csv" | "graphml" =>
  /^\uFEFF?\s*[{[]/.test(text) ? "json" : /^\uFEFF?\s*</.test(text) ? "graphml" : "csv"

export interface Mistake {
  readonly line: number
  readonly path: string
  readonly message: string
}
export interface Mistakes {
  readonly rows: readonly Mistake[]
  /** Of the whole document; the engine names only the first ones. */
  readonly total: number
}

/** Null when the failure is something else. */
export const mistakesOf = (failure: Failure | null): Mistakes | null => {
  if (failure?.kind !== "import-invalid") return null
  const errors: unknown = failure.fields["errors"]
  const rows = Array.isArray(errors) ? errors.filter(isMistake) : []
  const total = failure.fields["total"]
  return { rows, total: typeof total === "number" ? total : rows.length }
}
const isMistake = (value: unknown): value is Mistake =>
  typeof value === "object" &&
  value !== null &&
  "line" in value &&
  typeof value.line === "number" &&
  "path" in value &&
  typeof value.path === "string" &&
  "message" in value &&
  typeof value.message === "string"
