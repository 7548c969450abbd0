/** Faults that follow each other side by side: each is its own incident with its own cause at once, and none is taken for the rest of another. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import type { IncidentView } from "#protocol/incident.ts"
import { AFTERMATH_MS, BOOT_MS } from "#twin/incident/aftermath.ts"
import type { Desk } from "#twin/incident/incident.fixture.ts"
import { nameOf, play, POLL_S, ring } from "#twin/incident/turns.fixture.ts"
import type { Lags, Outage } from "#twin/incident/turns.fixture.ts"

const QUICK: Lags = { bgpDown: 3, ospfUp: 8, bgpUp: 6, portsUp: 0 }
const FROM_S = 61
/** Traps come within the first second, and the desk sits four times in each. */
const TRAPPED_S = 2
/** Both neighbours are read once in a round, and what a poll found waits for no other. */
const POLLED_S = POLL_S + 2
/** Ports of whoever starts are lit by then. */
const PORTS_S = BOOT_MS / 1_000 - 2

const inTurn = (routers: readonly number[], lastsS: readonly number[], gapsS: readonly number[]): readonly Outage[] => {
  let from = FROM_S
  return routers.map((router, i) => {
    const to = from + (lastsS[i] as number)
    const outage = { router, from, to }
    from = to + (gapsS[i] as number)
    return outage
  })
}
const isOf = ({ causes }: IncidentView, router: number): boolean =>
  causes[0]?.members.some(({ kind, id }) => kind === "device" && id === `id-${nameOf(router)}`) === true

interface Turn {
  readonly incident: string | null
  readonly seconds: number
}
/** For each outage the incident that first named it, and how long that took. */
const follow = (
  outages: readonly Outage[],
  lags: Lags,
  perSite: number,
  untilS: number,
): { readonly net: Desk; readonly turns: readonly Turn[] } => {
  const turns: Turn[] = outages.map(() => ({ incident: null, seconds: Number.POSITIVE_INFINITY }))
  const net = play(ring(perSite), outages, lags, untilS, ({ incidents }, second) => {
    for (const [i, { router, from }] of outages.entries()) {
      if (second < from || turns[i]?.incident !== null) continue
      const one = incidents().find((each) => each.state === "open" && isOf(each, router))
      if (one !== undefined) turns[i] = { incident: one.id, seconds: second - from }
    }
  })
  return { net, turns }
}

describe("[I8] [I9] routers that die and come back in turn", () => {
  for (const gap of [1, 2, 5, 10, 15, 30])
    for (const polled of [false, true])
      test(`eight in a row, ${gap} s apart, ${polled ? "polled" : "with traps"}: eight incidents, each right in its normal time`, () => {
        const outages = inTurn([1, 2, 3, 4, 5, 6, 7, 0], Array(8).fill(polled ? 30 : 20), Array(8).fill(gap))
        const { net, turns } = follow(outages, { ...QUICK, polled }, 1, (outages.at(-1)?.to ?? 0) + 60)
        for (const [i, { seconds }] of turns.entries())
          assert.ok(
            seconds <= (polled ? POLLED_S : TRAPPED_S),
            `${nameOf(outages[i]?.router ?? -1)} after ${seconds} s`,
          )
        assert.equal(new Set(turns.map(({ incident }) => incident)).size, 8)
        assert.equal(net.said.filter((line) => line.endsWith(" opened")).length, 8)
        for (const [i, { router }] of outages.entries()) {
          const last = net.incidents().find(({ id }) => id === turns[i]?.incident)
          assert.ok(last !== undefined && isOf(last, router), `${nameOf(router)} became ${last?.title}`)
          assert.notEqual(last.state, "open")
        }
      })

  for (const portsUp of [1, 3, PORTS_S])
    test(`who starts shows his ports dark for ${portsUp} s: that is his start, and no cut link`, () => {
      for (const lasts of [15, 20, 27, 31]) {
        const outages = inTurn([1, 3, 6], [lasts, lasts, lasts], [25, 25, 25])
        const { net } = follow(outages, { ...QUICK, portsUp }, 1, (outages.at(-1)?.to ?? 0) + 60)
        assert.equal(net.said.filter((line) => line.endsWith(" opened")).length, 3, net.said.join("; "))
        for (const { causes } of net.incidents()) assert.equal(causes[0]?.members[0]?.fault, "router")
      }
    })

  test("any of them, in any order and for any time, at sites of one or two, however long ports and BGP take", () => {
    const turn = fc.record({
      lasts: fc.oneof(fc.integer({ min: 3, max: 45 }), fc.integer({ min: POLLED_S + 1, max: 45 })),
      gap: fc.integer({ min: 1, max: 30 }),
    })
    fc.assert(
      fc.property(
        fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 2, maxLength: 4 }),
        fc.array(turn, { minLength: 4, maxLength: 4 }),
        fc.constantFrom(1, 2),
        fc.record({
          bgpDown: fc.integer({ min: 1, max: 15 }),
          ospfUp: fc.integer({ min: 2, max: 40 }),
          bgpUp: fc.integer({ min: 1, max: 30 }),
          portsUp: fc.integer({ min: 0, max: PORTS_S }),
        }),
        (routers, all, perSite, drawn) => {
          // Who was dead for less than a round was never seen to be: his own dark ports then speak for cut links.
          const isSeen = all.every(({ lasts }) => lasts > POLLED_S)
          const lags = { ...drawn, portsUp: isSeen ? drawn.portsUp : 0 }
          const outages = inTurn(
            routers,
            all.map(({ lasts }) => lasts),
            // A fault is over when its ports are lit.
            all.map(({ gap }) => gap + lags.portsUp),
          )
          const { net, turns } = follow(outages, lags, perSite, (outages.at(-1)?.to ?? 0) + 90)
          for (const [i, { seconds }] of turns.entries())
            assert.ok(seconds <= TRAPPED_S, `${nameOf(routers[i] ?? -1)} after ${seconds} s: ${net.said.join("; ")}`)
          for (const [i, router] of routers.entries()) {
            const last = net.incidents().find(({ id }) => id === turns[i]?.incident)
            assert.ok(last !== undefined && isOf(last, router), `${nameOf(router)} became ${last?.title}`)
          }
          assert.equal(net.said.filter((line) => line.endsWith(" opened")).length, routers.length)
        },
      ),
      { numRuns: 40 },
    )
  })
})

describe("[I9] what is left of a fault is accounted for, and nothing more", () => {
  test("the same router that dies again two seconds after its return is the same incident, open again or still", () => {
    const outages = [
      { router: 3, from: FROM_S, to: FROM_S + 20 },
      { router: 3, from: FROM_S + 22, to: FROM_S + 60 },
    ]
    const states: string[] = []
    const { net } = ((): { net: Desk } => ({
      net: play(ring(1), outages, QUICK, FROM_S + 58, ({ incidents }, second) => {
        if (second >= FROM_S + 30) states.push(...incidents().map(({ state }) => state))
      }),
    }))()
    assert.equal(net.incidents().length, 1)
    assert.ok(isOf(net.one(), 3))
    assert.deepEqual(new Set(states), new Set(["open"]))
  })

  test("BGP that never comes back is a fault of its own, found when the time for it is over", () => {
    // The fourth router is a reflector: its peers wait for it.
    const outages = [{ router: 4, from: FROM_S, to: FROM_S + 20 }]
    let namedS = Number.POSITIVE_INFINITY
    const stuck = { ...QUICK, bgpUp: 1_000 }
    play(ring(1), outages, stuck, FROM_S + 200, ({ world }, second) => {
      const named = world.desk.sight?.explanation?.candidates.some(({ cause }) => cause.kind === "bgp") === true
      if (second > FROM_S + 20 && named) namedS = Math.min(namedS, second - FROM_S - 20)
    })
    assert.ok(namedS >= AFTERMATH_MS / 1_000 - 1 && namedS <= AFTERMATH_MS / 1_000 + POLL_S, `${namedS} s`)
  })
})
