/** [I6] Maintenance, changes and mutes on a twin: what they cover is judged, nobody is told, and after them whoever must be. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import type { Silence } from "#protocol/maintenance.ts"
import type { Rule } from "#protocol/rule.ts"
import { over } from "#twin/alert/rule.fixture.ts"
import type { Suppression } from "#twin/alert/suppression.ts"
import { SUPPRESSIONS_MAX } from "#twin/alert/suppression.ts"
import { device, idOf, inventory, poll, ports } from "#twin/inventory.fixture.ts"
import { judgedNetwork } from "#twin/judge/judged.fixture.ts"
import type { JudgedNetwork } from "#twin/judge/judged.fixture.ts"
import { ruleOf, silenceOf, silencesInput } from "#twin/judge/pool.fixture.ts"
import { silenced } from "#twin/judge/silence.ts"
import { at } from "#twin/network.fixture.ts"

const CPU = ruleOf("cpu", over("device.cpu_pct", 85, 3600))
const DOWN = ruleOf("down", over("interface.oper_up", 1, 3600, "last", "<"))
const net = (rules: readonly Rule[] = [CPU], names: readonly string[] = ["r1"]): JudgedNetwork =>
  judgedNetwork(inventory(names.map((name) => device(name))), rules)
const cpu = (second: number, value: number, name = "r1") => poll(name, at(second), { "": { "device.cpu_pct": value } })
const tick = (second: number) => ({ kind: "tick", atMs: at(second) }) as const
const silences = (second: number, ...list: readonly Silence[]) => silencesInput(list, at(second), second)

describe("silences", () => {
  test("[I6] begun in it: judged, suppressed, and told once at its end, though nothing is heard then", () => {
    const it = net()
    it.apply(silences(1, silenceOf("w", at(10), at(100))), cpu(20, 90))
    assert.deepEqual(it.told, ["20 alert.suppressed cpu"])
    assert.deepEqual(it.alerts(), ["r1 cpu - firing maintenance"])
    const explained = it.explain({ device: idOf("r1"), rule: "cpu", entity: "" })
    assert.ok(explained?.found && explained.explanation.heldBack?.reason === "works w")
    assert.equal(explained.explanation.heldBack.untilMs, at(100))
    it.apply(tick(3600))
    assert.deepEqual(it.told.slice(1), ["100 alert.firing cpu"])
    assert.deepEqual(it.alerts(), ["r1 cpu - firing"])
  })

  test("[I6] one that begins while an alert fires shows in the list from then on, and its end tells once more", () => {
    const it = net()
    it.apply(cpu(1, 90), silences(2, silenceOf("w", at(50), at(100))))
    assert.deepEqual(it.alerts(), ["r1 cpu - firing"])
    it.apply(tick(60))
    assert.deepEqual(it.alerts(), ["r1 cpu - firing maintenance"])
    it.apply(tick(101))
    assert.deepEqual(it.alerts(), ["r1 cpu - firing"])
    assert.deepEqual(it.told, ["1 alert.firing cpu", "100 alert.firing cpu"])
  })

  test("[I6] begun and ended in it: nobody is told of either, the log has both", () => {
    const it = net()
    it.apply(silences(1, silenceOf("w", at(10), at(100))), cpu(20, 90), cpu(50, 10), tick(3600))
    assert.deepEqual(it.told, ["20 alert.suppressed cpu", "50 alert.ended cpu"])
  })

  test("[I6] begun before it, ended in it: resolved is told once, at the end of the silence", () => {
    const it = net()
    it.apply(cpu(1, 90), silences(2, silenceOf("w", at(10), at(100))), cpu(50, 10), tick(3600))
    assert.deepEqual(
      it.told.filter((line) => !line.includes("ended")),
      ["1 alert.firing cpu", "100 alert.resolved cpu"],
    )
  })

  test("[I6] lifted early, by a list without it: told at once; put off: not", () => {
    const it = net()
    it.apply(silences(1, silenceOf("w", at(0), at(1000), { kind: "mute" })), cpu(20, 90))
    it.apply(silences(30, silenceOf("w", at(0), at(2000), { kind: "mute" })))
    assert.deepEqual(it.told, ["20 alert.suppressed cpu"])
    it.apply(silences(40))
    assert.deepEqual(it.told, ["20 alert.suppressed cpu", "40 alert.firing cpu"])
    it.apply(tick(3600))
    assert.equal(it.told.length, 2)
  })

  test("[I6] each occurrence of a recurring one counts; times that touch are one", () => {
    const it = net()
    const times = [
      [at(100), at(200)],
      [at(200), at(300)],
      [at(500), at(600)],
    ] as const
    it.apply(silences(1, silenceOf("w", 0, 0, { times })), cpu(150, 90), tick(1000))
    assert.deepEqual(it.told, ["150 alert.suppressed cpu", "300 alert.firing cpu", "600 alert.firing cpu"])
  })

  test("[I6] it covers what its scope says: device, entity, kind, rule; critical ones when it spares them not", () => {
    const both = [CPU, DOWN, { ...CPU, id: "worst", name: "worst", severity: "critical" as const }]
    const firing = (silence: Partial<Silence>): readonly string[] => {
      const it = net(both, ["r1", "r2"])
      it.apply(silences(1, silenceOf("w", at(0), at(9999), silence)))
      for (const name of ["r1", "r2"]) it.apply(cpu(5, 90, name), ports(name, at(6), { ether1: false, ether2: false }))
      return it.alerts().filter((line) => line.endsWith("maintenance"))
    }
    assert.equal(firing({}).length, 8)
    assert.equal(firing({ scope: { by_device_ids: [idOf("r2")] } }).length, 4)
    assert.equal(firing({ scope: { by_site_ids: ["elsewhere"] } }).length, 0)
    assert.deepEqual(firing({ scope: { by_device_ids: [idOf("r1")], by_entity_ids: ["if:ether2"] } }), [
      "r1 down if:ether2 firing maintenance",
    ])
    assert.equal(firing({ scope: { by_entity_ids: ["device"] } }).length, 4)
    assert.equal(firing({ scope: { by_entity_type: ["interface"] } }).length, 4)
    assert.equal(firing({ rule: "cpu" }).length, 2)
    assert.equal(firing({ sparesCritical: true }).length, 6)
  })

  test("[I6] at any time the suppressions are those that the list asks for, whatever list and time came before", () => {
    const window = fc
      .uniqueArray(fc.nat(40), { maxLength: 8 })
      .map((edges) => edges.sort((a, b) => a - b))
      .map((edges): ReadonlyArray<readonly [number, number]> =>
        edges.flatMap((from, i) =>
          i % 2 === 0 && edges[i + 1] !== undefined ? [[from, edges[i + 1] as number] as const] : [],
        ),
      )
    const list = fc
      .array(window, { maxLength: 3 })
      .map((all) => all.map((times, n) => silenceOf(`${n}`, 0, 0, { times })))
    fc.assert(
      fc.property(fc.array(fc.record({ list, stay: fc.nat(15) }), { maxLength: 5 }), (steps) => {
        let held: readonly Suppression[] = []
        let nowMs = 0
        for (const { list: silences, stay } of steps) {
          // As a router does: at a new list, and whenever one begins; ends are judgement's own.
          let nextMs: number | null = nowMs
          for (const end = nowMs + stay; nowMs <= end; nowMs++) {
            held = held.filter(({ untilMs }) => (untilMs as number) > nowMs)
            if (nextMs !== null && nowMs >= nextMs) {
              const said = silenced(silences, held, nowMs)
              for (const command of said.commands) {
                if (command.kind === "lift") held = held.filter(({ id }) => id !== command.id)
                if (command.kind === "suppress")
                  held = [...held.filter(({ id }) => id !== command.suppression.id), command.suppression]
              }
              nextMs = said.nextMs
            }
            const wanted = silences.filter(({ times }) => times.some(([from, to]) => from <= nowMs && nowMs < to))
            assert.deepEqual(held.map(({ id }) => id).sort(), wanted.map(({ id }) => `silence:${id}`).sort())
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  test("[I6] more than a device can hold at once push back, counted", () => {
    const it = net()
    const many = Array.from({ length: SUPPRESSIONS_MAX + 3 }, (_, n) => silenceOf(`w${n}`, at(0), at(100 + n)))
    it.apply(silences(1, ...many))
    const held = it.cells.routers.state(0).judgement?.device
    assert.deepEqual([held?.suppressions.length, held?.refused], [SUPPRESSIONS_MAX, 3])
  })
})
