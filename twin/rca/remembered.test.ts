/** The index of remembered events says what the list says, however the list went on. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import type { EventView } from "#protocol/view.ts"
import { rememberedBy } from "#twin/rca/remembered.ts"
import { newWorld, RECENT_EVENTS } from "#twin/round.ts"

const DEVICES = ["a", "b", "c"] as const

const event = (id: number, subject: string, [type, old, now]: readonly [string, string | null, string | null]) =>
  ({
    id: `${id}-0`,
    atMs: id,
    type,
    severity: "major",
    subject,
    subjectKind: "device",
    entity: "if:e1",
    old,
    new: now,
    raw: null,
    source: "twin",
  }) as EventView

/** Evidence, and beside each what is none. */
const KINDS = [
  ["interface.oper.changed", "up", "down"],
  ["interface.oper.changed", "down", "up"],
  ["device.reachable.changed", "up", "down"],
  ["device.reachable.changed", "down", "up"],
  ["config.changed.detected", null, null],
  ["ospf.neighbor.changed", "full", "down"],
  ["ospf.neighbor.changed", "2way", "init"],
  ["ospf.neighbor.changed", "2way", "exstart"],
  ["ospf.neighbor.changed", "down", "full"],
  ["bgp.peer.changed", "established", "idle"],
  ["alert.firing", "pending", "firing"],
] as const
const EVIDENCE = new Set([0, 2, 4, 5, 6, 9])

interface Piece {
  /** Of KINDS, with a device of DEVICES. */
  readonly events: ReadonlyArray<readonly [kind: number, device: number]>
  /** Another twin's list takes its place, as after a restart. */
  readonly anew: boolean
}

const pieces: fc.Arbitrary<readonly Piece[]> = fc.array(
  fc.record({
    events: fc.array(fc.tuple(fc.nat(KINDS.length - 1), fc.nat(DEVICES.length - 1)), { maxLength: 6 }),
    anew: fc.constantFrom(false, false, false, true),
  }),
  { maxLength: 30 },
)

test("[I9] asked after any pieces: the events of a device that are evidence, oldest first, none that fell off the list", () => {
  fc.assert(
    fc.property(pieces, fc.integer({ min: 1, max: 12 }), (all, most) => {
      const world = newWorld()
      const kindOf = new Map<EventView, number>()
      let next = 0
      for (const { events, anew } of all) {
        const made = events.map(([kind, device]) => {
          const one = event(next++, DEVICES[device] as string, KINDS[kind] as (typeof KINDS)[number])
          kindOf.set(one, kind)
          return one
        })
        if (made.length > 0 || anew) world.recent = [...(anew ? [] : world.recent), ...made].slice(-most)
        const remembered = rememberedBy(world)
        for (const device of DEVICES)
          assert.deepEqual(
            remembered(device),
            world.recent.filter((one) => one.subject === device && EVIDENCE.has(kindOf.get(one) as number)),
          )
      }
    }),
    { numRuns: 300 },
  )
})

test("[I9] a full list goes on by one: who has no news keeps its very list, and the oldest goes", () => {
  const world = newWorld()
  const [down] = KINDS
  world.recent = Array.from({ length: RECENT_EVENTS }, (_, id) => event(id, id % 2 === 0 ? "a" : "b", down))
  const before = rememberedBy(world)
  const [a, b, c] = [before("a"), before("b"), before("c")]
  assert.deepEqual([a.length, b.length, c.length], [RECENT_EVENTS / 2, RECENT_EVENTS / 2, 0])
  world.recent = [...world.recent, event(RECENT_EVENTS, "c", down)].slice(-RECENT_EVENTS)
  const after = rememberedBy(world)
  assert.equal(after("b"), b)
  assert.deepEqual(after("a"), a.slice(1))
  assert.deepEqual(after("c"), world.recent.slice(-1))
  assert.equal(a.length, RECENT_EVENTS / 2, "what was given out is not written to")
})

test("[I9] each twin has its own: a fork's news are not the other's", () => {
  const [one, other] = [newWorld(), newWorld()]
  const first = event(0, "a", KINDS[0])
  one.recent = [first]
  other.recent = one.recent
  assert.deepEqual([rememberedBy(one)("a"), rememberedBy(other)("a")], [[first], [first]])
  const news = event(1, "a", KINDS[5])
  other.recent = [...other.recent, news]
  assert.deepEqual([rememberedBy(one)("a"), rememberedBy(other)("a")], [[first], [first, news]])
})
