/**
 * Reads a backup from its first line to its last, proving on the way that it is whole: every table's count and hash, and
 * the manifest at the end. Verifying is reading with nobody listening; restoring reads twice, so that not one row of a
 * damaged file is ever written.
 */
import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { createZstdDecompress } from "node:zlib"
import {
  BackupUnreadable,
  CLOSING_PREFIX,
  parseHead,
  parseLine,
  type Head,
  type Manifest,
  type TableClosing,
  type TableOpening,
} from "#engine/backup/format.ts"

export interface Listener {
  readonly head?: (head: Head) => Promise<void>
  readonly table?: (table: TableOpening) => Promise<void>
  readonly row?: (text: string) => Promise<void> | undefined
  readonly tableEnd?: (table: TableClosing) => Promise<void>
}

export interface BackupContents {
  readonly head: Head
  readonly manifest: Manifest["manifest"]
}

/** Rejects with BackupUnreadable, or with what the listener rejected with. */
export const readBackup = async (file: string, listener: Listener = {}): Promise<BackupContents> => {
  const source = createReadStream(file)
  const zstd = createZstdDecompress()
  source.once("error", (error) => zstd.destroy(unreadable(error)))
  const broken = new Promise<never>((_, reject) => zstd.once("error", (error) => reject(unreadable(error))))
  broken.catch(() => {})
  try {
    return await Promise.race([fold(linesOf(source.pipe(zstd)), listener), broken])
  } finally {
    source.destroy()
    zstd.destroy()
  }
}

const unreadable = (error: NodeJS.ErrnoException): BackupUnreadable =>
  error instanceof BackupUnreadable
    ? error
    : new BackupUnreadable({
        message:
          error.code === "ENOENT"
            ? "there is no such file"
            : `the backup cannot be read: it is no zstd file, or it is cut off (${error.code ?? error.message})`,
      })

/** Split at line feeds alone: node's readline also splits at U+2028, which device text may hold. */
const linesOf = async function* (bytes: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let parts: Buffer[] = []
  for await (const chunk of bytes) {
    let from = 0
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, at))
      yield Buffer.concat(parts).toString("utf8")
      parts = []
      from = at + 1
    }
    parts.push(Buffer.from(chunk.subarray(from)))
  }
  if (parts.some((part) => part.length > 0)) throw damaged("its last line is cut off")
}

const fold = async (lines: AsyncIterable<string>, listener: Listener): Promise<BackupContents> => {
  const reader = new Reader(listener)
  for await (const line of lines) await reader.line(line)
  return reader.contents()
}

class Reader {
  readonly #listener: Listener
  #head: Head | null = null
  #table: { readonly name: string; rows: number; hash: ReturnType<typeof createHash> } | null = null
  readonly #done = new Map<string, { rows: number; sha256: string }>()
  #manifest: Manifest["manifest"] | null = null

  constructor(listener: Listener) {
    this.#listener = listener
  }

  async line(text: string): Promise<void> {
    if (this.#manifest !== null) throw damaged("something follows the manifest")
    if (this.#head === null) {
      this.#head = parseHead(text)
      await this.#listener.head?.(this.#head)
    } else if (this.#table === null) await this.#between(text)
    else if (text.startsWith(CLOSING_PREFIX)) await this.#close(text)
    else {
      this.#table.rows++
      this.#table.hash.update(`${text}\n`)
      await this.#listener.row?.(text)
    }
  }

  contents(): BackupContents {
    if (this.#head === null || this.#manifest === null) throw damaged("it ends before its manifest: it is cut off")
    return { head: this.#head, manifest: this.#manifest }
  }

  async #between(text: string): Promise<void> {
    const value = parseLine(text, "table line")
    const manifest = value["manifest"] as Manifest["manifest"] | undefined
    if (manifest !== undefined) {
      this.#checkManifest(manifest)
      this.#manifest = manifest
      return
    }
    const { table, columns } = value as unknown as TableOpening
    if (typeof table !== "string" || !Array.isArray(columns)) throw damaged("a table line is none")
    if (this.#done.has(table)) throw damaged(`table ${table} is there twice`)
    this.#table = { name: table, rows: 0, hash: createHash("sha256") }
    await this.#listener.table?.({ table, columns })
  }

  async #close(text: string): Promise<void> {
    const { end, rows, sha256 } = parseLine(text, "end of a table") as unknown as TableClosing
    const table = this.#table!
    const found = table.hash.digest("hex")
    if (end !== table.name || rows !== table.rows) throw damaged(`table ${table.name} has not the rows it should have`)
    if (sha256 !== found) throw damaged(`table ${table.name} was altered`)
    this.#done.set(end, { rows, sha256 })
    this.#table = null
    await this.#listener.tableEnd?.({ end, rows, sha256 })
  }

  #checkManifest({ rows, tables }: Manifest["manifest"]): void {
    const names = Object.keys(tables ?? {})
    const same =
      names.length === this.#done.size &&
      names.every((name) => {
        const done = this.#done.get(name)
        return done?.rows === tables[name]?.rows && done?.sha256 === tables[name]?.sha256
      })
    const sum = [...this.#done.values()].reduce((total, table) => total + table.rows, 0)
    if (!same || rows !== sum) throw damaged("its tables are not those of its manifest")
  }
}

const damaged = (why: string): BackupUnreadable => new BackupUnreadable({ message: `the backup is damaged: ${why}` })
