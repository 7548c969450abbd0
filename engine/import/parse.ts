/**
 * Checks the text of an import file into an ImportDocument, or says everything that is wrong with it by line, column
 * and field. The form is issue 2's; schema.json documents it, and a test holds the two together.
 * Only literal addresses are taken: a name would make polling depend on a resolver, and could be pointed elsewhere.
 */
import { isIP } from "node:net"
import { asOne, AUTH_PROTOCOLS, PRIV_PROTOCOLS, SNMP_CREDENTIALS_MAX } from "#engine/collectors/target.ts"
import type { RouterOsCredential, SnmpCredential } from "#engine/collectors/target.ts"
import type { ImportDevice, ImportDocument, ImportLink, ImportLinkEnd, ImportSite } from "#engine/import/document.ts"
import { PROBE_FIELDS, readPing, readProbes } from "#engine/import/probes.ts"
import { isProblem, parseJson, positionsOf } from "#engine/import/json.ts"
import type { JsonNode } from "#engine/import/json.ts"
import {
  asText,
  asWord,
  join,
  makeMistakes,
  MISTAKES_MAX,
  note,
  openObject,
  optional,
  readArray,
  readFlag,
  readNumber,
  readOptionalNumber,
  readOptionalText,
  readOptionalWord,
  readText,
  required,
} from "#engine/import/read.ts"
import type { Fields, Mistakes } from "#engine/import/read.ts"
import { pairName, readStructure, STRUCTURE_FIELDS } from "#engine/import/structure.ts"
import { nearest } from "#engine/nearest.ts"
import type { WrongAddress } from "#engine/net/reach.ts"
import { ROLES } from "#protocol/role.ts"
import type { Role } from "#protocol/role.ts"

export const IMPORT_BYTES_MAX = 50 * 1024 * 1024
export const IMPORT_SITES_MAX = 20_000
export const IMPORT_DEVICES_MAX = 100_000
export const IMPORT_LINKS_MAX = 400_000

/** The fields of each object of the document. schema.json lists the same. */
export const IMPORT_FIELDS = {
  document: ["$schema", "sites", "devices", "links", "srlgs", "groups", "providers", "services"],
  site: ["id", "name", "latitude", "longitude", "guessed"],
  device: ["name", "address", "site", "roles", "snmp", "routeros", "pollSeconds", "ping", "probes"],
  snmp: [
    "version",
    "port",
    "community",
    "user",
    "authProtocol",
    "authPassword",
    "privProtocol",
    "privPassword",
    "lenient",
  ],
  routeros: ["port", "user", "password", "tls", "fingerprint", "allowLegacyLogin"],
  link: ["a", "b", "capacityBps"],
  linkEnd: ["device", "interface"],
  ...PROBE_FIELDS,
  ...STRUCTURE_FIELDS,
} as const

export interface ImportError {
  /** From 1. */
  readonly line: number
  /** From 1, in characters. */
  readonly column: number
  /** `devices[3].snmp.port`; "" = the whole document. */
  readonly path: string
  readonly message: string
}

export type ParsedImport =
  | { readonly ok: true; readonly document: ImportDocument }
  /** In the order of the file; `total` may exceed the list, which is bounded. */
  | { readonly ok: false; readonly errors: readonly ImportError[]; readonly total: number }

/** `input` is the file's bytes, or text that is already decoded; `wrong` judges addresses for the tenant. Never throws. */
export const parseImport = (input: string | Uint8Array, wrong: WrongAddress = () => null): ParsedImport => {
  const bytes = typeof input === "string" ? Buffer.byteLength(input) : input.length
  if (bytes > IMPORT_BYTES_MAX) return whole(`is ${bytes} bytes; at most ${IMPORT_BYTES_MAX} are taken`)
  const text = typeof input === "string" ? input : decodeUtf8(input)
  if (text === null) return whole("is not UTF-8 text")
  const position = positionsOf(text)
  const root = parseJson(text)
  if (isProblem(root))
    return { ok: false, errors: [{ ...position(root.at), path: "", message: root.message }], total: 1 }
  const mistakes = makeMistakes()
  const document = readDocument(root, mistakes, wrong)
  if (document !== null && mistakes.total === 0) return { ok: true, document }
  const errors = mistakes.list
    .toSorted((a, b) => a.at - b.at)
    .map(({ at, path, message }) => ({ ...position(at), path, message }))
  return { ok: false, errors, total: mistakes.total }
}

/** `file:12:7  devices[3].snmp.port: must be ...` for a terminal. */
export const formatImportErrors = (file: string, parsed: Extract<ParsedImport, { ok: false }>): readonly string[] => [
  ...parsed.errors.map(
    (error) =>
      `${file}:${error.line}:${error.column}  ${error.path === "" ? "document" : error.path}: ${error.message}`,
  ),
  ...(parsed.total > parsed.errors.length
    ? [`... and ${parsed.total - parsed.errors.length} more (only ${MISTAKES_MAX} are shown)`]
    : []),
]

const whole = (message: string): ParsedImport => ({
  ok: false,
  errors: [{ line: 1, column: 1, path: "", message }],
  total: 1,
})

/** Null when it is not. */
export const decodeUtf8 = (bytes: Uint8Array): string | null => {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch {
    return null
  }
}

const readDocument = (root: JsonNode, mistakes: Mistakes, wrong: WrongAddress): ImportDocument | null => {
  const fields = openObject(root, "", IMPORT_FIELDS.document, mistakes)
  if (fields === null) return null
  const sites = readSites(fields)
  const siteIds = new Set(sites.map((site) => site.id))
  const devices = readDevices(fields, siteIds, wrong)
  const deviceNames = new Set(devices.map((device) => device.name))
  const links = readLinks(fields, deviceNames)
  const pairs = new Set(links.map(({ a, b }) => pairName(a, b)))
  return { sites, devices, links, ...readStructure(fields, { sites: siteIds, devices: deviceNames, links: pairs }) }
}

const readSites = (document: Fields): ImportSite[] => {
  const unique = makeUnique("site id")
  const sites: ImportSite[] = []
  for (const [index, node] of readArray(document, "sites", IMPORT_SITES_MAX).entries()) {
    const fields = openObject(node, `sites[${index}]`, IMPORT_FIELDS.site, document.mistakes)
    if (fields === null) continue
    const id = readText(fields, "id", { max: 64 })
    const name = readText(fields, "name", { max: 128 })
    const latitude = readNumber(fields, "latitude", { min: -90, max: 90, whole: false, unit: "degrees" })
    const longitude = readNumber(fields, "longitude", { min: -180, max: 180, whole: false, unit: "degrees" })
    const guessed = readFlag(fields, "guessed") === true ? ({ guessed: true } as const) : {}
    if (id === undefined || !unique(fields, "id", id)) continue
    // A site with a wrong coordinate still counts as known, so that its devices are not blamed for it.
    sites.push({ id, name: name ?? id, latitude: latitude ?? 0, longitude: longitude ?? 0, ...guessed })
  }
  return sites
}

const readDevices = (document: Fields, siteIds: ReadonlySet<string>, wrong: WrongAddress): ImportDevice[] => {
  const uniqueName = makeUnique("device name")
  const uniqueService = makeUnique("address and port")
  const devices: ImportDevice[] = []
  for (const [index, node] of readArray(document, "devices", IMPORT_DEVICES_MAX).entries()) {
    const fields = openObject(node, `devices[${index}]`, IMPORT_FIELDS.device, document.mistakes)
    if (fields === null) continue
    const name = readText(fields, "name", { max: 128 })
    const address = readAddress(fields, wrong)
    const isMute = fields.members.get("address")?.node.type === "null"
    if (isMute) refuseAsking(fields)
    const site = readReference(fields, "site", siteIds, "site")
    const roles = readRoles(fields)
    const snmp = readSnmp(fields)
    const routeros = readRouterOs(fields)
    const pollSeconds = readOptionalNumber(fields, "pollSeconds", { min: 1, max: 3600, whole: true, unit: "s" })
    const pingSeconds = isMute ? 0 : readPing(fields)
    const probes = readProbes(fields)
    if (address !== undefined && snmp !== null) uniqueService(fields, "snmp", `${address} udp ${snmp.port}`)
    if (address !== undefined && routeros !== null) uniqueService(fields, "routeros", `${address} tcp ${routeros.port}`)
    if (name === undefined || !uniqueName(fields, "name", name)) continue
    devices.push({
      name,
      address: address ?? "",
      site: site ?? "",
      roles,
      snmp,
      routeros,
      pollSeconds: pollSeconds ?? null,
      ...(pingSeconds === undefined ? {} : { pingSeconds }),
      ...(probes.length === 0 ? {} : { probes }),
    })
  }
  return devices
}

const readLinks = (document: Fields, deviceNames: ReadonlySet<string>): ImportLink[] => {
  const uniqueEnd = makeUnique("link end")
  const links: ImportLink[] = []
  for (const [index, node] of readArray(document, "links", IMPORT_LINKS_MAX).entries()) {
    const fields = openObject(node, `links[${index}]`, IMPORT_FIELDS.link, document.mistakes)
    if (fields === null) continue
    const a = readLinkEnd(fields, "a", deviceNames)
    const b = readLinkEnd(fields, "b", deviceNames)
    const capacityBps = readOptionalNumber(fields, "capacityBps", { min: 1, max: 1e15, whole: true, unit: "bit/s" })
    if (a === undefined || b === undefined) continue
    if (a.device === b.device && a.interface === b.interface) {
      note(fields.mistakes, fields.at, fields.path, "connects an interface with itself")
      continue
    }
    // An interface ends one physical link only; this also refuses the same link twice, in either direction.
    const free = [uniqueEnd(fields, "a", endKey(a)), uniqueEnd(fields, "b", endKey(b))]
    if (free.includes(false)) continue
    links.push({ a, b, capacityBps: capacityBps ?? null })
  }
  return links
}

const endKey = (end: ImportLinkEnd): string => JSON.stringify([end.device, end.interface])

const readLinkEnd = (link: Fields, key: "a" | "b", deviceNames: ReadonlySet<string>): ImportLinkEnd | undefined => {
  const node = required(link, key)
  const fields =
    node === undefined ? null : openObject(node, join(link.path, key), IMPORT_FIELDS.linkEnd, link.mistakes)
  if (fields === null) return undefined
  const device = readReference(fields, "device", deviceNames, "device")
  const ifName = readText(fields, "interface", { max: 128 })
  return device === undefined || ifName === undefined ? undefined : { device, interface: ifName }
}

const readReference = (fields: Fields, key: string, known: ReadonlySet<string>, kind: string): string | undefined => {
  const value = readText(fields, key, { max: 128 })
  if (value === undefined || known.has(value)) return value
  // Looking for a near name costs a scan: only while errors are still listed.
  const near = fields.mistakes.total < MISTAKES_MAX ? nearest(value, [...known].slice(0, 5_000)) : null
  const hint = near === null ? `no ${kind} of this file is called so` : `did you mean "${near}"?`
  note(
    fields.mistakes,
    fields.members.get(key)!.node.at,
    join(fields.path, key),
    `${JSON.stringify(value)} is unknown; ${hint}`,
  )
  return undefined
}

const readAddress = (fields: Fields, wrong: WrongAddress): string | undefined => {
  // null is said on purpose: part of the topology, and nothing asks it.
  if (fields.members.get("address")?.node.type === "null") return undefined
  const value = readText(fields, "address", { max: 64 })
  if (value === undefined) return undefined
  const why = wrongAddress(value) ?? wrong(value)
  if (why === null) return value
  note(fields.mistakes, fields.members.get("address")!.node.at, join(fields.path, "address"), why)
  return undefined
}

/** Null for an address that one device can have. */
const wrongAddress = (value: string): string | null => {
  const version = isIP(value)
  const shown = JSON.stringify(value)
  if (version === 0) return `${shown} is not an IPv4 or IPv6 address (host names are not taken)`
  if (value.includes("%")) return `${shown} names a zone; give a global or unique local address`
  if (version === 4) {
    const first = Number(value.split(".")[0])
    if (first === 0 || first >= 224) return `${shown} cannot be a device's address`
  } else if (/^ff/i.test(value) || /^[0:]+$/.test(value)) return `${shown} cannot be a device's address`
  return null
}

const readRoles = (fields: Fields): Role[] => {
  const roles: Role[] = []
  const items = readArray(fields, "roles", ROLES.length)
  const path = join(fields.path, "roles")
  const node = optional(fields, "roles")
  if (node?.type === "array" && node.items.length === 0)
    note(fields.mistakes, node.at, path, 'names no role; use "other"')
  for (const [index, item] of items.entries()) {
    const role = asWord(item, `${path}[${index}]`, ROLES, fields.mistakes)
    if (role === undefined) continue
    if (roles.includes(role)) note(fields.mistakes, item.at, `${path}[${index}]`, `"${role}" stands here twice`)
    else roles.push(role)
  }
  return roles
}

const PORT = { min: 1, max: 65535, whole: true, unit: "" } as const
/** RFC 3414 s11.2: pass-phrases of USM have at least 8 characters. */
const PASSPHRASE = { min: 8, max: 256, secret: true } as const

/** One credential, or several that are tried in their order (PRODUCT.md C23). */
const readSnmp = (device: Fields): SnmpCredential | null => {
  const node = optional(device, "snmp")
  if (node === undefined) return null
  const path = join(device.path, "snmp")
  if (node.type !== "array") return readSnmpCredential(node, path, device.mistakes)
  if (node.items.length === 0) note(device.mistakes, node.at, path, "names no credential; leave it out")
  return asOne(
    readArray(device, "snmp", SNMP_CREDENTIALS_MAX).flatMap(
      (item, nth) => readSnmpCredential(item, `${path}[${nth}]`, device.mistakes) ?? [],
    ),
  )
}

const readSnmpCredential = (node: JsonNode, path: string, mistakes: Mistakes): SnmpCredential | null => {
  const fields = openObject(node, path, IMPORT_FIELDS.snmp, mistakes)
  if (fields === null) return null
  const version =
    readOptionalWord(fields, "version", ["2c", "3"]) ?? (optional(fields, "user") === undefined ? "2c" : "3")
  const port = readOptionalNumber(fields, "port", PORT) ?? 161
  const lenient = readFlag(fields, "lenient")
  const loose = lenient === undefined ? {} : { lenient }
  if (version === "3") {
    const usm = readUsm(fields, port)
    return usm === null ? null : { ...usm, ...loose }
  }
  for (const key of ["user", "authProtocol", "authPassword", "privProtocol", "privPassword"])
    refuse(fields, key, 'belongs to version "3"')
  const community = readText(fields, "community", { max: 255, secret: true })
  return community === undefined ? null : { version: "2c", port, community, ...loose }
}

const readUsm = (fields: Fields, port: number): SnmpCredential | null => {
  refuse(fields, "community", 'belongs to version "2c"')
  const user = readText(fields, "user", { max: 32 })
  const authProtocol = readOptionalWord(fields, "authProtocol", AUTH_PROTOCOLS)
  const authPassword = readOptionalText(fields, "authPassword", PASSPHRASE)
  const privProtocol = readOptionalWord(fields, "privProtocol", PRIV_PROTOCOLS)
  const privPassword = readOptionalText(fields, "privPassword", PASSPHRASE)
  needsOther(fields, "authProtocol", "authPassword")
  needsOther(fields, "authPassword", "authProtocol")
  needsOther(fields, "privProtocol", "privPassword")
  needsOther(fields, "privPassword", "privProtocol")
  needsOther(fields, "privProtocol", "authProtocol")
  if (user === undefined) return null
  return {
    version: "3",
    port,
    user,
    ...(authProtocol === undefined ? {} : { authProtocol }),
    ...(authPassword === undefined ? {} : { authPassword }),
    ...(privProtocol === undefined ? {} : { privProtocol }),
    ...(privPassword === undefined ? {} : { privPassword }),
  }
}

const readRouterOs = (device: Fields): RouterOsCredential | null => {
  const node = optional(device, "routeros")
  const fields =
    node === undefined ? null : openObject(node, join(device.path, "routeros"), IMPORT_FIELDS.routeros, device.mistakes)
  if (fields === null) return null
  const tls = readFlag(fields, "tls") ?? false
  const port = readOptionalNumber(fields, "port", PORT) ?? (tls ? 8729 : 8728)
  const user = readText(fields, "user", { max: 128 })
  const password = readPassword(fields)
  const fingerprint = readFingerprint(fields)
  const allowLegacyLogin = readFlag(fields, "allowLegacyLogin")
  if (fingerprint !== undefined && !tls) refuse(fields, "fingerprint", "needs tls: true")
  if (user === undefined || password === undefined) return null
  return {
    port,
    user,
    password,
    tls,
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(allowLegacyLogin === undefined ? {} : { allowLegacyLogin }),
  }
}

/** RouterOS allows an empty password, so it must be written down, but may be "". */
const readPassword = (fields: Fields): string | undefined => {
  const node = required(fields, "password")
  if (node === undefined || (node.type === "string" && node.value === "")) return node === undefined ? undefined : ""
  return asText(node, join(fields.path, "password"), { max: 256, secret: true }, fields.mistakes)
}

const readFingerprint = (fields: Fields): string | undefined => {
  const value = readOptionalText(fields, "fingerprint", { max: 95 })
  if (value === undefined || /^([0-9a-f]{2}:){31}[0-9a-f]{2}$/i.test(value)) return value
  refuse(fields, "fingerprint", "must be the certificate's SHA-256 as 32 hex pairs joined by colons")
  return undefined
}

const refuse = (fields: Fields, key: string, message: string): void => {
  const member = fields.members.get(key)
  if (member !== undefined && member.node.type !== "null")
    note(fields.mistakes, member.keyAt, join(fields.path, key), message)
}

/** Where there is no address, nothing can be asked. */
const refuseAsking = (fields: Fields): void => {
  for (const key of ["snmp", "routeros", "ping", "probes"]) {
    const node = optional(fields, key)
    const isNothing = node === undefined || (node.type === "boolean" && !node.value)
    if (!isNothing) refuse(fields, key, "needs an address")
  }
}

const needsOther = (fields: Fields, key: string, other: string): void => {
  if (optional(fields, other) === undefined) refuse(fields, key, `needs ${other} beside it`)
}

const shown = (value: string): string => (value.startsWith("[") ? value : JSON.stringify(value))

/** Notes the second use of a value; true for the first. */
const makeUnique = (kind: string): ((fields: Fields, key: string, value: string) => boolean) => {
  const seen = new Map<string, string>()
  return (fields, key, value) => {
    const first = seen.get(value)
    if (first === undefined) {
      seen.set(value, fields.path)
      return true
    }
    const at = fields.members.get(key)?.node.at ?? fields.at
    note(fields.mistakes, at, join(fields.path, key), `the ${kind} ${shown(value)} is used by ${first} already`)
    return false
  }
}
