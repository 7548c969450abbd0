/** Growing byte writer and bounds-checked reader: varints (LEB128) of whole numbers up to 2^53, zigzag, floats, bits. */

export class ByteWriter {
  #bytes = Buffer.allocUnsafe(1024)
  length = 0

  #room(extra: number): void {
    if (this.length + extra <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.length + extra))
    this.#bytes.copy(larger, 0, 0, this.length)
    this.#bytes = larger
  }

  byte(value: number): void {
    this.#room(1)
    this.#bytes[this.length++] = value
  }

  /** 0 .. 2^53. */
  varint(value: number): void {
    this.#room(8)
    let rest = value
    while (rest >= 0x80) {
      this.#bytes[this.length++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.#bytes[this.length++] = rest
  }

  /** -2^52 .. 2^52. */
  zigzag(value: number): void {
    this.varint(zigzag(value))
  }

  float64(value: number): void {
    this.#room(8)
    this.length = this.#bytes.writeDoubleLE(value, this.length)
  }

  bytes(value: Uint8Array): void {
    this.#room(value.length)
    this.#bytes.set(value, this.length)
    this.length += value.length
  }

  text(value: string): void {
    const bytes = Buffer.from(value, "utf8")
    this.varint(bytes.length)
    this.bytes(bytes)
  }

  /** A copy; the writer may be used on. */
  finish(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.length))
  }
}

export const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value)
export const unzigzag = (value: number): number => (value % 2 === 0 ? value / 2 : -(value + 1) / 2)

/** Bytes that varint() takes for a value. */
export const varintSize = (value: number): number => {
  let size = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++
  return size
}

/** Reads past the end throw a RangeError. */
export class ByteReader {
  readonly #bytes: Buffer
  offset: number
  readonly #end: number

  constructor(bytes: Uint8Array, offset = 0, end = bytes.length) {
    if (end > bytes.length) throw new RangeError("past the end")
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.offset = offset
    this.#end = end
  }

  byte(): number {
    if (this.offset >= this.#end) throw new RangeError("past the end")
    return this.#bytes[this.offset++]!
  }

  varint(): number {
    let value = 0
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.byte()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      if (scale > 2 ** 49) throw new RangeError("number too long")
    }
  }

  zigzag(): number {
    return unzigzag(this.varint())
  }

  float64(): number {
    if (this.offset + 8 > this.#end) throw new RangeError("past the end")
    this.offset += 8
    return this.#bytes.readDoubleLE(this.offset - 8)
  }

  /** A view, not a copy. */
  bytes(length: number): Buffer {
    if (this.offset + length > this.#end) throw new RangeError("past the end")
    this.offset += length
    return this.#bytes.subarray(this.offset - length, this.offset)
  }

  text(): string {
    return this.bytes(this.varint()).toString("utf8")
  }
}

/** Most significant bit first. */
export class BitWriter {
  readonly #out: ByteWriter
  #bits = 0
  #count = 0

  constructor(out: ByteWriter) {
    this.#out = out
  }

  /** The low `count` (0..32) bits of an unsigned value. */
  write(value: number, count: number): void {
    for (let left = count; left > 0;) {
      const take = Math.min(left, 8 - this.#count)
      const part = (value >>> (left - take)) & ((1 << take) - 1)
      this.#bits = (this.#bits << take) | part
      this.#count += take
      left -= take
      if (this.#count === 8) {
        this.#out.byte(this.#bits)
        this.#bits = 0
        this.#count = 0
      }
    }
  }

  /** Fills the last byte with zeros. */
  end(): void {
    if (this.#count > 0) this.#out.byte(this.#bits << (8 - this.#count))
    this.#bits = 0
    this.#count = 0
  }
}

export class BitReader {
  readonly #in: ByteReader
  #bits = 0
  #count = 0

  constructor(input: ByteReader) {
    this.#in = input
  }

  read(count: number): number {
    let value = 0
    for (let left = count; left > 0;) {
      if (this.#count === 0) {
        this.#bits = this.#in.byte()
        this.#count = 8
      }
      const take = Math.min(left, this.#count)
      const part = (this.#bits >>> (this.#count - take)) & ((1 << take) - 1)
      value = ((value << take) | part) >>> 0
      this.#count -= take
      left -= take
    }
    return value
  }
}
