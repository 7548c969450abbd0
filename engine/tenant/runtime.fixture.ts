/** A runtime over memory ports and a clock that the test moves, and what a replay of its journal gives. */
import assert from "node:assert/strict"
import type { TestContext } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { makeManualClock } from "#engine/actors/clock.ts"
import type { ManualClock } from "#engine/actors/clock.ts"
import { makeMemoryPorts } from "#engine/tenant/memory-ports.ts"
import type { MemoryPorts } from "#engine/tenant/memory-ports.ts"
import { ring, START_MS, tenantInfo } from "#engine/tenant/network.fixture.ts"
import { makeTenantRuntime } from "#engine/tenant/runtime.ts"
import type { TenantNotice, TenantRuntime, TenantRuntimeOptions } from "#engine/tenant/runtime.ts"
import { decodeSnapshot } from "#engine/tenant/snapshot-codec.ts"
import type { DeviceId } from "#protocol/id.ts"
import { plainCells } from "#twin/cells.ts"
import { hashTwin } from "#twin/hash.ts"
import { newWorld, runRound } from "#twin/round.ts"
import { restoreTwin } from "#twin/snapshot.ts"

export const NO_HASH = "0".repeat(16)

export interface Started {
  readonly runtime: TenantRuntime
  readonly ports: MemoryPorts
  readonly clock: ManualClock
  readonly notices: TenantNotice[]
  readonly close: () => Promise<void>
}

export const start = async (
  t: TestContext,
  over: Partial<TenantRuntimeOptions> & { readonly ports?: MemoryPorts } = {},
): Promise<Started> => {
  const ports = over.ports ?? makeMemoryPorts()
  const clock = (over.clock as ManualClock | undefined) ?? makeManualClock(START_MS)
  const notices: TenantNotice[] = []
  const scope = Scope.makeUnsafe()
  const close = (): Promise<void> => Effect.runPromise(Scope.close(scope, Exit.void))
  t.after(close)
  const runtime = await Effect.runPromise(
    makeTenantRuntime({
      tenant: tenantInfo("acme"),
      rev: 1,
      inventory: ring(4),
      epochBase: 100,
      journal: ports.journal,
      snapshots: ports.snapshots,
      clock,
      onNotice: (notice) => notices.push(notice),
      dice: () => 0,
      ...over,
    }).pipe(Scope.provide(scope)),
  )
  return { runtime, ports, clock, notices, close }
}

export const device = (runtime: TenantRuntime, n: number): DeviceId => runtime.inventory().devices[n]?.id as DeviceId

/** What a replay without any actors makes of a journal. */
export const replayed = async (ports: MemoryPorts): Promise<string> => {
  const world = newWorld()
  const cells = plainCells()
  for await (const batch of ports.journal.readFrom(1)) runRound(world, cells, batch)
  return hashTwin(world, cells)
}

/** The same of a runtime: its last snapshot says all that it knows. */
export const stateOf = async (started: Started): Promise<string> => {
  await started.close()
  const stored = await started.ports.snapshots.load()
  assert.ok(stored !== null)
  assert.equal(stored.seq, started.runtime.seq(), "a stop saves a snapshot of the last input")
  const { world, states } = restoreTwin(await decodeSnapshot(stored.blob))
  return hashTwin(world, plainCells(states))
}
