/**
 * Who is still reached, kept up to date while links and routers fail and mend. A spanning forest hangs from the sources;
 * a failure that cuts off a branch looks for another link out of that branch and hangs it there, so that the cost is what
 * the failure really touches and not the size of the network. Always equal to `reachableFrom` from scratch.
 * (The simple form of the forests of Holm, de Lichtenberg and Thorup, JACM 2001: no levels, because ISPs are shallow.)
 */
import type { FlatGraph } from "#twin/whatif/graph.ts"
import { Journal } from "#twin/whatif/journal.ts"

/** What an entry of the journal gives back. */
const PARENT = 0
const REACHED = 1
const NODE = 2
const LINK = 3

const NONE = -1

export class Spanning {
  /** By node: 1 = a source reaches it. */
  readonly reached: Uint8Array
  /** By slot: 1 = failed. A link between failed routers is not itself failed. */
  readonly failedNodes: Uint8Array
  readonly failedLinks: Uint8Array
  /** Nodes that the last fail or mend cut off or brought back: changed[0] .. changed[changedCount - 1]. */
  readonly changed: Uint32Array
  changedCount = 0
  reachedCount = 0

  private readonly graph: FlatGraph
  private readonly isSource: Uint8Array
  /** The node and link that a node hangs from; NONE = a source, or not reached. */
  private readonly parent: Int32Array
  private readonly parentLink: Int32Array
  /** What the present search knows of a node: 2 * search = outside the branch, 2 * search + 1 = inside. */
  private readonly known: Uint32Array
  private search = 0
  private readonly queue: Uint32Array
  private readonly orphans: Uint32Array
  private readonly journal = new Journal()

  constructor(
    graph: FlatGraph,
    sources: ArrayLike<number>,
    failedNodes: Uint8Array | null = null,
    failedLinks: Uint8Array | null = null,
  ) {
    const { nodes } = graph
    this.graph = graph
    this.reached = new Uint8Array(nodes)
    this.failedNodes = failedNodes?.slice() ?? new Uint8Array(nodes)
    this.failedLinks = failedLinks?.slice() ?? new Uint8Array(graph.links)
    this.changed = new Uint32Array(nodes)
    this.isSource = new Uint8Array(nodes)
    this.parent = new Int32Array(nodes).fill(NONE)
    this.parentLink = new Int32Array(nodes).fill(NONE)
    this.known = new Uint32Array(nodes)
    this.queue = new Uint32Array(nodes)
    this.orphans = new Uint32Array(nodes)
    for (let i = 0; i < sources.length; i++) {
      const source = sources[i] as number
      if (!(source >= 0 && source < nodes)) continue
      this.isSource[source] = 1
    }
    // All sources at once: a forest of shortest trees is the shallowest one.
    for (let node = 0; node < nodes; node++)
      if (this.isSource[node] === 1 && this.failedNodes[node] === 0) this.gain(node)
    this.flood()
    this.changedCount = 0
  }

  /** From here on everything is remembered, until `undo`. */
  begin(): void {
    this.journal.length = 0
    this.journal.recording = true
  }

  /** Back to `begin`. */
  undo(): void {
    this.journal.takeBack(this.restore)
    this.changedCount = 0
  }

  /** Whether somebody hangs by this link now: a failure of any other link costs nothing. */
  holds(link: number): boolean {
    return this.hangsBy(this.graph.a[link] as number, link) || this.hangsBy(this.graph.b[link] as number, link)
  }

  /** Returns how many nodes lost every source by it; they are in `changed`. */
  failLink(link: number): number {
    this.changedCount = 0
    if (this.failedLinks[link] === 1) return 0
    this.note(LINK, link, 0)
    this.failedLinks[link] = 1
    const [a, b] = [this.graph.a[link] as number, this.graph.b[link] as number]
    // Only a tree link holds somebody up, and only its lower end.
    const lower = this.hangsBy(a, link) ? a : this.hangsBy(b, link) ? b : NONE
    if (lower === NONE) return 0
    this.orphan(lower)
    this.rehang(lower)
    return this.changedCount
  }

  /** The failed node itself counts as lost when it was reached. */
  failNode(node: number): number {
    this.changedCount = 0
    if (this.failedNodes[node] === 1) return 0
    this.note(NODE, node, 0)
    this.failedNodes[node] = 1
    if (this.reached[node] === 0) return 0
    const { from, to, link } = this.graph
    let orphans = 0
    for (let half = from[node] as number; half < (from[node + 1] as number); half++) {
      const child = to[half] as number
      if (this.parent[child] !== node || this.parentLink[child] !== link[half]) continue
      this.orphans[orphans++] = child
      this.orphan(child)
    }
    this.orphan(node)
    this.lose(node)
    for (let i = 0; i < orphans; i++) this.rehang(this.orphans[i] as number)
    return this.changedCount
  }

  /** Returns how many nodes are reached again by it; they are in `changed`. */
  mendLink(link: number): number {
    this.changedCount = 0
    if (this.failedLinks[link] === 0) return 0
    this.note(LINK, link, 1)
    this.failedLinks[link] = 0
    const [a, b] = [this.graph.a[link] as number, this.graph.b[link] as number]
    if (a < 0 || b < 0 || this.reached[a] === this.reached[b]) return 0
    const [high, low] = this.reached[a] === 1 ? [a, b] : [b, a]
    if (this.failedNodes[low] === 1) return 0
    this.hang(low, high, link)
    this.gain(low)
    this.flood()
    return this.changedCount
  }

  mendNode(node: number): number {
    this.changedCount = 0
    if (this.failedNodes[node] === 0) return 0
    this.note(NODE, node, 1)
    this.failedNodes[node] = 0
    if (this.isSource[node] === 0 && !this.hangAnywhere(node)) return 0
    this.gain(node)
    this.flood()
    return this.changedCount
  }

  // -- the forest ------------------------------------------------------------------------------------------------------

  /** A branch that hangs from nothing gets a new link out of it, or all of it is lost. */
  private rehang(root: number): void {
    const { from, to, link } = this.graph
    const { queue, known, parent, parentLink, reached, failedLinks } = this
    const [outside, inside] = this.newSearch()
    known[root] = inside
    let tail = 1
    queue[0] = root
    for (let head = 0; head < tail; head++) {
      const node = queue[head] as number
      for (let half = from[node] as number; half < (from[node + 1] as number); half++) {
        const l = link[half] as number
        const next = to[half] as number
        // Failed nodes are never reached, so that this also keeps to living ones.
        if (failedLinks[l] === 1 || reached[next] === 0) continue
        if (parent[next] === node && parentLink[next] === l) {
          known[next] = inside
          queue[tail++] = next
        } else if (this.isOutside(next, outside, inside)) {
          this.turnAround(node, root)
          this.hang(node, next, l)
          return
        }
      }
    }
    for (let i = 0; i < tail; i++) {
      const node = queue[i] as number
      this.orphan(node)
      this.lose(node)
    }
  }

  /** Climbs until a node is known or hangs from nothing; all nodes on the way are known afterwards. */
  private isOutside(start: number, outside: number, inside: number): boolean {
    const { known, parent } = this
    let node = start
    while ((known[node] as number) < outside && (parent[node] as number) !== NONE) node = parent[node] as number
    const verdict = known[node] === inside ? inside : outside
    for (let walked = start; known[walked] !== verdict; walked = parent[walked] as number) {
      known[walked] = verdict
      if ((parent[walked] as number) === NONE) break
    }
    return verdict === outside
  }

  /** Makes `node` the root of the branch that hangs from `root`: the parents between them are reversed. */
  private turnAround(node: number, root: number): void {
    let [child, above, link]: [number, number, number] = [node, NONE, NONE]
    for (;;) {
      const next = this.parent[child] as number
      const nextLink = this.parentLink[child] as number
      this.hang(child, above, link)
      if (child === root) return
      above = child
      child = next
      link = nextLink
    }
  }

  private hangAnywhere(node: number): boolean {
    const { from, to, link } = this.graph
    for (let half = from[node] as number; half < (from[node + 1] as number); half++) {
      const l = link[half] as number
      const next = to[half] as number
      if (this.failedLinks[l] === 1 || this.reached[next] === 0) continue
      this.hang(node, next, l)
      return true
    }
    return false
  }

  /** From the nodes in `changed` (just gained) to everything that they reach. */
  private flood(): void {
    const { from, to, link } = this.graph
    for (let head = 0; head < this.changedCount; head++) {
      const node = this.changed[head] as number
      for (let half = from[node] as number; half < (from[node + 1] as number); half++) {
        const next = to[half] as number
        const l = link[half] as number
        if (this.reached[next] === 1 || this.failedNodes[next] === 1 || this.failedLinks[l] === 1) continue
        this.hang(next, node, l)
        this.gain(next)
      }
    }
  }

  private hangsBy(node: number, link: number): boolean {
    return node >= 0 && this.parentLink[node] === link
  }

  private orphan(node: number): void {
    this.hang(node, NONE, NONE)
  }

  private hang(node: number, parent: number, link: number): void {
    this.journal.note(PARENT, node, this.parent[node] as number, this.parentLink[node] as number)
    this.parent[node] = parent
    this.parentLink[node] = link
  }

  private gain(node: number): void {
    this.note(REACHED, node, 0)
    this.reached[node] = 1
    this.reachedCount++
    this.changed[this.changedCount++] = node
  }

  private lose(node: number): void {
    this.note(REACHED, node, 1)
    this.reached[node] = 0
    this.reachedCount--
    this.changed[this.changedCount++] = node
  }

  private note(kind: number, index: number, old: number): void {
    this.journal.note(kind, index, old, 0)
  }

  private readonly restore = (kind: number, index: number, old: number, second: number): void => {
    if (kind === PARENT) {
      this.parent[index] = old
      this.parentLink[index] = second
    } else if (kind === REACHED) {
      this.reached[index] = old
      this.reachedCount += old === 1 ? 1 : -1
    } else if (kind === NODE) this.failedNodes[index] = old
    else this.failedLinks[index] = old
  }

  private newSearch(): readonly [outside: number, inside: number] {
    if (this.search >= 0x7fff_fffe) {
      this.search = 0
      this.known.fill(0)
    }
    this.search++
    return [2 * this.search, 2 * this.search + 1]
  }
}
