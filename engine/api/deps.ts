/** What the handlers need from the engine. Each subject's service is a port of its own; a handler sees one caller's tenant. */
import type { Doors } from "#engine/access/doors.ts"
import type { Accounts, EventReader, HistoryReader, Twins } from "#engine/api/ports.ts"
import type { Log } from "#engine/log.ts"

export interface ApiDeps {
  readonly doors: Doors
  readonly accounts: Accounts
  readonly twins: Twins
  readonly history: HistoryReader
  readonly events: EventReader
  readonly log: Log
  readonly version: string
  /** As browsers see it, when a proxy stands between. */
  readonly publicUrl: string | null
  /** The engine ends TLS itself; absent = it does not. `isHttps` (engine/http/origin.ts) reads both. */
  readonly tls?: boolean
  readonly sessionHours: number
  readonly nowMs: () => number
}
