/**
 * Old values of numbers that are about to change, so that a question can be asked on the one live structure and taken
 * back: three whole numbers and one real number an entry, in arrays that grow by doubling and are then reused for ever.
 */
export class Journal {
  length = 0
  /** Off: nothing is remembered, because nothing will be taken back. */
  recording = false
  private kind = new Int32Array(64)
  private index = new Int32Array(64)
  private whole = new Int32Array(64)
  private real = new Float64Array(64)

  note(kind: number, index: number, whole: number, real: number): void {
    if (!this.recording) return
    if (this.length === this.kind.length) this.grow()
    const at = this.length++
    this.kind[at] = kind
    this.index[at] = index
    this.whole[at] = whole
    this.real[at] = real
  }

  /** Hands out the entries, newest first, and forgets them. */
  takeBack(restore: (kind: number, index: number, whole: number, real: number) => void): void {
    this.recording = false
    while (this.length > 0) {
      const at = --this.length
      restore(this.kind[at] as number, this.index[at] as number, this.whole[at] as number, this.real[at] as number)
    }
  }

  private grow(): void {
    const size = 2 * this.kind.length
    this.kind = grown(this.kind, new Int32Array(size))
    this.index = grown(this.index, new Int32Array(size))
    this.whole = grown(this.whole, new Int32Array(size))
    this.real = grown(this.real, new Float64Array(size))
  }
}

const grown = <A extends Int32Array | Float64Array>(old: A, larger: A): A => {
  larger.set(old)
  return larger
}
