/**
 * The credentials of a connection test, from command-line words. Passwords come from files or environment variables,
 * because other users of a machine can read command lines; a community is taken from there too, with a warning. No
 * refusal ever repeats a value that could be a secret.
 */
import { readFileSync } from "node:fs"
import { asOne, AUTH_PROTOCOLS, PRIV_PROTOCOLS, SNMP_CREDENTIALS_MAX } from "#engine/collectors/target.ts"
import type { RouterOsCredential, SnmpCredential } from "#engine/collectors/target.ts"

export const TEST_OPTIONS = {
  "snmp-v2c": { type: "string", multiple: true },
  "snmp-v2c-env": { type: "string", multiple: true },
  "snmp-v2c-file": { type: "string", multiple: true },
  "snmp-v3": { type: "string" },
  "auth-protocol": { type: "string" },
  "auth-password-env": { type: "string" },
  "auth-password-file": { type: "string" },
  "priv-protocol": { type: "string" },
  "priv-password-env": { type: "string" },
  "priv-password-file": { type: "string" },
  "snmp-port": { type: "string" },
  routeros: { type: "string" },
  "routeros-port": { type: "string" },
  "routeros-tls": { type: "boolean" },
  "routeros-fingerprint": { type: "string" },
  "routeros-legacy-login": { type: "boolean" },
  "password-env": { type: "string" },
  "password-file": { type: "string" },
  "syslog-port": { type: "string" },
  json: { type: "boolean" },
} as const
type OptionName = keyof typeof TEST_OPTIONS
type Options = Readonly<Record<string, string | boolean | undefined>>
type Environment = Readonly<Record<string, string | undefined>>

export interface Credentials {
  readonly snmp: SnmpCredential | null
  readonly routeros: RouterOsCredential | null
  /** Null = do not listen. */
  readonly syslogPort: number | null
  readonly warnings: readonly string[]
}

/** RFC 3414 s11.2. */
const PASSWORD_MIN = 8
const SECRET_FILE_MAX = 4_096

/** Words that cannot be used; the message is for the person who wrote them. */
export class WrongOptions extends Error {}

/** Throws WrongOptions. */
export const readCredentials = (options: Options, env: Environment): Credentials => {
  const words = new Words(options, env)
  const warnings: string[] = []
  const syslogPort = words.text("syslog-port") === null ? null : words.port("syslog-port", 0)
  return { snmp: readSnmp(words, warnings), routeros: readRouterOs(words), syslogPort, warnings }
}

class Words {
  private readonly options: Options
  private readonly env: Environment
  constructor(options: Options, env: Environment) {
    this.options = options
    this.env = env
  }

  text(name: OptionName): string | null {
    const value = this.options[name]
    return typeof value === "string" ? value : null
  }

  /** Of an option that may be given several times: it comes as a list, which the type of commands' options does not say. */
  all(name: "snmp-v2c" | "snmp-v2c-env" | "snmp-v2c-file"): readonly string[] {
    const value: unknown = this.options[name]
    return Array.isArray(value) ? value.map(String) : typeof value === "string" ? [value] : []
  }

  flag(name: OptionName): boolean {
    return this.options[name] === true
  }

  port(name: OptionName, usual: number): number {
    const text = this.text(name)
    if (text === null) return usual
    const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
    if (port < 1 || port > 65_535) throw new WrongOptions(`--${name} takes a port, 1 to 65535`)
    return port
  }

  oneOf<Word extends string>(name: OptionName, words: readonly Word[]): Word | null {
    const text = this.text(name)
    if (text === null) return null
    const word = words.find((one) => one === text.toLowerCase())
    if (word === undefined) throw new WrongOptions(`--${name} takes one of ${words.join(", ")}`)
    return word
  }

  variable(name: string, variable: string): string {
    const value = this.env[variable]
    if (!value) throw new WrongOptions(`--${name}-env: there is no environment variable of that name, or it is empty`)
    return value
  }

  /** From `--NAME-env VARIABLE` or `--NAME-file FILE`; null when neither is given. */
  secret(name: "auth-password" | "priv-password" | "password"): string | null {
    const variable = this.text(`${name}-env`)
    const file = this.text(`${name}-file`)
    if (variable !== null && file !== null)
      throw new WrongOptions(`--${name}-env and --${name}-file exclude each other`)
    if (variable !== null) return this.variable(name, variable)
    return file === null ? null : readSecret(name, file)
  }
}

/** From outside the command line, in the order of their kinds: variables, files. */
const keptCommunities = (words: Words): readonly string[] => [
  ...words.all("snmp-v2c-env").map((variable) => words.variable("snmp-v2c", variable)),
  ...words.all("snmp-v2c-file").map((file) => readSecret("snmp-v2c", file)),
]

const readSecret = (name: string, file: string): string => {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (cause) {
    throw new WrongOptions(`--${name}-file: ${file} cannot be read (${(cause as NodeJS.ErrnoException).code ?? "?"})`)
  }
  const secret = bytes.length > SECRET_FILE_MAX ? "" : bytes.toString("utf8").replace(/\r?\n$/, "")
  if (secret === "")
    throw new WrongOptions(`--${name}-file: ${file} must hold one line of at most ${SECRET_FILE_MAX} bytes`)
  return secret
}

/** v3 goes first: a device that speaks it never hears a community. */
const readSnmp = (words: Words, warnings: string[]): SnmpCredential | null => {
  const spoken = words.all("snmp-v2c")
  const communities = [...spoken, ...keptCommunities(words)]
  const user = words.text("snmp-v3")
  const port = words.port("snmp-port", 161)
  if (user === null && (words.text("auth-protocol") !== null || words.text("priv-protocol") !== null))
    throw new WrongOptions("--auth-protocol and --priv-protocol belong to --snmp-v3 USER")
  if (communities.some((community) => Buffer.byteLength(community) > 255 || community === ""))
    throw new WrongOptions("a community has 1 to 255 octets")
  if (communities.length + (user === null ? 0 : 1) > SNMP_CREDENTIALS_MAX)
    throw new WrongOptions(`at most ${SNMP_CREDENTIALS_MAX} credentials for SNMP are tried`)
  if (spoken.some((community) => community !== "public"))
    warnings.push(
      "other users of this machine could read the community from the command line: use --snmp-v2c-env or --snmp-v2c-file",
    )
  if (communities.length > 0)
    warnings.push("SNMP v2c sends the community and all values in clear: prefer v3 with authPriv")
  return asOne([
    ...(user === null ? [] : [readV3(words, user, port)]),
    ...communities.map((community) => ({ version: "2c", port, community }) as const),
  ])
}

const readV3 = (words: Words, user: string, port: number): SnmpCredential => {
  const authProtocol = words.oneOf("auth-protocol", AUTH_PROTOCOLS)
  const privProtocol = words.oneOf("priv-protocol", PRIV_PROTOCOLS)
  if (user === "" || Buffer.byteLength(user) > 32) throw new WrongOptions("a user of SNMP v3 has 1 to 32 octets")
  if (privProtocol !== null && authProtocol === null)
    throw new WrongOptions("--priv-protocol needs --auth-protocol: SNMP v3 has no privacy without authentication")
  const authPassword = password(words, "auth", authProtocol)
  const privPassword = password(words, "priv", privProtocol)
  return {
    version: "3",
    port,
    user,
    ...(authProtocol === null ? {} : { authProtocol, authPassword }),
    ...(privProtocol === null ? {} : { privProtocol, privPassword }),
  }
}

const password = (words: Words, kind: "auth" | "priv", protocol: string | null): string => {
  const secret = words.secret(`${kind}-password`)
  if (protocol === null) {
    if (secret !== null) throw new WrongOptions(`--${kind}-password-* needs --${kind}-protocol`)
    return ""
  }
  if (secret === null)
    throw new WrongOptions(`--${kind}-protocol needs --${kind}-password-file FILE or --${kind}-password-env VARIABLE`)
  if (Buffer.byteLength(secret) < PASSWORD_MIN)
    throw new WrongOptions(`the ${kind} password is shorter than ${PASSWORD_MIN} octets, which SNMP v3 does not allow`)
  return secret
}

const readRouterOs = (words: Words): RouterOsCredential | null => {
  const spoken = words.text("routeros")
  if (spoken === null) return null
  const user = spoken.replace(/@$/, "")
  if (user === "" || user.includes("@") || user.includes(":"))
    throw new WrongOptions("--routeros takes USER@ alone; the password comes from --password-file or --password-env")
  const password = words.secret("password")
  if (password === null) throw new WrongOptions("--routeros needs --password-file FILE or --password-env VARIABLE")
  const tls = words.flag("routeros-tls")
  const fingerprint = words.text("routeros-fingerprint")
  if (fingerprint !== null && (!tls || !/^[0-9a-f]{2}(:[0-9a-f]{2}){31}$/i.test(fingerprint)))
    throw new WrongOptions("--routeros-fingerprint takes 32 hexadecimal octets with colons, and needs --routeros-tls")
  return {
    port: words.port("routeros-port", tls ? 8729 : 8728),
    user,
    password,
    tls,
    ...(fingerprint === null ? {} : { fingerprint }),
    ...(words.flag("routeros-legacy-login") ? { allowLegacyLogin: true } : {}),
  }
}
