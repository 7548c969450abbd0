/**
 * Names as people type them, turned into the ids that the API takes: devices, links by their two devices, sites, shared-risk
 * groups. A name that nothing has is answered with the nearest one, one that several have with all of them.
 */
import { askApi } from "#engine/cli/api.ts"
import type { CommandInput, CommandIo } from "#engine/cli/command.ts"
import { nearest } from "#engine/nearest.ts"
import type { LooseInput, OperationId } from "#protocol/rest.ts"
import type { Fault, LinkRow, Site, Srlg } from "#protocol/rest-generated.ts"

/** What was typed names nothing, or several things. */
export class NoSuchName extends Error {}
/** The API refused or did not answer; it said so itself. */
export class NotAnswered extends Error {
  readonly code: number
  constructor(code: number) {
    super("not answered")
    this.code = code
  }
}

/** Asks as one command does. Throws NotAnswered. */
export type Ask = <A>(id: OperationId, input?: LooseInput) => Promise<A>

export const askerOf =
  (command: string, options: CommandInput["options"], io: CommandIo): Ask =>
  async <A>(id: OperationId, input: LooseInput = {}): Promise<A> => {
    const { code, text } = await askApi(command, id, input, options, io)
    if (code !== 0) throw new NotAnswered(code)
    return (text === "" ? null : JSON.parse(text)) as A
  }

interface Named {
  readonly id: string
  readonly name: string
}
interface Page<T> {
  readonly items: readonly T[]
  readonly next?: string | null
}

/** Names that are looked at for a suggestion, and rows of a list that is searched. */
const ROWS_MAX = 5_000
const PAGE = 1_000
/** Names of one answer that says what was meant. */
const SHOWN_MAX = 5

const FAULTS = "router:NAME, link:A~B, drain:A~B, port:NAME~INTERFACE, site:NAME or group:NAME"

export const deviceNamed = async (ask: Ask, name: string): Promise<Named> => {
  // Part of a name or address; an id is none of them, and is looked for among all.
  const { items } = await ask<Page<Named>>("network.devices", { query: { q: name, limit: PAGE } })
  const lower = name.toLowerCase()
  const exact = items.find((one) => one.name === name) ?? items.find((one) => one.name.toLowerCase() === lower)
  if (exact !== undefined) return exact
  const all = await rowsOf<Named>(ask, "network.devices")
  return chosen("device", name, all, items)
}

const rowsOf = async <T>(ask: Ask, id: OperationId, query: object = {}): Promise<readonly T[]> => {
  const rows: T[] = []
  let cursor: string | null = null
  do {
    const page: Page<T> = await ask(id, { query: { ...query, limit: PAGE, ...(cursor === null ? {} : { cursor }) } })
    rows.push(...page.items)
    cursor = page.next ?? null
  } while (cursor !== null && rows.length < ROWS_MAX)
  return rows
}

/** By id or name; throws what helps to type it right. `near` = what contains the word. */
const chosen = <T extends Named>(kind: string, word: string, all: readonly T[], near: readonly Named[] = []): T => {
  const lower = word.toLowerCase()
  const found =
    all.find(({ id }) => id === word) ??
    all.find(({ name }) => name === word) ??
    all.find(({ name }) => name.toLowerCase() === lower)
  if (found !== undefined) return found
  const part = near.length > 0 ? near : all.filter(({ name }) => name.toLowerCase().includes(lower))
  const like = nearest(
    word,
    all.map(({ name }) => name),
  )
  const shown = part.length > 0 ? part.slice(0, SHOWN_MAX).map(({ name }) => name) : like === null ? [] : [like]
  const hint = shown.length === 0 ? "" : `; did you mean ${shown.map((name) => JSON.stringify(name)).join(" or ")}?`
  throw new NoSuchName(`there is no ${kind} ${JSON.stringify(word)}${hint}`)
}

/** `A~B`: the link between two devices; `A PORT~B PORT` where there are several; or a link's id. */
const linkNamed = async (ask: Ask, text: string): Promise<string> => {
  const [from = "", to, ...rest] = text.split("~")
  if (to === undefined) return text
  if (rest.length > 0) throw new NoSuchName(`${JSON.stringify(text)}: a link has two ends, A~B`)
  const [a, b] = [await endNamed(ask, from), await endNamed(ask, to)]
  const rows = await rowsOf<LinkRow>(ask, "network.links", { device: a.id })
  const isEnd = (end: LinkRow["a"], wanted: typeof a): boolean =>
    end.device === wanted.id && (wanted.port === null || end.interface === wanted.port)
  const found = rows.filter((row) => (isEnd(row.a, a) && isEnd(row.b, b)) || (isEnd(row.b, a) && isEnd(row.a, b)))
  if (found.length === 1) return found[0]!.id
  const words = ({ a: x, b: y }: LinkRow): string => `${x.deviceName} ${x.interface}~${y.deviceName} ${y.interface}`
  if (found.length > 1)
    throw new NoSuchName(
      `${found.length} links are between ${a.name} and ${b.name}: say which, ${found.slice(0, SHOWN_MAX).map(words).join(" or ")}`,
    )
  const others = [...new Set(rows.map((row) => (row.a.device === a.id ? row.b.deviceName : row.a.deviceName)))]
  const hint = others.length === 0 ? "it has none" : `it has links to ${others.slice(0, SHOWN_MAX).join(", ")}`
  throw new NoSuchName(`no link is between ${a.name} and ${b.name}${a.port === null ? "" : " at these ports"}; ${hint}`)
}

/** A device, or a device and behind a space its port: names may hold spaces themselves, so that the whole goes first. */
const endNamed = async (ask: Ask, text: string): Promise<Named & { readonly port: string | null }> => {
  const cut = text.lastIndexOf(" ")
  if (cut < 0) return { ...(await deviceNamed(ask, text)), port: null }
  try {
    return { ...(await deviceNamed(ask, text)), port: null }
  } catch (cause) {
    if (!(cause instanceof NoSuchName)) throw cause
    return { ...(await deviceNamed(ask, text.slice(0, cut))), port: text.slice(cut + 1) }
  }
}

/** `router:core1`, `link:a~b` ... as the API's fault. */
export const faultNamed = async (ask: Ask, word: string): Promise<Fault> => {
  const colon = word.indexOf(":")
  const [kind, name] = [word.slice(0, Math.max(0, colon)), word.slice(colon + 1)]
  if (colon < 1 || name === "") throw new NoSuchName(`${JSON.stringify(word)} is no fault; give ${FAULTS}`)
  switch (kind) {
    case "router":
      return { kind, device: (await deviceNamed(ask, name)).id }
    case "link":
    case "drain":
      return { kind, link: await linkNamed(ask, name) }
    case "site":
      return { kind, site: chosen("site", name, await rowsOf<Site>(ask, "network.sites")).id }
    case "group":
      return {
        kind: "srlg",
        srlg: chosen("shared-risk group", name, (await ask<Page<Srlg>>("structure.srlgs")).items).id,
      }
    case "port": {
      const [device = "", port] = name.split("~")
      if (port === undefined) throw new NoSuchName(`${JSON.stringify(word)}: a port is port:NAME~INTERFACE`)
      return { kind: "interface", device: (await deviceNamed(ask, device)).id, interface: port }
    }
    default: {
      const near = nearest(kind, ["router", "link", "drain", "site", "group", "port"])
      const hint = near === null ? `give ${FAULTS}` : `did you mean ${near}:${name}?`
      throw new NoSuchName(`${JSON.stringify(kind)} is no kind of fault; ${hint}`)
    }
  }
}
