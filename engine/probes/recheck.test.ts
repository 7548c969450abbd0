/** The second look: one at a time for an address, few at all, and only silence is a loss. */
import assert from "node:assert/strict"
import { test } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { BurstResult } from "#engine/probes/ping-burst.ts"
import { makeRecheck, RECHECKS_MAX } from "#engine/probes/recheck.ts"
import type { Burst } from "#engine/probes/recheck.ts"

const SILENT: BurstResult = { tool: "fping", rttsMs: [null, null, null], figures: null, error: null }

/** A recheck whose bursts wait for `answer`. */
const open = async () => {
  const scope = Scope.makeUnsafe()
  const waiting = new Map<string, (result: BurstResult) => void>()
  const burst: Burst = ({ text }) => new Promise((resolve) => waiting.set(text, resolve))
  const recheck = await Effect.runPromise(Scope.provide(makeRecheck(burst), scope))
  const answer = async (address: string, result: BurstResult): Promise<void> => {
    waiting.get(address)?.(result)
    waiting.delete(address)
    await new Promise((turn) => setImmediate(turn))
  }
  return { recheck, answer, close: () => Effect.runPromise(Scope.close(scope, Exit.void)) }
}

test("silence is a loss, once; an answer, an error or no ping at all is none", async () => {
  const { recheck, answer, close } = await open()
  const outcomes: ReadonlyArray<readonly [BurstResult, number]> = [
    [SILENT, 1],
    [{ ...SILENT, rttsMs: [null, 2.5, null] }, 0],
    [{ ...SILENT, error: "it was stopped" }, 0],
    [{ ...SILENT, rttsMs: [] }, 0],
  ]
  for (const [result, wanted] of outcomes) {
    let losses = 0
    assert.ok(recheck("192.0.2.1", () => losses++))
    await answer("192.0.2.1", result)
    assert.equal(losses, wanted)
  }
  await close()
})

test("an address is looked at once at a time, a bounded number of addresses, and nothing after the end", async () => {
  const { recheck, answer, close } = await open()
  let losses = 0
  const lost = (): void => void losses++
  for (let n = 0; n < RECHECKS_MAX; n++) assert.ok(recheck(`192.0.2.${n}`, lost))
  assert.equal(recheck("192.0.2.0", lost), false)
  assert.equal(recheck("192.0.2.200", lost), false)
  await answer("192.0.2.0", SILENT)
  assert.ok(recheck("192.0.2.200", lost))
  assert.equal(recheck("no address", lost), false)
  await close()
  await answer("192.0.2.1", SILENT)
  assert.equal(losses, 1)
  assert.equal(recheck("192.0.2.201", lost), false)
})
