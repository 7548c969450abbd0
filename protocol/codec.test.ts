import assert from "node:assert/strict"
import { readdirSync } from "node:fs"
import { describe, test } from "node:test"
import fc from "fast-check"
import {
  BadFrame,
  CLIENT_LIMITS,
  decodeClient,
  decodeServer,
  encodeClient,
  encodeServer,
  packStored,
  unpackStored,
} from "#protocol/codec.ts"
import { CLIENT_FRAMES, clientFrame, record, SERVER_FRAMES, serverFrame } from "#protocol/frames.fixture.ts"
import { readVector, VECTORS } from "#protocol/vectors.fixture.ts"
import { KIND } from "#protocol/wire.ts"
import type { Delta, Snap } from "#protocol/wire.ts"

/** Runs a decoder on hostile bytes: BadFrame or a frame, nothing else may come out. */
const contained = (decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): boolean => {
  try {
    decode(bytes)
    return true
  } catch (error) {
    assert.ok(error instanceof BadFrame, `escaped: ${String(error)}`)
    assert.ok(error.message.length < 60)
    return false
  }
}

const refuses = (value: unknown): void => {
  assert.throws(() => decodeClient(packStored(value)), BadFrame)
}

const mutation = record({
  at: fc.nat(),
  byte: fc.nat(255),
  how: fc.constantFrom("set" as const, "cut" as const, "insert" as const, "append" as const),
})

const mutated = (bytes: Uint8Array, steps: ReadonlyArray<{ at: number; byte: number; how: string }>): Uint8Array => {
  const list = [...bytes]
  for (const { at, byte, how } of steps) {
    const index = at % Math.max(1, list.length)
    if (how === "set") list[index] = byte
    else if (how === "cut") list.splice(index)
    else if (how === "insert") list.splice(index, 0, byte)
    else list.push(byte)
  }
  return Uint8Array.from(list)
}

describe("round trips", () => {
  test("[B1] every client frame reads as it was written", () => {
    fc.assert(fc.property(clientFrame, (frame) => assert.deepStrictEqual(decodeClient(encodeClient(frame)), frame)))
  })

  test("[B2][B3] every server frame reads as it was written, NaN and -0 in columns included", () => {
    fc.assert(fc.property(serverFrame, (frame) => assert.deepStrictEqual(decodeServer(encodeServer(frame)), frame)))
  })

  test("[B2] a frame reads the same at any offset of a larger buffer, and shares no memory with it", () => {
    const bytes = encodeServer(SERVER_FRAMES["snap"] as Snap)
    for (let offset = 0; offset < 8; offset++) {
      const buffer = new Uint8Array(bytes.length + offset)
      buffer.set(bytes, offset)
      const frame = decodeServer(buffer.subarray(offset))
      buffer.fill(0)
      assert.deepStrictEqual(frame, SERVER_FRAMES["snap"])
    }
  })

  test("encoding a second frame leaves the bytes of the first alone", () => {
    const first = encodeServer(SERVER_FRAMES["delta"] as Delta)
    const copy = first.slice()
    for (let i = 0; i < 200; i++) encodeServer(SERVER_FRAMES["snap"] as Snap)
    assert.deepStrictEqual(first, copy)
  })

  test("stored data keeps its types, and HELLO/WELCOME share a kind but not a shape [H4]", () => {
    const value = { f: Float64Array.of(1, Number.NaN), u: Uint8Array.of(1), list: [null, true, "é"], big: 2 ** 40 }
    assert.deepStrictEqual(unpackStored(packStored(value)), value)
    assert.throws(() => decodeServer(encodeClient(CLIENT_FRAMES["hello-fresh"] as never)), BadFrame)
    assert.throws(() => decodeClient(encodeServer(SERVER_FRAMES["welcome"] as never)), BadFrame)
  })
})

describe("golden frames", () => {
  const read = (name: string): unknown => readVector(name)
  test("every frame has its vector, and every vector its frame", () => {
    const files = readdirSync(VECTORS).filter((file) => file.endsWith(".bin"))
    const names = files.map((file) => file.slice(0, -4)).sort()
    assert.deepEqual(names, [...Object.keys(CLIENT_FRAMES), ...Object.keys(SERVER_FRAMES)].sort())
  })
  for (const [name, frame] of Object.entries(CLIENT_FRAMES))
    test(`[B1] ${name} keeps its bytes, both ways`, () => {
      const vector = readVector(name)
      assert.deepStrictEqual(read(name), { bytes: new Uint8Array(encodeClient(frame)), frame })
      assert.deepStrictEqual(decodeClient(vector.bytes), vector.frame)
    })
  for (const [name, frame] of Object.entries(SERVER_FRAMES))
    test(`[B1][B2] ${name} keeps its bytes, both ways`, () => {
      const vector = readVector(name)
      assert.deepStrictEqual(read(name), { bytes: new Uint8Array(encodeServer(frame)), frame })
      assert.deepStrictEqual(decodeServer(vector.bytes), vector.frame)
    })
})

describe("[B5] what a stranger may send", () => {
  test("arbitrary bytes: nothing but BadFrame comes out, and the next good frame is read", () => {
    const good = encodeClient(CLIENT_FRAMES["ping"] as never)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        contained(decodeClient, bytes)
        contained(decodeServer, bytes)
        assert.deepEqual(decodeClient(good), CLIENT_FRAMES["ping"])
      }),
      { numRuns: 2000 },
    )
  })

  test("mutated valid frames: nothing but BadFrame comes out", () => {
    const steps = fc.array(mutation, { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(
        clientFrame,
        steps,
        (frame, list) => void contained(decodeClient, mutated(encodeClient(frame), list)),
      ),
      { numRuns: 2000 },
    )
    fc.assert(
      fc.property(
        serverFrame,
        steps,
        (frame, list) => void contained(decodeServer, mutated(encodeServer(frame), list)),
      ),
      { numRuns: 1000 },
    )
  })

  test("well-formed msgpack of any shape: nothing but BadFrame comes out", () => {
    const shapes = fc.oneof(
      fc
        .tuple(fc.constantFrom(...Object.values(KIND)), fc.array(fc.jsonValue(), { maxLength: 13 }))
        .map((x) => x.flat()),
      fc.jsonValue(),
    )
    fc.assert(
      fc.property(shapes, (value) => {
        contained(decodeClient, packStored(value))
        contained(decodeServer, packStored(value))
      }),
      { numRuns: 2000 },
    )
  })

  test("extensions, maps and bins are refused before an object is made of them", () => {
    for (const value of [/(a+)+$/, new Set([1]), new Error("x"), { a: 1 }, Uint8Array.of(1), Float64Array.of(1)])
      refuses([KIND.PING, value])
  })

  test("bounds: 64 KiB, depth, elements, text", () => {
    const sub = (focus: unknown, cells: unknown, tiers: unknown = []): unknown => [KIND.SUB, focus, cells, tiers, false]
    const cells = (length: number): number[] => Array.from({ length }, () => 1)
    assert.ok(contained(decodeClient, packStored(sub(null, cells(CLIENT_LIMITS.items)))))
    assert.throws(() => decodeClient(packStored(sub(null, cells(CLIENT_LIMITS.items + 1)))), /array too long/)
    refuses(sub(null, [[[1]]]))
    refuses(sub([0, "x".repeat(65)], []))
    refuses([KIND.HELLO, 1, 1, null, "x".repeat(36)])
    assert.throws(() => decodeClient(new Uint8Array(CLIENT_LIMITS.bytes + 1)), /65536 bytes/)
    // The announced length is what counts: 4 G elements or bytes in five bytes.
    for (const format of [0xdd, 0xdf, 0xdb, 0xc6])
      assert.throws(() => decodeClient(Uint8Array.of(format, 0xff, 0xff, 0xff, 0xff)), BadFrame)
    assert.throws(() => decodeClient(new Uint8Array(60_000).fill(0x91)), /nested too deep/)
  })

  test("every field is checked", () => {
    const wrong: unknown[] = [
      [],
      [99],
      [KIND.PING],
      [KIND.PING, -1],
      [KIND.PING, 1.5],
      [KIND.PING, Number.NaN],
      [KIND.PING, 2 ** 60],
      [KIND.PING, "1"],
      [KIND.PING, 1, 2],
      [KIND.HELLO, 2, 1, null, "en"],
      [KIND.HELLO, 1, 70_000, null, "en"],
      [KIND.HELLO, 1, 1, [1], "en"],
      [KIND.HELLO, 1, 1, [1, -1], "en"],
      [KIND.HELLO, 1, 1, null, 7],
      [KIND.SUB, [2, "x"], [], [], false],
      [KIND.SUB, null, [1024], [], false],
      [KIND.SUB, null, [], [256], false],
      [KIND.SUB, null, [], Array.from({ length: 17 }, () => 0), false],
      [KIND.SUB, null, [], [], 0],
      [KIND.DELTA, 1, 2, 3],
    ]
    for (const value of wrong) refuses(value)
  })
})

describe("what a client checks of its server", () => {
  const reencoded = (frame: Snap | Delta, change: (fields: unknown[]) => void): Uint8Array => {
    const fields = unpackStored(encodeServer(frame)) as unknown[]
    change(fields)
    // Columns must be bins again, as the wire has them.
    return encodePlain(fields)
  }
  test("[B2] columns of different lengths are refused, whichever it is", () => {
    const delta = SERVER_FRAMES["delta"] as Delta
    for (let column = 5; column <= 11; column++)
      assert.throws(
        () => decodeServer(reencoded(delta, (fields) => (fields[column] = (fields[column] as Uint8Array).subarray(1)))),
        BadFrame,
        `column ${column}`,
      )
    const snap = SERVER_FRAMES["snap"] as Snap
    for (const [table, columns] of [
      [6, 5],
      [7, 6],
      [8, 7],
    ] as const)
      for (let column = 0; column < columns; column++)
        assert.throws(
          () =>
            decodeServer(
              reencoded(snap, (fields) => {
                const part = fields[table] as Array<string[] | Uint8Array>
                part[column] = (part[column] as Uint8Array).slice(1)
              }),
            ),
          BadFrame,
          `table ${table} column ${column}`,
        )
  })

  test("[D1][D2] a delta's base is before its seq, and its slots ascend", () => {
    const delta = SERVER_FRAMES["delta"] as Delta
    assert.throws(() => decodeServer(encodeServer({ ...delta, base: delta.seq })), BadFrame)
    const slot = Uint32Array.of(2, 2)
    assert.throws(() => decodeServer(encodeServer({ ...delta, nodes: { ...delta.nodes, slot } })), BadFrame)
  })

  test("[K1] a part beyond the parts is refused", () => {
    assert.throws(() => decodeServer(encodeServer({ ...(SERVER_FRAMES["snap"] as Snap), part: 1, parts: 1 })), BadFrame)
  })
})

test("a keyframe of 10,000 routers and 50,000 links survives the trip", () => {
  const ids = (n: number): string[] =>
    Array.from({ length: n }, (_, i) => `0199c2b0-0000-7000-8000-${String(i).padStart(12, "0")}`)
  const [n, l] = [10_000, 50_000]
  const snap = SERVER_FRAMES["snap"] as Snap
  const big: Snap = {
    ...snap,
    nodes: {
      id: ids(n),
      name: ids(n),
      site: new Uint32Array(n),
      role: new Uint8Array(n).fill(2),
      status: new Uint8Array(n).fill(1),
      seenS: new Uint32Array(n).fill(1_760_000_000),
    },
    links: {
      id: ids(l),
      a: new Uint32Array(l).map((_, i) => i % n),
      b: new Uint32Array(l).map((_, i) => (i * 7) % n),
      capacityBps: new Float64Array(l).fill(1e10),
      status: new Uint8Array(l).fill(1),
      utilAB: new Uint8Array(l).fill(33),
      utilBA: new Uint8Array(l).fill(44),
    },
  }
  assert.deepStrictEqual(decodeServer(encodeServer(big)), big)
})

/** A frame of plain fields with its bins, as another implementation would write it. */
const encodePlain = (fields: unknown): Uint8Array => {
  const out: number[] = []
  const write = (value: unknown): void => {
    if (value === null) out.push(0xc0)
    else if (typeof value === "boolean") out.push(value ? 0xc3 : 0xc2)
    else if (typeof value === "number") {
      const bytes = new DataView(new ArrayBuffer(8))
      bytes.setFloat64(0, value)
      if (Number.isInteger(value) && value >= 0 && value < 128) out.push(value)
      else out.push(0xcb, ...new Uint8Array(bytes.buffer))
    } else if (typeof value === "string") {
      const bytes = new TextEncoder().encode(value)
      out.push(0xda, bytes.length >> 8, bytes.length & 255, ...bytes)
    } else if (Array.isArray(value)) {
      out.push(0xdc, value.length >> 8, value.length & 255)
      value.forEach(write)
    } else if (value instanceof Uint8Array) out.push(0xc5, value.length >> 8, value.length & 255, ...value)
    else throw new TypeError("not a field")
  }
  write(fields)
  return Uint8Array.from(out)
}
