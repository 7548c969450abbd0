/** What a command of `heliograph` is, and how its words are read. */
import { parseArgs } from "node:util"
import type { ParseArgsOptionsConfig } from "node:util"
import type { CLI } from "#engine/access/entries.ts"
import { formatConfigErrors, loadConfig } from "#engine/config.ts"
import type { LoadedConfig } from "#engine/config.ts"

export interface CommandIo {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly out: (line: string) => void
  readonly err: (line: string) => void
}

/** 0 = done; 1 = it failed and said why; 2 = the words or settings were wrong, nothing was tried. */
export type ExitCode = 0 | 1 | 2

export interface Command {
  readonly name: keyof typeof CLI
  /** One line for the list of commands. */
  readonly summary: string
  /** Whole text of `heliograph NAME --help`. */
  readonly help: () => string
  readonly options: ParseArgsOptionsConfig
  /** Names of the words that must follow. */
  readonly words: readonly string[]
  /** Names of the words that may follow those. */
  readonly moreWords?: readonly string[]
  readonly run: (input: CommandInput, io: CommandIo) => Promise<number>
}

export interface CommandInput {
  readonly words: readonly string[]
  readonly options: Readonly<Record<string, string | boolean | undefined>>
}

/** The settings, or null after every mistake in them was named; then the command ends with 2. */
export const settingsOf = (io: CommandIo): LoadedConfig | null => {
  const loaded = loadConfig({ env: io.env })
  if (loaded._tag === "Config") return loaded
  io.err(formatConfigErrors(loaded).trimEnd())
  return null
}

/** Says why a command failed, in one line that it may show. */
export const failed = (command: string, cause: unknown, io: CommandIo): ExitCode => {
  io.err(`heliograph ${command}: ${cause instanceof Error && cause.message !== "" ? cause.message : "it failed"}`)
  return 1
}

/** Runs a command with its words, or prints its help, or says which word is wrong. */
export const runCommand = async (command: Command, args: readonly string[], io: CommandIo): Promise<number> => {
  if (args.includes("--help") || args.includes("-h")) {
    io.out(command.help())
    return 0
  }
  const wrong = (why: string): ExitCode => {
    io.err(`heliograph ${command.name}: ${why}\n${command.help().split("\n")[0]}`)
    return 2
  }
  let parsed
  try {
    parsed = parseArgs({ args: [...args], options: command.options, allowPositionals: true, strict: true })
  } catch (cause) {
    return wrong(cause instanceof Error ? cause.message.split(". ")[0]! : "the words cannot be read")
  }
  const { positionals } = parsed
  const wordsMax = command.words.length + (command.moreWords?.length ?? 0)
  if (positionals.length > wordsMax) return wrong(`what is ${JSON.stringify(positionals[wordsMax])}?`)
  const missing = command.words[positionals.length]
  if (missing !== undefined) return wrong(`${missing} is missing`)
  return command.run({ words: positionals, options: parsed.values as CommandInput["options"] }, io)
}
