/** `heliograph audit-rls`: proof from the database's own catalogue that tenants cannot see each other (PRODUCT.md T1). */
import * as Effect from "effect/Effect"
import { failed, settingsOf } from "#engine/cli/command.ts"
import type { Command } from "#engine/cli/command.ts"

const HELP = `usage: heliograph audit-rls

Reads PostgreSQL's catalogue and names every table, view, policy, key, function or role that could let one tenant see
another. Needs no running engine, and does not disturb one.
  --help   this text

Exit codes: 0 nothing found, 1 something found or the database cannot be asked, 2 wrong words or settings.`

export const auditRlsCommand: Command = {
  name: "audit-rls",
  summary: "prove that tenants are isolated in the database",
  help: () => HELP,
  words: [],
  options: {},
  run: async (_, io) => {
    const loaded = settingsOf(io)
    if (loaded === null) return 2
    const { openToolStorage } = await import("#engine/cli/storage.ts")
    const { auditRls } = await import("#engine/storage/audit-rls.ts")
    const program = Effect.gen(function* () {
      const { database } = yield* openToolStorage(loaded.config, (line) => io.err(line))
      return yield* auditRls(database.ownerUrl)
    })
    try {
      const findings = await Effect.runPromise(Effect.scoped(program))
      for (const { rule, object } of findings) io.out(`FOUND  ${object}: ${rule}`)
      io.out(findings.length === 0 ? "row security: nothing found" : `row security: ${findings.length} found`)
      return findings.length === 0 ? 0 : 1
    } catch (cause) {
      return failed("audit-rls", cause, io)
    }
  },
}
