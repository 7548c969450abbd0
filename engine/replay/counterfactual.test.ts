/** [5.4] The same past by other rules: what differs is what a life with those rules would have decided, and nothing else. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { compareDecisions, onlyThese, togetherWith } from "#engine/replay/counterfactual.ts"
import { Differences } from "#engine/replay/decisions.ts"
import { FIRST, live, RING, story, type Past } from "#engine/replay/past.fixture.ts"
import { openReplay } from "#engine/replay/replay.ts"
import type { Compared } from "#engine/replay/side-by-side.ts"
import { anyInput, poll, RULES, START_MS, trap, unreachable } from "#engine/tenant/network.fixture.ts"
import type { Rule } from "#protocol/rule.ts"
import type { EventView } from "#protocol/view.ts"
import type { IncidentInput, Input, ProbedInput } from "#twin/input.ts"

const END = START_MS + 10_000_000
const cpuAbove = (threshold_num: number): readonly Rule[] =>
  RULES.map((rule) =>
    rule.id === "cpu" ? ({ ...rule, condition: { ...rule.condition, threshold_num } } as Rule) : rule,
  )
const rulesInput = (rules: readonly Rule[], seconds = 0): Input => ({
  kind: "rules",
  atMs: START_MS + seconds * 1_000,
  rev: 1 + seconds,
  rules,
})
const copyOf = <A>(it: A): A => structuredClone(it)

/** From the journal's first input on, whatever snapshots there are. */
const opened = async (past: Past, fromMs: number) => {
  const replay = await openReplay({ ...past, checkpoint: async () => null }, fromMs)
  await replay.runTo({ atMs: fromMs })
  return replay
}

const compared = async (past: Past, fromMs: number, rules: (were: readonly Rule[]) => readonly Rule[]) => {
  const replay = await opened(past, fromMs)
  return compareDecisions(replay, { inventory: null, rules }, END)
}
const nothing = (found: Compared): void => {
  assert.deepEqual([found.onlyBefore, found.onlyNow, found.changes, found.untold], [[], [], [], 0])
}

/** A ring in which links flap, devices fall silent, and people and the network answer to incidents by their names. */
const answered = async (inputs: readonly Input[]): Promise<Past> => {
  const first = await live([FIRST, rulesInput(RULES), ...inputs], 10)
  const begun = first.events.filter(({ type }) => type === "incident.opened")
  const about = begun.flatMap((event): readonly Input[] => {
    const incident = event.id
    const act: IncidentInput = {
      kind: "incident",
      atMs: event.atMs + 2_500,
      incident,
      by: "ana",
      act: { act: "close", note: "seen" },
    }
    const heard: ProbedInput = {
      kind: "probed",
      atMs: event.atMs + 1_500,
      incident,
      question: 1,
      device: RING.devices[0]!.id,
      source: "probe",
      startedMs: event.atMs + 1_400,
      outcome: "silent",
      rttMs: null,
    }
    return [heard, act]
  })
  // What opened is named by its number, which must not move: answers come behind everything that was counted.
  const lastMs = Math.max(...inputs.map(({ atMs }) => atMs), START_MS)
  const later = about.map((input) => ({ ...input, atMs: Math.max(input.atMs, lastMs + 1) }))
  const rest = RING.devices.flatMap(({ id }, i) => [
    poll(id, lastMs + 20_000 + i * 100, { cpu: 99 }),
    poll(id, lastMs + 90_000 + i * 100, { cpu: 1 }),
  ])
  return live([FIRST, rulesInput(RULES), ...inputs, ...later, ...rest], 10)
}

const outage = (from: number): readonly Input[] =>
  Array.from({ length: 40 }, (_, i): Input => {
    const atMs = START_MS + (from + i) * 1_000
    const device = RING.devices[i % 4]!.id
    if (i % 4 === 1) return unreachable(device, atMs)
    return i === 6 ? trap(device, atMs, false) : poll(device, atMs, { rightUp: i % 4 !== 0 })
  })

describe("[5.4] other rules", () => {
  test("[5.4] the same pack decides the same, whatever was heard, and acts on incidents find theirs", async () => {
    const past = await answered([...story(60).slice(1), ...outage(61)])
    assert.ok(
      past.events.some(({ type }) => type === "incident.closed"),
      "somebody's act closed one",
    )
    for (const fromMs of [START_MS + 1_000, START_MS + 30_500, START_MS + 70_500]) {
      const found = await compared(past, fromMs, onlyThese(copyOf(RULES)))
      assert.ok(found.same > 0)
      nothing(found)
      nothing(await compared(past, fromMs, togetherWith(copyOf(RULES.slice(1)))))
    }
  })

  test("[5.4] a pack that decides alike though it is another: acts and answers find their incidents all the same", async () => {
    const past = await answered(outage(1))
    assert.ok(past.events.some(({ type }) => type === "incident.closed"))
    // Nobody's CPU is between the two; the other rules are one more input, by which every name is another.
    const found = await compared(past, START_MS, onlyThese(cpuAbove(91)))
    assert.ok(found.same > 0)
    nothing(found)
  })

  test("[5.4] the same pack decides the same over anything at all", async () => {
    const second = fc.integer({ min: 0, max: 90 })
    const known = fc.constantFrom(...RING.devices.map(({ id }) => id))
    const heard = fc.oneof(
      { weight: 4, arbitrary: fc.record({ second, known, cpu: fc.nat(100), rightUp: fc.boolean() }) },
      { weight: 1, arbitrary: fc.record({ second, any: anyInput() }) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(heard, { minLength: 5, maxLength: 40 }), async (list) => {
        const inputs = list.flatMap((one): readonly Input[] => {
          const atMs = START_MS + one.second * 1_000
          if (!("any" in one)) return [poll(one.known, atMs, { cpu: one.cpu, rightUp: one.rightUp })]
          return one.any.kind === "rules" || one.any.kind === "topology" ? [] : [{ ...one.any, atMs }]
        })
        const past = await live([FIRST, rulesInput(RULES), ...inputs.toSorted((a, b) => a.atMs - b.atMs)], 2)
        nothing(await compared(past, START_MS + 10_000, onlyThese(copyOf(RULES))))
      }),
      { numRuns: 25 },
    )
  })

  test("[5.4] one threshold changed: exactly what a life with that pack would have decided otherwise", async () => {
    const told = story(300).slice(1)
    const past = await live([FIRST, rulesInput(RULES), ...told], 10)
    const other = await live([FIRST, rulesInput(cpuAbove(97)), ...told], 10)
    // From the first moment on, so that both lives are whole.
    const found = await compared(past, START_MS, onlyThese(cpuAbove(97)))
    const expected = new Differences()
    for (const event of past.events) expected.before(event)
    for (const event of other.events) expected.now(event)
    const { onlyBefore, onlyNow, same } = expected.result(0)
    assert.ok(onlyBefore.length > 4 && same > 4)
    const bare = (events: readonly EventView[]) =>
      events.map((event) => ({ ...event, id: "", entity: event.type.startsWith("incident.") ? "" : event.entity }))
    assert.deepEqual(bare(found.onlyBefore), bare(onlyBefore))
    assert.deepEqual(bare(found.onlyNow), bare(onlyNow))
    const alerts = [...found.onlyBefore, ...found.onlyNow].filter(({ type }) => type.startsWith("alert."))
    assert.ok(
      alerts.every(({ old }) => old === "cpu"),
      "no other rule decides otherwise",
    )
  })

  test("[5.4] a threshold that nobody reaches: each alert of that rule is none, and so often fewer are told", async () => {
    const inputs = [95, 5, 96, 5, 97].flatMap((cpu, i) =>
      RING.devices.map(({ id }, d) => poll(id, START_MS + (i * 120 + 10 + d) * 1_000, { cpu })),
    )
    const past = await live([FIRST, rulesInput(RULES), ...inputs], 10)
    const found = await compared(past, START_MS, onlyThese(cpuAbove(100)))
    const alerts = found.changes.filter(({ before }) => before?.kind === "alert")
    const fired = past.events.filter(({ type, old }) => old === "cpu" && type === "alert.firing")
    assert.ok(fired.length >= RING.devices.length)
    assert.deepEqual(
      alerts.map(({ before, now }) => [before?.what, now]),
      alerts.map(() => ["cpu", null]),
    )
    const spells = alerts.map(({ before }) => before!)
    const times = (i: number, d: number): number => START_MS + (i * 120 + 10 + d) * 1_000
    assert.deepEqual(
      spells.map(({ device, fromMs, toMs }) => [device, fromMs, toMs]),
      [0, 2, 4].flatMap((i) =>
        RING.devices.map(({ name }, d) => [name, times(i, d), i === 4 ? null : times(i + 1, d)]),
      ),
    )
    const heard = past.events.filter(
      ({ old, type }) => old === "cpu" && /^alert\.(firing|resolved|flapping)$/.test(type),
    )
    assert.equal(
      spells.reduce((sum, { told }) => sum + told, 0),
      heard.length,
    )
    assert.deepEqual(new Set(spells.map(({ device }) => device)), new Set(RING.devices.map(({ name }) => name)))
    assert.ok(spells.every(({ fromMs, toMs, severity }) => (toMs ?? END) > fromMs && severity === "warning"))
  })

  test("[5.4] another severity, or other people to tell, is a change of the same alert", async () => {
    const past = await live(
      [
        FIRST,
        rulesInput(RULES),
        ...RING.devices.map(({ id }, i) => poll(id, START_MS + (10 + i) * 1_000, { cpu: 99 })),
      ],
      10,
    )
    const change = async (over: Partial<Rule>) => {
      const pack = RULES.map((rule) => (rule.id === "cpu" ? { ...rule, ...over } : rule))
      const { changes } = await compared(past, START_MS, onlyThese(pack))
      return changes.filter(({ before, now }) => (before ?? now)!.what === "cpu")
    }
    const worse = await change({ severity: "critical" })
    assert.deepEqual(
      worse.map(({ before, now }) => [before?.severity, now?.severity, before?.fromMs === now?.fromMs]),
      RING.devices.map(() => ["warning", "critical", true]),
    )
    const others = await change({ notify_policy_id: "night" })
    assert.deepEqual(
      others.map(({ before, now }) => [before?.policy, now?.policy, now?.told]),
      RING.devices.map(() => ["", "night", 1]),
    )
  })

  test("[5.4] rules that joined later join the other pack, too; alone it stays as it is", async () => {
    const more: Rule = { ...RULES[0]!, id: "cpu-2", name: "CPU, too" }
    const told = story(200).slice(1)
    const change = rulesInput([...RULES, more], 100)
    const past = await live([FIRST, rulesInput(RULES), ...told.slice(0, 99), change, ...told.slice(99)], 10)
    nothing(await compared(past, START_MS + 50_000, togetherWith(copyOf(RULES.slice(0, 1)))))
    const alone = await compared(past, START_MS + 50_000, onlyThese(RULES))
    assert.ok(alone.onlyBefore.length > 0)
    assert.ok(alone.onlyBefore.every(({ type, old }) => !type.startsWith("alert.") || old === "cpu-2"))
  })

  test("[5.4] another topology and other rules together", async () => {
    const past = await live([FIRST, rulesInput(RULES), ...story(120).slice(1)], 10)
    const gone = RING.links[0]!
    const inventory = { ...RING, links: RING.links.slice(1) }
    const replay = await opened(past, START_MS)
    const both = await compareDecisions(replay, { inventory, rules: onlyThese(cpuAbove(100)) }, END)
    assert.ok(both.onlyBefore.some(({ subject }) => subject === gone.id))
    assert.ok(both.onlyBefore.some(({ old }) => old === "cpu"))
  })
})

describe("differences", () => {
  const event = (n: number, id: string): EventView => ({
    id,
    atMs: n,
    type: "device.rebooted",
    severity: "warning",
    subject: `d${n % 3}`,
    subjectKind: "device",
    entity: "",
    old: null,
    new: null,
    raw: null,
    source: "twin",
  })

  test("[5.4] are those of two multisets, in whatever order the two sides are heard", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(6), fc.boolean()), { maxLength: 60 }), (heard) => {
        const found = new Differences()
        const counts = Array.from({ length: 7 }, () => 0)
        let same = 0
        const sides = [0, 0]
        for (const [i, [n, isNow]] of heard.entries()) {
          const own = isNow ? 1 : -1
          if (counts[n]! * own < 0) same++
          counts[n]! += own
          sides[Number(isNow)]!++
          if (isNow) found.now(event(n, `${i}-0`))
          else found.before(event(n, `${i}-1`))
        }
        const result = found.result(heard.length)
        assert.equal(result.same, same)
        assert.equal(result.onlyBefore.length, sides[0]! - same)
        assert.equal(result.onlyNow.length, sides[1]! - same)
        for (const [n, count] of counts.entries()) {
          const list = count > 0 ? result.onlyNow : result.onlyBefore
          assert.equal(list.filter(({ atMs }) => atMs === n).length, Math.abs(count))
        }
      }),
    )
  })
})
