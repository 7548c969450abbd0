/**
 * `npm run bench -- [CASE] [--small] [--PARAMETER VALUE]`: prints parameters, seed, tier and a hash of the result, then
 * the figures; the last line is one JSON object.
 */
import { createHash } from "node:crypto"
import { cpus } from "node:os"
import process from "node:process"
import type { Case, Flags, Parameters } from "#bench/case.ts"
import { CASES } from "#bench/cases/registry.ts"

const HELP = `usage: npm run bench -- [CASE] [--small] [--PARAMETER VALUE ...]

Without CASE: ${CASES[0]?.name}.
${CASES.map((one) => `  ${one.name.padEnd(12)} ${one.about}\n${"".padEnd(15)}${words(one.full)}`).join("\n")}
`

function words(parameters: Parameters): string {
  return Object.entries(parameters)
    .map(([name, value]) => `--${name} ${value}`)
    .join(" ")
}

const main = async (args: readonly string[]): Promise<number> => {
  if (args.includes("--help")) return say(HELP, 0)
  const named = args[0]?.startsWith("--") === false ? args[0] : undefined
  const chosen = named === undefined ? CASES[0] : CASES.find((one) => one.name === named)
  if (chosen === undefined)
    return say(`no benchmark is called ${named}; there are: ${CASES.map((one) => one.name).join(", ")}`, 2)
  const read = readParameters(chosen, args.slice(named === undefined ? 0 : 1))
  if (typeof read === "string") return say(read, 2)
  const { parameters, flags } = read
  if ("json" in flags) {
    const { lines = [] } = await chosen.run(parameters, () => undefined, flags)
    return say(lines.join("\n"), 0)
  }

  console.log(`${chosen.name}: ${chosen.about}`)
  console.log(`parameters ${words(parameters)}   source ${chosen.tier}`)
  console.log(`machine ${cpus().length} x ${cpus()[0]?.model ?? "unknown"}, node ${process.version}`)
  const result = await chosen.run(parameters, (line) => console.log(`  ${line}`), flags)
  const hash = createHash("sha256").update(JSON.stringify(result.outcome)).digest("hex").slice(0, 16)
  console.log(`result ${hash}`)
  for (const [name, value] of Object.entries(result.figures))
    console.log(`${name.padEnd(28)} ${value ?? "not measured here"}`)
  console.log(JSON.stringify({ case: chosen.name, parameters, tier: chosen.tier, hash, ...result.figures }))
  for (const line of result.lines ?? []) console.log(line)
  return 0
}

/** The case's parameters with the command line's changes, or what is wrong with them. */
const readParameters = (
  chosen: Case,
  args: readonly string[],
): { readonly parameters: Parameters; readonly flags: Flags } | string => {
  const small = args.includes("--small")
  const parameters: Record<string, number> = { ...(small ? chosen.small : chosen.full) }
  const flags: Record<string, string> = {}
  const isJson = chosen.flags?.includes("json") === true && args.includes("--json")
  if (isJson) flags["json"] = "yes"
  const rest = args.filter((arg) => arg !== "--small" && !(isJson && arg === "--json"))
  for (let i = 0; i < rest.length; i += 2) {
    const name = rest[i]?.replace(/^--/, "") ?? ""
    const word = rest[i + 1]
    if (chosen.flags?.includes(name) === true && word !== undefined) {
      flags[name] = word
      continue
    }
    const value = Number(rest[i + 1])
    if (!(name in parameters)) return `${chosen.name} has no parameter ${rest[i]}; it takes: ${words(parameters)}`
    if (!Number.isFinite(value) || value < 0 || rest[i + 1] === undefined)
      return `--${name} takes a number, not ${rest[i + 1] ?? "nothing"}`
    parameters[name] = value
  }
  return { parameters, flags }
}

const say = (text: string, code: number): number => {
  ;(code === 0 ? console.log : console.error)(text)
  return code
}

process.exitCode = await main(process.argv.slice(2))
