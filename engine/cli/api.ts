/**
 * `heliograph api OPERATION`: any operation of the REST API from a shell, by the same generated client that the screens
 * use (protocol/rest.ts). The API key comes from a file, never from the command line or the environment, where other
 * processes could read it.
 */
import { readFile, stat } from "node:fs/promises"
import { failed, settingsOf } from "#engine/cli/command.ts"
import type { Command, CommandInput, CommandIo } from "#engine/cli/command.ts"
import { nearest } from "#engine/nearest.ts"
import { OPERATIONS } from "#protocol/rest-generated.ts"
import { requestOf, type LooseInput, type OperationId, type RestRequest } from "#protocol/rest.ts"

const HELP = `usage: heliograph api OPERATION --key-file FILE [--param NAME=VALUE]... [--body FILE] [--url URL]

Asks the REST API and prints its answer as JSON. \`heliograph api list\` names the operations.
  --key-file FILE      an API key (hgk_...); readable by its owner only
  --param NAME=VALUE   a parameter of the path, the query or a header; may be given several times
  --body FILE          the JSON body; - reads standard input
  --url URL            where the engine is; without it, as the settings of this machine say
  --plain-http         sends the key unencrypted to another machine
  --help               this text

  heliograph api network.devices --key-file key --param limit=5 --param health=down
  heliograph api inventory.putSite --key-file key --param id=sao-1 --body site.json

Exit codes: 0 answered, 1 refused or no answer, 2 wrong words, settings or file.`

const TIMEOUT_MS = 60_000
/** Of a body; the engine takes less of most. */
const BODY_BYTES_MAX = 64 * 1024 * 1024

export const apiCommand: Command = {
  name: "api",
  summary: "call an operation of the REST API",
  help: () => HELP,
  words: ["OPERATION"],
  options: {
    "key-file": { type: "string" },
    param: { type: "string", multiple: true },
    body: { type: "string" },
    url: { type: "string" },
    "plain-http": { type: "boolean" },
  },
  run: async ({ words, options }, io) => {
    const [name = ""] = words
    if (name === "list") return list(io)
    if (!isOperation(name)) return wrong(io, unknownOperation(name))
    try {
      const request = await requestFor(name, options)
      const url = urlOf(options, io)
      if (url === null) return 2
      return await send(url, request, await keyOf(options), io)
    } catch (cause) {
      return cause instanceof WrongWords ? wrong(io, cause.message) : failed("api", cause, io)
    }
  },
}

/** The same for a command that makes its own words of the answer. `options` as above, but for `param` and `body`. */
export const askApi = async (
  command: string,
  id: OperationId,
  input: LooseInput,
  options: CommandInput["options"],
  io: CommandIo,
): Promise<{ readonly code: number; readonly text: string }> => {
  const said: string[] = []
  const quiet: CommandIo = { ...io, out: (line) => void said.push(line) }
  try {
    const url = urlOf(options, io)
    const code = url === null ? 2 : await send(url, requestOf(id, input), await keyOf(options), quiet)
    return { code, text: said.join("\n") }
  } catch (cause) {
    if (!(cause instanceof WrongWords)) return { code: failed(command, cause, io), text: "" }
    io.err(`heliograph ${command}: ${cause.message}`)
    return { code: 2, text: "" }
  }
}

/** Something that was typed is wrong: nothing was asked. */
class WrongWords extends Error {}

const isOperation = (name: string): name is OperationId => Object.hasOwn(OPERATIONS, name)

const unknownOperation = (name: string): string => {
  const near = nearest(name, Object.keys(OPERATIONS))
  return `${JSON.stringify(name)} is no operation; ${near === null ? "see: heliograph api list" : `did you mean ${near}?`}`
}

const list = (io: CommandIo): number => {
  const names = Object.keys(OPERATIONS) as OperationId[]
  const width = Math.max(...names.map((name) => name.length))
  for (const name of names) io.out(`${name.padEnd(width)}  ${OPERATIONS[name].summary}`)
  return 0
}

const requestFor = async (id: OperationId, options: CommandInput["options"]): Promise<RestRequest> => {
  const input = inputOf(id, manyOf(options["param"]))
  const file = options["body"]
  const { hasBody } = OPERATIONS[id]
  if (hasBody && typeof file !== "string") throw new WrongWords(`${id} takes a body: give --body FILE`)
  if (!hasBody && file !== undefined) throw new WrongWords(`${id} takes no body`)
  const body = typeof file === "string" ? { body: await readJson(file) } : {}
  try {
    return requestOf(id, { ...input, ...body })
  } catch (cause) {
    throw cause instanceof RangeError ? new WrongWords(`${cause.message}: give it with --param`) : cause
  }
}

/** An option that may be given several times comes as a list, which the type of most commands' options does not say. */
const manyOf = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : [])

/** Each NAME=VALUE where the operation has it. */
const inputOf = (id: OperationId, given: readonly string[]): LooseInput => {
  const { path, query, headers } = OPERATIONS[id]
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!)
  const input = {
    params: {} as Record<string, string>,
    query: {} as Record<string, string>,
    headers: {} as Record<string, string>,
  }
  for (const one of given) {
    const equals = one.indexOf("=")
    const name = one.slice(0, Math.max(0, equals))
    const where = inPath.includes(name)
      ? "params"
      : query.includes(name)
        ? "query"
        : headers.includes(name)
          ? "headers"
          : null
    if (where === null) {
      const known = [...inPath, ...query, ...headers].join(", ")
      throw new WrongWords(`--param ${name}=... is not of ${id}; it has ${known === "" ? "none" : known}`)
    }
    input[where][name] = one.slice(equals + 1)
  }
  return input
}

const readJson = async (file: string): Promise<unknown> => {
  const text = await (file === "-" ? readAll() : readFile(file, "utf8")).catch((cause: Error) => {
    throw new WrongWords(`${file} cannot be read: ${cause.message}`)
  })
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new WrongWords(`${file} is not JSON`)
  }
}

const readAll = async (): Promise<string> => {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of process.stdin) {
    chunks.push(Buffer.from(chunk as Uint8Array))
    bytes += chunks.at(-1)!.length
    if (bytes > BODY_BYTES_MAX) throw new Error(`more than ${BODY_BYTES_MAX} bytes`)
  }
  return Buffer.concat(chunks).toString("utf8")
}

const keyOf = async (options: CommandInput["options"]): Promise<string | null> => {
  const file = options["key-file"]
  if (typeof file !== "string") return null
  const unreadable = (cause: Error): never => {
    throw new WrongWords(`${file} cannot be read: ${cause.message}`)
  }
  const { mode } = await stat(file).catch(unreadable)
  if (process.platform !== "win32" && (mode & 0o077) !== 0)
    throw new WrongWords(`${file} may be read by others (mode ${(mode & 0o777).toString(8)}): chmod 600`)
  const key = (await readFile(file, "utf8").catch(unreadable)).trim()
  if (!/^[\x21-\x7e]{1,256}$/.test(key)) throw new WrongWords(`${file} holds no API key`)
  return key
}

/** Null after the settings were found wrong and named. */
const urlOf = (options: CommandInput["options"], io: CommandIo): URL | null => {
  let text = options["url"]
  if (typeof text !== "string") {
    const loaded = settingsOf(io)
    if (loaded === null) return null
    const { publicUrl, host, port } = loaded.config
    text = publicUrl ?? `http://${host.includes(":") ? `[${host}]` : host === "0.0.0.0" ? "127.0.0.1" : host}:${port}`
  }
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new WrongWords(`--url must be like https://noc.example.net`)
  const isHere = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)
  if (url.protocol === "http:" && !isHere && options["plain-http"] !== true && options["key-file"] !== undefined)
    throw new WrongWords("the key would travel unencrypted: use https, or say --plain-http")
  return url
}

const send = async (url: URL, request: RestRequest, key: string | null, io: CommandIo): Promise<number> => {
  const response = await fetch(new URL(request.path, url), {
    method: request.method,
    headers: { ...request.headers, ...(key === null ? {} : { authorization: `Bearer ${key}` }) },
    // A redirect would take the key along to wherever it leads.
    redirect: "error",
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...(request.body === null ? {} : { body: request.body }),
  })
  const text = await response.text()
  const say = response.ok ? io.out : io.err
  if (text !== "") say(pretty(text))
  else if (!response.ok) io.err(`HTTP ${response.status}`)
  return response.ok ? 0 : 1
}

const pretty = (text: string): string => {
  try {
    // Names that devices gave themselves may hold what steers a terminal; JSON itself escapes only half of it.
    return JSON.stringify(JSON.parse(text), null, 2).replaceAll(
      /[\u007F-\u009F]/g,
      (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, "0")}`,
    )
  } catch {
    // No answer of ours: a proxy's page. What it says must not steer the terminal.
    return text.slice(0, 2_000).replaceAll(/[^\P{Cc}\n]/gu, "\uFFFD")
  }
}

const wrong = (io: CommandIo, why: string): number => {
  io.err(`heliograph api: ${why}`)
  return 2
}
