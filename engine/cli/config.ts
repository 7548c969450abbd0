/** `heliograph config`: what the engine would start with, and where each value comes from. Never a secret. */
import { settingsOf } from "#engine/cli/command.ts"
import type { Command } from "#engine/cli/command.ts"
import { describeConfig, settingsHelp } from "#engine/config.ts"

const HELP = `usage: heliograph config

Prints every setting with its value and source (environment, file or default), or names every one that is wrong.
A secret is shown only as set or not.
  --help   this text

Settings are environment variables:
`

export const configCommand: Command = {
  name: "config",
  summary: "show and check the settings",
  help: () => HELP + settingsHelp(),
  words: [],
  options: {},
  run: (_, io) => {
    const loaded = settingsOf(io)
    if (loaded === null) return Promise.resolve(2)
    for (const line of describeConfig(loaded)) io.out(line)
    return Promise.resolve(0)
  },
}
