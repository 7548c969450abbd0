/**
 * `npm run -s heliograph -- COMMAND`: the one command line. cli/registry.ts has the commands. This file is only its door: what
 * was compiled before is taken up first, and then everything else is loaded.
 */
import process from "node:process"
import { fileURLToPath } from "node:url"
import type { CommandIo } from "#engine/cli/command.ts"
import { useCompiled } from "#engine/compiled.ts"
import { tellLastWords } from "#engine/last-words.ts"

/** Resolves to the exit code. */
export const main = async (args: readonly string[], io: CommandIo): Promise<number> =>
  (await import("#engine/cli/main.ts")).main(args, io)

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  tellLastWords(process.argv[2] === "start")
  useCompiled(process.env["HELIOGRAPH_DATA_DIR"] ?? "./data")
  process.exitCode = await main(process.argv.slice(2), {
    env: process.env,
    out: (line) => process.stdout.write(`${line}\n`),
    err: (line) => process.stderr.write(`${line}\n`),
  })
}
