/**
 * What the doors cost a request: the same engine asked without a door (a public route), with a cookie and with an API key
 * that the door remembers, and with a key that it has to look up; and what row security costs the query behind them.
 */
import { join } from "node:path"
import type { Case } from "#bench/case.ts"
import { measureQueries } from "#bench/doors/rls-cost.ts"
import { quantile, round } from "#bench/statistics.ts"
import { startEngine, temporaryDataDir, type Engine } from "#lab/drive/engine.ts"

export const doors: Case = {
  name: "doors",
  about: "ms per request of the doors: public route, cookie, API key, key looked up; and of row security per query",
  tier: "emulator (ours)",
  full: { requests: 2000, lookups: 30, tenants: 50, sites: 400, queries: 4000, seed: 1 },
  small: { requests: 60, lookups: 2, tenants: 3, sites: 60, queries: 60, seed: 1 },
  run: async (parameters, report) => {
    const { requests, lookups, tenants, sites, queries } = parameters as Record<string, number> & {
      requests: number
      lookups: number
      tenants: number
      sites: number
      queries: number
    }
    const data = await temporaryDataDir()
    try {
      const asked = await askEngine(join(data.path, "engine"), requests, lookups, report)
      const cost = await measureQueries(join(data.path, "queries"), { tenants, sites, queries })
      const named: Readonly<Record<string, readonly number[]>> = {
        ...asked.times,
        query_app_rls: cost.appWithRls,
        query_superuser_tx: cost.superuserInTransaction,
        query_superuser: cost.superuserAlone,
      }
      const figures = Object.fromEntries(
        Object.entries(named).flatMap(([name, times]) => [
          [`${name}_p50_ms`, round(quantile(times, 0.5), 3)],
          [`${name}_p99_ms`, round(quantile(times, 0.99), 3)],
        ]),
      )
      return { figures, outcome: { status: asked.statuses, page: cost.page } }
    } finally {
      await data.remove()
    }
  },
}

interface Asked {
  readonly times: Readonly<Record<string, readonly number[]>>
  /** By way in, the statuses that came: anything but 200 would be a fast wrong answer. */
  readonly statuses: Readonly<Record<string, readonly number[]>>
}

/** The door remembers for a second (engine/access/doors.ts); after this a key is looked up anew. */
const FORGOTTEN_MS = 1_100

const askEngine = async (
  dataDir: string,
  requests: number,
  lookups: number,
  report: (line: string) => void,
): Promise<Asked> => {
  const engine = await startEngine({ dataDir })
  try {
    const cookie = { cookie: await engine.signIn() }
    const key = { authorization: `Bearer ${await makeKey(engine, cookie)}` }
    const ways: ReadonlyArray<readonly [name: string, path: string, headers: Record<string, string>]> = [
      ["public", "/api/v1/session/ways", {}],
      ["cookie", "/api/v1/metrics", cookie],
      ["key", "/api/v1/metrics", key],
    ]
    const times: Record<string, number[]> = { public: [], cookie: [], key: [], key_looked_up: [] }
    const statuses: Record<string, Set<number>> = {}
    const ask = async (name: string, path: string, headers: Record<string, string>): Promise<void> => {
      const startedMs = performance.now()
      const response = await fetch(engine.url + path, { headers })
      await response.arrayBuffer()
      times[name]?.push(performance.now() - startedMs)
      ;(statuses[name] ??= new Set()).add(response.status)
    }
    for (const way of ways) for (let n = 0; n < 20; n++) await ask("warm", way[1], way[2])
    for (let n = 0; n < requests; n++) for (const way of ways) await ask(...way)
    report(`${requests} requests each by ${ways.map(([name]) => name).join(", ")}`)
    for (let n = 0; n < lookups; n++) {
      await new Promise((wake) => setTimeout(wake, FORGOTTEN_MS))
      await ask("key_looked_up", "/api/v1/metrics", key)
    }
    return {
      times,
      statuses: Object.fromEntries(Object.entries(statuses).map(([name, seen]) => [name, [...seen].toSorted()])),
    }
  } finally {
    await engine.child.stop("SIGINT")
  }
}

const makeKey = async (engine: Engine, cookie: Record<string, string>): Promise<string> => {
  const response = await fetch(`${engine.url}/api/v1/keys`, {
    method: "POST",
    headers: { ...cookie, "content-type": "application/json", origin: engine.url },
    body: JSON.stringify({ name: "bench doors", scope: ["network.read"], days: 1 }),
  })
  if (!response.ok) throw new Error(`POST /api/v1/keys: ${response.status} ${await response.text()}`)
  return ((await response.json()) as { secret: string }).secret
}
