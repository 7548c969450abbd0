/**
 * Which tenants have a database of their own: the JSON file of HELIOGRAPH_TENANT_DATABASES_FILE, `{"<slug>":
 * "postgres://..."}`. It holds passwords, so nobody but its owner may read it, and none of its text is ever repeated
 * (PRODUCT.md T3).
 */
import { readFileSync, statSync } from "node:fs"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { quote } from "#engine/setting.ts"

/** Slug to URL, in the order of the file. */
export type TenantDatabases = ReadonlyMap<string, Redacted.Redacted>

/** `message` names the file and the slug and says what to do; it holds no URL. */
export class TenantDatabasesUnusable extends Data.TaggedError("TenantDatabasesUnusable")<{
  readonly message: string
}> {}

const FILE_BYTES_MAX = 256 * 1024
/** Each has pools of its own in this process. */
export const TENANT_DATABASES_MAX = 200

const SLUG = /^[a-z0-9][a-z0-9-]{0,62}$/

/** Null = the setting is not set: every tenant lives in the home database. */
export const readTenantDatabases = (file: string | null): Effect.Effect<TenantDatabases, TenantDatabasesUnusable> =>
  file === null
    ? Effect.succeed(new Map())
    : Effect.try({
        try: () => parse(file, readSecretFile(file)),
        catch: (error) =>
          error instanceof TenantDatabasesUnusable
            ? error
            : unusable(file, `cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown reason"})`),
      })

const readSecretFile = (file: string): string => {
  const { mode, size } = statSync(file)
  if ((mode & 0o077) !== 0)
    throw unusable(file, `holds passwords and may be read by others (mode ${(mode & 0o777).toString(8)}): chmod 600`)
  if (size > FILE_BYTES_MAX) throw unusable(file, `is larger than ${FILE_BYTES_MAX} bytes`)
  return readFileSync(file, "utf8")
}

const parse = (file: string, text: string): TenantDatabases => {
  const document = parseJson(text)
  if (typeof document !== "object" || document === null || Array.isArray(document))
    throw unusable(file, 'must hold one JSON object {"<tenant slug>": "postgres://..."}')
  const entries = Object.entries(document)
  if (entries.length > TENANT_DATABASES_MAX) throw unusable(file, `names more than ${TENANT_DATABASES_MAX} tenants`)
  const databases = new Map<string, Redacted.Redacted>()
  const owners = new Map<string, string>()
  for (const [slug, url] of entries) {
    if (!SLUG.test(slug)) throw unusable(file, `names ${quote(slug)}, which cannot be a tenant's slug`)
    const place = typeof url === "string" ? placeOf(url) : null
    if (place === null) throw unusable(file, `must give ${slug} a postgres:// URL with host, user and database`)
    const other = owners.get(place)
    if (other !== undefined) throw unusable(file, `gives ${slug} the same database as ${other}`)
    owners.set(place, slug)
    databases.set(slug, Redacted.make(url as string, { label: `database of ${slug}` }))
  }
  return databases
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** Server and database of a URL; null when it is none. A socket directory (`?host=`) is a server, too. */
const placeOf = (text: string): string | null => {
  const url = URL.parse(text)
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol) || url.pathname.length < 2 || url.username === "")
    return null
  const host = url.searchParams.get("host") ?? url.hostname
  return host === "" ? null : `${host}:${url.port === "" ? "5432" : url.port}${url.pathname}`
}

const unusable = (file: string, why: string): TenantDatabasesUnusable =>
  new TenantDatabasesUnusable({ message: `HELIOGRAPH_TENANT_DATABASES_FILE: ${file} ${why}` })
