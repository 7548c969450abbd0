/**
 * Everywhere that a word could have got to: every row of every table with its packed bytes unpacked, and every file of
 * the data directory, the database's own included. For tests that something is kept nowhere.
 */
import assert from "node:assert/strict"
import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { zstdDecompressSync } from "node:zlib"
import * as Effect from "effect/Effect"
import { Client } from "pg"
import WebSocket from "ws"
import { openToolStorage } from "#engine/cli/storage.ts"
import { loadConfig } from "#engine/config.ts"
import { encodeClient } from "#protocol/codec.ts"
import { PROTOCOL_VERSION, PROTOCOL_VERSION_MIN } from "#protocol/wire.ts"

/** A second viewer that keeps the bytes of its frames. */
export const listen = async (url: string, cookie: string) => {
  const frames: Buffer[] = []
  const socket = new WebSocket(`${url.replace("http", "ws")}/stream`, { headers: { cookie, origin: url } })
  socket.on("message", (data: Buffer) => frames.push(data))
  await new Promise((opened) => socket.once("open", opened))
  const range = { versionMax: PROTOCOL_VERSION, versionMin: PROTOCOL_VERSION_MIN }
  socket.send(encodeClient({ kind: "HELLO", ...range, resume: null, lang: "en" }))
  const close = (): Promise<unknown> =>
    new Promise((closed) => {
      socket.once("close", closed)
      socket.close()
    })
  return { frames, close }
}

/** Every row of every table as PostgreSQL writes it, and every packed value unpacked. */
export const searchTables = async (
  dataDir: string,
  search: (where: string, bytes: Buffer) => boolean,
): Promise<{ readonly rows: number; readonly hits: number }> => {
  const loaded = loadConfig({ env: { HELIOGRAPH_DATA_DIR: dataDir, HELIOGRAPH_LOOPBACK_TARGETS: "allow" } })
  assert.ok(loaded._tag === "Config")
  return Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const { database } = yield* openToolStorage(loaded.config, () => undefined)
        return yield* Effect.promise(() => searchAsOwner(database.ownerUrl, search))
      }),
    ),
  )
}

const searchAsOwner = async (
  ownerUrl: string,
  search: (where: string, bytes: Buffer) => boolean,
): Promise<{ rows: number; hits: number }> => {
  const owner = new Client({ connectionString: ownerUrl })
  await owner.connect()
  let [rows, hits] = [0, 0]
  try {
    const { rows: tables } = await owner.query<{ name: string }>(
      "select quote_ident(schemaname) || '.' || quote_ident(tablename) as name from pg_tables where schemaname = 'heliograph'",
    )
    assert.ok(tables.length > 20)
    for (const { name } of tables) {
      const { rows: all } = await owner.query<Record<string, unknown>>(`select * from ${name}`)
      for (const row of all) {
        rows += 1
        if (search(`a row of ${name}`, Buffer.from(JSON.stringify(row)))) hits += 1
        for (const [column, value] of Object.entries(row))
          if (Buffer.isBuffer(value))
            for (const bytes of unpacked(value)) if (search(`${name}.${column}`, bytes)) hits += 1
      }
    }
  } finally {
    await owner.end()
  }
  return { rows, hits }
}

/** As it is, and decompressed where it is compressed (engine/storage/journal-row.ts: one byte tells the form). */
const unpacked = (value: Buffer): readonly Buffer[] => {
  const forms = [value]
  for (const from of [0, 1]) {
    try {
      forms.push(zstdDecompressSync(value.subarray(from)))
    } catch {
      // Not compressed, or not from here.
    }
  }
  return forms
}

/** All files of the data directory, the database's own too. Sockets and what vanishes meanwhile are no files. */
export const filesOf = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, encoding: "utf8" })
    .map((name) => join(dir, name))
    .filter((file) => {
      try {
        return statSync(file).isFile()
      } catch {
        return false
      }
    })
