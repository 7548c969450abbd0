/** `heliograph audit-rls`: proof from the database's own catalogue that tenants cannot see each other (PRODUCT.md T1). */
import * as Effect from "effect/Effect"
import { failed, settingsOf } from "#engine/cli/command.ts"
import type { Command } from "#engine/cli/command.ts"
import type { OwnDatabase } from "#engine/isolation/own-database.ts"
import { auditRls } from "#engine/storage/audit-rls.ts"

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
    const program = Effect.gen(function* () {
      const { database, db } = yield* openToolStorage(loaded.config, (line) => io.err(line))
      const findings = [...(yield* auditRls(database.ownerUrl))]
      for (const own of db.own.values()) findings.push(...(yield* auditOwn(own)))
      return findings
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

/** One that is away or has holes was not opened; its state says which. */
const auditOwn = (own: OwnDatabase) => {
  const [state, urls] = [own.state(), own.urls()]
  if (state.kind === "away" || urls === null)
    return Effect.succeed([
      {
        rule: `not audited: ${state.kind === "away" ? state.why : "it is being opened"}`,
        object: `database of ${own.slug}`,
      },
    ])
  return Effect.map(auditRls(urls.ownerUrl), (found) =>
    found.map(({ rule, object }) => ({ rule, object: `${own.slug}: ${object}` })),
  )
}
