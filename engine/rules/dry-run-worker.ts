/**
 * The thread of one dry run: its own read-only door to the tenant's rows (row security sees one tenant), one fold, one
 * answer. A defect in here, or too much memory, ends this dry run and nothing else.
 */
import { parentPort, workerData } from "node:worker_threads"
import * as Effect from "effect/Effect"
import { inWords } from "#engine/replay/in-words.ts"
import { storedSource } from "#engine/replay/source.ts"
import { dryRun, type DryRun, type DryRunRequest } from "#engine/rules/dry-run.ts"
import { openDb } from "#engine/storage/db.ts"
import { readOnlyUrl } from "#engine/storage/read-only-url.ts"
import type { TenantId } from "#protocol/id.ts"

/** `appUrl` holds a password: it is never logged and never answered. */
export interface DryRunStart extends DryRunRequest {
  readonly appUrl: string
  readonly tenant: TenantId
}
export type DryRunAnswer =
  | { readonly ok: true; readonly run: DryRun }
  | { readonly ok: false; readonly problem: string }

const main = async (): Promise<DryRunAnswer> => {
  const { appUrl, tenant, ...request } = workerData as DryRunStart
  const url = readOnlyUrl(appUrl)
  const connections = { tenantConnections: 2, ingestConnections: 1, engineConnections: 1 }
  const program = Effect.gen(function* () {
    // There is no engine role in here: whatever would ask for it is the app role, which sees one tenant.
    const db = yield* openDb({ appUrl: url, engineUrl: url, ...connections })
    return yield* Effect.tryPromise({
      try: () => dryRun(storedSource(db, tenant), request, () => performance.now()),
      catch: (cause) => cause,
    })
  })
  return { ok: true, run: await Effect.runPromise(Effect.scoped(program)) }
}

const port = parentPort
if (port === null) throw new Error("engine/rules/dry-run-worker.ts runs as a worker of the engine only")
const answer = await main().catch((error: unknown): DryRunAnswer => ({ ok: false, problem: inWords(error) }))
port.postMessage(answer, [])
port.close()
