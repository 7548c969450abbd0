/** [5.5] A branch of a replayed moment on the player: faults and inputs of its own, told like life; the past stays as it was. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import type { FaultBody } from "#engine/api/groups/what-if.ts"
import { branched } from "#engine/replay/branching.ts"
import { FIRST, live, RING } from "#engine/replay/past.fixture.ts"
import { BRANCH_INPUTS_MAX, openPlayer, type Player } from "#engine/replay/player.ts"
import type { BranchLook } from "#engine/replay/session-messages.ts"
import { poll, RULES, START_MS, tenantInfo, trap } from "#engine/tenant/network.fixture.ts"
import { unpackStatus } from "#protocol/status.ts"
import type { Input } from "#twin/input.ts"

const at = (seconds: number): number => START_MS + seconds * 1_000
const END = at(120)
/** Two minutes in which nothing fails: each router polled every four seconds. */
const calm = Array.from({ length: 120 }, (_, i): Input => poll(RING.devices[i % 4]!.id, at(i + 1), {}))
const past = await live([FIRST, { kind: "rules", atMs: START_MS, rev: 1, rules: RULES }, ...calm], 10)

const play = (fromMs = at(60)): Promise<Player> =>
  openPlayer({
    source: past,
    tenant: tenantInfo("1"),
    fromMs,
    toMs: END,
    speed: 1_000,
    epochBase: 1,
    isSeen: () => true,
    monotonicMs: () => 0,
  })
const healthOf = (player: Player, slot: number): string => unpackStatus(player.twin.columns().nodeStatus[slot]!).health
const linkHealthOf = (player: Player, slot: number): string =>
  unpackStatus(player.twin.columns().linkStatus[slot]!).health
const shown = (player: Player): string =>
  JSON.stringify([
    player.twin.seq(),
    [...player.twin.columns().nodeStatus],
    [...player.twin.columns().linkStatus],
    player.twin.recentEvents(),
  ])
const look = async (player: Player, sites: readonly string[] | null = null) =>
  (await branched(player, { kind: "look", sites })) as BranchLook
const hear = (
  player: Player,
  faults: readonly FaultBody[] | null,
  inputs: readonly unknown[] = [],
  sites: readonly string[] | null = null,
) => branched(player, { kind: "hear", sites, faults, inputs })
const open = (player: Player, alone = false) => branched(player, { kind: "open", alone })
const router = RING.devices[1]!
const routerDown: FaultBody = { kind: "router", device: router.id }
const linkDown: FaultBody = { kind: "link", link: RING.links[0]!.id }

describe("[5.5] a branch", () => {
  test("[5.5] a router without power answers nobody, its neighbours' ports are down, and an incident names it", async () => {
    const player = await play()
    const before = shown(player)
    const epoch = player.twin.epoch()
    await open(player)
    assert.deepEqual(player.standing().branch, { sinceMs: at(60), alone: false, faults: [], inputs: 0, waiting: 0 })
    assert.ok(player.twin.epoch() > epoch, "viewers read everything again")
    assert.equal(shown(player), before, "nothing has happened yet")
    await hear(player, [routerDown])
    await player.steer({ atMs: at(80) })
    assert.equal(healthOf(player, 1), "unreachable")
    assert.deepEqual(
      [0, 2, 3].map((slot) => healthOf(player, slot) === "unreachable"),
      [false, false, false],
    )
    assert.deepEqual([linkHealthOf(player, 0), linkHealthOf(player, 1)], ["down", "down"])
    assert.equal(linkHealthOf(player, 2), "ok")
    const { incidents, events } = await look(player)
    assert.ok(
      incidents.some(({ title }) => title.includes(router.name)),
      JSON.stringify(incidents.map(({ title }) => title)),
    )
    assert.ok(events.length > 0 && events[0]!.atMs >= events.at(-1)!.atMs)
    assert.ok(events.every(({ atMs }) => atMs >= at(60)))
    await branched(player, { kind: "leave" })
    assert.equal(player.standing().branch, null)
    assert.equal(player.standing().atMs, at(60))
    assert.equal(shown(player), before, "the past is where it was left")
  })

  test("[5.5] whatever a branch hears, the past goes on as if there had been none", async () => {
    const undisturbed = await play()
    await undisturbed.steer({ atMs: at(100) })
    const expected = shown(undisturbed)
    const anyFault = fc.constantFrom<FaultBody>(routerDown, linkDown, {
      kind: "interface",
      device: RING.devices[2]!.id,
      interface: "right",
    })
    const anyInput = fc.record({
      at: fc.integer({ min: 0, max: 40 }).map((seconds) => `+${seconds}s`),
      kind: fc.constantFrom("unreachable", "tick", "poll"),
      device: fc.constantFrom(...RING.devices.map(({ name }) => name)),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyFault, { maxLength: 3 }),
        fc.array(anyInput, { maxLength: 6 }),
        fc.boolean(),
        async (faults, inputs, alone) => {
          const player = await play()
          await open(player, alone)
          await hear(player, faults, inputs)
          await player.steer({ atMs: at(90) })
          await branched(player, { kind: "leave" })
          await player.steer({ atMs: at(100) })
          assert.equal(shown(player), expected)
        },
      ),
      { numRuns: 15 },
    )
  })

  test("[5.5] a broken link is down at both ends whatever the journal says, and heals when its fault is lifted", async () => {
    const player = await play()
    await open(player)
    await hear(player, [linkDown])
    assert.equal(linkHealthOf(player, 0), "down", "at once")
    await player.steer({ atMs: at(70) })
    assert.equal(linkHealthOf(player, 0), "down", "though polls said that it is up")
    assert.deepEqual(player.standing().branch?.faults, [linkDown])
    await hear(player, [])
    assert.equal(linkHealthOf(player, 0), "ok")
    await player.steer({ atMs: at(80) })
    assert.equal(linkHealthOf(player, 0), "ok")
    assert.deepEqual(
      (await look(player)).events.filter(({ subject }) => subject === RING.links[0]!.id).map(({ type }) => type),
      ["link.up", "link.down"],
    )
  })

  test("[5.5] its own inputs are heard at their time, and carry it beyond the past's end", async () => {
    const player = await play(at(110))
    await open(player)
    const other = RING.devices[3]!
    const dead = [1, 2, 3].map((n) => ({ at: `+${n * 10}s`, kind: "unreachable", device: other.name }))
    await hear(player, null, dead)
    assert.deepEqual([player.standing().branch?.inputs, player.standing().branch?.waiting], [3, 3])
    assert.equal(healthOf(player, 3), "ok")
    assert.equal(player.standing().toMs, at(140))
    await player.steer({ atMs: at(141) })
    assert.equal(player.standing().branch?.waiting, 0)
    assert.notEqual(healthOf(player, 3), "ok")
    assert.equal(player.standing().atMs, at(140))
  })

  test("[5.5] alone, it hears nothing of the journal", async () => {
    const player = await play()
    await open(player, true)
    const seq = player.twin.seq()
    await player.steer({ atMs: at(100) })
    assert.equal(player.twin.seq(), seq)
    await hear(player, null, [{ at: "+0s", kind: "tick" }])
    assert.ok(player.twin.seq() > seq)
  })

  test("[5.5] what-if of the branch rests on the branch", async () => {
    const player = await play()
    await open(player)
    const ask = async () => {
      const answer = await branched(player, {
        kind: "whatIf",
        faults: [{ kind: "link", link: RING.links[2]!.id }],
        routesOf: null,
      })
      assert.ok(answer !== null && "unreachable" in answer)
      return answer.shifted.length + answer.unreachable.length + answer.offline.length + answer.isolatedSites.length
    }
    const whole = await ask()
    await hear(player, [linkDown, routerDown])
    await player.steer({ atMs: at(80) })
    const broken = await ask()
    assert.ok(Number.isFinite(whole) && Number.isFinite(broken))
    const { atMs } = (await branched(player, { kind: "whatIf", faults: [linkDown], routesOf: null })) as {
      atMs: number
    }
    assert.ok(atMs > at(60) && atMs <= at(80))
  })

  test("[5.5] what cannot be is refused in words, and nothing changes", async () => {
    const player = await play()
    await assert.rejects(hear(player, [routerDown]), /branch it first/)
    await assert.rejects(look(player), /branch it first/)
    await assert.rejects(branched(player, { kind: "leave" }), /branch it first/)
    await open(player)
    const before = shown(player)
    await assert.rejects(open(player), /one branch at a time/)
    await assert.rejects(hear(player, [{ kind: "router", device: "nobody" }]), /of nothing in this network/)
    await assert.rejects(hear(player, [{ kind: "drain", link: RING.links[0]!.id }]), /a drain leaves no sign/)
    await assert.rejects(
      hear(player, null, [{ at: "+1s", kind: "poll", device: "nobody" }]),
      /inputs\[0\]: device "nobody"/,
    )
    await assert.rejects(hear(player, null, [{ at: "-1s", kind: "tick" }]), /inputs\[0\]: at must be/)
    const many = Array.from({ length: BRANCH_INPUTS_MAX + 1 }, () => ({ at: "+1s", kind: "tick" }))
    await assert.rejects(hear(player, null, many), /at most/)
    assert.equal(shown(player), before)
    await player.steer({ atMs: at(70) })
    await assert.rejects(player.steer({ atMs: at(65) }), /goes ahead only/)
    assert.equal(player.standing().atMs, at(70))
  })

  test("[5.5] who sees some sites reaches and sees nothing beyond them", async () => {
    const player = await play()
    await open(player)
    const elsewhere = ["another-site"]
    await assert.rejects(hear(player, [routerDown], [], elsewhere), /of nothing in this network/)
    await assert.rejects(hear(player, [linkDown], [], elsewhere), /of nothing in this network/)
    await assert.rejects(hear(player, [{ kind: "srlg", srlg: "any" }], [], [RING.sites[0]!.id]), /of nothing/)
    await assert.rejects(
      hear(player, null, [{ at: "+1s", kind: "unreachable", device: router.name }], elsewhere),
      /is none of that moment/,
    )
    await hear(player, [routerDown], [], [RING.sites[0]!.id])
    await player.steer({ atMs: at(80) })
    assert.ok((await look(player)).incidents.length > 0)
    const seen = await look(player, elsewhere)
    assert.deepEqual([seen.incidents, seen.events], [[], []])
  })

  test("[5.5] a word of somebody whom a fault silences is not heard", async () => {
    const talking = await live([FIRST, ...calm.slice(0, 70), trap(router.id, at(70), true), ...calm.slice(70)], 10)
    const player = await openPlayer({
      source: talking,
      tenant: tenantInfo("1"),
      fromMs: at(60),
      toMs: END,
      speed: 1,
      epochBase: 1,
      isSeen: () => true,
      monotonicMs: () => 0,
    })
    await open(player)
    await hear(player, [routerDown])
    await player.steer({ atMs: at(90) })
    const { events } = await look(player)
    assert.ok(!events.some(({ subject, source }) => subject === router.id && source === "trap"))
    assert.ok(!events.some(({ type, subject }) => type === "link.up" && subject === RING.links[1]!.id))
  })
})
