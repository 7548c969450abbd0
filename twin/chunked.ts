/**
 * An immutable array whose one-element update copies one chunk instead of everything: the tenant keeps a note for each of
 * 10,000 routers and changes one per input. Plain nested arrays, so it is cloned and packed like any other state.
 */
export interface Chunked<T> {
  readonly length: number
  readonly chunks: ReadonlyArray<readonly T[]>
}

const BITS = 6
const SIZE = 1 << BITS
const MASK = SIZE - 1

export const chunkedOf = <T>(length: number, fill: T): Chunked<T> => ({
  length,
  chunks: Array.from({ length: Math.ceil(length / SIZE) }, (_, chunk) =>
    Array.from<T>({ length: Math.min(SIZE, length - chunk * SIZE) }).fill(fill),
  ),
})

/** Element `index`; outside the array is a defect and throws. */
export const at = <T>(list: Chunked<T>, index: number): T => {
  if (!(index >= 0 && index < list.length)) throw new RangeError(`index ${index} of ${list.length}`)
  return (list.chunks[index >> BITS] as readonly T[])[index & MASK] as T
}

/** The same list with element `index` replaced. */
export const replaced = <T>(list: Chunked<T>, index: number, value: T): Chunked<T> => {
  if (at(list, index) === value) return list
  const chunks = list.chunks.slice()
  const chunk = (chunks[index >> BITS] as readonly T[]).slice()
  chunk[index & MASK] = value
  chunks[index >> BITS] = chunk
  return { length: list.length, chunks }
}
