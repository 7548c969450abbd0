/**
 * The declared structure of an import document (protocol/structure.ts): shared-risk groups, dependency groups, providers
 * and services. Members are named as people name them: devices by name, sites by id, links by their two ends.
 */
import type { ImportLinkEnd, ImportLinkName, ImportStructure } from "#engine/import/document.ts"
import type { JsonNode } from "#engine/import/json.ts"
import {
  asText,
  asWord,
  join,
  MISTAKES_MAX,
  note,
  openObject,
  optional,
  readArray,
  readOptionalNumber,
  readText,
  required,
} from "#engine/import/read.ts"
import type { Fields } from "#engine/import/read.ts"
import { nearest } from "#engine/nearest.ts"
import {
  DEPENDENCY_MODES,
  PROVIDER_KINDS,
  SERVICE_KINDS,
  SRLG_KINDS,
  STRUCTURE_MAX,
  STRUCTURE_MEMBERS_MAX,
} from "#protocol/structure.ts"

/** The fields of each object. schema.json lists the same. */
export const STRUCTURE_FIELDS = {
  srlg: ["id", "name", "kind", "links", "sites"],
  group: ["id", "name", "mode", "k", "devices", "links", "dependants"],
  provider: ["id", "name", "kind", "devices", "links"],
  service: ["id", "name", "kind", "devices", "links", "sites", "providers"],
  linkName: ["a", "b"],
} as const

/** What the rest of the file names. */
export interface KnownNames {
  readonly sites: ReadonlySet<string>
  readonly devices: ReadonlySet<string>
  /** By pairName. */
  readonly links: ReadonlySet<string>
}

/** The same whichever end comes first. */
export const pairName = (a: ImportLinkEnd, b: ImportLinkEnd): string =>
  [a, b]
    .map((end) => JSON.stringify([end.device, end.interface]))
    .toSorted()
    .join(" ")

/** A kind that the document says nothing of is absent, which is not the same as a list of none. */
export const readStructure = (document: Fields, names: KnownNames): ImportStructure => {
  const providers = listOf(document, "providers", STRUCTURE_FIELDS.provider, (fields) => ({
    ...named(fields),
    kind: wordOf(fields, "kind", PROVIDER_KINDS),
    devices: namesOf(fields, "devices", names.devices, "device"),
    links: linksOf(fields, names),
  }))
  const providerIds = new Set((providers ?? []).map(({ id }) => id))
  const srlgs = listOf(document, "srlgs", STRUCTURE_FIELDS.srlg, (fields) => ({
    ...named(fields),
    kind: wordOf(fields, "kind", SRLG_KINDS),
    links: linksOf(fields, names),
    sites: namesOf(fields, "sites", names.sites, "site"),
  }))
  const groups = listOf(document, "groups", STRUCTURE_FIELDS.group, (fields) => ({
    ...named(fields),
    mode: wordOf(fields, "mode", DEPENDENCY_MODES),
    k: readOptionalNumber(fields, "k", { min: 1, max: STRUCTURE_MEMBERS_MAX, whole: true, unit: "" }) ?? 1,
    devices: namesOf(fields, "devices", names.devices, "device"),
    links: linksOf(fields, names),
    dependants: namesOf(fields, "dependants", names.devices, "device"),
  }))
  const services = listOf(document, "services", STRUCTURE_FIELDS.service, (fields) => ({
    ...named(fields),
    kind: wordOf(fields, "kind", SERVICE_KINDS),
    devices: namesOf(fields, "devices", names.devices, "device"),
    links: linksOf(fields, names),
    sites: namesOf(fields, "sites", names.sites, "site"),
    providers: namesOf(fields, "providers", providerIds, "provider"),
  }))
  return {
    ...(srlgs === null ? {} : { srlgs }),
    ...(groups === null ? {} : { groups }),
    ...(providers === null ? {} : { providers }),
    ...(services === null ? {} : { services }),
  }
}

const listOf = <T extends { readonly id: string }>(
  document: Fields,
  key: string,
  known: readonly string[],
  read: (fields: Fields) => T,
): readonly T[] | null => {
  if (optional(document, key) === undefined) return null
  const first = new Map<string, string>()
  return readArray(document, key, STRUCTURE_MAX).flatMap((node, index) => {
    const fields = openObject(node, `${key}[${index}]`, known, document.mistakes)
    if (fields === null) return []
    const item = read(fields)
    const before = first.get(item.id)
    if (before !== undefined)
      return wrong(fields, "id", `${JSON.stringify(item.id)} is the id of ${before} already`) ?? []
    first.set(item.id, fields.path)
    return [item]
  })
}

const named = (fields: Fields) => ({
  id: readText(fields, "id", { max: 100 }) ?? "",
  name: readText(fields, "name", { max: 200 }) ?? "",
})

/** What is wrong is noted; the first word stands in for it, and the document is not taken. */
const wordOf = <W extends string>(fields: Fields, key: string, words: readonly [W, ...W[]]): W => {
  const node = required(fields, key)
  return (node === undefined ? undefined : asWord(node, join(fields.path, key), words, fields.mistakes)) ?? words[0]
}

/** Left out = none. */
const itemsOf = (fields: Fields, key: string): readonly JsonNode[] =>
  optional(fields, key) === undefined ? [] : readArray(fields, key, STRUCTURE_MEMBERS_MAX)

const namesOf = (fields: Fields, key: string, known: ReadonlySet<string>, kind: string): readonly string[] =>
  itemsOf(fields, key).flatMap((node, index) => {
    const path = `${join(fields.path, key)}[${index}]`
    const value = asText(node, path, { max: 200 }, fields.mistakes)
    if (value === undefined || known.has(value)) return value === undefined ? [] : [value]
    // Looking for a near name costs a scan: only while errors are still listed.
    const near = fields.mistakes.total < MISTAKES_MAX ? nearest(value, [...known].slice(0, 5_000)) : null
    const hint = near === null ? `no ${kind} of this file is called so` : `did you mean "${near}"?`
    note(fields.mistakes, node.at, path, `${JSON.stringify(value)} is unknown; ${hint}`)
    return []
  })

const linksOf = (fields: Fields, { links }: KnownNames): readonly ImportLinkName[] =>
  itemsOf(fields, "links").flatMap((node, index) => {
    const path = `${join(fields.path, "links")}[${index}]`
    const link = openObject(node, path, STRUCTURE_FIELDS.linkName, fields.mistakes)
    if (link === null) return []
    const [a, b] = [endOf(link, "a"), endOf(link, "b")]
    if (a === null || b === null) return []
    if (links.has(pairName(a, b))) return [{ a, b }]
    const words = `${a.device} ${a.interface} - ${b.device} ${b.interface}`
    note(fields.mistakes, node.at, path, `${JSON.stringify(words)} is no link of this file`)
    return []
  })

const endOf = (link: Fields, key: "a" | "b"): ImportLinkEnd | null => {
  const node = required(link, key)
  const fields =
    node === undefined ? null : openObject(node, join(link.path, key), ["device", "interface"], link.mistakes)
  if (fields === null) return null
  const device = readText(fields, "device", { max: 128 })
  const port = readText(fields, "interface", { max: 128 })
  return device === undefined || port === undefined ? null : { device, interface: port }
}

const wrong = (fields: Fields, key: string, message: string): null => {
  note(fields.mistakes, fields.members.get(key)?.node.at ?? fields.at, join(fields.path, key), message)
  return null
}
