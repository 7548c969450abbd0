/**
 * `heliograph tenant`: what a platform administrator does by the API, for whoever owns the machine: the engine itself does
 * it, through its local channel. Export and import work on the database, beside an engine or without one.
 */
import { readFileSync, statSync } from "node:fs"
import { resolve } from "node:path"
import * as Effect from "effect/Effect"
import { failed, settingsOf, type Command, type CommandInput, type CommandIo } from "#engine/cli/command.ts"
import { askTenants } from "#engine/cli/local-client.ts"
import type { Config } from "#engine/config.ts"
import type { Tallies } from "#engine/tenancy/tenant-file.ts"

const HELP = `usage: heliograph tenant list
       heliograph tenant create SLUG [--name NAME] [--tier small|medium|large]
       heliograph tenant suspend SLUG
       heliograph tenant resume SLUG
       heliograph tenant offboard SLUG --confirm SLUG --reason TEXT
       heliograph tenant export SLUG FILE [--credentials --passphrase-file F]
       heliograph tenant import FILE [--passphrase-file F]

  list       tenants, their tier, and what they declare
  create     a new tenant, running at once; prints the invitation of its first administrator
  suspend    nobody of it signs in, nothing of it is polled; nothing is deleted
  offboard   deletes every row, key and file of it; there is no way back
  export     inventory, people without passwords, roles, settings, events, history and audit, as one file (mode 600)
  import     such a file into this engine, which must not have the tenant; prints an invitation, as passwords stay behind
  --credentials       the devices' credentials too, sealed by the passphrase in the file F (mode 600, 12 characters or more)
  --help              this text

All but export and import need the running engine. Exit codes: 0 done, 1 not done, 2 wrong words or settings.`

export const tenantCommand: Command = {
  name: "tenant",
  summary: "list, create, suspend, resume, offboard, export and import tenants",
  help: () => HELP,
  words: ["list, create, suspend, resume, offboard, export or import"],
  moreWords: ["SLUG", "FILE"],
  options: {
    name: { type: "string" },
    tier: { type: "string" },
    confirm: { type: "string" },
    reason: { type: "string" },
    credentials: { type: "boolean" },
    "passphrase-file": { type: "string" },
  },
  run: async (input, io) => {
    const [verb = ""] = input.words
    const act = Object.hasOwn(ACTS, verb) ? ACTS[verb as keyof typeof ACTS] : undefined
    if (act === undefined || input.words.length - 1 !== act.words) {
      io.err(
        `heliograph tenant: ${act === undefined ? `there is no "tenant ${verb}"` : "words are missing or too many"}`,
      )
      io.err(HELP.split("\n\n")[0] ?? "")
      return 2
    }
    const loaded = settingsOf(io)
    if (loaded === null) return 2
    try {
      return await act.run(loaded.config, input, io)
    } catch (cause) {
      return failed("tenant", cause, io)
    }
  },
}

interface Act {
  /** That follow the verb. */
  readonly words: number
  readonly run: (config: Config, input: CommandInput, io: CommandIo) => Promise<number>
}

const option = ({ options }: CommandInput, name: string): string => {
  const value = options[name]
  return typeof value === "string" ? value : ""
}

const list: Act["run"] = async (config, _, io) => {
  const { tenants } = (await ask(config, "GET", "/tenants")) as { readonly tenants: readonly Row[] }
  for (const { slug, name, tier, suspended, devices, links, users } of tenants)
    io.out(
      [
        slug,
        name,
        tier,
        suspended ? "suspended" : "runs",
        `${told(devices)} devices`,
        `${told(links)} links`,
        `${told(users)} users`,
      ].join("\t"),
    )
  return 0
}
interface Row {
  readonly slug: string
  readonly name: string
  readonly tier: string
  readonly suspended: boolean
  readonly devices: number | null
  readonly links: number | null
  readonly users: number | null
}
const told = (count: number | null): string => (count === null ? "?" : String(count))

const create: Act["run"] = async (config, input, io) => {
  const wanted = { slug: input.words[1], name: option(input, "name"), tier: option(input, "tier") }
  const made = (await ask(config, "POST", "/tenants", wanted)) as { readonly invitationToken: string }
  io.out(`${wanted.slug} runs. Its first administrator comes in with this invitation, once, within three days:`)
  io.out(made.invitationToken)
  return 0
}

const turn =
  (verb: "suspend" | "resume"): Act["run"] =>
  async (config, { words }, io) => {
    await ask(config, "POST", `/tenants/${encodeURIComponent(words[1] ?? "")}/${verb}`, {})
    io.out(`${words[1]} is ${verb === "suspend" ? "suspended" : "running"}.`)
    return 0
  }

const offboard: Act["run"] = async (config, input, io) => {
  const slug = input.words[1] ?? ""
  const sure = { confirm: option(input, "confirm"), reason: option(input, "reason") }
  if (sure.confirm === "" || sure.reason === "") {
    io.err("heliograph tenant offboard: --confirm SLUG and --reason TEXT are needed: there is no way back")
    return 2
  }
  const { rows } = (await ask(config, "POST", `/tenants/${encodeURIComponent(slug)}/offboard`, sure)) as {
    readonly rows: Readonly<Record<string, number>>
  }
  for (const [table, count] of Object.entries(rows)) if (count > 0) io.out(`  ${table}\t${count}`)
  io.out(`${slug} is gone; 0 rows of it are left.`)
  return 0
}

/** The answer of the running engine; rejects with its words. */
const ask = async (config: Config, method: "GET" | "POST", path: string, body?: unknown): Promise<unknown> => {
  const answer = await askTenants(config.dataDir, method, path, body)
  if (answer === null) throw new Error("no engine runs here: start it first")
  if (answer.status === 200) return answer.body
  const detail = (answer.body as { readonly detail?: unknown } | null)?.detail
  throw new Error(typeof detail === "string" ? detail : `the engine answered ${answer.status}`)
}

const exportIt: Act["run"] = async (config, input, io) => {
  const [, slug = "", file = ""] = input.words
  const passphrase = input.options["credentials"] === true ? readPassphrase(option(input, "passphrase-file")) : null
  const tallies = await withStorage(config, io, ({ db, vault, transfer }) =>
    transfer.exportTenant(db, vault, slug, resolve(file), passphrase),
  )
  tell(tallies, io)
  io.out(`${slug} is in ${file}${passphrase === null ? "; its devices' credentials are not" : ""}.`)
  return 0
}

const importIt: Act["run"] = async (config, input, io) => {
  const given = option(input, "passphrase-file")
  const passphrase = given === "" ? null : readPassphrase(given)
  const done = await withStorage(config, io, ({ db, vault, transfer, undo }) =>
    transfer.importTenant(db, vault, resolve(input.words[1] ?? ""), passphrase, undo),
  )
  tell(done.tallies, io)
  io.out(`${done.slug} is here and runs from the engine's next start (or: heliograph tenant resume ${done.slug}).`)
  io.out("Passwords stayed behind. This invites an administrator, once, within three days:")
  io.out(done.invitationToken)
  return 0
}

const tell = (tallies: Tallies, io: CommandIo): void => {
  for (const [table, { rows, sha256 }] of Object.entries(tallies)) io.out(`  ${table}\t${rows}\t${sha256.slice(0, 16)}`)
}

const readPassphrase = (path: string): string => {
  if (path === "") throw new Error("--passphrase-file F is needed with --credentials")
  if ((statSync(path).mode & 0o077) !== 0) throw new Error(`${path} may be read by others: chmod 600`)
  const text = readFileSync(path, "utf8").replace(/\r?\n$/, "")
  if (text.length < 12) throw new Error("a passphrase has 12 characters or more")
  return text
}

const withStorage = async <A, E extends { readonly message: string }>(
  config: Config,
  io: CommandIo,
  use: (storage: Storage) => Effect.Effect<A, E>,
): Promise<A> => {
  const { openToolStorage } = await import("#engine/cli/storage.ts")
  const { openVault } = await import("#engine/storage/vault.ts")
  const transfer = await import("#engine/tenancy/transfer.ts")
  const { removeRows } = await import("#engine/tenancy/offboard.ts")
  const program = Effect.gen(function* () {
    const { db, database } = yield* openToolStorage(config, (line) => io.err(line))
    const vault = yield* openVault(db, {
      dataDir: config.dataDir,
      ...(config.masterKeyFile === null ? {} : { masterKeyFile: config.masterKeyFile }),
    })
    const undo: Storage["undo"] = (tenant, slug) => {
      const own = db.own.get(slug)?.urls()?.ownerUrl
      const urls = own === undefined ? [database.ownerUrl] : [own, database.ownerUrl]
      return Effect.forEach(urls, (url) => removeRows(url, tenant))
    }
    return yield* use({ db, vault, transfer, undo })
  })
  return Effect.runPromise(Effect.scoped(program))
}
type Transfer = typeof import("#engine/tenancy/transfer.ts")
interface Storage {
  readonly db: Parameters<Transfer["exportTenant"]>[0]
  readonly vault: Parameters<Transfer["exportTenant"]>[1]
  readonly transfer: Transfer
  readonly undo: Parameters<Transfer["importTenant"]>[4]
}

const ACTS = {
  list: { words: 0, run: list },
  create: { words: 1, run: create },
  suspend: { words: 1, run: turn("suspend") },
  resume: { words: 1, run: turn("resume") },
  offboard: { words: 1, run: offboard },
  export: { words: 2, run: exportIt },
  import: { words: 1, run: importIt },
} as const satisfies Readonly<Record<string, Act>>
