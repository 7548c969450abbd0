/** [W10] A replay that is played: whatever was asked, what is shown is what was live; a viewer of its hub sees just that. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { silentLog } from "#engine/log.ts"
import { makeMetrics } from "#engine/metrics/registry.ts"
import { live, RING, story, type Past } from "#engine/replay/past.fixture.ts"
import { FOLD_ON_MS, openPlayer, type Player, type PlayerOptions } from "#engine/replay/player.ts"
import { openReplay } from "#engine/replay/replay.ts"
import type { Steer } from "#engine/replay/session-messages.ts"
import { makeHub } from "#engine/stream/hub.ts"
import { LIMITS } from "#engine/stream/limits.ts"
import { makeStreamStats } from "#engine/stream/stats.ts"
import { START_MS, tenantInfo } from "#engine/tenant/network.fixture.ts"
import { applyFrame, newViewState } from "#protocol/apply.ts"
import { decodeServer } from "#protocol/codec.ts"

const SECONDS = 120
const END_MS = START_MS + SECONDS * 1_000
const past = await live(story(SECONDS), 17)
/** Of the oldest snapshot. */
const FIRST_MS = past.inputs[16]!.input.atMs

const open = (over: Partial<PlayerOptions> = {}): Promise<Player> =>
  openPlayer({
    source: past,
    tenant: tenantInfo("1"),
    fromMs: FIRST_MS + 10_000,
    toMs: END_MS,
    speed: 1,
    epochBase: 1_000,
    isSeen: () => true,
    waypoints: { everyInputs: 5, bytesMax: 20_000, heldRoutersMax: 12 },
    monotonicMs: () => performance.now(),
    ...over,
  })

/** What the live twin showed after the input `seq`. */
const liveColumns = async (seq: number) => {
  const replay = await openReplay(past, past.inputs[seq - 1]!.input.atMs)
  await replay.runTo({ seq })
  return replay.world.columns
}

/** A viewer behind the stream's own hub, without a network. */
const watch = (player: Player) => {
  const state = newViewState()
  const gaps: string[] = []
  const hub = makeHub(player.twin, {
    limits: { ...LIMITS, frameGapMs: 0, urgentGapMs: 0, keyframeReuseMs: 0 },
    stats: makeStreamStats(makeMetrics()),
    log: silentLog,
    nowMs: () => player.standing().atMs,
    monotonicMs: () => performance.now(),
  })
  const viewer = {
    ready: () => true,
    send: (bytes: Uint8Array) => {
      const frame = decodeServer(bytes)
      if (frame.kind === "SNAP" || frame.kind === "DELTA" || frame.kind === "EVENT")
        if (applyFrame(state, frame) === "gap") gaps.push(frame.kind)
    },
  }
  hub.join(viewer, null)
  return { state, gaps, close: () => hub.close() }
}

const seqAt = (atMs: number): number => past.inputs.findLast(({ input }) => input.atMs <= atMs)!.seq

const anyWish = fc.oneof(
  fc.record({ atMs: fc.integer({ min: FIRST_MS, max: END_MS + 5_000 }) }),
  fc.constant<Steer>({ step: "event" }),
  fc.record({ speed: fc.integer({ min: 1, max: 1_000 }), playing: fc.boolean() }),
  fc.record({ elapsedMs: fc.integer({ min: 0, max: 2_000 }) }),
)

describe("[W10] a replay that is played", () => {
  test("whatever is asked of it, it shows what was live, and so does who watches it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyWish, { minLength: 1, maxLength: 12 }), async (wishes) => {
        const player = await open()
        const viewer = watch(player)
        for (const wish of wishes) {
          if ("elapsedMs" in wish) await player.advance(wish.elapsedMs)
          else await player.steer(wish)
          const { seq, atMs } = player.standing()
          assert.equal(seq, seqAt(atMs), "it stands at the last input up to its moment")
          assert.deepEqual(player.twin.columns(), await liveColumns(seq))
        }
        assert.deepEqual(viewer.gaps, [])
        assert.equal(viewer.state.seq, player.standing().seq)
        assert.equal(viewer.state.epoch, player.standing().epoch)
        assert.deepEqual(viewer.state.links.status, player.twin.columns().linkStatus)
        assert.deepEqual(viewer.state.nodes.seenS, player.twin.columns().nodeSeenS)
        viewer.close()
        await player.close()
      }),
      { numRuns: 40 },
    )
  })

  test("time outside is time inside times the speed; it ends at its end, and never leaps", async () => {
    const player = await open()
    await player.advance(1_000)
    assert.equal(player.standing().atMs, FIRST_MS + 10_000, "paused, it stands")
    await player.steer({ speed: 10, playing: true })
    await player.advance(500)
    assert.equal(player.standing().atMs, FIRST_MS + 15_000)
    await player.advance(60_000)
    assert.equal(player.standing().atMs, FIRST_MS + 25_000, "a minute of stillness outside counts as a second")
    await player.steer({ speed: 1_000 })
    await player.advance(1_000)
    const { atMs, playing } = player.standing()
    assert.deepEqual([atMs, playing], [END_MS, false])
    await player.steer({ playing: true })
    assert.equal(player.standing().playing, false, "there is nothing left to play")
  })

  test("step by step it meets every event once, in order, and the end after the last", async () => {
    const player = await open()
    const from = seqAt(FIRST_MS + 10_000)
    const wanted = new Set(past.events.map(({ id }) => Number(id.split("-")[0])).filter((seq) => seq > from))
    const met: number[] = []
    for (;;) {
      await player.steer({ step: "event" })
      if (player.standing().atMs === END_MS) break
      met.push(player.standing().seq)
    }
    assert.ok(wanted.size > 10, "the story has events")
    const all = [...wanted].filter((seq) => past.inputs[seq - 1]!.input.atMs < END_MS)
    assert.deepEqual(met, all)
  })

  test("a step passes over what the asker may not see", async () => {
    const wanted = past.events.findLast(({ subject }) => subject === RING.links[2]!.id)!
    const player = await open({ isSeen: ({ id }) => id === wanted.id })
    await player.steer({ step: "event" })
    assert.equal(player.standing().seq, Number(wanted.id.split("-")[0]))
  })

  test("a short way ahead is told as rounds, any other jump as a new life of the twin", async () => {
    const player = await open()
    await player.steer({ atMs: FIRST_MS + 20_000 })
    assert.equal(player.standing().epoch, 1_000)
    await player.steer({ atMs: FIRST_MS + 5_000 })
    assert.equal(player.standing().epoch, 1_001)
    assert.ok(SECONDS * 1_000 < FOLD_ON_MS)
  })

  test("of many jumps at once the newest counts", async () => {
    let restored = 0
    const counted: Past = { ...past, checkpoint: (atMs) => (restored++, past.checkpoint(atMs)) }
    const player = await open({ source: counted })
    restored = 0
    const moments = [50, 20, 70, 30].map((second) => FIRST_MS + second * 1_000)
    await Promise.all(moments.map((atMs) => player.steer({ atMs })))
    assert.equal(player.standing().atMs, moments.at(-1))
    assert.ok(restored <= 1, `${restored} moments were rebuilt for nothing`)
    assert.deepEqual(player.twin.columns(), await liveColumns(seqAt(moments.at(-1)!)))
  })

  test("before what is kept it stays where it is, and says from when on it can", async () => {
    const player = await open()
    await assert.rejects(player.steer({ atMs: FIRST_MS - 1 }), /nothing is kept of before/)
    assert.equal(player.standing().atMs, FIRST_MS + 10_000)
  })

  test("storage that goes away stops it with words; played again it goes on from there", async () => {
    let away = false
    const flaky: Past = {
      ...past,
      readFrom: async function* (seq) {
        for await (const batch of past.readFrom(seq)) {
          if (away) throw new Error("the database is away")
          yield batch
        }
      },
    }
    const player = await open({ source: flaky })
    await player.steer({ speed: 100, playing: true })
    away = true
    await player.advance(500)
    const { playing, problem, seq, atMs } = player.standing()
    assert.deepEqual([playing, problem], [false, "Error: the database is away"])
    assert.deepEqual(player.twin.columns(), await liveColumns(seq))
    away = false
    await player.steer({ playing: true })
    await player.advance(100)
    assert.equal(player.standing().atMs, atMs + 10_000)
    assert.equal(player.standing().problem, null)
    assert.equal(player.standing().seq, seqAt(atMs + 10_000))
    assert.deepEqual(player.twin.columns(), await liveColumns(player.standing().seq))
  })

  test("nothing can be said to the past", async () => {
    const player = await open()
    assert.equal(player.twin.submit(past.inputs[20]!.input as never), false)
    await assert.rejects(player.twin.setInventory(2, RING), /past/)
  })
})
