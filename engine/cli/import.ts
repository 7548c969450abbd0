/**
 * `heliograph import FILE`: sites, devices and links of an operator's own network. A running engine takes the file
 * through its local channel, so that the live twin has it at once; else it is written to storage for the next start.
 */
import { readFile } from "node:fs/promises"
import * as Effect from "effect/Effect"
import { failed, settingsOf } from "#engine/cli/command.ts"
import type { Command, CommandIo } from "#engine/cli/command.ts"
import { sendImport } from "#engine/cli/local-client.ts"
import type { Config } from "#engine/config.ts"
import { chooseTenant, DEFAULT_TENANT } from "#engine/import/choose-tenant.ts"
import type { Change, ImportDocument, ImportMode, ImportReport } from "#engine/import/document.ts"
import { formatImportErrors } from "#engine/import/parse.ts"
import { parseFile } from "#engine/import/parse-file.ts"

const HELP = `usage: heliograph import FILE [--tenant SLUG] [--dry-run] [--replace]

Adds and updates sites, devices, links and what joins them (groups, providers, services) from a file; nothing is removed
unless you say so, and the same file twice changes nothing.
  FILE            JSON as engine/import/schema.json describes it, or GraphML: nodes become devices, edges links,
                  Latitude and Longitude places (missing ones are guessed from neighbours, and marked);
                  - reads standard input
  --tenant SLUG   whose network it is; needed only when there are several tenants
  --dry-run       says what would change, and changes nothing
  --replace       also removes what the file does not name; try it with --dry-run first
  --help          this text

{ "sites":   [{ "id": "sao-1", "name": "São Paulo 1", "latitude": -23.55, "longitude": -46.63 }],
  "devices": [{ "name": "core1", "address": "192.0.2.1", "site": "sao-1", "roles": ["core"],
                "snmp": { "community": "..." }, "routeros": { "user": "...", "password": "..." }, "pollSeconds": 10 }],
  "links":   [{ "a": { "device": "core1", "interface": "ether1" }, "b": { "device": "core2", "interface": "ether1" },
                "capacityBps": 10000000000 }] }

Mistakes are named by line, column and field; then nothing is imported.
Exit codes: 0 imported (or dry run), 1 not imported, 2 wrong words, settings or file.`

export const importCommand: Command = {
  name: "import",
  summary: "add or update sites, devices and links from a JSON or GraphML file",
  help: () => HELP,
  words: ["FILE"],
  options: { tenant: { type: "string" }, "dry-run": { type: "boolean" }, replace: { type: "boolean" } },
  run: async ({ words, options }, io) => {
    const loaded = settingsOf(io)
    if (loaded === null) return 2
    const file = words[0]!
    const bytes = await (file === "-" ? readAll() : readFile(file)).catch((cause: NodeJS.ErrnoException) => cause)
    if (bytes instanceof Error) return say(io, `heliograph import: ${file} cannot be read: ${bytes.message}`, 2)
    const parsed = parseFile(bytes)
    if (!parsed.ok) return say(io, formatImportErrors(file, parsed).join("\n"), 2)
    const tenant = typeof options["tenant"] === "string" ? options["tenant"] : null
    const mode = { dryRun: options["dry-run"] === true, replace: options["replace"] === true }
    try {
      return await apply(loaded.config, { bytes, document: parsed.document, tenant, mode }, io)
    } catch (cause) {
      return failed("import", cause, io)
    }
  },
}

interface Job {
  readonly bytes: Uint8Array
  readonly document: ImportDocument
  readonly tenant: string | null
  readonly mode: ImportMode
}

const apply = async (config: Config, job: Job, io: CommandIo): Promise<number> => {
  const answer = await sendImport(config.dataDir, job.bytes, job.tenant, job.mode)
  if (answer === null) {
    const report = await importIntoStorage(config, job, io)
    for (const line of describe(report, job.mode.dryRun)) io.out(line)
    io.out("No engine runs here: the next start has it.")
    return 0
  }
  if (answer.status === 200) {
    for (const line of describe(answer.report, job.mode.dryRun)) io.out(line)
    return 0
  }
  if (answer.status === 422) return say(io, formatImportErrors("file", { ok: false, ...answer }).join("\n"), 2)
  return say(io, `heliograph import: ${answer.detail}`, 1)
}

/** Rejects with an error whose message is for the operator. */
const importIntoStorage = async (config: Config, job: Job, io: CommandIo): Promise<ImportReport> => {
  const { openToolStorage } = await import("#engine/cli/storage.ts")
  const { createTenant, listTenants } = await import("#engine/storage/tenants.ts")
  const { importInventory } = await import("#engine/storage/inventory.ts")
  const { openVault } = await import("#engine/storage/vault.ts")
  const { wrongDeviceAddress } = await import("#engine/net/reach.ts")
  const program = Effect.gen(function* () {
    const { db } = yield* openToolStorage(config, (line) => io.err(line))
    const tenants = yield* listTenants(db)
    const choice = chooseTenant(
      job.tenant,
      tenants.map((one) => one.slug),
    )
    if ("refuse" in choice) return yield* Effect.fail(new Error(choice.refuse))
    if ("create" in choice && job.mode.dryRun) return allAdded(job.document)
    const slug = "use" in choice ? choice.use : choice.create
    const name = slug === DEFAULT_TENANT.slug ? DEFAULT_TENANT.name : slug
    const tenant = tenants.find((one) => one.slug === slug) ?? (yield* createTenant(db, { slug, name, demo: false }))
    const vault = yield* openVault(db, {
      dataDir: config.dataDir,
      ...(config.masterKeyFile === null ? {} : { masterKeyFile: config.masterKeyFile }),
    })
    return yield* importInventory(db, vault, tenant.id, job.document, {
      defaultPollSeconds: config.pollSeconds,
      ...job.mode,
      wrongAddress: wrongDeviceAddress(tenant.demo || config.loopbackTargets === "allow"),
    })
  })
  return Effect.runPromise(Effect.scoped(program))
}

/** What a first import would say, without making the tenant for it. */
const allAdded = (document: ImportDocument): ImportReport => {
  const { sites, devices, links, srlgs, groups, providers, services } = document
  const structure = [srlgs, groups, providers, services].filter((list) => list !== undefined)
  const added = (count: number): Change => ({ added: count, updated: 0, unchanged: 0, removed: 0 })
  return {
    rev: 1,
    sites: added(sites.length),
    devices: added(devices.length),
    links: added(links.length),
    ...(structure.length === 0 ? {} : { structure: added(structure.flat().length) }),
  }
}

const describe = (report: ImportReport, dryRun: boolean): readonly string[] => [
  `${dryRun ? "Would be imported" : "Imported"} (inventory revision ${report.rev}):`,
  `  sites    ${changes(report.sites)}`,
  `  devices  ${changes(report.devices)}`,
  `  links    ${changes(report.links)}`,
  ...(report.structure === undefined ? [] : [`  groups   ${changes(report.structure)}`]),
]

const changes = (change: Change): string =>
  `${change.added} added, ${change.updated} updated, ${change.unchanged} unchanged${change.removed === 0 ? "" : `, ${change.removed} removed`}`

const readAll = async (): Promise<Buffer> => {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk as Uint8Array))
  return Buffer.concat(chunks)
}

const say = (io: CommandIo, text: string, code: number): number => {
  io.err(text)
  return code
}
