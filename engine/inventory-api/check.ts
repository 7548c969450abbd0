/**
 * Single edits are checked by the very code that checks import documents: each is put into a document of its own
 * (engine/import/parse.ts), so that nothing can be declared by REST that a file could not declare. What is wrong comes
 * back in that code's words, without the document around it; of a credential no given word is repeated.
 */
import { AUTH_PROTOCOLS, PRIV_PROTOCOLS } from "#engine/collectors/target.ts"
import type { ImportDevice, ImportLink, ImportSite } from "#engine/import/document.ts"
import { IMPORT_FIELDS, parseImport } from "#engine/import/parse.ts"
import { EditRefused } from "#engine/inventory-api/edit-refused.ts"
import type { Kind } from "#engine/storage/inventory-rows.ts"

export interface DeviceFields {
  readonly name: string
  readonly address: string
  /** Site id. */
  readonly site: string
  readonly roles: readonly string[]
  readonly pollSeconds: number
  /** 0 = never, null = by role. */
  readonly pingSeconds: number | null
}
export interface SiteFields {
  readonly name: string
  readonly latitude: number
  readonly longitude: number
}

/** Throws EditRefused, as all here. */
export const checkedSite = (id: string, fields: SiteFields): ImportSite =>
  checked({ sites: [{ id, ...fields }], devices: [], links: [] }, "sites[0]").sites[0]!

export const checkedDevice = (fields: DeviceFields): ImportDevice => {
  const { pingSeconds, ...rest } = fields
  const ping = pingSeconds === null ? null : pingSeconds === 0 ? false : { intervalSeconds: pingSeconds }
  return checked({ sites: [site(fields.site)], devices: [{ ...rest, ping }], links: [] }, "devices[0]").devices[0]!
}

/** Ends by device name. */
export const checkedLink = (link: ImportLink): ImportLink => {
  const device = (name: string, index: number) => ({
    name,
    address: `10.0.0.${index + 1}`,
    site: "s",
    roles: ["other"],
  })
  const devices = [...new Set([link.a.device, link.b.device])].map(device)
  return checked({ sites: [site("s")], devices, links: [link] }, "links[0]").links[0]!
}

export const checkedCredential = (kind: Kind, given: unknown): NonNullable<ImportDevice[Kind]> => {
  const device = { name: "d", address: "10.0.0.1", site: "s", roles: ["other"], [kind]: given }
  const place = `devices[0].${kind}`
  const found =
    checked({ sites: [site("s")], devices: [device], links: [] }, place, unquoted).devices[0]?.[kind] ?? null
  if (found === null) throw new EditRefused({ why: "refused", detail: "the credential is empty" })
  return found
}

const site = (id: string) => ({ id, name: "s", latitude: 0, longitude: 0 })

const checked = (document: unknown, place: string, say: (message: string) => string = (it) => it) => {
  const parsed = parseImport(JSON.stringify(document))
  if (parsed.ok) return parsed.document
  // Mistakes of the rest are echoes of the same one (a site id that is no text is refused at both its places).
  const own = parsed.errors.filter(({ path }) => path.startsWith(place))
  const words = (own.length === 0 ? parsed.errors : own)
    .slice(0, MISTAKES_SHOWN)
    .map(({ path, message }) => say(`${fieldOf(path, place)}${message}`))
  throw new EditRefused({ why: "refused", detail: words.join("; ") })
}
const MISTAKES_SHOWN = 5

const fieldOf = (path: string, place: string): string => {
  const field = path.startsWith(`${place}.`) ? path.slice(place.length + 1) : ""
  return field === "" ? "" : `${field}: `
}

const KNOWN_WORDS: ReadonlySet<string> = new Set([
  ...IMPORT_FIELDS.snmp,
  ...IMPORT_FIELDS.routeros,
  ...AUTH_PROTOCOLS,
  ...PRIV_PROTOCOLS,
  "2c",
  "3",
])
/** Without any word that was given: somebody may have put the secret into the wrong field, or where a field's name is. */
const unquoted = (text: string): string => {
  const colon = text.indexOf(": ")
  const field = colon < 0 ? "" : text.slice(0, colon)
  const message = (colon < 0 ? text : text.slice(colon + 2)).replaceAll(
    /"((?:[^"\\]|\\.)*)"/g,
    (quoted, word: string) => (KNOWN_WORDS.has(word) ? quoted : '"..."'),
  )
  return field === "" ? message : `${KNOWN_WORDS.has(field) ? field : "a field"}: ${message}`
}
