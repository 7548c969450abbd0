/**
 * Which exit every router hears of over its iBGP sessions, and takes: RFC 4271 s9.1.2.2 (own eBGP before iBGP, then the
 * least IGP cost to the border, then the lowest identifier, then the lowest peer) and RFC 4456 (a reflector passes on its
 * own best path only: what a client brought to everybody, anything else to its clients; s9: identifier of the originator,
 * then the shorter cluster list). A router passes on nothing that it learned by iBGP unless it reflects. Computed to rest
 * over borders and reflectors, the only ones that speak; everybody else only listens. Where the rest hangs on the order of
 * events (RFC 4271 does not say which), the routers concerned are told. Left out: local preference, AS paths, MED, ADD-PATH,
 * reflectors below reflectors.
 */

/** Sessions that stand when nothing fails. */
export interface Ibgp {
  /** By node: its iBGP peers, ascending; symmetric. Empty = it tells of none, and none of it. */
  readonly peers: ReadonlyArray<readonly number[]>
  /** By node: 1 = its peers that do not reflect are its clients. */
  readonly reflects: Uint8Array
  /** By node: place among all BGP identifiers; no two alike. */
  readonly rank: Uint32Array
}

/** What stands at the moment of the question. */
export interface Standing {
  /** By egress: the router of ours that has it. */
  readonly borders: readonly number[]
  /** IGP cost from a node to an egress; Infinity = there is no way, or the egress is down. */
  readonly cost: (egress: number, node: number) => number
  /** Drained: whoever has another one takes that (RFC 8326 s4). */
  readonly isLastResort: (egress: number) => boolean
  readonly isUp: (node: number, peer: number) => boolean
}

export interface Heard {
  /** By node: the egress that it takes; -1 = it hears of none. */
  readonly egress: Int32Array
  /** Routers that end elsewhere if the same events come in another order; ascending. */
  readonly unsure: readonly number[]
}

/** Turns of one speaker, on average, after which BGP is taken never to rest. */
const TURNS_MAX = 64

const OWN = 0
const BY_CLIENT = 1
const BY_OTHER = 2

/** Sessions and egresses each a few times: O(sessions + nodes x egresses) when it rests at once, as it mostly does. */
export const hearExits = (ibgp: Ibgp, standing: Standing): Heard => {
  const first = new Rest(ibgp, standing)
  const settled = first.run(first.speakers)
  const second = new Rest(ibgp, standing)
  const settledToo = second.run(first.speakers.toReversed())
  const unsure: number[] = []
  for (const [node, egress] of first.egress.entries())
    if (egress !== second.egress[node] || ((!settled || !settledToo) && egress >= 0)) unsure.push(node)
  return { egress: first.egress, unsure }
}

/** One way to come to rest. */
class Rest {
  /** Borders that have an egress, and reflectors: who may have something to say. Ascending. */
  readonly speakers: readonly number[]
  /** By node: its best path. */
  readonly egress: Int32Array
  private readonly via: Uint8Array
  private readonly length: Uint8Array
  private readonly from: Int32Array
  private readonly ibgp: Ibgp
  private readonly standing: Standing
  /** By node: egresses of its own that are up. */
  private readonly own: ReadonlyMap<number, readonly number[]>
  /** Of borders that tell no session: everybody is taken to hear of them. */
  private readonly open: readonly number[]
  private readonly speaks: Uint8Array

  constructor(ibgp: Ibgp, standing: Standing) {
    const nodes = ibgp.peers.length
    this.ibgp = ibgp
    this.standing = standing
    this.egress = new Int32Array(nodes).fill(-1)
    this.via = new Uint8Array(nodes)
    this.length = new Uint8Array(nodes)
    this.from = new Int32Array(nodes).fill(-1)
    const own = new Map<number, number[]>()
    for (const [egress, border] of standing.borders.entries())
      if (standing.cost(egress, border) < Infinity) own.set(border, [...(own.get(border) ?? []), egress])
    this.own = own
    this.open = [...own].flatMap(([border, egresses]) => (ibgp.peers[border]?.length === 0 ? egresses : []))
    this.speaks = Uint8Array.from({ length: nodes }, (_, node) =>
      (ibgp.peers[node] as readonly number[]).length > 0 && (own.has(node) || ibgp.reflects[node] === 1) ? 1 : 0,
    )
    this.speakers = [...this.speaks.keys()].filter((node) => this.speaks[node] === 1)
  }

  /** False = it never rests. */
  run(order: readonly number[]): boolean {
    const queue = [...order]
    const isQueued = new Set(queue)
    const mostTurns = TURNS_MAX * order.length
    let turn = 0
    for (; turn < queue.length && turn < mostTurns; turn++) {
      const node = queue[turn] as number
      isQueued.delete(node)
      if (!this.choose(node)) continue
      for (const peer of this.ibgp.peers[node] as readonly number[])
        if (this.speaks[peer] === 1 && !isQueued.has(peer)) {
          isQueued.add(peer)
          queue.push(peer)
        }
    }
    for (const node of this.speaks.keys()) if (this.speaks[node] === 0) this.choose(node)
    return turn === queue.length
  }

  /** Takes the best of what it hears now; false = it stays with what it had. */
  private choose(node: number): boolean {
    const before = [this.egress[node], this.via[node], this.length[node], this.from[node]]
    this.egress[node] = -1
    this.via[node] = BY_OTHER
    this.length[node] = 0
    this.from[node] = -1
    for (const egress of this.own.get(node) ?? []) this.offer(node, egress, OWN, 0, node)
    const peers = this.ibgp.peers[node] as readonly number[]
    // Nobody tells of its sessions: it is taken to hear everything.
    if (peers.length === 0) for (const [border, egresses] of this.own) this.offerAll(node, border, egresses)
    else for (const egress of this.open) this.offer(node, egress, BY_OTHER, 0, this.standing.borders[egress] as number)
    for (const peer of peers) if (this.speaks[peer] === 1 && this.standing.isUp(node, peer)) this.listen(node, peer)
    const [egress, via, length, from] = before
    return (
      this.egress[node] !== egress || this.via[node] !== via || this.length[node] !== length || this.from[node] !== from
    )
  }

  private offerAll(node: number, border: number, egresses: readonly number[]): void {
    for (const egress of egresses) this.offer(node, egress, BY_OTHER, 0, border)
  }

  /** What a peer passes on. */
  private listen(node: number, peer: number): void {
    const { reflects } = this.ibgp
    const egress = this.egress[peer] as number
    if (egress < 0 || this.standing.borders[egress] === node || this.from[peer] === node) return
    const via = this.via[peer]
    const isClient = reflects[peer] === 1 && reflects[node] === 0
    if (via !== OWN && !(reflects[peer] === 1 && (via === BY_CLIENT || isClient))) return
    const length = via === OWN ? 0 : (this.length[peer] as number) + 1
    this.offer(node, egress, reflects[node] === 1 && reflects[peer] === 0 ? BY_CLIENT : BY_OTHER, length, peer)
  }

  private offer(node: number, egress: number, via: number, length: number, from: number): void {
    if (this.standing.cost(egress, node) === Infinity || !this.isBetter(node, egress, via, length, from)) return
    this.egress[node] = egress
    this.via[node] = via
    this.length[node] = length
    this.from[node] = from
  }

  private isBetter(node: number, egress: number, via: number, length: number, from: number): boolean {
    const best = this.egress[node] as number
    if (best < 0) return true
    const { standing, ibgp } = this
    const { borders, cost, isLastResort } = standing
    const [border, bestBorder] = [borders[egress] as number, borders[best] as number]
    return (
      (Number(isLastResort(egress)) - Number(isLastResort(best)) ||
        Number(via !== OWN) - Number(this.via[node] !== OWN) ||
        // To the border: what lies beyond it is no matter of the IGP.
        cost(egress, node) - cost(egress, border) - (cost(best, node) - cost(best, bestBorder)) ||
        (ibgp.rank[border] as number) - (ibgp.rank[bestBorder] as number) ||
        length - (this.length[node] as number) ||
        (ibgp.rank[from] as number) - (ibgp.rank[this.from[node] as number] as number) ||
        egress - best) < 0
    )
  }
}
