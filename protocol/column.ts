/**
 * Columns of a frame: typed arrays as msgpack `bin`, little-endian, no header. A decoded bin lies anywhere in the frame's
 * buffer, so it is copied before it becomes an array of wider elements (notes/client.md section 5).
 */
import { bad } from "#protocol/check.ts"

// Typed arrays have the machine's byte order. Every machine that runs this is little-endian; another one must not guess.
if (new Uint8Array(new Uint16Array([1]).buffer)[0] !== 1) throw new Error("a big-endian machine cannot speak wire v1")

export const MAX_ROWS = 1 << 20

/** The column's bytes, not copied. */
export const bin = (column: Uint8Array | Uint32Array | Float64Array): Uint8Array =>
  new Uint8Array(column.buffer, column.byteOffset, column.byteLength)

export const u8 = (value: unknown, field: string, rows: number | null = null): Uint8Array =>
  new Uint8Array(copied(value, field, rows, 1))
export const u32 = (value: unknown, field: string, rows: number | null = null): Uint32Array =>
  new Uint32Array(copied(value, field, rows, 4))
export const f64 = (value: unknown, field: string, rows: number | null = null): Float64Array =>
  new Float64Array(copied(value, field, rows, 8))

/** A fresh buffer with the bin's bytes. `rows` null = any number of whole rows. */
const copied = (value: unknown, field: string, rows: number | null, size: number): ArrayBuffer => {
  if (!(value instanceof Uint8Array)) return bad(field)
  if (rows === null ? value.length % size !== 0 || value.length > MAX_ROWS * size : value.length !== rows * size)
    return bad(`${field}: wrong length`)
  const copy = new ArrayBuffer(value.length)
  new Uint8Array(copy).set(value)
  return copy
}
