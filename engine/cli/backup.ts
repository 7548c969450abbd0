/** `heliograph backup FILE` and `heliograph restore FILE`: the whole database in one file, and back (docs/memory.md). */
import { existsSync, readdirSync, renameSync } from "node:fs"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { failed, settingsOf } from "#engine/cli/command.ts"
import type { Command, CommandIo } from "#engine/cli/command.ts"
import type { Config } from "#engine/config.ts"

const MIGRATIONS = fileURLToPath(new URL("../../migrations", import.meta.url))

const BACKUP_HELP = `usage: heliograph backup FILE [--check]

Writes every table of the database into FILE, as of one moment, while the engine goes on. The keys in the data directory
(master.key, signing.key) are not in it: keep a copy of them somewhere else, or the credentials in it cannot be opened.
  --check  reads FILE instead and proves that it is whole
  --help   this text

Exit codes: 0 done, 1 it failed and says why, 2 wrong words or settings.`

const RESTORE_HELP = `usage: heliograph restore FILE [--replace]

Fills the database from a backup, in one transaction: all of it or nothing. Stop the engine first. The database may be
another one than the backup is from, of another major version too.
  --replace  deletes what the database holds now; without it a database with a tenant is refused
  --help     this text

Exit codes: 0 done, 1 it failed and says why, 2 wrong words or settings.`

export const backupCommand: Command = {
  name: "backup",
  summary: "write the whole database into one file, or check such a file",
  help: () => BACKUP_HELP,
  words: ["FILE"],
  options: { check: { type: "boolean" } },
  run: async ({ words: [file = ""], options }, io) => {
    if (options["check"] === true) return check(file, io)
    const loaded = settingsOf(io)
    if (loaded === null) return 2
    const { writeBackup } = await import("#engine/backup/backup.ts")
    try {
      const report = await withDatabase(loaded.config, "tool", io, (ownerUrl) =>
        writeBackup(ownerUrl, resolve(file), Date.now()),
      )
      io.out(`${report.rows} rows of ${report.tables} tables, ${megabytes(report.bytes)}: ${file}`)
      io.out("Keep it apart from master.key and signing.key, and try `heliograph backup --check` where you keep it.")
      return 0
    } catch (cause) {
      return failed("backup", cause, io)
    }
  },
}

const check = async (file: string, io: CommandIo): Promise<number> => {
  const { readBackup } = await import("#engine/backup/read.ts")
  try {
    const { head, manifest } = await readBackup(resolve(file))
    for (const [name, { rows }] of Object.entries(manifest.tables)) io.out(`  ${name.padEnd(24)} ${rows}`)
    io.out(
      `whole: ${manifest.rows} rows, made ${new Date(head.createdMs).toISOString()} by Heliograph ${head.version} on PostgreSQL ${head.postgres}`,
    )
    return 0
  } catch (cause) {
    return failed("backup --check", cause, io)
  }
}

export const restoreCommand: Command = {
  name: "restore",
  summary: "fill the database from a backup",
  help: () => RESTORE_HELP,
  words: ["FILE"],
  options: { replace: { type: "boolean" } },
  run: async ({ words: [file = ""], options }, io) => {
    const loaded = settingsOf(io)
    if (loaded === null) return 2
    const { config } = loaded
    const { restoreBackup } = await import("#engine/backup/restore.ts")
    try {
      // As the engine would: nobody else may own the data directory meanwhile.
      const report = await withDatabase(config, "engine", io, async (ownerUrl) => {
        const restored = await restoreBackup({
          ownerUrl,
          file: resolve(file),
          migrations: MIGRATIONS,
          replace: options["replace"] === true,
          log: (line) => io.err(line),
        })
        putSpoolAside(config.dataDir, io)
        return restored
      })
      io.out(
        `${report.rows} rows of ${report.tables} tables restored, as of ${new Date(report.createdMs).toISOString()}`,
      )
      io.out("The credentials need the master.key of that time: `heliograph start` says when it is not the right one.")
      return 0
    } catch (cause) {
      return failed("restore", cause, io)
    }
  },
}

const withDatabase = async <A>(
  config: Config,
  purpose: "engine" | "tool",
  io: CommandIo,
  use: (ownerUrl: string) => Promise<A>,
): Promise<A> => {
  const { openDatabase } = await import("#engine/storage/launcher.ts")
  const program = Effect.gen(function* () {
    const { ownerUrl } = yield* openDatabase({
      dataDir: resolve(config.dataDir),
      ...(config.databaseUrl === null ? {} : { databaseUrl: Redacted.value(config.databaseUrl) }),
      app: "heliograph",
      log: (line) => io.err(line),
      purpose,
    })
    return yield* Effect.tryPromise({ try: () => use(ownerUrl), catch: (cause) => cause })
  })
  return Effect.runPromise(Effect.scoped(program))
}

/** Inputs that waited on disk for the database of before must never be drained into the restored one. */
const putSpoolAside = (dataDir: string, io: CommandIo): void => {
  const spool = join(resolve(dataDir), "spool")
  if (!existsSync(spool) || readdirSync(spool).length === 0) return
  const aside = `${spool}.before-restore-${Date.now()}`
  renameSync(spool, aside)
  io.err(`inputs that waited for the old database were put aside: ${aside}`)
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`
