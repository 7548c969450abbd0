/**
 * The hash of a twin's state, made to be taken often: two times 32 bits over typed arrays as they lie in memory, objects as
 * a sum over their keys (no sorting), one NaN, no -0. Equal states give equal digests on every machine; a replay proves
 * itself by them. It may change with any build: whatever is stored for longer is hashed by stateHash (hash.ts).
 * Mixing: multiply and rotate, as xxHash32 (Y. Collet) and MurmurHash3 (A. Appleby) do. Not against forgers.
 */

/** Digests of objects that never change again, by identity. */
export type DigestMemo = WeakMap<object, string>

/** 16 hex digits, of any plain data: objects, arrays, typed arrays, strings, numbers, booleans, null. Others throw. */
export const digestOf = (value: unknown): string => {
  const hasher = new Hasher()
  hasher.value(value)
  return hasher.digest()
}

/** The same, computed once for each object. Only for one that nobody writes to any more. */
export const frozenDigest = (value: object, memo: DigestMemo): string => {
  const known = memo.get(value)
  if (known !== undefined) return known
  const digest = digestOf(value)
  memo.set(value, digest)
  return digest
}

const TAG = { null: 1, false: 2, true: 3, whole: 4, number: 5, text: 6, list: 7, numbers: 8, bytes: 9, object: 10 }
const [A, B, C, D] = [0x9e3779b1 | 0, 0x85ebca6b | 0, 0xc2b2ae35 | 0, 0x27d4eb2f | 0]
const [SEED_A, SEED_B] = [0x165667b1, 0x2545f491]

/** Names of properties are few and come again and again. */
const NAMES_MAX = 4_096
const names = new Map<string, readonly [number, number]>()

const float = new Float64Array(1)
const words = new Int32Array(float.buffer)

class Hasher {
  #a = SEED_A
  #b = SEED_B

  value(value: unknown): void {
    switch (typeof value) {
      case "number":
        return this.#number(value)
      case "string":
        return this.#text(value)
      case "boolean":
        return this.#word(value ? TAG.true : TAG.false)
      case "undefined":
        return this.#word(TAG.null)
      case "object":
        if (value === null) this.#word(TAG.null)
        else if (Array.isArray(value)) this.#list(value)
        else if (value instanceof Float64Array) this.#floats(value)
        else if (ArrayBuffer.isView(value)) this.#whole(value)
        else this.#object(value as Record<string, unknown>)
        return
      default:
        throw new TypeError(`no hash for a ${typeof value}`)
    }
  }

  digest(): string {
    return hex(finished(this.#a)) + hex(finished(this.#b ^ this.#a))
  }

  #word(word: number): void {
    const a = Math.imul(this.#a ^ word, A)
    this.#a = (a << 15) | (a >>> 17)
    const b = (this.#b + word) | 0
    this.#b = Math.imul((b << 11) | (b >>> 21), B)
  }

  #number(value: number): void {
    const whole = value | 0
    if (whole === value) {
      this.#word(TAG.whole)
      this.#word(whole)
      return
    }
    float[0] = Number.isNaN(value) ? Number.NaN : value
    this.#word(TAG.number)
    this.#word(words[0] as number)
    this.#word(words[1] as number)
  }

  #text(text: string): void {
    this.#word(TAG.text)
    this.#word(text.length)
    const even = text.length & ~1
    for (let i = 0; i < even; i += 2) this.#word(text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16))
    if (even < text.length) this.#word(text.charCodeAt(even))
  }

  #list(list: readonly unknown[]): void {
    this.#word(TAG.list)
    this.#word(list.length)
    for (let i = 0; i < list.length; i++) this.value(list[i])
  }

  /** Four chains at once, because each alone waits for its own multiplication; they meet at the end. */
  #floats(list: Float64Array): void {
    const bits = new Int32Array(list.buffer, list.byteOffset, 2 * list.length)
    let a = this.#a
    let b = this.#b
    let c = SEED_B
    let d = SEED_A
    for (let i = 0; i < bits.length; i += 2) {
      const low = bits[i] as number
      let high = bits[i + 1] as number
      if ((high & 0x7ff00000) === 0x7ff00000) {
        // NaN has many bit patterns, and which one it is depends on the processor.
        if (((high & 0xfffff) | low) !== 0) high = 0x7ff80000
      } else if (high === -0x80000000 && low === 0) high = 0
      const canonical = high === 0x7ff80000 ? 0 : low
      a = Math.imul(a ^ canonical, A)
      a = (a << 15) | (a >>> 17)
      b = (b + canonical) | 0
      b = Math.imul((b << 11) | (b >>> 21), B)
      c = Math.imul(c ^ high, C)
      c = (c << 13) | (c >>> 19)
      d = (d + high) | 0
      d = Math.imul((d << 9) | (d >>> 23), D)
    }
    this.#a = a
    this.#b = b
    this.#word(TAG.numbers)
    this.#word(list.length)
    this.#word(c)
    this.#word(d)
  }

  /** Typed arrays of whole numbers: the class counts, so that equal bytes of other elements are something else. */
  #whole(view: ArrayBufferView): void {
    const list = view as unknown as ArrayLike<number>
    if (typeof list[0] === "bigint" || view instanceof DataView) throw new TypeError("no hash for such an array")
    this.#word(TAG.bytes)
    this.#word(view.byteLength)
    this.#word(list.length)
    if (view instanceof Float32Array) for (let i = 0; i < list.length; i++) this.#number(list[i] as number)
    else for (let i = 0; i < list.length; i++) this.#word(list[i] as number)
  }

  /** A sum of one hash per property: the order in which they were written says nothing. */
  #object(object: Record<string, unknown>): void {
    const keys = Object.keys(object)
    const [a, b] = [this.#a, this.#b]
    let [sumA, sumB, count] = [0, 0, 0]
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as string
      const value = object[key]
      if (value === undefined) continue
      const name = this.#name(key)
      this.#a = name[0]
      this.#b = name[1]
      this.value(value)
      sumA = (sumA + finished(this.#a)) | 0
      sumB = (sumB + finished(this.#b ^ this.#a)) | 0
      count++
    }
    if (count === 0 && !isPlain(object)) throw new TypeError("no hash for an object that is not plain data")
    this.#a = a
    this.#b = b
    this.#word(TAG.object)
    this.#word(count)
    this.#word(sumA)
    this.#word(sumB)
  }

  /** Leaves the lanes anywhere. */
  #name(key: string): readonly [number, number] {
    const known = names.get(key)
    if (known !== undefined) return known
    this.#a = SEED_A
    this.#b = SEED_B
    this.#text(key)
    const name = [this.#a, this.#b] as const
    if (names.size < NAMES_MAX) names.set(key, name)
    return name
  }
}

const isPlain = (object: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(object)
  return prototype === Object.prototype || prototype === null
}

const finished = (lane: number): number => {
  let h = lane
  h = Math.imul(h ^ (h >>> 16), B)
  h = Math.imul(h ^ (h >>> 13), C)
  return (h ^ (h >>> 16)) >>> 0
}

const hex = (word: number): string => word.toString(16).padStart(8, "0")
