/**
 * `heliograph audit`: proof that the record of all acts is what was written, signed copies of it for auditors, and the
 * check of such a copy, which needs nothing but the file and our public key. Beside a running engine or without one.
 */
import * as Effect from "effect/Effect"
import { failed, settingsOf, type Command, type CommandInput, type CommandIo } from "#engine/cli/command.ts"
import type { Config } from "#engine/config.ts"
import { chooseTenant } from "#engine/import/choose-tenant.ts"
import type { TenantInfo } from "#engine/tenant/live-twin.ts"

const HELP = `usage: heliograph audit verify [--tenant T] [--json]
       heliograph audit export FILE [--tenant T] [--from TIME] [--to TIME]
       heliograph audit check FILE [--key FILE]
       heliograph audit key

Each tenant's audit is a chain of hashes, anchored outside the database in audit-anchors.jsonl and signed.
  verify   recompute every tenant's chain, or one's, and compare it with the anchors
  export   write entries as JSON lines, ascending, and their signature to FILE.sig; the export is an act itself
  check    verify an export's chain and signature; reads FILE and FILE.sig, needs no engine and no database
  key      print the public key that auditors check with, making the key if there is none yet
  --from, --to   2026-11-01, 2026-11-01T12:00:00Z, or Unix milliseconds; all entries if neither is given
  --key          public keys to check with (default: signing.pub in the data directory)
  --json         one JSON object a tenant
  --help         this text

Exit codes: 0 all is well, 1 something was altered or it failed, 2 wrong words or settings.`

export const auditCommand: Command = {
  name: "audit",
  summary: "verify, export and check the record of all acts",
  help: () => HELP,
  words: ["verify, export, check or key"],
  moreWords: ["FILE"],
  options: {
    tenant: { type: "string" },
    from: { type: "string" },
    to: { type: "string" },
    key: { type: "string" },
    json: { type: "boolean" },
  },
  run: (input, io) => {
    const [verb = "", file] = input.words
    const act = Object.hasOwn(ACTS, verb) ? ACTS[verb as keyof typeof ACTS] : undefined
    const wrong = (why: string): Promise<number> => {
      io.err(`heliograph audit: ${why}`)
      return Promise.resolve(2)
    }
    if (act === undefined) return wrong(`there is no "audit ${verb}"; there are verify, export, check and key`)
    if (act.file !== (file !== undefined))
      return wrong(act.file ? "FILE is missing" : `what is ${JSON.stringify(file)}?`)
    const times = [timeOf(input, "from"), timeOf(input, "to")] as const
    if (times.includes(undefined)) return wrong("--from and --to are dates like 2026-11-01, or Unix milliseconds")
    return act.run(input, file ?? "", io)
  },
}

interface Act {
  readonly file: boolean
  readonly run: (input: CommandInput, file: string, io: CommandIo) => Promise<number>
}

const option = ({ options }: CommandInput, name: string): string | null => {
  const value = options[name]
  return typeof value === "string" ? value : null
}

/** Null = not given; undefined = no time. */
const timeOf = (input: CommandInput, name: string): number | null | undefined => {
  const text = option(input, name)
  if (text === null) return null
  const ms = /^\d{9,16}$/.test(text) ? Number(text) : Date.parse(text)
  return Number.isSafeInteger(ms) && ms >= 0 ? ms : undefined
}

/** With the database open, and the tenants that are meant: all, or the one of --tenant. */
const withStorage = async (
  input: CommandInput,
  io: CommandIo,
  every: boolean,
  use: (scene: Scene) => Effect.Effect<number, unknown>,
): Promise<number> => {
  const loaded = settingsOf(io)
  if (loaded === null) return 2
  const { openToolStorage } = await import("#engine/cli/storage.ts")
  const { listTenants } = await import("#engine/storage/tenants.ts")
  const program = Effect.gen(function* () {
    const { db } = yield* openToolStorage(loaded.config, (line) => io.err(line))
    const all = yield* listTenants(db)
    const asked = option(input, "tenant")
    if (every && asked === null) return yield* use({ config: loaded.config, db, tenants: all, all })
    const choice = chooseTenant(
      asked,
      all.map(({ slug }) => slug),
    )
    if (!("use" in choice)) {
      io.err(`heliograph audit: ${"refuse" in choice ? choice.refuse : "there is no tenant yet"}`)
      return 2
    }
    return yield* use({ config: loaded.config, db, tenants: all.filter(({ slug }) => slug === choice.use), all })
  })
  try {
    return await Effect.runPromise(Effect.scoped(program))
  } catch (cause) {
    return failed("audit", cause, io)
  }
}

interface Scene {
  readonly config: Config
  readonly db: import("#engine/storage/db.ts").DbShape
  readonly tenants: readonly TenantInfo[]
  /** Also those that were not asked for. */
  readonly all: readonly TenantInfo[]
}

const verify = async (input: CommandInput, _: string, io: CommandIo): Promise<number> => {
  const { verifyAudit } = await import("#engine/audit/verify.ts")
  const { readAnchors } = await import("#engine/signing/anchor-file.ts")
  const { knownKeys } = await import("#engine/signing/signer.ts")
  return withStorage(input, io, true, ({ config, db, tenants, all }) =>
    Effect.gen(function* () {
      const { anchors, unreadable } = readAnchors(config.dataDir)
      const publicKeys = knownKeys(config.dataDir)
      let broken = 0
      for (const { id, slug } of tenants) {
        const startedMs = performance.now()
        const own = anchors.filter(({ tenant }) => tenant === id)
        const verdict = yield* verifyAudit(db, id, { anchors: own, publicKeys })
        const seconds = (performance.now() - startedMs) / 1000
        if (!verdict.intact) broken += 1
        if (input.options["json"] === true) io.out(JSON.stringify({ tenant: slug, ...verdict, seconds }))
        else
          io.out(
            verdict.intact
              ? `${slug}: intact, ${verdict.rows} rows, ${verdict.anchors} anchors, ${seconds.toFixed(1)} s`
              : `${slug}: BROKEN${verdict.brokenAtSeq === null ? "" : ` at row ${verdict.brokenAtSeq}`}: ${verdict.problem}`,
          )
      }
      if (unreadable > 0) io.err(`audit-anchors.jsonl: ${unreadable} lines cannot be read`)
      const gone = new Set(anchors.map(({ tenant }) => tenant))
      for (const { id } of all) gone.delete(id)
      if (gone.size > 0) io.err(`anchored, but not in this database (offboarded?): tenants ${[...gone].join(", ")}`)
      return broken === 0 ? 0 : 1
    }),
  )
}

const exportTo = async (input: CommandInput, file: string, io: CommandIo): Promise<number> => {
  const { exportAudit } = await import("#engine/audit/export.ts")
  const { openSigner } = await import("#engine/signing/signer.ts")
  const { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } = await import("node:fs")
  const { userInfo } = await import("node:os")
  return withStorage(input, io, false, ({ config, db, tenants }) =>
    Effect.gen(function* () {
      const signer = yield* openSigner(config.dataDir)
      const part = `${file}.part`
      const handle = openSync(part, "w", 0o600)
      const made = yield* exportAudit(
        db,
        signer,
        tenants[0]!.id,
        { kind: "local", id: "", name: userInfo().username, source: null },
        {
          fromMs: timeOf(input, "from") ?? null,
          toMs: timeOf(input, "to") ?? null,
          // The disk of whoever owns this machine: the tenant's quota is for the API.
          bytesMax: Number.MAX_SAFE_INTEGER,
          nowMs: Date.now(),
          write: (line) => writeFileSync(handle, line),
        },
      ).pipe(
        Effect.tap(() => Effect.sync(() => fsyncSync(handle))),
        Effect.onError(() => Effect.sync(() => rmSync(part, { force: true }))),
        Effect.ensuring(Effect.sync(() => closeSync(handle))),
      )
      const { signature, keyId, sha256 } = made
      const sealed = { heliograph: "audit export signature", version: 1, keyId, signature, sha256 }
      writeFileSync(`${file}.sig`, `${JSON.stringify(sealed)}\n`, { mode: 0o600 })
      renameSync(part, file)
      io.out(`${file}: ${made.rows} entries, ${made.bytes} bytes; ${file}.sig: signed with key ${keyId}`)
      return 0
    }),
  )
}

const check = async (input: CommandInput, file: string, io: CommandIo): Promise<number> => {
  const { createReadStream, readFileSync } = await import("node:fs")
  const { checkExport } = await import("#engine/audit/check.ts")
  const { knownKeys, readPublicKeys } = await import("#engine/signing/signer.ts")
  const keyFile = option(input, "key")
  const loaded = keyFile === null ? settingsOf(io) : null
  if (keyFile === null && loaded === null) return 2
  try {
    const publicKeys =
      keyFile === null ? knownKeys(loaded!.config.dataDir) : readPublicKeys(readFileSync(keyFile, "utf8"))
    if (publicKeys.size === 0) throw new Error("there is no public key to check with: give one with --key FILE")
    const { signature, keyId } = JSON.parse(readFileSync(`${file}.sig`, "utf8")) as Record<string, unknown>
    if (typeof signature !== "string" || typeof keyId !== "string") throw new Error(`${file}.sig holds no signature`)
    const bytes = createReadStream(file) as AsyncIterable<Buffer>
    const { problem, rows, header } = await checkExport(bytes, { signature, keyId }, publicKeys)
    if (problem === null)
      io.out(`${file}: intact, ${rows} entries of tenant ${header!.tenant}, signed with key ${keyId}`)
    else io.out(`${file}: NOT intact: ${problem}`)
    return problem === null ? 0 : 1
  } catch (cause) {
    return failed("audit check", cause, io)
  }
}

const key = async (_: CommandInput, __: string, io: CommandIo): Promise<number> => {
  const loaded = settingsOf(io)
  if (loaded === null) return 2
  const { mkdirSync } = await import("node:fs")
  const { openSigner } = await import("#engine/signing/signer.ts")
  try {
    mkdirSync(loaded.config.dataDir, { recursive: true })
    const { publicKeyPem, keyId } = await Effect.runPromise(openSigner(loaded.config.dataDir))
    io.err(`key ${keyId}`)
    io.out(publicKeyPem.trimEnd())
    return 0
  } catch (cause) {
    return failed("audit key", cause, io)
  }
}

const ACTS = {
  verify: { file: false, run: verify },
  export: { file: true, run: exportTo },
  check: { file: true, run: check },
  key: { file: false, run: key },
} as const satisfies Record<string, Act>
