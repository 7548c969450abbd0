/**
 * BGP inside one AS as routers run it, for tests: every message on its own queue, every router with all that its peers told it
 * (Adj-RIB-In), the decision of RFC 4271 s9.1.2.2 and the rules of RFC 4456 written out from the text, cluster lists and
 * originators included. Nothing here is shared with ibgp.ts. The dice say which queue moves next.
 */
import fc from "fast-check"
import { randomGraph } from "#twin/whatif/graph.fixture.ts"
import type { Ibgp } from "#twin/whatif/ibgp.ts"
import { knownOf } from "#twin/whatif/model.fixture.ts"
import type { Known } from "#twin/whatif/model.ts"

interface Path {
  readonly egress: number
  readonly nextHop: number
  readonly originator: number
  readonly clusters: readonly number[]
  readonly preference: number
}

export interface Wire {
  readonly routers: number
  /** By egress. */
  readonly borders: readonly number[]
  /** By egress: 100, or 0 where it is drained. */
  readonly preference: readonly number[]
  readonly isEgressUp: (egress: number) => boolean
  /** IGP cost to a router; Infinity = none. */
  readonly igp: (from: number, to: number) => number
  readonly ibgp: Ibgp
  readonly isUp: (x: number, y: number) => boolean
}

/** Egress of every router when no message is left; null = it does not end. */
export const simulate = (wire: Wire, dice: () => number): readonly number[] | null => {
  const { routers, borders, ibgp, isUp } = wire
  const peersOf = (r: number): readonly number[] => (ibgp.peers[r] as readonly number[]).filter((p) => isUp(r, p))
  const rib = Array.from({ length: routers }, () => new Map<number, Path>())
  const sent = Array.from({ length: routers }, () => new Map<number, string>())
  const best: Array<{ path: Path; peer: number | null } | null> = Array.from({ length: routers }, () => null)
  const queues = new Map<string, { from: number; to: number; messages: Array<Path | null> }>()
  const external = (r: number): Path[] =>
    borders.flatMap((border, egress) =>
      border === r && wire.isEgressUp(egress)
        ? [{ egress, nextHop: r, originator: r, clusters: [], preference: wire.preference[egress] as number }]
        : [],
    )
  const isClient = (r: number, peer: number): boolean => ibgp.reflects[r] === 1 && ibgp.reflects[peer] === 0
  const decide = (r: number): void => {
    const candidates = [
      ...external(r).map((path) => ({ path, peer: null as number | null })),
      ...[...rib[r]!].map(([peer, path]) => ({ path, peer: peer as number | null })),
    ].filter(({ path }) => wire.igp(r, path.nextHop) < Infinity)
    const key = ({ path, peer }: (typeof candidates)[number]): readonly number[] => [
      -path.preference,
      peer === null ? 0 : 1,
      wire.igp(r, path.nextHop),
      ibgp.rank[path.originator] as number,
      path.clusters.length,
      ibgp.rank[peer ?? r] as number,
      path.egress,
    ]
    const smaller = (x: readonly number[], y: readonly number[]): number =>
      x.map((n, i) => n - (y[i] as number)).find((d) => d !== 0) ?? 0
    best[r] = candidates.toSorted((x, y) => smaller(key(x), key(y)))[0] ?? null
    for (const peer of peersOf(r)) {
      const out = passedOn(r, peer)
      const text = JSON.stringify(out)
      if ((sent[r]!.get(peer) ?? "null") === text) continue
      sent[r]!.set(peer, text)
      const queue = queues.get(`${r} ${peer}`) ?? { from: r, to: peer, messages: [] }
      queue.messages.push(out)
      queues.set(`${r} ${peer}`, queue)
    }
  }
  const passedOn = (r: number, peer: number): Path | null => {
    const mine = best[r]
    if (mine == null) return null
    if (mine.peer === null) return mine.path
    if (mine.peer === peer || ibgp.reflects[r] !== 1) return null
    if (!isClient(r, mine.peer) && !isClient(r, peer)) return null
    return { ...mine.path, clusters: [r, ...mine.path.clusters] }
  }
  const start = Array.from({ length: routers }, (_, r) => r).sort(() => dice() - 0.5)
  for (const r of start) decide(r)
  for (let step = 0; ; step++) {
    const waiting = [...queues.values()].filter(({ messages }) => messages.length > 0)
    if (waiting.length === 0) return best.map((one) => one?.path.egress ?? -1)
    if (step > 3_000) return null
    const { from, to, messages } = waiting[Math.floor(dice() * waiting.length)] as (typeof waiting)[number]
    const path = messages.shift() as Path | null
    // RFC 4456 s8: a path that came from here, or through this cluster, is ignored.
    if (path === null || path.originator === to || path.clusters.includes(to)) rib[to]!.delete(from)
    else rib[to]!.set(from, path)
    decide(to)
  }
}

/** mulberry32: the order of events hangs on the test's seed. */
export const seeded = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Up to three exits outside, anybody may reflect; clients with one, two or all reflectors, or a full mesh. */
export const randomSpeakers: fc.Arbitrary<Known> = fc
  .tuple(randomGraph(11, 26), fc.infiniteStream(fc.nat(1_000)), fc.constantFrom(0, 1, 1, 2, 3))
  .map(([{ graph }, stream, howMany]) => {
    const roll = (below: number): number => (stream.next().value as number) % below
    const { nodes, links } = graph
    const outside = Uint8Array.from({ length: nodes }, (_, node) => (nodes > 3 && node < 3 && roll(3) > 0 ? 1 : 0))
    const exits = [...outside.keys()].filter((node) => outside[node] === 1)
    const ours = [...outside.keys()].filter((node) => outside[node] === 0)
    const reflects = new Uint8Array(nodes)
    for (let i = 0; i < howMany; i++) reflects[ours[roll(ours.length)] ?? 0] = 1
    for (const exit of exits) reflects[exit] = 0
    const reflectors = ours.filter((node) => reflects[node] === 1)
    const pairs = new Set<string>()
    const join = (x: number, y: number): void => {
      if (x !== y) pairs.add(`${Math.min(x, y)} ${Math.max(x, y)}`)
    }
    for (const x of ours)
      for (const y of reflectors.length === 0 ? ours : reflectors)
        if (reflects[x] === 1 || reflectors.length === 0 || roll(3) > 0) join(x, y)
    const peers: number[][] = Array.from({ length: nodes }, () => [])
    for (const pair of pairs) {
      const [x, y] = pair.split(" ").map(Number) as [number, number]
      peers[x]!.push(y)
      peers[y]!.push(x)
    }
    for (const list of peers) list.sort((x, y) => x - y)
    const order = [...outside.keys()].map((node) => ({ node, by: roll(1_000) })).sort((x, y) => x.by - y.by)
    const rank = new Uint32Array(nodes)
    for (const [place, { node }] of order.entries()) rank[node] = place
    const bit = (): number => (roll(9) === 0 ? 1 : 0)
    return knownOf({
      graph,
      outside,
      exits: exits.length > 0 ? exits : [0],
      vantages: ours.slice(0, 1),
      downNodes: Uint8Array.from({ length: nodes }, bit),
      downLinks: Uint8Array.from({ length: links }, bit),
      measuredBps: Float64Array.from({ length: 2 * links }, () => roll(400) * 1e7),
      ibgp: { peers, reflects, rank },
    })
  })
