/** The commands' list and help, and which one is run: everything behind the door that cli.ts is. */
import { runCommand } from "#engine/cli/command.ts"
import type { CommandIo } from "#engine/cli/command.ts"
import { COMMANDS } from "#engine/cli/registry.ts"
import { nearest } from "#engine/nearest.ts"
import { VERSION } from "#engine/version.ts"

const help = (): string => {
  const width = Math.max(...COMMANDS.map((command) => command.name.length))
  return [
    "usage: heliograph COMMAND [...]",
    "",
    ...COMMANDS.map((command) => `  ${command.name.padEnd(width)}   ${command.summary}`),
    "",
    "`heliograph COMMAND --help` tells more; `--version` prints the version.",
    "Exit codes: 0 done, 1 failed, 2 wrong words or settings.",
  ].join("\n")
}

/** Resolves to the exit code. */
export const main = (args: readonly string[], io: CommandIo): Promise<number> => {
  const [name, ...rest] = args
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    const wanted = COMMANDS.find((command) => command.name === rest[0])
    ;(name === undefined ? io.err : io.out)(name === "help" && wanted !== undefined ? wanted.help() : help())
    return Promise.resolve(name === undefined ? 2 : 0)
  }
  if (name === "--version") {
    io.out(VERSION)
    return Promise.resolve(0)
  }
  const command = COMMANDS.find((one) => one.name === name)
  if (command !== undefined) return runCommand(command, rest, io)
  const near = nearest(
    name,
    COMMANDS.map((one) => one.name),
  )
  io.err(
    `heliograph: ${JSON.stringify(name)} is not a command${near === null ? "" : `; did you mean ${near}?`}\n\n${help()}`,
  )
  return Promise.resolve(2)
}
