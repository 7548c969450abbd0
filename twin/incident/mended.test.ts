/** A big outage that is mended: who was not asked again yet is of the old incident, and what is really broken there is found. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { AFTERMATH_MS, BOOT_MS } from "#twin/incident/aftermath.ts"
import { HOLD_MS } from "#twin/incident/correlate.ts"
import { desk, linkDown, stars } from "#twin/incident/incident.fixture.ts"
import type { Desk } from "#twin/incident/incident.fixture.ts"
import { ports, silence } from "#twin/inventory.fixture.ts"
import { at } from "#twin/network.fixture.ts"

const SITE = 16
const POLL_S = 10
const ALL = Array.from({ length: SITE }, (_, i) => `s2-${i + 1}`)
const MENDED_S = 91

interface State {
  readonly dead: readonly string[]
  /** Of the cores, towards the site. */
  readonly down: readonly string[]
  /** Of the site's own. */
  readonly own: readonly string[]
}
const WELL: State = { dead: [], down: [], own: [] }
const OUT: State = { dead: ALL, down: ALL, own: [] }

/** One second's share of a round of polls: everybody once in ten seconds, in this order. */
const pollsAt = (net: Desk, second: number, order: readonly string[], { dead, down, own }: State): void => {
  for (const [i, name] of order.entries()) {
    const atS = second + i / order.length
    if (Math.floor((i * POLL_S) / order.length) !== (second - 1) % POLL_S) continue
    if (dead.includes(name)) net.apply(silence(name, at(atS)))
    else if (name === "c1" || name === "c2")
      net.apply(ports(name, at(atS), { e0: true, ...Object.fromEntries(ALL.map((one) => [one, !down.includes(one)])) }))
    else net.apply(ports(name, at(atS), { u1: !own.includes(`${name}:u1`), u2: !own.includes(`${name}:u2`) }))
  }
}

const live = (
  order: readonly string[],
  stateAt: (second: number) => State,
  untilS: number,
  also: (net: Desk, second: number) => void = () => {},
): Desk => {
  const net = desk(stars({ s2: SITE }))
  for (let second = 1; second < untilS; second++) {
    pollsAt(net, second, order, stateAt(second))
    also(net, second)
    net.tick(second + 0.99)
  }
  return net
}
const opened = ({ said }: Desk): readonly string[] => said.filter((line) => / (opened|reopened)$/.test(line))
const naming = (net: Desk, id: string) =>
  net.incidents().find(({ causes, state }) => state === "open" && causes[0]?.members.some((one) => one.id === id))

const ordered = fc.shuffledSubarray(["c1", "c2", ...ALL], { minLength: SITE + 2, maxLength: SITE + 2 })

describe("[I7] [I11] a site that comes back", () => {
  test("is one incident to the end, whoever is asked first, and nobody is told of those who were not asked yet", () => {
    fc.assert(
      fc.property(ordered, (order) => {
        const net = live(order, (second) => (second > 40 && second <= MENDED_S ? OUT : WELL), MENDED_S + 40)
        assert.equal(opened(net).length, 1, net.said.join("; "))
        assert.equal(net.one().causes[0]?.members[0]?.fault, "site-power")
        assert.equal(net.one().state, "recovering")
        // Of the site's routers: whose alert was told is told before the cause was known, or never.
        const late = net.told.filter(
          (line) => line.endsWith(" alert.firing silent") && Number(line.split(" ")[0]) > MENDED_S,
        )
        assert.deepEqual(late, [])
      }),
      { numRuns: 8 },
    )
  })

  test("but for one router: that one is found as soon as it has been asked in vain", () => {
    fc.assert(
      fc.property(ordered, fc.constantFrom(...ALL), (order, left) => {
        const still: State = { dead: [left], down: [left], own: [] }
        let foundS = Number.POSITIVE_INFINITY
        const net = live(
          order,
          (second) => (second <= 40 ? WELL : second <= MENDED_S ? OUT : still),
          MENDED_S + 60,
          (now, second) => {
            if (second > MENDED_S && naming(now, `id-${left}`) !== undefined)
              foundS = Math.min(foundS, second - MENDED_S)
          },
        )
        assert.ok(foundS <= BOOT_MS / 1_000 + 2 * POLL_S + 2, `${left} after ${foundS} s: ${net.said.join("; ")}`)
        assert.equal(opened(net).length, 2, net.said.join("; "))
      }),
      { numRuns: 8 },
    )
  })

  test("a link that is cut there while it comes back is found at once, by trap", () => {
    const cut: State = { dead: [], down: ["s2-3"], own: ["s2-3:u1"] }
    let foundS = Number.POSITIVE_INFINITY
    live(
      ["c1", "c2", ...ALL],
      (second) => (second <= 40 ? WELL : second <= MENDED_S ? OUT : second < MENDED_S + 14 ? WELL : cut),
      MENDED_S + 40,
      (net, second) => {
        if (second === MENDED_S + 14)
          net.apply(linkDown("s2-3", "u1", second + 0.2), linkDown("c1", "s2-3", second + 0.3))
        if (naming(net, "s2-3-1") !== undefined) foundS = Math.min(foundS, second - MENDED_S - 14)
      },
    )
    assert.ok(foundS <= 2, `${foundS} s`)
  })

  test("links that stay cut there are found when the ports of who starts should be lit, by polls alone", () => {
    fc.assert(
      fc.property(ordered, (order) => {
        const cut: State = { dead: [], down: ["s2-3"], own: ["s2-3:u1", "s2-3:u2"] }
        const found = new Map<string, number>()
        live(
          order,
          (second) => (second <= 40 ? WELL : second <= MENDED_S ? OUT : cut),
          MENDED_S + 60,
          (net, second) => {
            for (const link of ["s2-3-1", "s2-3-2"])
              if (second > MENDED_S && !found.has(link) && naming(net, link) !== undefined)
                found.set(link, second - MENDED_S)
          },
        )
        assert.equal(found.size, 2)
        // The second one beside it waits for what may show that both are one.
        const litS = BOOT_MS / 1_000 + POLL_S + 2
        for (const [i, seconds] of [...found.values()].entries())
          assert.ok(seconds <= litS + (i * HOLD_MS) / 1_000, `${seconds} s`)
      }),
      { numRuns: 8 },
    )
  })

  test("nothing is accounted for longer than its time", () => {
    const never: State = { dead: ALL.slice(0, 6), down: [], own: [] }
    const net = live(
      ["c1", "c2", ...ALL],
      (second) => (second <= 40 ? WELL : second <= MENDED_S ? OUT : never),
      MENDED_S + AFTERMATH_MS / 1_000 + 20,
    )
    assert.equal(net.world.desk.sight?.symptoms.board.excused.size, 0)
    // Their ports are lit, they do not answer, and that has incidents.
    const lasting = net.incidents().filter(({ state }) => state === "open")
    const told = new Set(lasting.flatMap(({ symptoms }) => symptoms.map(({ device }) => device)))
    for (const name of never.dead) assert.ok(told.has(`id-${name}`), name)
  })
})
