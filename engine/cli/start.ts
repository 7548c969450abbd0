/** `heliograph start`: the engine, in the foreground, until Ctrl-C or SIGTERM. */
import type { Command } from "#engine/cli/command.ts"
import { beginCompiled } from "#engine/compiled.ts"
import { configFromProcess, settingsHelp } from "#engine/config.ts"

const HELP = `usage: heliograph start

Starts the engine and prints the address to open; Ctrl-C or SIGTERM ends it in order.
  --help   this text

Settings are environment variables:
`

export const startCommand: Command = {
  name: "start",
  summary: "run the engine",
  help: () => HELP + settingsHelp(),
  words: [],
  options: {},
  run: async () => {
    const config = configFromProcess()
    if (config === null) return 2
    beginCompiled(config.dataDir)
    // Loaded only by this command: the engine is most of the program.
    const { runEngine } = await import("#engine/start.ts")
    return runEngine(config)
  },
}
