/** [W3] Links out of bridge tables: what two ports say of each other, who may stand between, and what is never concluded. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import type { BridgeHosts } from "#protocol/bridge.ts"
import { readPhrase } from "#protocol/phrase.ts"
import { device, hosts, mac, routing } from "#twin/propose/evidence/bridge.fixture.ts"
import { hasNews, proposeLinks, SURE_FROM, turnedDown } from "#twin/propose/propose.ts"
import type { ProposedLink } from "#twin/propose/propose.ts"
import type { Said } from "#twin/propose/said.ts"

const shown = (proposals: readonly ProposedLink[]): readonly string[] =>
  proposals.map(({ a, b, confidence }) => `${a.device} ${a.interface} - ${b.device} ${b.interface}: ${confidence}`)
const words = (proposals: readonly ProposedLink[]): readonly string[] =>
  proposals.flatMap(({ evidence }) => evidence.filter(({ kind }) => kind === "bridge").map(({ text }) => text))

describe("[W3] bridge tables", () => {
  test("two that hear each other on a port each are joined there; whatever else they hear is behind", () => {
    const pair = [device(1, { table: { p1: hosts([mac(2)]) } }), device(2, { table: { p3: hosts([mac(1)]) } })]
    assert.deepEqual(shown(proposeLinks(pair, [])), ["d1 p1 - d2 p3: 0.85"])
    assert.match(words(proposeLinks(pair, []))[0]!, /nobody between/)
    // A chain 1 - 2 - 3: the ends hear each other too, over the one in the middle.
    const chain = [
      device(1, { table: { p1: hosts([mac(2), mac(3)], { others: true }) } }),
      device(2, { table: { p1: hosts([mac(1)]), p2: hosts([mac(3)]) } }),
      device(3, { table: { p1: hosts([mac(1), mac(2)]) } }),
    ]
    assert.deepEqual(shown(proposeLinks(chain, [])), ["d1 p1 - d2 p1: 0.85", "d2 p2 - d3 p1: 0.85"])
  })

  test("one side alone is never sure: alone, among others, or with a far end that has a table and hears nobody", () => {
    const router = device(2)
    const near = (heard: BridgeHosts) => device(1, { table: { p1: heard } })
    const of = (...said: readonly Said[]) => shown(proposeLinks(said, []))
    assert.deepEqual(of(near(hosts([mac(2, 1)])), router), ["d1 p1 - d2 p2: 0.65"], "its MAC says from which port")
    assert.deepEqual(of(near(hosts([mac(2, 1)], { others: true })), router), ["d1 p1 - d2 p2: 0.45"])
    assert.deepEqual(of(near(hosts([mac(2)])), device(2, { table: {} })), ["d1 p1 - d2 null: 0.4"])
    assert.deepEqual(of(near(hosts([mac(2)], { more: true })), router), ["d1 p1 - d2 p1: 0.3"])
    assert.deepEqual(of(near(hosts([mac(2), mac(3)])), router, device(3)), ["d1 p1 - d2 p1: 0.3", "d1 p1 - d3 p1: 0.3"])
  })

  test("a hub between: who is heard on both facing ports stands between, and takes the link away", () => {
    const hub = [
      device(1, { table: { p1: hosts([mac(2), mac(3)]) } }),
      device(2, { table: { p1: hosts([mac(1), mac(3)]) } }),
      device(3),
    ]
    const proposals = proposeLinks(hub, [])
    assert.ok(proposals.every(({ confidence, a, b }) => confidence < 0.5 && !(a.device === "d1" && b.device === "d2")))
  })

  test("somebody whose place the far side does not know may stand between: told, not sure", () => {
    const doubted = [
      device(1, { table: { p1: hosts([mac(2), mac(3)]) } }),
      device(2, { table: { p1: hosts([mac(1)]) } }),
      device(3),
    ]
    const between = proposeLinks(doubted, []).find(({ b }) => b.device === "d2")
    assert.equal(between?.confidence, 0.5)
    assert.match(words([between!])[0]!, /somebody may stand between/)
    const cut = [doubted[0]!, device(2, { table: { p1: hosts([mac(1)], { more: true }) } })]
    assert.ok(
      proposeLinks(cut, []).every(({ confidence }) => confidence < SURE_FROM),
      "a table without its end",
    )
  })

  test("a switch that hears both apart, and is heard by neither, may stand between; in a ring of routed ports it does not", () => {
    const two = [device(1, { table: { p1: hosts([mac(2)]) } }), device(2, { table: { p1: hosts([mac(1)]) } })]
    const silent = device(3, { table: { p1: hosts([mac(1)]), p2: hosts([mac(2)]) } })
    assert.ok(proposeLinks([...two, silent], []).every(({ confidence }) => confidence < SURE_FROM))
    const ring = [
      device(1, { table: { p1: hosts([mac(2)]), p2: hosts([mac(3)]) } }),
      device(2, { table: { p1: hosts([mac(1)]), p2: hosts([mac(3)]) } }),
      device(3, { table: { p1: hosts([mac(1)]), p2: hosts([mac(2)]) } }),
    ]
    assert.equal(proposeLinks(ring, []).filter(({ confidence }) => confidence >= SURE_FROM).length, 3)
  })

  test("parallel cables are told and not matched; a crowd on one port makes no proposal", () => {
    const both = (n: number, other: number) =>
      device(n, { table: { p1: hosts([mac(other)]), p2: hosts([mac(other)]) } })
    const parallel = proposeLinks([both(1, 2), both(2, 1)], [])
    assert.ok(parallel.length > 0 && parallel.every(({ confidence }) => confidence <= 0.3))
    const crowd = Array.from({ length: 9 }, (_, n) => device(n + 2))
    assert.deepEqual(
      proposeLinks([device(1, { table: { p1: hosts(crowd.map((_, n) => mac(n + 2))) } }), ...crowd], []),
      [],
    )
  })

  test("a MAC that two devices claim is nobody's; a VLAN is its port, a bond of two is no port that is named", () => {
    const twin = device(3, { more: { macs: new Map([["p1", mac(2)]]) } })
    assert.deepEqual(proposeLinks([device(1, { table: { p1: hosts([mac(2)]) } }), device(2), twin], []), [])
    const lower = new Map([
      ["v10", ["p1"]],
      ["bond1", ["p2", "p3"]],
    ])
    const vlan = [
      device(1, { table: { v10: hosts([mac(2)]) }, more: { lower } }),
      device(2, { table: { bond1: hosts([mac(1)]) }, more: { lower } }),
    ]
    assert.deepEqual(shown(proposeLinks(vlan, [])), ["d1 p1 - d2 null: 0.85"])
  })

  test("each sentence is one that a screen says in its language", () => {
    const all = [
      device(1, {
        table: { p1: hosts([mac(2)]), p2: hosts([mac(3)]), p3: hosts([mac(5)], { others: true }) },
        site: "s",
      }),
      device(2, { table: { p1: hosts([mac(1), mac(4)]), p2: hosts([mac(5), mac(6)]) }, site: "s" }),
      ...[3, 4, 5, 6].map((n) => device(n)),
    ]
    const codes = proposeLinks(all, []).flatMap(({ evidence }) =>
      evidence.map(({ text }) => readPhrase(text)?.code ?? text),
    )
    assert.deepEqual(
      [...new Set(codes)].sort(),
      ["alone", "among", "doubted", "shared"].map((code) => `propose.bridge.${code}`).concat("propose.site"),
    )
  })
})

// -- random trees -------------------------------------------------------------------------------------------------------

/** A tree of switches, routers at leaves, and boxes without any table or address between at least three of them. */
interface Tree {
  readonly kinds: ReadonlyArray<"switch" | "router" | "box">
  readonly parents: readonly number[]
}
const trees: fc.Arbitrary<Tree> = fc
  .array(fc.tuple(fc.nat(), fc.constantFrom("switch", "switch", "router", "box")), { minLength: 3, maxLength: 14 })
  .map((nodes) => {
    const parents = nodes.map(([pick], n) => (n === 0 ? -1 : pick % n))
    const degree = nodes.map((_, n) => parents.filter((parent) => parent === n).length + (n === 0 ? 0 : 1))
    return {
      parents,
      kinds: nodes.map(([, kind], n) => {
        if (kind === "box") return degree[n]! >= 3 ? "box" : "switch"
        return kind === "router" && degree[n]! > 1 ? "switch" : (kind as "switch" | "router")
      }),
    }
  })

const withoutBoxes = ({ kinds, parents }: Tree): Tree => ({
  kinds: kinds.map((kind) => (kind === "box" ? "switch" : kind)),
  parents,
})

/** Port of a node towards its neighbour: by the neighbour's number. */
const neighboursOf = ({ parents }: Tree, n: number): readonly number[] => [
  ...(n === 0 ? [] : [parents[n]!]),
  ...parents.flatMap((parent, child) => (parent === n ? [child] : [])),
]
const beyond = (tree: Tree, from: number, towards: number): readonly number[] => [
  towards,
  ...neighboursOf(tree, towards).flatMap((next) => (next === from ? [] : beyond(tree, towards, next))),
]
/** `silent` has sent nothing for long enough: it stands in no table. */
const saidIn = (tree: Tree, silent: (at: number, who: number) => boolean): readonly Said[] =>
  tree.kinds.flatMap((kind, n) => {
    if (kind === "box") return []
    const ports = neighboursOf(tree, n)
    const macOf = (other: number): string => mac(other, 0)
    const table = ports.map((next) => {
      const all = beyond(tree, n, next).filter((other) => tree.kinds[other] !== "box" && !silent(n, other))
      return [`to${next}`, hosts(all.map(macOf))] as const
    })
    const own = ports.length === 0 ? ["p"] : ports.map((next) => `to${next}`)
    return [device(n, { table: kind === "switch" ? Object.fromEntries(table) : null, ports: own })]
  })
const wiresOf = (tree: Tree): ReadonlySet<string> =>
  new Set(
    tree.parents.flatMap((parent, n) =>
      parent < 0 || [n, parent].some((it) => tree.kinds[it] === "box")
        ? []
        : [[`d${n} to${parent}`, `d${parent} to${n}`].sort().join(" | ")],
    ),
  )
const ends = ({ a, b }: ProposedLink): string =>
  [`${a.device} ${a.interface}`, `${b.device} ${b.interface}`].sort().join(" | ")

describe("[W3] any tree of switches", () => {
  test("all that is sure is a cable, and every cable between two switches is sure", () => {
    fc.assert(
      fc.property(trees, (tree) => {
        const wires = wiresOf(tree)
        const sure = new Set(
          proposeLinks(
            saidIn(tree, () => false),
            [],
          )
            .filter(({ confidence }) => confidence >= SURE_FROM)
            .map(ends),
        )
        for (const one of sure) assert.ok(wires.has(one), `${one} is no cable`)
        for (const [n, parent] of tree.parents.entries()) {
          if (parent < 0 || tree.kinds[n] !== "switch" || tree.kinds[parent] !== "switch") continue
          assert.ok(sure.has([`d${n} to${parent}`, `d${parent} to${n}`].sort().join(" | ")), `d${n} - d${parent}`)
        }
      }),
      { numRuns: 300 },
    )
  })

  // A box without any address between two devices is a cable to everybody: hence none here.
  test("with a router that stands in no table, what is sure is still a cable", () => {
    fc.assert(
      fc.property(trees.map(withoutBoxes), fc.nat(), (tree, pick) => {
        const quiet = pick % tree.kinds.length
        fc.pre(tree.kinds[quiet] === "router")
        const wires = wiresOf(tree)
        for (const one of proposeLinks(
          saidIn(tree, (_, who) => who === quiet),
          [],
        ))
          if (one.confidence >= SURE_FROM) assert.ok(wires.has(ends(one)), `${ends(one)} is no cable`)
      }),
      { numRuns: 200 },
    )
  })
})

// -- random conversations -----------------------------------------------------------------------------------------------

/** Who sends to whom: bridges learn whoever speaks past them, and nobody else, as real tables look minutes after a start. */
interface Talk {
  readonly tree: Tree
  readonly pairs: ReadonlyArray<readonly [from: number, to: number]>
}
const talks: fc.Arbitrary<Talk> = fc
  .tuple(trees.map(withoutBoxes), fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 40 }))
  .map(([tree, pairs]) => ({
    tree,
    pairs: pairs.map(([from, to]) => [from % tree.kinds.length, to % tree.kinds.length] as const),
  }))

const routeBetween = (tree: Tree, from: number, to: number): readonly number[] => {
  if (from === to) return [from]
  const next = neighboursOf(tree, from).find((one) => beyond(tree, from, one).includes(to)) as number
  return [from, ...routeBetween(tree, next, to)]
}
/** Every router routes on its one port over a /31 with somebody whom nobody knows. */
const saidOf = ({ tree, pairs }: Talk): readonly Said[] => {
  const learned = new Set(
    pairs.flatMap(([from, to]) => routeBetween(tree, from, to).map((passed) => `${passed} ${from}`)),
  )
  return saidIn(tree, (at, who) => !learned.has(`${at} ${who}`)).map((said) =>
    said.bridge === undefined ? routing(said) : said,
  )
}

describe("[W3] any tree of switches and routers, of which some speak with some", () => {
  test("whatever the tables hold, what is sure is a cable", () => {
    fc.assert(
      fc.property(talks, (talk) => {
        const wires = wiresOf(talk.tree)
        for (const one of proposeLinks(saidOf(talk), []))
          if (one.confidence >= SURE_FROM) assert.ok(wires.has(ends(one)), `${ends(one)} is no cable`)
      }),
      { numRuns: 500 },
    )
  })

  test("when everybody speaks with everybody, each cable of a switch is sure, also to a router that only routes", () => {
    fc.assert(
      fc.property(trees.map(withoutBoxes), (tree) => {
        const all = tree.kinds.map((_, n) => n)
        const said = saidOf({ tree, pairs: all.flatMap((from) => all.map((to) => [from, to] as const)) })
        const sure = proposeLinks(said, []).flatMap((one) => (one.confidence >= SURE_FROM ? [ends(one)] : []))
        const wanted = [...wiresOf(tree)].filter((wire) =>
          wire.split(" | ").some((end) => tree.kinds[Number(/\d+/.exec(end)![0])] === "switch"),
        )
        assert.deepEqual(sure.sort(), wanted.sort())
      }),
      { numRuns: 200 },
    )
  })
})

// -- rejection ----------------------------------------------------------------------------------------------------------

describe("[W4] a rejected proposal and a table that comes and goes", () => {
  /** Who is in a table at one moment, on which port; null = in none. */
  interface Moment {
    readonly mine: string | null
    readonly its: string | null
    readonly third: boolean
    readonly lldp: boolean
    readonly others: boolean
  }
  const moments: fc.Arbitrary<readonly Moment[]> = fc.array(
    fc.record({
      mine: fc.constantFrom("p1", "p2", null),
      its: fc.constantFrom("p1", "p2", null),
      third: fc.boolean(),
      lldp: fc.boolean(),
      others: fc.boolean(),
    }),
    { minLength: 2, maxLength: 40 },
  )
  const at = ({ mine, its, third, lldp, others }: Moment): readonly Said[] => {
    const extra = third ? [mac(3)] : []
    const table = (port: string | null, other: number) =>
      port === null ? {} : { [port]: hosts([mac(other), ...extra], { others }) }
    const heard = [{ by: "lldp", interface: "p1", remoteName: "dev 2", remotePort: "p1", remoteAddress: null }] as const
    return [
      device(1, { table: table(mine, 2), site: "s", more: { heard: lldp ? heard : [] } }),
      device(2, { table: table(its, 1), site: "s" }),
      device(3),
    ]
  }

  test("whatever is rejected each time returns once for each pair of ends and kind of evidence, however tables flap", () => {
    fc.assert(
      fc.property(moments, (all) => {
        const rejected = new Map<string, string>()
        const shownOf = new Map<string, number>()
        // The same moments over and over: what was new the first time is not the second.
        for (const [turn, moment] of [...all, ...all, ...all].entries()) {
          for (const { id, evidenceKey } of proposeLinks(at(moment), [])) {
            const before = rejected.get(id)
            if (before !== undefined && !hasNews(before, evidenceKey)) continue
            assert.ok(turn < all.length, `${id} returned for nothing new`)
            rejected.set(id, turnedDown(before ?? null, evidenceKey))
            shownOf.set(id, (shownOf.get(id) ?? 0) + 1)
          }
        }
        // At most: heard by LLDP, heard by a bridge, and the same with LLDP naming the far port.
        for (const [id, times] of shownOf) assert.ok(times <= 3, `${id} was shown ${times} times`)
      }),
      { numRuns: 200 },
    )
  })

  test("one side forgetting the other is no news, nor is the site; another kind of evidence is", () => {
    const key = (said: readonly Said[]): string => {
      const found = proposeLinks(said, []).find(({ a, b }) => a.interface === "p1" && b.interface === "p1")
      return found?.evidenceKey ?? ""
    }
    const both = { mine: "p1", its: "p1", third: false, lldp: true, others: false }
    const whole = key(at(both))
    assert.equal(key(at({ ...both, its: null })), whole)
    assert.equal(key(at(both).map((one) => ({ ...one, site: one.name }))), whole)
    assert.equal(hasNews(whole, key(at({ ...both, mine: null, its: null }))), false, "less is no news")
    assert.equal(hasNews(key(at({ ...both, mine: null, its: null })), whole), true)
  })
})

describe("[W3] the same site", () => {
  const neighbours = (sites: readonly string[], by: "lldp" | "mndp") => {
    const heard = ["dev 2", "dev 3"].map((remoteName) => ({
      by,
      interface: "p1",
      remoteName,
      remotePort: "p1",
      remoteAddress: null,
    }))
    return sites.map((site, n) => device(n + 1, { site, more: n === 0 ? { heard } : {} }))
  }

  test("by itself it proposes nothing; between two far ends it decides", () => {
    assert.deepEqual(proposeLinks([device(1, { site: "s" }), device(2, { site: "s" })], []), [])
    const [first, second] = proposeLinks(neighbours(["s", "t", "s"], "mndp"), [])
    assert.equal(first?.b.device, "d3")
    assert.ok(first!.confidence > second!.confidence)
    assert.match(first!.evidence.at(-1)!.text, /stand at the same site/)
    assert.equal(
      proposeLinks(neighbours(["", "", "t"], "mndp"), [])[0]?.evidence.length,
      1,
      "no site is no common site",
    )
  })

  test("it lifts nothing over the line from which a proposal is sure", () => {
    fc.assert(
      fc.property(fc.boolean(), fc.boolean(), fc.boolean(), (mndp, ospf, bgp) => {
        const routing = [ospf ? "ospf" : "", bgp ? "bgp" : ""].filter((kind) => kind !== "")
        const said = (site: string) => [
          device(1, {
            site: "s",
            table: { p1: hosts([mac(2)]) },
            more: {
              heard: mndp
                ? [{ by: "mndp", interface: "p1", remoteName: "dev 2", remotePort: "p1", remoteAddress: null }]
                : [],
              routing: routing.map((kind) => ({
                kind: kind as "ospf" | "bgp",
                remote: "10.0.0.2",
                up: true,
                interface: "p1",
                remoteAs: null,
              })),
            },
          }),
          device(2, { site }),
        ]
        const [[apart], [together]] = [proposeLinks(said("t"), []), proposeLinks(said("s"), [])]
        assert.equal(together!.confidence >= SURE_FROM, apart!.confidence >= SURE_FROM)
        assert.ok(together!.confidence > apart!.confidence || together!.confidence === 0.799)
        assert.equal(together!.evidenceKey, apart!.evidenceKey)
      }),
    )
  })
})
