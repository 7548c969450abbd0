/** The command line's side of engine/api/local-admin.ts. */
import type { ImportMode } from "#engine/import/document.ts"
import { request } from "node:http"
import { localAdminPath } from "#engine/api/local-admin.ts"
import type { EngineStatus, ImportAnswer } from "#engine/api/local-admin.ts"

/** Null when no engine runs on this data directory. Rejects when one is there but cannot be asked. */
export const askStatus = async (dataDir: string): Promise<EngineStatus | null> => {
  const answer = await ask(dataDir, "GET", "/status")
  return answer === null ? null : (answer.body as EngineStatus)
}

export const sendImport = async (
  dataDir: string,
  bytes: Uint8Array,
  tenant: string | null,
  mode: ImportMode,
): Promise<ImportAnswer | null> => {
  const query = new URLSearchParams({
    ...(tenant === null ? {} : { tenant }),
    ...(mode.dryRun ? { dryRun: "1" } : {}),
    ...(mode.replace ? { replace: "1" } : {}),
  })
  const answer = await ask(dataDir, "POST", `/import?${query}`, bytes)
  return answer === null ? null : ({ status: answer.status, ...(answer.body as object) } as ImportAnswer)
}

/** A command on tenants (engine/tenancy/local-tenants.ts). Null when no engine runs on this data directory. */
export const askTenants = (dataDir: string, method: "GET" | "POST", path: string, body?: unknown) =>
  ask(dataDir, method, path, body === undefined ? undefined : Buffer.from(JSON.stringify(body)))

/** An import of 100,000 devices takes seconds; past this the engine hangs. */
const ANSWER_MS_MAX = 120_000

interface Answer {
  readonly status: number
  readonly body: unknown
}

const ask = (dataDir: string, method: string, path: string, bytes?: Uint8Array): Promise<Answer | null> =>
  new Promise((settle, reject) => {
    const socketPath = localAdminPath(dataDir)
    const asking = request({ socketPath, method, path, timeout: ANSWER_MS_MAX }, (response) => {
      let text = ""
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk))
      response.once("end", () => {
        const body = readJson(text)
        if (body === undefined) asking.destroy(new Error(`the engine's answer on ${socketPath} cannot be read`))
        else settle({ status: response.statusCode ?? 0, body })
      })
    })
    asking.once("timeout", () =>
      asking.destroy(new Error(`the engine did not answer within ${ANSWER_MS_MAX / 1000} s`)),
    )
    asking.once("error", (cause: NodeJS.ErrnoException) => {
      if (cause.code === "ENOENT" || cause.code === "ECONNREFUSED") return settle(null)
      const hint = cause.code === "EACCES" ? " (run this as the engine's user)" : ""
      reject(new Error(`the engine on ${socketPath} cannot be asked: ${cause.code ?? cause.message}${hint}`))
    })
    asking.end(bytes)
  })

const readJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
