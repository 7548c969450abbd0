/**
 * `heliograph topology`: the inbox of proposals, declared groups and the whole inventory from a shell, by the REST API with
 * a key like `heliograph api` (docs/topology.md).
 */
import { writeFile } from "node:fs/promises"
import { ASKING_OPTIONS, runActions, type Job } from "#engine/cli/action.ts"
import type { ServiceCondition } from "#protocol/service.ts"
import type { Command } from "#engine/cli/command.ts"
import { deviceNamed, NoSuchName } from "#engine/cli/network-names.ts"
import type { OperationId } from "#protocol/rest.ts"
import type { DeviceRow, LinkProposal, RoleProposal, Site } from "#protocol/rest-generated.ts"

const HELP = `usage: heliograph topology ACTION ... --key-file FILE [options]

  proposals [--state open|accepted|rejected] [--device NAME]   links that devices suggest, surest first
  roles     [--state ...] [--device NAME]                      roles that sessions and counts suggest
  accept ID [--note TEXT]      declares the proposed link; with --role, gives the proposed role
  reject ID [--note TEXT]      keeps it away until there is other evidence; with --role, likewise
  groups | srlgs | providers | services     what is declared, by id; of services how they do
  near LATITUDE,LONGITUDE KM   sites nearest first
  near S,W N,E                 sites inside the box of two corners, latitude,longitude each; as in: near -- -24,-47 -23,-46
  places TEXT                  sites with TEXT in their name, without case and accents
                               near and places: with --devices, the devices there
  export [FILE]                sites, devices, links and structure as an import document, without credentials

  --json               the API's answer as it is
  --key-file FILE      an API key; with --url URL and --plain-http as in heliograph api

Exit codes: 0 done, 1 refused or no answer, 2 wrong words or names.`

type Action =
  | "proposals"
  | "roles"
  | "accept"
  | "reject"
  | "groups"
  | "srlgs"
  | "providers"
  | "services"
  | "near"
  | "places"
  | "export"

export const topologyCommand: Command = {
  name: "topology",
  summary: "proposed links and roles, groups, sites near a place, export",
  help: () => HELP,
  words: ["ACTION"],
  moreWords: ["ID", "KM"],
  options: {
    ...ASKING_OPTIONS,
    state: { type: "string" },
    device: { type: "string" },
    note: { type: "string" },
    role: { type: "boolean" },
    devices: { type: "boolean" },
  },
  run: (input, io) => run(input, io),
}

/** Words that an action takes. */
const WORDS: Readonly<Partial<Record<Action, number>>> = { accept: 1, reject: 1, near: 2, places: 1, export: 1 }

const refuseWords = (action: Action, words: readonly string[]): void => {
  const most = WORDS[action] ?? 0
  if (words.length > most) throw new NoSuchName(`what is ${JSON.stringify(words[most])}?`)
}

const proposed =
  <P extends { readonly id: string; readonly confidence: number }>(
    operation: OperationId,
    words: (proposal: P) => string,
  ): ((job: Job) => Promise<void>) =>
  async ({ ask, options, say, json }) => {
    const { state, device } = options
    const query = {
      limit: 1_000,
      ...(typeof state === "string" ? { state } : {}),
      ...(typeof device === "string" ? { device: (await deviceNamed(ask, device)).id } : {}),
    }
    const answer = await ask<{ readonly items: readonly P[]; readonly next: string | null }>(operation, { query })
    if (json(answer)) return
    for (const one of answer.items) say(`${one.id}  ${one.confidence.toFixed(2)}  ${words(one)}`)
    if (answer.items.length === 0) say("nothing is proposed")
    if (answer.next !== null) say("... and more")
  }

const decided =
  (act: "accept" | "reject"): ((job: Job) => Promise<void>) =>
  async ({ ask, words: [id], options, say, json }) => {
    if (id === undefined)
      throw new NoSuchName(
        `ID is missing: heliograph topology ${options["role"] === true ? "roles" : "proposals"} lists them`,
      )
    const operation: OperationId = `topologyProposals.${act}${options["role"] === true ? "Role" : ""}`
    const body = { note: typeof options["note"] === "string" ? options["note"] : "" }
    const answer = await ask(operation, { params: { id }, body })
    if (!json(answer)) say(`${id} is ${act}ed`)
  }

const declared =
  (operation: OperationId): ((job: Job) => Promise<void>) =>
  async ({ ask, say, json }) => {
    const answer = await ask<{ readonly items: ReadonlyArray<Readonly<Record<string, unknown>>> }>(operation)
    if (json(answer)) return
    for (const { id, name, ...more } of answer.items) {
      const { condition, ...declaration } = more as { readonly condition?: ServiceCondition | null }
      const parts = Object.entries(declaration).flatMap(([key, value]) =>
        Array.isArray(value) ? (value.length === 0 ? [] : [`${value.length} ${key}`]) : [`${key} ${String(value)}`],
      )
      const health = condition === undefined ? "" : `${(condition?.health ?? "unknown").padEnd(9)} `
      say(`${health}${String(id).padEnd(20)} ${String(name)}  (${parts.join(", ")})`)
      if (condition?.health === "up") continue
      for (const { text, isFault } of condition?.reasons ?? []) say(`${" ".repeat(10)}${isFault ? "! " : "  "}${text}`)
    }
    if (answer.items.length === 0) say("none is declared")
  }

const RUN: Readonly<Record<Action, (job: Job) => Promise<void>>> = {
  proposals: proposed<LinkProposal>("topologyProposals.list", ({ a, b, evidence, contradicts, against }) => {
    const end = ({ deviceName, interface: port }: typeof a): string => `${deviceName} ${port ?? "?"}`
    const but = contradicts === null ? "" : `; contradicts ${contradicts.name}`
    const kinds = [...new Set(evidence.map(({ kind }) => kind))].join(", ")
    return `${end(a)} - ${end(b)}  (${kinds}${but}${against === null ? "" : `; ${against}`})`
  }),
  roles: proposed<RoleProposal>(
    "topologyProposals.roles",
    ({ device, role, because }) => `${device.name} ${role}  (${because})`,
  ),
  accept: decided("accept"),
  reject: decided("reject"),
  groups: declared("structure.dependencyGroups"),
  srlgs: declared("structure.srlgs"),
  providers: declared("structure.providers"),
  services: declared("structure.services"),
  places: async ({ ask, words: [place], options, say, json }) => {
    if (place === undefined) throw new NoSuchName("TEXT is missing: topology places TEXT, a part of a site's name")
    if (options["devices"] === true) return listDevices({ ask, say, json }, { place })
    const answer = await ask<Rows<Site>>("network.sites", { query: { place, limit: 1_000 } })
    if (json(answer)) return
    for (const site of answer.items)
      say(`${site.id.padEnd(20)} ${site.name}  ${site.latitude},${site.longitude}${guess(site)}`)
    say(answer.next === null ? `${answer.items.length} sites` : "... and more")
  },
  near: async ({ ask, words: [first = "", second = ""], options, say, json }) => {
    if (options["devices"] === true) return listDevices({ ask, say, json }, whereOf(first, second))
    const answer = await ask<Near>("structure.sitesNear", { query: { ...areaOf(first, second), limit: 1_000 } })
    if (json(answer)) return
    for (const { site, km, devices } of answer.items) {
      const away = km === null ? "" : `  ${km.toFixed(1)} km`
      say(`${site.id.padEnd(20)} ${site.name}  ${devices} devices${away}${guess(site)}`)
    }
    say(`${answer.total} sites`)
  },
  export: async ({ ask, words: [file], say, json }) => {
    const { document } = await ask<{ readonly document: string }>("inventory.export")
    if (file === undefined) {
      if (!json(JSON.parse(document))) for (const line of document.trimEnd().split("\n")) say(line)
      return
    }
    // What a network is made of is for its owner's eyes; nothing that is there is written over.
    await writeFile(file, document, { mode: 0o600, flag: "wx" }).catch((cause: NodeJS.ErrnoException) => {
      throw new NoSuchName(
        `${file} cannot be written: ${cause.code === "EEXIST" ? "it is there already" : (cause.code ?? "unknown")}`,
      )
    })
    say(`written to ${file}`)
  },
}
const run = runActions("topology", RUN, refuseWords)

interface Rows<Row> {
  readonly items: readonly Row[]
  readonly next: string | null
}

const guess = (site: Site): string => (site.guessed === true ? "  (place guessed)" : "")

const listDevices = async (
  { ask, say, json }: Pick<Job, "ask" | "say" | "json">,
  where: Readonly<Record<string, string>>,
): Promise<void> => {
  const answer = await ask<Rows<DeviceRow>>("network.devices", { query: { ...where, limit: 1_000 } })
  if (json(answer)) return
  for (const { name, address, site, health } of answer.items) say(`${name.padEnd(20)} ${address}  ${site}  ${health}`)
  say(answer.next === null ? `${answer.items.length} devices` : "... and more")
}

interface Near {
  readonly items: ReadonlyArray<{ readonly site: Site; readonly km: number | null; readonly devices: number }>
  readonly total: number
}

/** A place and kilometres, or two corners of a box. */
const areaOf = (first: string, second: string): Readonly<Record<string, string>> => {
  const [latitude, longitude] = cornerOf(first)
  if (!second.includes(",")) {
    if (!/^\d{1,5}(\.\d+)?$/.test(second))
      throw new NoSuchName("near takes LATITUDE,LONGITUDE and KM, or two corners of a box")
    return { latitude, longitude, km: second }
  }
  const [north, east] = cornerOf(second)
  return { polygon: `${latitude},${longitude};${latitude},${east};${north},${east};${north},${longitude}` }
}

/** The same area in the words of a list. */
const whereOf = (first: string, second: string): Readonly<Record<string, string>> => {
  const { km } = areaOf(first, second)
  if (km !== undefined) return { near: `${first},${km}` }
  const [[south, west], [north, east]] = [cornerOf(first), cornerOf(second)]
  return { bbox: `${west},${south},${east},${north}` }
}

const cornerOf = (text: string): readonly [string, string] => {
  const [, latitude, longitude] = /^(-?\d{1,3}(?:\.\d+)?),(-?\d{1,3}(?:\.\d+)?)$/.exec(text) ?? []
  if (latitude === undefined || longitude === undefined)
    throw new NoSuchName(`${JSON.stringify(text)} is no LATITUDE,LONGITUDE in degrees`)
  return [latitude, longitude]
}
