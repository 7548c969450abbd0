/**
 * The engine's settings: one table, from which `--help`, `heliograph config` and the handbook are printed.
 * A value comes from the environment, else from the JSON file that HELIOGRAPH_CONFIG names, else it is the default;
 * a secret NAME may instead stand in the file that NAME_FILE names. Anything unknown or out of bounds stops the start,
 * and all such mistakes are named at once (PRODUCT.md O2).
 */
import { readFileSync } from "node:fs"
import { isIP } from "node:net"
import * as Redacted from "effect/Redacted"
import { nearest } from "#engine/nearest.ts"
import { oidcMistakes, readRoleMap } from "#engine/oidc/settings.ts"
import {
  choice,
  integer,
  optionalPath,
  optionalSecret,
  optionalText,
  optionalUrl,
  quote,
  text,
} from "#engine/setting.ts"
import type { Setting } from "#engine/setting.ts"

const HOST = { bounds: "an IPv4 or IPv6 address, or localhost", pattern: /^(localhost|[0-9a-fA-F.:]{2,45})$/ }

/** Every setting, by its key in Config. The order is the order of `--help`. */
export const SETTINGS = {
  port: integer("HELIOGRAPH_PORT", {
    default: 8080,
    min: 0,
    max: 65535,
    doc: "TCP port of the web interface, API and stream. 0 takes any free port.",
  }),
  host: text("HELIOGRAPH_HOST", {
    ...HOST,
    default: "127.0.0.1",
    doc: "Address that the web interface listens on. Before opening it wide: TLS, here or by a proxy.",
  }),
  publicUrl: optionalUrl("HELIOGRAPH_PUBLIC_URL", {
    doc: "URL that browsers use, when a proxy stands between. With https the session cookie becomes Secure and __Host-.",
  }),
  tlsCertFile: optionalPath("HELIOGRAPH_TLS_CERT_FILE", {
    doc: "PEM certificate chain: the engine then serves https itself, TLS 1.2 or newer. Read again when it changes, or on SIGHUP.",
  }),
  tlsKeyFile: optionalPath("HELIOGRAPH_TLS_KEY_FILE", {
    doc: "PEM private key of that certificate, readable by the engine's user only (0600).",
  }),
  hsts: choice("HELIOGRAPH_HSTS", {
    default: "host",
    of: ["host", "subdomains"],
    doc: "With https, browsers use nothing else for a year: for this host, or for all hosts under its name too.",
  }),
  dataDir: text("HELIOGRAPH_DATA_DIR", {
    default: "./data",
    bounds: "a path",
    pattern: /^[^\0]+$/,
    doc: "Directory for everything the engine keeps: embedded database, keys, sockets. One engine per directory.",
  }),
  databaseUrl: optionalSecret("DATABASE_URL", {
    bounds: "a postgres:// URL",
    check: (value) => /^postgres(ql)?:\/\//.test(value) && URL.canParse(value),
    doc: "PostgreSQL to use instead of the embedded one.",
  }),
  tenantDatabasesFile: optionalPath("HELIOGRAPH_TENANT_DATABASES_FILE", {
    doc: 'JSON file {"<tenant slug>": "postgres://..."} (mode 600) of tenants that have a database of their own.',
  }),
  pollSeconds: integer("HELIOGRAPH_POLL_SECONDS", {
    default: 10,
    min: 1,
    max: 3600,
    unit: "s",
    doc: "Polling interval of devices that name none themselves.",
  }),
  pollTimeoutMs: integer("HELIOGRAPH_POLL_TIMEOUT_MS", {
    default: 5000,
    min: 100,
    max: 60_000,
    unit: "ms",
    doc: "Longest time for one whole poll of one device. A poll never outlives its interval either.",
  }),
  listenHost: text("HELIOGRAPH_LISTEN_HOST", {
    ...HOST,
    default: "0.0.0.0",
    doc: "Address that traps and syslog are received on. Routers must reach it; messages of unknown senders are dropped.",
  }),
  trapPort: integer("HELIOGRAPH_TRAP_PORT", {
    default: 10162,
    min: 0,
    max: 65535,
    doc: "UDP port for SNMP traps (162 needs root or a redirect). 0 takes any free port.",
  }),
  syslogPort: integer("HELIOGRAPH_SYSLOG_PORT", {
    default: 10514,
    min: 0,
    max: 65535,
    doc: "UDP port for syslog (514 needs root or a redirect). 0 takes any free port.",
  }),
  syslogTlsPort: optionalText("HELIOGRAPH_SYSLOG_TLS_PORT", {
    bounds: "a TCP port, 0 to 65535",
    check: (value) => /^(?:0|[1-9]\d{0,4})$/.test(value) && Number(value) <= 65_535,
    doc: "TCP port for syslog over TLS (RFC 5425; usually 6514) with the engine's own certificate. 0 takes any free port.",
  }),
  syslogSeverityMax: integer("HELIOGRAPH_SYSLOG_SEVERITY", {
    default: 7,
    min: 0,
    max: 7,
    doc: "Least grave syslog line that is kept (RFC 5424: 0 emergency to 7 debug); lines that are events always are.",
  }),
  syslogMode: choice("HELIOGRAPH_SYSLOG_MODE", {
    default: "evidence",
    of: ["evidence", "event-only"],
    doc: "evidence: lines change the state of what they tell of. event-only: they are kept and shown, and change nothing.",
  }),
  journalHours: integer("HELIOGRAPH_JOURNAL_HOURS", {
    default: 24,
    min: 1,
    max: 8760,
    unit: "h",
    doc: "How long the journal is kept.",
  }),
  snapshotSeconds: integer("HELIOGRAPH_SNAPSHOT_SECONDS", {
    default: 60,
    min: 1,
    max: 3600,
    unit: "s",
    doc: "How often a twin is saved: a start folds the journal since then. Each leaves a mark that a replay is proven by.",
  }),
  sampleDays: integer("HELIOGRAPH_SAMPLE_DAYS", {
    default: 14,
    min: 1,
    max: 3660,
    unit: "d",
    doc: "How long polled values are kept.",
  }),
  eventDays: integer("HELIOGRAPH_EVENT_DAYS", {
    default: 90,
    min: 1,
    max: 3660,
    unit: "d",
    doc: "How long events are kept.",
  }),
  sessionHours: integer("HELIOGRAPH_SESSION_HOURS", {
    default: 12,
    min: 1,
    max: 720,
    unit: "h",
    doc: "A sign-in ends this long after it began.",
  }),
  viewersMax: integer("HELIOGRAPH_VIEWERS_MAX", {
    default: 500,
    min: 1,
    max: 20_000,
    doc: "Live streams open at once per tenant; the next one is refused with `too-many-viewers`.",
  }),
  logLevel: choice("HELIOGRAPH_LOG_LEVEL", {
    default: "info",
    of: ["debug", "info", "warn", "error"],
    doc: "Least severe message that is written.",
  }),
  logFormat: choice("HELIOGRAPH_LOG_FORMAT", {
    default: "text",
    of: ["text", "json"],
    doc: "Lines for people, or one JSON object per line.",
  }),
  basemapUrl: optionalUrl("HELIOGRAPH_BASEMAP_URL", {
    doc: "PMTiles archive to fetch instead of the one built from npm data. Browsers still load it from this engine only.",
  }),
  adminUser: text("HELIOGRAPH_ADMIN_USER", {
    default: "admin",
    bounds: "1 to 64 letters, digits or . _ @ -",
    pattern: /^[A-Za-z0-9._@-]{1,64}$/,
    doc: "Name of the first user, made when there is none.",
  }),
  adminPassword: optionalSecret("HELIOGRAPH_ADMIN_PASSWORD", {
    bounds: "8 to 256 characters",
    check: (value) => value.length >= 8 && value.length <= 256,
    doc: "Password of the first user. Without it the first start makes one and prints it once.",
  }),
  authMode: choice("HELIOGRAPH_AUTH_MODE", {
    default: "local",
    of: ["local", "oidc"],
    doc: "local: people sign in by password. oidc: by an OpenID issuer; passwords remain for administrators (break glass).",
  }),
  oidcIssuer: optionalUrl("HELIOGRAPH_OIDC_ISSUER", {
    doc: "Issuer, as its discovery document names it; https, or plain http only on 127.0.0.1.",
  }),
  oidcName: text("HELIOGRAPH_OIDC_NAME", {
    default: "OpenID Connect",
    bounds: "1 to 40 characters",
    pattern: /^\P{Cc}{1,40}$/u,
    doc: "What the sign-in screen calls the issuer.",
  }),
  oidcClientId: optionalText("HELIOGRAPH_OIDC_CLIENT_ID", {
    bounds: "1 to 200 printable characters",
    check: (value) => /^[\x20-\x7e]{1,200}$/.test(value),
    doc: "This engine's client id at the issuer; its redirect URI there is HELIOGRAPH_PUBLIC_URL + /oidc/callback.",
  }),
  oidcClientSecret: optionalSecret("HELIOGRAPH_OIDC_CLIENT_SECRET", {
    bounds: "8 to 500 characters",
    check: (value) => value.length >= 8 && value.length <= 500,
    doc: "The client's secret. Without it the client is a public one, which PKCE alone protects.",
  }),
  oidcRoleClaim: optionalText("HELIOGRAPH_OIDC_ROLE_CLAIM", {
    bounds: "the name of a claim",
    check: (value) => /^[\x21-\x7e]{1,200}$/.test(value),
    doc: "Claim of the ID token that says what somebody is: text or a list of texts.",
  }),
  oidcRoleMap: optionalText("HELIOGRAPH_OIDC_ROLE_MAP", {
    bounds: 'a JSON object of claim values and roles, like {"noc-team": "noc", "netops": ["engineer", "auditor"]}',
    check: (value) => readRoleMap(value) !== null,
    doc: "Which roles a value of the role claim gives. Whoever has none of these values is refused.",
  }),
  oidcTenant: optionalText("HELIOGRAPH_OIDC_TENANT", {
    bounds: "a tenant's slug",
    check: (value) => /^[a-z0-9][a-z0-9-]{0,62}$/.test(value),
    doc: "The tenant of everybody who signs in by the issuer.",
  }),
  oidcTenantClaim: optionalText("HELIOGRAPH_OIDC_TENANT_CLAIM", {
    bounds: "the name of a claim",
    check: (value) => /^[\x21-\x7e]{1,200}$/.test(value),
    doc: "Instead of HELIOGRAPH_OIDC_TENANT: claim of the ID token that names the tenant by its slug.",
  }),
  metricsToken: optionalSecret("HELIOGRAPH_METRICS_TOKEN", {
    bounds: "16 to 256 characters",
    check: (value) => value.length >= 16 && value.length <= 256,
    doc: "Bearer token with which Prometheus may read /metrics. Without it only signed-in users may.",
  }),
  loopbackTargets: choice("HELIOGRAPH_LOOPBACK_TARGETS", {
    default: "demo",
    of: ["demo", "allow"],
    doc: "Whose devices may have addresses of this very machine: the demo tenant's only, or everybody's (laboratories). Others are not polled.",
  }),
  deadCredentials: choice("HELIOGRAPH_DEAD_CREDENTIALS", {
    default: "refuse",
    of: ["refuse", "allow"],
    doc: "When a master key is lost. refuse: the engine does not start. allow: it starts, names what is unreadable, and takes it anew.",
  }),
  masterKeyFile: optionalPath("HELIOGRAPH_MASTER_KEY_FILE", {
    doc: "File with the key that seals stored credentials. Made in the data directory when not set; keep a copy elsewhere.",
  }),
} as const

type ValueOf<S> = S extends Setting<infer T> ? T : never
export type Config = { readonly [Key in keyof typeof SETTINGS]: ValueOf<(typeof SETTINGS)[Key]> }
export type ConfigKey = keyof Config

/** Where a value came from: `environment`, `default`, or the path of the file. */
export type ConfigSources = Readonly<Record<ConfigKey, string>>
export interface LoadedConfig {
  readonly _tag: "Config"
  readonly config: Config
  readonly sources: ConfigSources
}
/** Each message names its setting and says what to do; none holds a secret. */
export interface ConfigErrors {
  readonly _tag: "ConfigErrors"
  readonly errors: readonly string[]
}

export interface ConfigInput {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Path of a JSON settings file; HELIOGRAPH_CONFIG in `env` wins. */
  readonly file?: string
  /** HELIOGRAPH_* variables that belong to another program of this house (the lab's) and are not ours to judge. */
  readonly foreign?: readonly string[]
  readonly readFile?: (path: string) => string
}

const CONFIG_FILE = "HELIOGRAPH_CONFIG"
const FILE_BYTES_MAX = 64 * 1024

const entries = Object.entries(SETTINGS) as ReadonlyArray<[ConfigKey, Setting<unknown>]>
const secretFiles = entries.filter(([, setting]) => setting.secret)
/** Every name that may stand in the environment or the file. */
const NAMES: readonly string[] = [
  ...entries.map(([, setting]) => setting.name),
  ...secretFiles.map(([, setting]) => `${setting.name}_FILE`),
  CONFIG_FILE,
]

/** Reads and checks everything. Empty values count as not set. */
export const loadConfig = (input: ConfigInput): LoadedConfig | ConfigErrors => {
  const errors: string[] = []
  const readFile = input.readFile ?? readBounded
  const given = gather(input, readFile, errors)
  const config: Record<string, unknown> = {}
  const sources: Record<string, string> = {}
  for (const [key, setting] of entries) {
    const raw = secretText(setting, given, readFile, errors) ?? given.get(setting.name)
    config[key] = setting.fallback
    sources[key] = raw?.source ?? "default"
    if (raw === undefined) continue
    const parsed = setting.parse(raw.text)
    if (parsed.ok) config[key] = parsed.value
    else errors.push(`${setting.name} ${parsed.why} (from ${raw.source})`)
  }
  for (const host of [SETTINGS.host, SETTINGS.listenHost]) {
    const value = given.get(host.name)
    if (value !== undefined && host.parse(value.text).ok && value.text !== "localhost" && isIP(value.text) === 0)
      errors.push(`${host.name} must be ${host.bounds}, not ${quote(value.text)} (from ${value.source})`)
  }
  tellTls(config as Config, errors)
  if (errors.length === 0) errors.push(...oidcMistakes(config as Config))
  if (errors.length > 0) return { _tag: "ConfigErrors", errors }
  return { _tag: "Config", config: config as Config, sources: sources as Record<ConfigKey, string> }
}

/** Certificate and key come together, and then browsers say https. */
const tellTls = ({ tlsCertFile, tlsKeyFile, publicUrl, syslogTlsPort }: Config, errors: string[]): void => {
  const [cert, key] = [SETTINGS.tlsCertFile.name, SETTINGS.tlsKeyFile.name]
  if ((tlsCertFile === null) !== (tlsKeyFile === null))
    errors.push(`${tlsCertFile === null ? cert : key} is missing: ${cert} and ${key} go together`)
  else if (tlsCertFile !== null && publicUrl?.startsWith("http:") === true)
    errors.push(`${SETTINGS.publicUrl.name} must begin with https:// when ${cert} is set`)
  if (syslogTlsPort !== null && tlsCertFile === null)
    errors.push(`${SETTINGS.syslogTlsPort.name} needs a certificate: set ${cert} and ${key}`)
}

/** For programs: this process's settings, or null after every mistake was named on stderr (exit code 2 then). */
export const configFromProcess = (foreign: readonly string[] = []): Config | null => {
  const loaded = loadConfig({ env: process.env, foreign })
  if (loaded._tag === "Config") return loaded.config
  process.stderr.write(formatConfigErrors(loaded))
  return null
}

export const formatConfigErrors = ({ errors }: ConfigErrors): string =>
  `heliograph cannot start: ${errors.length === 1 ? "a setting is" : `${errors.length} settings are`} wrong\n` +
  `${errors.map((error) => `  ${error}\n`).join("")}` +
  "`npm run -s heliograph -- config --help` lists all settings.\n"

/** The table as text for `--help`, wrapped for a terminal. */
export const settingsHelp = (): string =>
  entries
    .map(([, setting]) => {
      const about = [
        setting.bounds,
        setting.unit === "" ? null : `unit ${setting.unit}`,
        setting.defaultText === null ? "not set by default" : `default ${setting.defaultText}`,
      ]
      return `  ${setting.name}\n      ${setting.doc}\n      (${about.filter((part) => part !== null).join("; ")})`
    })
    .concat([
      `  NAME_FILE\n      File that holds the value of a secret: ${secretFiles.map(([, setting]) => `${setting.name}_FILE`).join(", ")}.`,
      `  ${CONFIG_FILE}\n      JSON file {"HELIOGRAPH_PORT": 8080, ...} with these same names. The environment wins over it.`,
    ])
    .join("\n")

/** One line per setting with its source; a secret shows only whether it is set. */
export const describeConfig = (loaded: LoadedConfig): readonly string[] =>
  entries.map(([key, setting]) => {
    const value: unknown = loaded.config[key]
    const shown = value === null ? "(not set)" : Redacted.isRedacted(value) ? "(secret)" : String(value)
    return `${setting.name}=${shown}${setting.unit === "" || value === null ? "" : ` ${setting.unit}`}  [${loaded.sources[key]}]`
  })

interface Raw {
  readonly text: string
  readonly source: string
}

const gather = (input: ConfigInput, readFile: (path: string) => string, errors: string[]): Map<string, Raw> => {
  const given = new Map<string, Raw>()
  const path = input.env[CONFIG_FILE] || input.file
  if (path !== undefined && path !== "") readSettingsFile(path, readFile, given, errors)
  for (const [name, value] of Object.entries(input.env)) {
    if (!name.startsWith("HELIOGRAPH_") && name !== "DATABASE_URL" && name !== "DATABASE_URL_FILE") continue
    if (input.foreign?.includes(name) === true) continue
    if (!NAMES.includes(name)) errors.push(unknownName(name, "environment"))
    else if (value !== undefined && value !== "") given.set(name, { text: value, source: "environment" })
  }
  return given
}

const readSettingsFile = (
  path: string,
  readFile: (path: string) => string,
  given: Map<string, Raw>,
  errors: string[],
): void => {
  let document: unknown
  try {
    document = JSON.parse(readFile(path))
  } catch (cause) {
    errors.push(`${CONFIG_FILE}: ${quote(path)} cannot be read as JSON: ${oneLine(cause)}`)
    return
  }
  if (typeof document !== "object" || document === null || Array.isArray(document)) {
    errors.push(`${CONFIG_FILE}: ${quote(path)} must hold one JSON object of settings`)
    return
  }
  for (const [name, value] of Object.entries(document)) {
    if (!NAMES.includes(name) || name === CONFIG_FILE) errors.push(unknownName(name, path))
    else if (typeof value !== "string" && typeof value !== "number")
      errors.push(`${name} must be a string or a number (from ${path})`)
    else if (value !== "") given.set(name, { text: String(value), source: path })
  }
}

/** The value of a secret that stands in a file; undefined when NAME_FILE is not given. */
const secretText = (
  setting: Setting<unknown>,
  given: ReadonlyMap<string, Raw>,
  readFile: (path: string) => string,
  errors: string[],
): Raw | undefined => {
  const file = given.get(`${setting.name}_FILE`)
  if (!setting.secret || file === undefined) return undefined
  if (given.has(setting.name)) errors.push(`${setting.name} and ${setting.name}_FILE are both set: keep one`)
  try {
    return { text: readFile(file.text).replace(/\r?\n$/, ""), source: file.text }
  } catch (cause) {
    errors.push(`${setting.name}_FILE: ${quote(file.text)} cannot be read: ${oneLine(cause)}`)
    return undefined
  }
}

const unknownName = (name: string, source: string): string => {
  const near = nearest(name, NAMES)
  return `${quote(name).slice(1, -1)} is not a setting${near === null ? "" : `; did you mean ${near}?`} (from ${source})`
}

const readBounded = (path: string): string => {
  const bytes = readFileSync(path)
  if (bytes.length > FILE_BYTES_MAX) throw new Error(`larger than ${FILE_BYTES_MAX} bytes`)
  return bytes.toString("utf8")
}

/** The system's reason without a parser's quotation of the file: a settings file may hold secrets. */
const oneLine = (cause: unknown): string => {
  if (cause instanceof SyntaxError) return "it is not valid JSON"
  return cause instanceof Error ? cause.message.split("\n")[0]! : "unknown reason"
}
