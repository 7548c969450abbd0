/** [I6] The engine's own condition: judged by the same rules, told, acknowledged, silenced, explained and replayed as a device's is. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { metricId, type MetricName } from "#protocol/metric.ts"
import type { EventView } from "#protocol/view.ts"
import { level, packRule } from "#twin/alert/packs/pack.ts"
import { PACKS } from "#twin/alert/packs/registry.ts"
import { plainCells } from "#twin/cells.ts"
import { forkTwin } from "#twin/fork.ts"
import { hashTwin } from "#twin/hash.ts"
import type { Input, PollInput, Sequenced } from "#twin/input.ts"
import { device, inventory, poll, T0 } from "#twin/inventory.fixture.ts"
import { alertViews, explainAlert, receiptOfAlert } from "#twin/judge/alert-view.ts"
import { rulesInput, silenceOf, silencesInput } from "#twin/judge/pool.fixture.ts"
import { newWorld, runRound } from "#twin/round.ts"
import { ENGINE_DEVICE, ENGINE_ENTITY } from "#twin/self/self.ts"
import { restoreTwin, snapshotTwin } from "#twin/snapshot.ts"

const SHIPPED = PACKS.flatMap(({ rules }) => rules).map(({ rule }) => rule)
const at = (second: number): number => T0 + second * 1_000

const self = (second: number, values: Readonly<Partial<Record<MetricName, number>>>): PollInput => {
  const rows = Object.entries(values) as ReadonlyArray<readonly [MetricName, number]>
  return {
    kind: "poll",
    device: ENGINE_DEVICE,
    source: "probe",
    startedMs: at(second),
    atMs: at(second),
    entities: [ENGINE_ENTITY],
    entity: new Uint16Array(rows.length),
    metric: Uint16Array.from(rows, ([name]) => metricId(name)),
    value: Float64Array.from(rows, ([, value]) => value),
    texts: [],
    complete: [],
  }
}
const away = (second: number) => self(second, { "engine.database_up": 0 })
const back = (second: number) => self(second, { "engine.database_up": 1 })
const tick = (second: number): Input => ({ kind: "tick", atMs: at(second) })
const NAME = { device: ENGINE_DEVICE as string, rule: "engine-database-away", entity: ENGINE_ENTITY as string }

class Twin {
  readonly world = newWorld()
  readonly cells = plainCells()
  readonly events: EventView[] = []
  #seq = 0
  apply(...inputs: readonly Input[]): this {
    const some: readonly Sequenced[] = inputs.map((input) => ({ seq: ++this.#seq, input }))
    this.events.push(...runRound(this.world, this.cells, some).events)
    return this
  }
  told(): readonly string[] {
    return this.events
      .filter(({ type }) => type.startsWith("alert."))
      .map(({ atMs, type, old }) => `${(atMs - T0) / 1000} ${type} ${old}`)
  }
  alerts(): readonly string[] {
    return alertViews(this.world, this.cells).map(
      ({ deviceName, rule, state, heldBack }) => `${deviceName} ${rule} ${state} ${heldBack?.by ?? "-"}`,
    )
  }
}
const twin = (rules = SHIPPED): Twin =>
  new Twin().apply(
    { kind: "topology", atMs: at(0), rev: 1, inventory: inventory([device("r1")]) },
    rulesInput(rules, at(0), 1),
  )

describe("the engine's own condition", () => {
  test("[I6] a database that is away fires once it is away for two readings, and heals", () => {
    const it = twin().apply(back(1), away(16), away(31))
    assert.deepEqual(it.alerts(), ["Heliograph engine-database-away firing -"])
    const [view] = alertViews(it.world, it.cells)
    assert.equal(view?.severity, "critical")
    assert.equal(view.runbook, "docs/runbooks/engine-database-away.md")
    it.apply(back(46), tick(105), back(108))
    assert.deepEqual(it.alerts(), [])
    assert.deepEqual(it.told(), ["31 alert.firing engine-database-away", "106 alert.resolved engine-database-away"])
  })

  test("[I6] its events are the tenant's, of no site; the map, the counts and the devices know nothing of it", () => {
    const it = twin().apply(poll("r1", at(5), { "": { "device.cpu_pct": 1 } }), away(16), away(31))
    const fired = it.events.find(({ type }) => type === "alert.firing")
    assert.deepEqual([fired?.subject, fired?.subjectKind, fired?.entity], [ENGINE_DEVICE, "tenant", ENGINE_ENTITY])
    assert.equal(it.world.unknownDevice, 0)
    assert.equal(it.world.topology.inventory.devices.length, 1)
    assert.equal(it.cells.tenant.state(0).counts.routers, 1)
    assert.deepEqual(it.cells.tenant.state(0).alerts.lit, { info: 0, warn: 0, critical: 0 })
  })

  test("[I6] rules about devices never judge it: nothing is absent of what it does not measure", () => {
    const it = twin().apply(back(1), tick(4_000), back(8_000), tick(90_000))
    assert.deepEqual(
      it.alerts().filter((line) => line.startsWith("Heliograph")),
      [],
    )
  })

  test("[I6] explained, with a receipt; asked of another rule it says why not", () => {
    const it = twin().apply(away(16), away(31))
    const why = explainAlert(it.world, it.cells, NAME)
    assert.ok(why?.found)
    assert.equal(why.explanation.state, "firing")
    assert.match(why.explanation.because, /it fires/)
    assert.equal(receiptOfAlert(it.world, it.cells, NAME)?.rule.id, NAME.rule)
    const not = explainAlert(it.world, it.cells, { ...NAME, rule: "cpu-high" })
    assert.ok(not !== null && !not.found)
    assert.equal(explainAlert(twin([]).world, it.cells, NAME)?.found, false)
  })

  test("[I6] acknowledged and taken back", () => {
    const it = twin().apply(away(16), away(31))
    const ack = { kind: "ack", device: ENGINE_DEVICE, rule: NAME.rule, entity: ENGINE_ENTITY, by: "ana" } as const
    it.apply({ ...ack, atMs: at(40), untilMs: at(400) })
    assert.equal(alertViews(it.world, it.cells)[0]?.ack?.by, "ana")
    it.apply({ ...ack, atMs: at(50), untilMs: null })
    assert.equal(alertViews(it.world, it.cells)[0]?.ack, null)
  })

  test("[I6] a mute of it, and maintenance of everything, hold it back to their very end; one of a site does not", () => {
    const muted = { ...silenceOf("m", at(10), at(100)), scope: { by_device_ids: [ENGINE_DEVICE as string] } }
    const it = twin().apply(silencesInput([muted], at(1), 1), away(16), away(31))
    assert.deepEqual(it.alerts(), ["Heliograph engine-database-away firing maintenance"])
    assert.deepEqual(it.told(), ["31 alert.suppressed engine-database-away"])
    it.apply(away(90), away(99), tick(101))
    assert.deepEqual(it.told().slice(1), ["100 alert.firing engine-database-away"])
    const elsewhere = { ...silenceOf("m", at(10), at(100)), scope: { by_site_ids: ["s"] } }
    const loud = twin().apply(silencesInput([elsewhere], at(1), 1), away(16), away(31))
    assert.deepEqual(loud.told(), ["31 alert.firing engine-database-away"])
  })

  test("[I6] other rules: an edited one goes on with its alert, one that is gone ends it, also without any router", () => {
    const own = packRule({
      id: "engine-database-away",
      name: "Database away",
      severity: "warn",
      scope: { by_entity_type: ["engine"] },
      condition: level("last", "engine.database_up", "<", 1, 60),
      summary: "x",
      description: "x",
      fires: "",
      quiet: "",
    }).rule
    const it = new Twin().apply(rulesInput(SHIPPED, at(0), 1), away(16), away(31))
    it.apply(rulesInput([...SHIPPED.filter(({ id }) => id !== own.id), own], at(32), 2))
    assert.deepEqual(it.alerts(), ["Heliograph engine-database-away firing -"])
    assert.equal(it.world.self?.rules.length, SHIPPED.filter(({ id }) => id.startsWith("engine-")).length)
    it.apply(rulesInput([], at(40), 3))
    assert.deepEqual(it.alerts(), [])
    assert.equal(it.told().length, 2)
  })

  test("[I6] the shipped rules hear of a value that is no number, or of another build's metric, and go on", () => {
    const strange: PollInput = { ...self(20, { "engine.database_up": 0, "engine.spool_used_pct": Number.NaN }) }
    const newer: PollInput = { ...self(25, { "engine.database_up": 0 }), metric: Uint16Array.from([60_000]) }
    const it = twin().apply(strange, newer, away(31))
    assert.deepEqual(it.alerts(), ["Heliograph engine-database-away firing -"])
  })
})

// -- replay ----------------------------------------------------------------------------------------------------------------

const METRICS_HEARD = [
  "engine.database_up",
  "engine.spool_used_pct",
  "ingest.lag_seconds",
  "engine.restarts_total",
] as const
const news: fc.Arbitrary<(second: number) => Input> = fc.oneof(
  fc.tuple(fc.constantFrom(...METRICS_HEARD), fc.constantFrom(0, 1, 30, 90)).map(
    ([metric, value]) =>
      (second: number) =>
        self(second, { [metric]: value }),
  ),
  fc.constant((second: number) => tick(second)),
  fc.constant((second: number) => poll("r1", at(second), { "": { "device.cpu_pct": 99 } })),
  fc
    .integer({ min: 1, max: 60 })
    .map(
      (more) => (second: number) =>
        silencesInput([silenceOf("w", at(second + 5), at(second + 5 + more))], at(second), second),
    ),
  fc.constantFrom([], SHIPPED).map((rules) => (second: number) => rulesInput(rules, at(second), second)),
)
const story = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 25 }), news), { minLength: 1, maxLength: 40 })
  .map((steps) => {
    let second = 0
    return steps.map(([wait, make]) => make((second += wait)))
  })

describe("replay", () => {
  test("[I6] snapshot and tail give what never stopping gives, however inputs are grouped", () => {
    fc.assert(
      fc.property(story, fc.nat(), (inputs, cut) => {
        const whole = twin().apply(...inputs)
        const single = twin()
        for (const input of inputs) single.apply(input)
        assert.deepEqual(single.events, whole.events)
        assert.equal(hashTwin(single.world, single.cells), hashTwin(whole.world, whole.cells))

        const half = twin().apply(...inputs.slice(0, cut % inputs.length))
        const stored = structuredClone(snapshotTwin(half.world, half.cells))
        const { world, states } = restoreTwin(stored)
        const cells = plainCells(states)
        runRound(
          world,
          cells,
          inputs.slice(cut % inputs.length).map((input, index) => ({ seq: world.seq + 1 + index, input })),
        )
        assert.equal(hashTwin(world, cells), hashTwin(whole.world, whole.cells))
        assert.deepEqual(alertViews(world, cells), alertViews(whole.world, whole.cells))
      }),
      { numRuns: 60 },
    )
  })

  test("[I6] a branch goes its own way; a snapshot of before the engine was judged begins to judge", () => {
    const it = twin().apply(away(16), away(31))
    const branch = forkTwin(it.world, it.cells)
    branch.apply([back(46), tick(200)])
    assert.deepEqual(alertViews(branch.world, branch.cells), [])
    assert.equal(alertViews(it.world, it.cells).length, 1)
    const { self: _, ...before } = snapshotTwin(it.world, it.cells)
    const { world, states } = restoreTwin(structuredClone(before))
    assert.equal(world.self, null)
    runRound(world, plainCells(states), [{ seq: world.seq + 1, input: away(46) }])
    assert.ok(world.self !== null)
  })
})
