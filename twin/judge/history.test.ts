/** [I4] Whatever happens, in whatever groups and with whatever restarts: one and the same judgement, and tables that agree. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { packStored, unpackStored } from "#protocol/codec.ts"
import { ALERT_SEVERITIES } from "#protocol/rule.ts"
import { isLit } from "#twin/alert/alert.ts"
import type { Cells } from "#twin/cells.ts"
import { plainCells } from "#twin/cells.ts"
import { hashTwin } from "#twin/hash.ts"
import type { Sequenced } from "#twin/input.ts"
import { rowsOf } from "#twin/judge/alert-rows.ts"
import { alertsOf } from "#twin/judge/alert-table.ts"
import { alertViews } from "#twin/judge/alert-view.ts"
import { FIRST, history } from "#twin/network.fixture.ts"
import { judgeOf } from "#twin/judge/rejudge.ts"
import { newWorld, runRound } from "#twin/round.ts"
import type { World } from "#twin/round.ts"
import { restoreTwin, snapshotTwin } from "#twin/snapshot.ts"

interface Twin {
  readonly world: World
  readonly cells: Cells
}
const throwing = (_bank: string, _slot: number, error: unknown): never => {
  throw error
}
/** `stepEntities`: how many hear of other rules in one input (twin/judge/walk.ts); few, so that walks are long. */
const fresh = (stepEntities: number): Twin => {
  const world = newWorld()
  world.stepEntities = stepEntities
  return { world, cells: plainCells(undefined, throwing) }
}
const restarted = ({ world, cells }: Twin): Twin => {
  const restored = restoreTwin(unpackStored(packStored(snapshotTwin(world, cells))))
  restored.world.stepEntities = world.stepEntities
  return { world: restored.world, cells: plainCells(restored.states, throwing) }
}
const ALL = Number.MAX_SAFE_INTEGER
const steps = fc.constantFrom(1, 12, ALL)

/** What is said by a fold that begins anew from its bytes after each input whose number divides by `every`. */
const folded = (
  inputs: readonly Sequenced[],
  every: number,
  stepEntities = ALL,
): { readonly twin: Twin; readonly said: unknown[] } => {
  const said: unknown[] = []
  let twin = fresh(stepEntities)
  for (const input of inputs) {
    said.push(...runRound(twin.world, twin.cells, [input]).events)
    if (input.seq % every === 0) twin = restarted(twin)
  }
  return { twin, said }
}

describe("judgement and history", () => {
  test("[I4] one input at a time, all in one round, and restarts from bytes in between give the same twin and words", () => {
    let alerts = 0
    fc.assert(
      fc.property(history(), fc.integer({ min: 1, max: 9 }), steps, (past, every, step) => {
        const inputs = [FIRST, ...past]
        const single = folded(inputs, ALL, step)
        const whole = fresh(step)
        const { events } = runRound(whole.world, whole.cells, inputs)
        assert.deepEqual(events, single.said)
        assert.equal(hashTwin(whole.world, whole.cells), hashTwin(single.twin.world, single.twin.cells))
        const broken = folded(inputs, every, step)
        assert.deepEqual(broken.said, single.said)
        assert.equal(hashTwin(broken.twin.world, broken.twin.cells), hashTwin(whole.world, whole.cells))
        alerts += events.filter(({ type }) => type.startsWith("alert.")).length
      }),
      { numRuns: 150, seed: 7 },
    )
    assert.ok(alerts > 500, `${alerts} alerts in all histories: they must have something to say`)
  })

  test("[I4] the tenant's table is what a look at every router gives, and its counts are those of the table", () => {
    let shown = 0
    fc.assert(
      fc.property(history(), (past) => {
        const { world, cells } = folded([FIRST, ...past], ALL).twin
        const { alerts } = cells.tenant.state(0)
        const lit = { info: 0, warn: 0, critical: 0 }
        for (const config of world.topology.routers) {
          const { judgement } = cells.routers.state(config.slot)
          const judge = judgeOf(world, config.slot)
          assert.equal(judgement === null, judge === null, "judged if and only if there are rules")
          const rows = judgement === null || judge === null ? [] : rowsOf(judge.plan, judgement.device)
          // What time alone changed since is told with the next step.
          assert.deepEqual(
            alertsOf(alerts, config.slot).map((row) => ({ ...row, heldBack: null })),
            rows.map((row) => ({ ...row, heldBack: null })),
          )
          for (const { state, severity } of rows) if (isLit(state)) lit[severity]++
        }
        assert.deepEqual(alerts.lit, lit)
        const views = alertViews(world, cells)
        shown += views.length
        assert.equal(new Set(views.map(({ id }) => id)).size, views.length)
        const ranks = views.map(({ severity }) => ALERT_SEVERITIES.indexOf(severity))
        assert.deepEqual(
          ranks,
          ranks.toSorted((a, b) => b - a),
        )
      }),
      { numRuns: 100, seed: 3 },
    )
    assert.ok(shown > 50, `${shown} alerts`)
  })
})
