/**
 * The thread that reads charts (history-thread.ts): the same reading as everywhere, with read-only connections of its own.
 * It sees one tenant at a time (row security) and knows no other role than the app's.
 */
import { parentPort } from "node:worker_threads"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { errorLine } from "#engine/actors/dead-letters.ts"
import { DbError, openDb, type DbShape } from "#engine/storage/db.ts"
import { readHistory } from "#engine/storage/history-read.ts"
import type { FromThread, ToThread } from "#engine/storage/history-thread.ts"
import { PackedWindow } from "#engine/storage/packed-window.ts"
import { readOnlyUrl } from "#engine/storage/read-only-url.ts"

/** Databases that are open at once: tenants may have one of their own. The one that was opened first goes. */
const DATABASES_MAX = 8
/** Charts that one database answers at once; the others wait for a connection. */
const CONNECTIONS = 3

const port = parentPort
if (port === null) throw new Error("engine/storage/history-worker.ts runs as a worker of the engine only")

const databases = new Map<string, Promise<{ readonly db: DbShape; readonly scope: Scope.Closeable }>>()

const open = async (appUrl: string) => {
  const url = readOnlyUrl(appUrl)
  const scope = Scope.makeUnsafe()
  // There is no engine role in here: whatever would ask for it is the app role, which sees one tenant.
  const connections = { tenantConnections: CONNECTIONS, ingestConnections: 1, engineConnections: 1 }
  const db = await Effect.runPromise(Scope.provide(openDb({ appUrl: url, engineUrl: url, ...connections }), scope))
  return { db, scope }
}

const databaseOf = async (appUrl: string): Promise<DbShape> => {
  let opened = databases.get(appUrl)
  if (opened === undefined) {
    const [oldest] = databases
    if (oldest !== undefined && databases.size >= DATABASES_MAX) {
      databases.delete(oldest[0])
      void oldest[1].then(({ scope }) => Effect.runPromise(Scope.close(scope, Exit.void)))
    }
    databases.set(appUrl, (opened = open(appUrl)))
  }
  return (await opened).db
}

const answer = async ({ id, appUrl, tenant, windows, query }: ToThread): Promise<FromThread> => {
  try {
    const db = await databaseOf(appUrl)
    const inMemory = windows.map(({ source, parts }) => ({ source, window: PackedWindow.of(parts) }))
    return { id, series: await readHistory({ db, tenant, inMemory: () => inMemory }, query) }
  } catch (error) {
    return { id, code: error instanceof DbError ? error.code : "XX000", problem: errorLine(error) }
  }
}

port.on("message", (message: ToThread) => void answer(message).then((told) => port.postMessage(told)))
