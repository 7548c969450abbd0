/**
 * The file of a backup: zstd over lines of JSON. First the head, then each table (its opening line, its rows as PostgreSQL
 * prints them, its closing line with count and hash), last the manifest. A row is text that PostgreSQL wrote and PostgreSQL
 * reads (to_jsonb, jsonb_populate_recordset): exact for every type, the same across major versions, and never interpreted
 * here. Truncated or altered files are refused before anything is written.
 */
import * as Data from "effect/Data"

export const FORMAT = "heliograph-backup-1"

export interface Head {
  readonly format: typeof FORMAT
  readonly version: string
  readonly createdMs: number
  readonly postgres: string
  /** Migrations of the database, by name, with the hash of their text. */
  readonly migrations: readonly Migration[]
}
export interface Migration {
  readonly name: string
  readonly sha256: string
}
export interface TableOpening {
  readonly table: string
  readonly columns: readonly string[]
}
export interface TableClosing {
  readonly end: string
  readonly rows: number
  /** Hex, over the rows' lines with their line ends. */
  readonly sha256: string
}
export interface Manifest {
  readonly manifest: {
    readonly rows: number
    readonly tables: Readonly<Record<string, { readonly rows: number; readonly sha256: string }>>
  }
}

/** The file is no backup, not whole, or altered. `message` says where and what. */
export class BackupUnreadable extends Data.TaggedError("BackupUnreadable")<{ readonly message: string }> {}

/** What one line is. A row is recognised by where it stands, never by its content: its text is not ours. */
export const parseLine = (line: string, what: string): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // Told below, without the line: it may hold anything.
  }
  throw new BackupUnreadable({ message: `the ${what} of the backup cannot be read: the file is damaged` })
}

export const parseHead = (line: string): Head => {
  const value = parseLine(line, "first line")
  if (value["format"] !== FORMAT) {
    const format = typeof value["format"] === "string" ? value["format"].slice(0, 64) : "none"
    throw new BackupUnreadable({
      message: `this is no backup that this build can read (format ${JSON.stringify(format)})`,
    })
  }
  return value as unknown as Head
}

/** Opens every line that closes a table. No row does: PostgreSQL prints jsonb with a space after each colon. */
export const CLOSING_PREFIX = '{"end":"'
