/** A tenant's journal and history on the test database, fed in the order of the runtime. */
import type { TestContext } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { deviceId, type DeviceId, type TenantId } from "#protocol/id.ts"
import type { TestDatabase } from "#engine/storage/database.fixture.ts"
import { openHistory, type History, type HistoryLimits } from "#engine/storage/history.ts"
import { openJournal, type Journal } from "#engine/storage/journal.ts"
import * as codec from "#engine/tenant/journal-codec.ts"
import type { PollInput } from "#twin/input.ts"

let devices = 0

/**
 * A device as an import makes it, with the same id in every run: where windows end hangs on the id, and a test that feeds a
 * round number of polls would now and then end just where a window does.
 */
export const newDevice = async (it: TestDatabase, tenant: TenantId): Promise<DeviceId> => {
  const id = `00000000-0000-7000-8000-${(++devices).toString(16).padStart(12, "0")}`
  await Effect.runPromise(
    it.db.tenant(tenant)(async (tx) => {
      await tx.query("insert into site values ($1, 'pop', 'POP', 0, 0) on conflict do nothing", [tenant])
      await tx.query("insert into device values ($1, $2, $3, '10.0.0.1', 'pop', '{core}', 30)", [tenant, id, `r-${id}`])
    }),
  )
  return deviceId(id)
}

export interface FedHistory {
  readonly journal: Journal
  readonly history: History
  /** Journals the polls in one commit, then gives them to the history. */
  readonly feed: (polls: readonly PollInput[]) => Promise<void>
  readonly close: () => Promise<void>
}

export const startHistory = async (
  t: TestContext,
  it: TestDatabase,
  tenant: TenantId,
  limits: Partial<HistoryLimits> = {},
): Promise<FedHistory> => {
  const scope = Scope.makeUnsafe()
  const common = { db: it.db, tenant, log: (line: string) => t.diagnostic(line) }
  const journal = await Effect.runPromise(
    Scope.provide(openJournal({ ...common, log: () => {}, dataDir: it.dataDir, codec, holder: "test" }), scope),
  )
  const history = await Effect.runPromise(Scope.provide(openHistory({ ...common, journal, limits }), scope))
  const close = (): Promise<void> => Effect.runPromise(Scope.close(scope, Exit.void))
  t.after(close)
  const feed = async (polls: readonly PollInput[]): Promise<void> => {
    const from = (await journal.lastSeq()) + 1
    const batch = polls.map((input, i) => ({ seq: from + i, input }))
    await journal.append(batch)
    for (const { seq, input } of batch) history.append(seq, input)
  }
  return { journal, history, feed, close }
}
