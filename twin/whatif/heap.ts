/** A binary min-heap of nodes by distance in typed arrays that grow by doubling: what Dijkstra's algorithm waits in. */
export class Heap {
  size = 0
  private keys = new Float64Array(64)
  private nodes = new Uint32Array(64)

  push(key: number, node: number): void {
    if (this.size === this.nodes.length) this.grow()
    let at = this.size++
    const { keys, nodes } = this
    while (at > 0) {
      const parent = (at - 1) >> 1
      if ((keys[parent] as number) <= key) break
      keys[at] = keys[parent] as number
      nodes[at] = nodes[parent] as number
      at = parent
    }
    keys[at] = key
    nodes[at] = node
  }

  /** The smallest key that waits; only while size > 0. */
  get least(): number {
    return this.keys[0] as number
  }

  /** The node of the smallest key; only while size > 0. */
  pop(): number {
    const { keys, nodes } = this
    const top = nodes[0] as number
    const last = --this.size
    const key = keys[last] as number
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= last) break
      if (child + 1 < last && (keys[child + 1] as number) < (keys[child] as number)) child++
      if ((keys[child] as number) >= key) break
      keys[at] = keys[child] as number
      nodes[at] = nodes[child] as number
      at = child
    }
    keys[at] = key
    nodes[at] = nodes[last] as number
    return top
  }

  private grow(): void {
    const [keys, nodes] = [new Float64Array(2 * this.keys.length), new Uint32Array(2 * this.nodes.length)]
    keys.set(this.keys)
    nodes.set(this.nodes)
    this.keys = keys
    this.nodes = nodes
  }
}
