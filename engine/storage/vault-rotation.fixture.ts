/** A rotation in a process of its own, so that a test can kill it: says `batch` after each, and `done`. */
import process from "node:process"
import { parseArgs } from "node:util"
import * as Effect from "effect/Effect"
import { tenantId } from "#protocol/id.ts"
import { openDb } from "#engine/storage/db.ts"
import { openMasterKeys } from "#engine/storage/master-keys.ts"
import { rotateMaster, rotateTenant } from "#engine/storage/vault-rotation.ts"
import { openVault } from "#engine/storage/vault.ts"

const { values } = parseArgs({
  options: {
    app: { type: "string" },
    engine: { type: "string" },
    dir: { type: "string" },
    tenant: { type: "string" },
    master: { type: "string" },
  },
})
const { app = "", engine = "", dir = "", tenant, master } = values
const by = { kind: "local", id: "", name: "test", source: null } as const
const say = (word: string): Effect.Effect<void> =>
  Effect.promise(() => new Promise((settle) => process.stdout.write(`${word}\n`, () => settle(undefined))))

const program = Effect.gen(function* () {
  const db = yield* openDb({ appUrl: app, engineUrl: engine })
  const keys = openMasterKeys(`${dir}/master.key`)
  yield* say("ready")
  if (master !== undefined) yield* rotateMaster(db, keys, master.split(",").map(tenantId), by)
  if (tenant !== undefined) {
    const vault = yield* openVault(db, { dataDir: dir })
    yield* rotateTenant(db, vault, keys, tenantId(tenant), by, { pace: say("batch") })
  }
  yield* say("done")
})
await Effect.runPromise(Effect.scoped(program))
