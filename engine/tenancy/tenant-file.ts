/**
 * The file of a tenant's export: zstd over lines. First a JSON header; then `table<tab>row as JSON`; last a JSON footer
 * with rows and SHA-256 of each table, so that a file that was cut or changed is found before anything is written.
 */
import { createHash, type Hash } from "node:crypto"
import { createReadStream, createWriteStream } from "node:fs"
import { createInterface } from "node:readline"
import { once } from "node:events"
import { pipeline } from "node:stream/promises"
import { createZstdCompress, createZstdDecompress } from "node:zlib"
import * as Data from "effect/Data"

export const FORMAT = 1

export interface Header {
  readonly heliograph: "tenant"
  readonly format: typeof FORMAT
  /** portable.ts, schemaOf. */
  readonly schema: string
  readonly slug: string
  readonly tenant: string
  readonly exportedMs: number
  /** Device credentials, sealed by a passphrase (passphrase.ts); null = they were not asked for. */
  readonly credentials: { readonly salt: string } | null
}
export interface Tally {
  readonly rows: number
  readonly sha256: string
}
export type Tallies = Readonly<Record<string, Tally>>

/** The file is no export that this engine can read; nothing was written. */
export class TenantFileUnreadable extends Data.TaggedError("TenantFileUnreadable")<{ readonly message: string }> {}

export interface TenantFileWriter {
  readonly row: (table: string, json: string) => Promise<void>
  /** Writes the footer; resolves when the file is closed. */
  readonly end: () => Promise<Tallies>
}

/** Mode 0600; an existing file is never overwritten. */
export const writeTenantFile = async (path: string, header: Header): Promise<TenantFileWriter> => {
  const zstd = createZstdCompress()
  const file = createWriteStream(path, { mode: 0o600, flags: "wx" })
  await once(file, "open")
  // Rejects as soon as the disk refuses; every wait below waits for it too.
  const written = pipeline(zstd, file)
  written.catch(() => undefined)
  const line = async (text: string): Promise<void> => {
    if (zstd.destroyed) return written
    if (!zstd.write(`${text}\n`)) await Promise.race([once(zstd, "drain"), written])
  }
  const counting = makeTallies()
  await line(JSON.stringify(header))
  return {
    row: (table, json) => {
      counting.add(table, json)
      return line(`${table}\t${json}`)
    },
    end: async () => {
      const tables = counting.done()
      await line(JSON.stringify({ end: true, tables }))
      zstd.end()
      await written
      return tables
    },
  }
}

/** Reads the whole file, row by row; rejects with TenantFileUnreadable when header, footer or a sum is wrong. */
export const readTenantFile = async (
  path: string,
  take: { readonly header: (header: Header) => void; readonly row: (table: string, json: string) => Promise<void> },
): Promise<Tallies> => {
  const lines = createInterface({ input: createReadStream(path).pipe(createZstdDecompress()), crlfDelay: Infinity })
  const counting = makeTallies()
  let header: Header | null = null
  let footer: { readonly tables: Tallies } | null = null
  try {
    for await (const line of lines) {
      if (footer !== null) throw unreadable("something follows its end")
      if (header === null) take.header((header = readHeader(line)))
      else if (line.startsWith("{")) footer = readFooter(line)
      else {
        const tab = line.indexOf("\t")
        const [table, json] = [line.slice(0, tab), line.slice(tab + 1)]
        counting.add(table, json)
        await take.row(table, json)
      }
    }
  } catch (error) {
    if (error instanceof TenantFileUnreadable || "_tag" in (error as object)) throw error
    throw unreadable("it is damaged, or no export of a tenant")
  }
  if (footer === null) throw unreadable("its end is missing: it was cut")
  const tables = counting.done()
  if (JSON.stringify(tables) !== JSON.stringify(footer.tables)) throw unreadable("its sums are wrong: it was changed")
  return tables
}

const unreadable = (why: string): TenantFileUnreadable =>
  new TenantFileUnreadable({ message: `the file cannot be read: ${why}` })

const readHeader = (line: string): Header => {
  const header = parse(line) as Partial<Header>
  if (header.heliograph !== "tenant" || typeof header.slug !== "string" || typeof header.tenant !== "string")
    throw unreadable("it is no export of a tenant")
  if (header.format !== FORMAT) throw unreadable(`its format is ${String(header.format)}, this engine reads ${FORMAT}`)
  return header as Header
}

const readFooter = (line: string): { readonly tables: Tallies } => {
  const footer = parse(line) as { end?: unknown; tables?: Tallies }
  if (footer.end !== true || typeof footer.tables !== "object") throw unreadable("its end is damaged")
  return { tables: footer.tables }
}

const parse = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    throw unreadable("a line of it is no JSON")
  }
}

const makeTallies = () => {
  const tables = new Map<string, { rows: number; readonly hash: Hash }>()
  return {
    add: (table: string, json: string): void => {
      const tally = tables.get(table) ?? { rows: 0, hash: createHash("sha256") }
      tables.set(table, tally)
      tally.rows += 1
      tally.hash.update(json).update("\n")
    },
    done: (): Tallies =>
      Object.fromEntries([...tables].map(([table, { rows, hash }]) => [table, { rows, sha256: hash.digest("hex") }])),
  }
}
