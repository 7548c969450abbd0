/**
 * A stable hash of plain data that is stored for long (versions of rules, receipts): it may never change. Two 32-bit lanes
 * (FNV-1a's and MurmurHash3's mixing) over canonical bytes: types tagged, keys sorted, one NaN, no -0. What a twin is at a
 * moment is hashed by digest.ts, which is faster and may change. Not for security: nobody gains by a collision here.
 */
import type { Cells } from "#twin/cells.ts"
import { digestOf } from "#twin/digest.ts"
import type { World } from "#twin/round.ts"
import { glancedTwin } from "#twin/snapshot.ts"

/** 16 hex digits over everything that a snapshot holds and the columns. */
export const hashTwin = (world: World, cells: Cells): string =>
  digestOf({ snapshot: glancedTwin(world, cells), columns: world.columns })

/** Of any plain data: objects, arrays, typed arrays, strings, numbers, booleans, null. Anything else throws. */
export const stateHash = (value: unknown): string => {
  const hasher = new Hasher()
  hasher.value(value)
  return hasher.digest()
}

const TAG = { null: 1, false: 2, true: 3, number: 4, text: 5, list: 6, numbers: 7, object: 8 } as const

class Hasher {
  #a = 0x811c9dc5
  #b = 0x9747b28c
  readonly #float = new Float64Array(1)
  readonly #words = new Uint32Array(this.#float.buffer)

  value(value: unknown): void {
    if (value === null || value === undefined) this.#word(TAG.null)
    else if (typeof value === "boolean") this.#word(value ? TAG.true : TAG.false)
    else if (typeof value === "number") this.#number(value)
    else if (typeof value === "string") this.#text(value)
    else if (Array.isArray(value)) this.#list(value)
    else if (isNumbers(value)) this.#numbers(value)
    else if (typeof value === "object") this.#object(value as Record<string, unknown>)
    else throw new TypeError(`no hash for a ${typeof value}`)
  }

  digest(): string {
    return hex(finished(this.#a)) + hex(finished(this.#b ^ this.#a))
  }

  #word(word: number): void {
    this.#a = Math.imul(this.#a ^ word, 0x01000193)
    this.#a ^= this.#a >>> 15
    const mixed = Math.imul(word, 0xcc9e2d51)
    this.#b = Math.imul(this.#b ^ ((mixed << 15) | (mixed >>> 17)), 0x1b873593)
    this.#b = Math.imul((this.#b << 13) | (this.#b >>> 19), 5) + 0xe6546b64
  }

  #number(value: number): void {
    // -0 does not survive every codec, and NaN has many bit patterns.
    this.#float[0] = value === 0 ? 0 : Number.isNaN(value) ? Number.NaN : value
    this.#word(TAG.number)
    this.#word(this.#words[0] as number)
    this.#word(this.#words[1] as number)
  }

  #text(text: string): void {
    this.#word(TAG.text)
    this.#word(text.length)
    for (let i = 0; i < text.length; i++) this.#word(text.charCodeAt(i))
  }

  #list(list: readonly unknown[]): void {
    this.#word(TAG.list)
    this.#word(list.length)
    for (const item of list) this.value(item)
  }

  #numbers(list: ArrayLike<number>): void {
    this.#word(TAG.numbers)
    this.#word(list.length)
    for (let i = 0; i < list.length; i++) this.#number(list[i] as number)
  }

  #object(object: Record<string, unknown>): void {
    const keys = Object.keys(object)
      .filter((key) => object[key] !== undefined)
      .sort()
    this.#word(TAG.object)
    this.#word(keys.length)
    for (const key of keys) {
      this.#text(key)
      this.value(object[key])
    }
  }
}

const isNumbers = (value: unknown): value is ArrayLike<number> => ArrayBuffer.isView(value) && "length" in value

const finished = (lane: number): number => {
  let h = lane
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, "0")
