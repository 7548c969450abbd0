/** `heliograph status`: whether an engine runs on this data directory, and how its tenants are. */
import { failed, settingsOf } from "#engine/cli/command.ts"
import type { Command } from "#engine/cli/command.ts"
import { askStatus } from "#engine/cli/local-client.ts"
import { escapeText } from "#engine/log.ts"

const HELP = `usage: heliograph status

Says whether an engine runs on HELIOGRAPH_DATA_DIR, where it is, and how many routers each tenant has.
  --help   this text

Exit codes: 0 it runs, 1 it does not or cannot be asked, 2 wrong words or settings.`

export const statusCommand: Command = {
  name: "status",
  summary: "ask the running engine how it is",
  help: () => HELP,
  words: [],
  options: {},
  run: async (_, io) => {
    const loaded = settingsOf(io)
    if (loaded === null) return 2
    try {
      const status = await askStatus(loaded.config.dataDir)
      if (status === null) {
        io.err(`no engine runs on ${loaded.config.dataDir}`)
        return 1
      }
      io.out(`${status.url}  heliograph ${status.version}, process ${status.pid}, up ${status.uptimeS} s`)
      for (const { slug, name, demo, counts } of status.tenants)
        io.out(
          `  ${slug} (${escapeText(name)}${demo ? ", demo" : ""}): ${counts.routersUp} of ${counts.routers} routers up, ${counts.linksDown} of ${counts.links} links down`,
        )
      return 0
    } catch (cause) {
      return failed("status", cause, io)
    }
  },
}
