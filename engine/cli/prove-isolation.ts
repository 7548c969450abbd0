/** `heliograph prove-isolation`: one signed report that tenants cannot see each other (PRODUCT.md T1, T2, T10). */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { failed, settingsOf, type Command, type CommandInput, type CommandIo } from "#engine/cli/command.ts"
import type { Config } from "#engine/config.ts"
import { VERSION } from "#engine/version.ts"

const HELP = `usage: heliograph prove-isolation [--out FILE] [--calls N] [--seed N]
       heliograph prove-isolation --check FILE [--key FILE]

Audits the catalogue of every database, reads the roles' flags, tries row security out as the role that serves requests
(in transactions that are rolled back), and knocks at a running engine's API as one tenant with the ids of the others,
with a key that is revoked afterwards; making and revoking it stands in that tenant's audit. Changes nothing else.
  --out     write the signed report as JSON
  --calls   API calls with foreign ids (default 10000; a quota that says "later" is obeyed)
  --seed    which ids at which doors (default 1)
  --check   verify a report's signature; needs no engine and no database
  --key     public keys to check with (default: signing.pub in the data directory)
  --help    this text

Exit codes: 0 isolated (--check: genuine), 1 broken, incomplete or failed, 2 wrong words or settings.`

const CALLS_MAX = 10_000_000

export const proveIsolationCommand: Command = {
  name: "prove-isolation",
  summary: "one signed report that tenants cannot see each other",
  help: () => HELP,
  words: [],
  options: {
    out: { type: "string" },
    calls: { type: "string" },
    seed: { type: "string" },
    check: { type: "string" },
    key: { type: "string" },
  },
  run: async (input, io) => {
    const loaded = settingsOf(io)
    if (loaded === null) return 2
    const [calls, seed] = [whole(input, "calls", 10_000), whole(input, "seed", 1)]
    if (calls === null || seed === null) {
      io.err(`heliograph prove-isolation: --calls and --seed are whole numbers up to ${CALLS_MAX}`)
      return 2
    }
    try {
      const file = input.options["check"]
      return typeof file === "string"
        ? await check(file, input, loaded.config, io)
        : await prove(calls, seed, input, loaded.config, io)
    } catch (cause) {
      return failed("prove-isolation", cause, io)
    }
  },
}

const whole = ({ options }: CommandInput, name: string, fallback: number): number | null => {
  const text = options[name]
  if (text === undefined) return fallback
  return typeof text === "string" && /^\d{1,8}$/.test(text) && Number(text) <= CALLS_MAX ? Number(text) : null
}

const prove = async (
  calls: number,
  seed: number,
  input: CommandInput,
  config: Config,
  io: CommandIo,
): Promise<number> => {
  const { askStatus } = await import("#engine/cli/local-client.ts")
  const { openToolStorage } = await import("#engine/cli/storage.ts")
  const { proveIsolation } = await import("#engine/isolation/prove.ts")
  const { signReport, summaryOf } = await import("#engine/isolation/report.ts")
  const { openSigner } = await import("#engine/signing/signer.ts")
  const url = (await askStatus(config.dataDir))?.url ?? null
  const program = Effect.gen(function* () {
    const { database, db } = yield* openToolStorage(config, (line) => io.err(line))
    const signer = yield* openSigner(config.dataDir)
    const report = yield* proveIsolation({ db, home: database, url, calls, seed, version: VERSION, nowMs: Date.now })
    return signReport(report, signer)
  })
  const signed = await Effect.runPromise(Effect.scoped(program))
  for (const line of summaryOf(signed.report)) io.out(line)
  const out = input.options["out"]
  if (typeof out === "string") {
    writeFileSync(out, `${JSON.stringify(signed, null, 2)}\n`, { mode: 0o600 })
    io.out(`report in ${out}, signed by key ${signed.keyId}`)
  }
  return signed.report.verdict === "isolated" ? 0 : 1
}

/** Reports are a few kilobytes per database. */
const REPORT_BYTES_MAX = 16 << 20

const check = async (file: string, input: CommandInput, config: Config, io: CommandIo): Promise<number> => {
  const { checkReport, readSigned } = await import("#engine/isolation/report.ts")
  const { readPublicKeys } = await import("#engine/signing/signer.ts")
  const given = input.options["key"]
  const keyFile = typeof given === "string" ? given : join(config.dataDir, "signing.pub")
  const keys = readPublicKeys(readFileSync(keyFile, "utf8"))
  const text = readFileSync(file, "utf8")
  if (text.length > REPORT_BYTES_MAX) throw new Error(`${file} is larger than any report`)
  const wrong = checkReport(text, keys)
  io.out(
    wrong === null
      ? `${file}: genuine, verdict ${readSigned(text)?.report.verdict ?? ""}`
      : `${file}: NOT GENUINE: ${wrong}`,
  )
  return wrong === null ? 0 : 1
}
