/** `heliograph probe KIND TARGET`: one probe from this machine, now. Needs no engine and stores nothing. */
import type { Command, CommandInput } from "#engine/cli/command.ts"
import { escapeText } from "#engine/log.ts"
import { nearest } from "#engine/nearest.ts"

const KINDS = ["ping", "tcp", "http", "dns", "traceroute"] as const

const HELP = `usage: heliograph probe KIND TARGET [options]

Sends one probe from this machine and says what came back.
  ping ADDRESS         --count N             5, at most 100; one a second
  tcp ADDRESS          --port N              whether the port takes connections
  http URL                                   one GET; no redirect is followed, the certificate is shown, not believed
  dns SERVER           --name NAME [--type A] [--port 53]
  traceroute ADDRESS   --hops N              30
  --timeout SECONDS    for a whole tcp, http or dns probe (5), or traceroute (60)
  --allow RANGES       probe only these, e.g. 10.0.0.0/8,192.0.2.0/24
  --json               one JSON object
  --help               this text

A name is looked up once, and the probe goes to the address that was found.
Exit codes: 0 it answered, 1 it did not, 2 wrong words.`

export const probeCommand: Command = {
  name: "probe",
  summary: "ping, tcp, http, dns or traceroute from here, once",
  help: () => HELP,
  words: ["KIND", "TARGET"],
  options: {
    count: { type: "string" },
    port: { type: "string" },
    name: { type: "string" },
    type: { type: "string" },
    hops: { type: "string" },
    timeout: { type: "string" },
    allow: { type: "string" },
    json: { type: "boolean" },
  },
  run: async ({ words, options }, io) => {
    const [word = "", target = ""] = words
    const kind = KINDS.find((one) => one === word)
    if (kind === undefined) {
      const near = nearest(word, KINDS)
      io.err(
        `heliograph probe: ${JSON.stringify(word)} is no kind of probe${near === null ? "" : `; did you mean ${near}?`}`,
      )
      return 2
    }
    const { askProbe, WrongProbe } = await import("#engine/probes/on-demand.ts")
    try {
      const { answered, result, lines } = await askProbe({ kind, target, ...wordsOf(options, WrongProbe) })
      if (options["json"] === true) io.out(JSON.stringify(result))
      else for (const line of lines) io.out(escapeText(line))
      return answered ? 0 : 1
    } catch (cause) {
      if (!(cause instanceof WrongProbe)) throw cause
      io.err(`heliograph probe: ${cause.message}`)
      return 2
    }
  },
}

/** Options as numbers and texts; absent ones are left out. */
const wordsOf = (options: CommandInput["options"], Wrong: new (message: string) => Error) => {
  const number = (key: string, max: number): Record<string, number> => {
    const text = options[key]
    if (text === undefined) return {}
    const value = typeof text === "string" && /^\d{1,6}$/.test(text) ? Number(text) : 0
    if (value < 1 || value > max) throw new Wrong(`--${key} must be a whole number from 1 to ${max}`)
    return { [key]: value }
  }
  const text = (key: string): Record<string, string> =>
    typeof options[key] === "string" ? { [key]: options[key] } : {}
  return {
    ...number("count", 100),
    ...number("port", 65_535),
    ...number("hops", 64),
    ...number("timeout", 120),
    ...text("name"),
    ...text("type"),
    ...text("allow"),
  }
}
