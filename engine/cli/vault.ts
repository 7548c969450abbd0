/**
 * `heliograph vault`: what the keys stand at, new keys while the engine goes on, and what to do when a master key is lost.
 * Works on the key file and the database beside a running engine, which reads the file anew when it changes.
 */
import { resolve } from "node:path"
import * as Effect from "effect/Effect"
import { failed, settingsOf, type Command, type CommandInput, type CommandIo } from "#engine/cli/command.ts"
import type { Config } from "#engine/config.ts"

const HELP = `usage: heliograph vault status
       heliograph vault rotate-master [--resume]
       heliograph vault rotate-tenant SLUG [--resume]
       heliograph vault forget-dead SLUG

  status          master keys of the ring, every tenant's data keys, and secrets that no key opens
  rotate-master   a new master key on top of the ring; all data keys are wrapped by it. Back the file up again afterwards
  rotate-tenant   a new data key for a tenant; all its secrets are sealed anew while everything goes on
  forget-dead     deletes a tenant's secrets that no key opens, so that the engine starts without being told to allow them
  --resume        no new key: finishes what was interrupted, and destroys data keys that nothing needs
  --help          this text

Being killed in the middle harms nothing. Exit codes: 0 done, 1 it failed or something is dead, 2 wrong words or settings.`

const VERBS = ["status", "rotate-master", "rotate-tenant", "forget-dead"] as const
type Verb = (typeof VERBS)[number]

export const vaultCommand: Command = {
  name: "vault",
  summary: "keys that seal stored secrets: status, rotation, loss",
  help: () => HELP,
  words: [VERBS.join(", ")],
  moreWords: ["SLUG"],
  options: { resume: { type: "boolean" } },
  run: async (input, io) => {
    const verb = VERBS.find((one) => one === input.words[0])
    const slug = input.words[1]
    const wrong = (why: string): number => {
      io.err(`heliograph vault: ${why}`)
      return 2
    }
    if (verb === undefined) return wrong(`there is no "vault ${input.words[0]}"; there are ${VERBS.join(", ")}`)
    const wantsSlug = verb === "rotate-tenant" || verb === "forget-dead"
    if (wantsSlug !== (slug !== undefined))
      return wrong(wantsSlug ? "SLUG is missing" : `what is ${JSON.stringify(slug)}?`)
    const loaded = settingsOf(io)
    if (loaded === null) return 2
    try {
      return await work(verb, slug ?? "", loaded.config, input, io)
    } catch (cause) {
      return failed("vault", cause, io)
    }
  },
}

const work = async (verb: Verb, slug: string, config: Config, input: CommandInput, io: CommandIo): Promise<number> => {
  const { openToolStorage } = await import("#engine/cli/storage.ts")
  const { listTenants } = await import("#engine/storage/tenants.ts")
  const { openMasterKeys, asUnusable } = await import("#engine/storage/master-keys.ts")
  const { masterKeyFileOf, openVault } = await import("#engine/storage/vault.ts")
  const { rewrapAll, rotateMaster, rotateTenant } = await import("#engine/storage/vault-rotation.ts")
  const { forgetDead, tenantVault } = await import("#engine/storage/vault-status.ts")
  const { userInfo } = await import("node:os")
  const options = {
    dataDir: resolve(config.dataDir),
    ...(config.masterKeyFile === null ? {} : { masterKeyFile: config.masterKeyFile }),
    dead: "allow" as const,
  }
  const by = { kind: "local" as const, id: "", name: userInfo().username, source: null }
  const resume = input.options["resume"] === true
  const program = Effect.gen(function* () {
    const { db } = yield* openToolStorage(config, (line) => io.err(line))
    const keys = yield* Effect.try({ try: () => openMasterKeys(masterKeyFileOf(options)), catch: asUnusable })
    const tenants = yield* listTenants(db)
    if (verb === "status") {
      let dead = 0
      for (const [index, { id }] of keys.ring().entries()) io.out(`master key ${id}${index === 0 ? "  wraps" : ""}`)
      for (const tenant of tenants) {
        const vault = yield* tenantVault(db, tenant.id, keys.ring())
        for (const key of vault.keys)
          io.out(
            `${tenant.slug}: data key ${key.version} under master key ${key.masterKeyId}, ${key.secrets} secrets${key.dead ? "  DEAD: that master key is not in the ring" : ""}`,
          )
        for (const name of vault.dead) io.out(`${tenant.slug}: dead: ${JSON.stringify(name)}`)
        dead += vault.deadCount
      }
      return dead === 0 ? 0 : 1
    }
    if (verb === "rotate-master") {
      const ids = tenants.map((tenant) => tenant.id)
      const done = resume
        ? { id: keys.ring()[0]!.id, rewrapped: yield* rewrapAll(db, keys, ids, by) }
        : yield* rotateMaster(db, keys, ids, by)
      io.out(`master key ${done.id} wraps now; ${done.rewrapped} data keys rewrapped. Back up ${keys.file} again.`)
      return 0
    }
    const tenant = tenants.find((one) => one.slug === slug)
    if (tenant === undefined) return yield* Effect.fail(new Error(`there is no tenant ${JSON.stringify(slug)}`))
    if (verb === "forget-dead") {
      io.out(`${slug}: ${yield* forgetDead(db, tenant.id, keys.ring(), by)} dead secrets forgotten`)
      return 0
    }
    const vault = yield* openVault(db, options)
    const done = yield* rotateTenant(db, vault, keys, tenant.id, by, { resume })
    io.out(
      `${slug}: data key ${done.version} seals now; ${done.resealed} secrets sealed anew, ${done.dead} dead, ${done.retired} old keys destroyed`,
    )
    return done.dead === 0 ? 0 : 1
  })
  return Effect.runPromise(Effect.scoped(program))
}
