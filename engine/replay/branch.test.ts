/** A branch hears what the past did not, and what it comes to is told; the past stays as it was, whatever a branch hears. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { compareBranch } from "#engine/replay/branch.ts"
import type { ForkInput } from "#engine/replay/fork-inputs.ts"
import { live, RING, story } from "#engine/replay/past.fixture.ts"
import { openReplay, type Replay } from "#engine/replay/replay.ts"
import { poll, START_MS, trap } from "#engine/tenant/network.fixture.ts"

const past = await live(story(120), 10)
const at = (seconds: number): number => START_MS + seconds * 1_000
const END = at(121)
const device = RING.devices[1]!

const begun = async (seconds = 40): Promise<Replay> => {
  const replay = await openReplay(past, at(seconds))
  await replay.runTo({ atMs: at(seconds) })
  return replay
}

const silence = (from: number, count: number): readonly ForkInput[] =>
  Array.from({ length: count }, (_, i): ForkInput => {
    const said = { source: "snmp", reason: "timeout", detail: "" } as const
    return { kind: "unreachable", device: device.id, atMs: at(from + i), ...said }
  })

describe("branch", () => {
  test("told nothing, it is the past", async () => {
    const { onlyBefore, onlyNow, otherwise, same, stateHash, branchHash } = await compareBranch(
      await begun(),
      [],
      END,
      false,
    )
    assert.deepEqual([onlyBefore, onlyNow, otherwise], [[], [], []])
    assert.ok(same > 0)
    assert.equal(stateHash, past.hashes.at(-1))
    assert.equal(branchHash, stateHash)
  })

  test("an outage that never was is decided and seen, in the branch only", async () => {
    const found = await compareBranch(await begun(117), silence(118, 3), at(120.5), false)
    assert.ok(found.onlyNow.some(({ type, subject }) => type === "device.reachable.changed" && subject === device.id))
    const router = found.otherwise.find(({ kind, name }) => kind === "router" && name === device.name)
    assert.ok(router !== undefined)
    assert.deepEqual([router.before.health === "unreachable", router.now.health], [false, "unreachable"])
    assert.equal(found.stateHash, past.hashes[found.inputs + 117])
    assert.notEqual(found.branchHash, found.stateHash)
  })

  test("whatever it hears, the past is what a replay without a branch comes to", async () => {
    const known = fc.constantFrom(...RING.devices.map(({ id }) => id))
    const any = fc.record({ known, second: fc.integer({ min: 41, max: 130 }), kind: fc.nat(2), up: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(fc.array(any, { maxLength: 12 }), fc.boolean(), async (list, alone) => {
        const own = list
          .map(({ known: id, second, kind, up }): ForkInput => {
            if (kind === 0) return poll(id, at(second), { rightUp: up })
            return kind === 1 ? trap(id, at(second), up) : { kind: "tick", atMs: at(second) }
          })
          .sort((a, b) => a.atMs - b.atMs)
        const { stateHash, inputs } = await compareBranch(await begun(), own, END, alone)
        assert.equal(stateHash, past.hashes.at(-1))
        assert.equal(inputs, 80)
      }),
      { numRuns: 30 },
    )
  })

  test("alone, it hears nothing of the journal; what it is told after the end it does not hear", async () => {
    const replay = await begun()
    const hash = past.hashes[40]
    const later = await compareBranch(replay, [{ kind: "tick", atMs: END + 1 }], END, true)
    assert.equal(later.branchHash, hash, "nothing was heard: it stands where it began")
    assert.equal(later.stateHash, past.hashes.at(-1))
    assert.ok(later.onlyBefore.length > 0 && later.onlyNow.length === 0)
    const ticked = await compareBranch(await begun(), [{ kind: "tick", atMs: END }], END, true)
    assert.notEqual(ticked.branchHash, hash, "the end itself is heard")
  })

  test("its own inputs come between the journal's by their time, after those of the same time", async () => {
    // The story's poll of second 60 says what this one says otherwise; the later one stays.
    const polled = story(120)[60]!
    assert.ok(polled.kind === "poll" && polled.atMs === at(60))
    const over = poll(polled.device, at(60), { cpu: 99 })
    const shifted = { ...over, startedMs: over.startedMs, atMs: at(60) }
    const until = await compareBranch(await begun(59), [shifted], at(60.5), false)
    const before = await compareBranch(await begun(59), [{ ...shifted, atMs: at(59.5) }], at(60.5), false)
    assert.equal(until.inputs, before.inputs)
    assert.notEqual(until.branchHash, before.branchHash)
  })
})
