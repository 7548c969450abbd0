/**
 * Golden frames on disk: `vectors/v2/<name>.bin` are the bytes, `<name>.json` what they mean (typed arrays as
 * `{"f64": [...]}`; NaN as "NaN"). `node protocol/vectors.fixture.ts` writes those that are missing; it never changes one:
 * a changed vector is a new wire version.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { encodeClient, encodeServer } from "#protocol/codec.ts"
import { CLIENT_FRAMES, SERVER_FRAMES } from "#protocol/frames.fixture.ts"
import { PROTOCOL_VERSION } from "#protocol/wire.ts"

export const VECTORS = new URL(`./vectors/v${PROTOCOL_VERSION}/`, import.meta.url)

export interface Vector {
  readonly bytes: Uint8Array
  readonly frame: unknown
}

/** Throws when the vector is not there: write it with `node protocol/vectors.fixture.ts` and commit it. */
export const readVector = (name: string): Vector => ({
  bytes: new Uint8Array(readFileSync(new URL(`${name}.bin`, VECTORS))),
  frame: fromJson(readFileSync(new URL(`${name}.json`, VECTORS), "utf8")),
})

const COLUMN_TYPES = { u8: Uint8Array, u32: Uint32Array, f64: Float64Array } as const

export const toJson = (frame: unknown): string =>
  `${JSON.stringify(
    frame,
    (_key, value: unknown) => {
      for (const [name, type] of Object.entries(COLUMN_TYPES))
        if (value instanceof type)
          return { [name]: Array.from(value as Float64Array, (n) => (Number.isNaN(n) ? "NaN" : n)) }
      return value
    },
    1,
  )}\n`

const fromJson = (json: string): unknown =>
  JSON.parse(json, (_key, value: unknown) => {
    if (typeof value !== "object" || value === null) return value
    for (const [name, type] of Object.entries(COLUMN_TYPES)) {
      const column = (value as Record<string, unknown>)[name]
      if (Array.isArray(column)) return type.from(column.map(Number))
    }
    return value
  })

if (import.meta.main) {
  mkdirSync(VECTORS, { recursive: true })
  const all = [
    ...Object.entries(CLIENT_FRAMES).map(([name, frame]) => ({ name, frame, bytes: encodeClient(frame) })),
    ...Object.entries(SERVER_FRAMES).map(([name, frame]) => ({ name, frame, bytes: encodeServer(frame) })),
  ]
  for (const { name, frame, bytes } of all) {
    const file = new URL(`${name}.bin`, VECTORS)
    if (existsSync(file)) continue
    writeFileSync(file, bytes)
    writeFileSync(new URL(`${name}.json`, VECTORS), toJson(frame))
    console.log(`wrote ${name}`)
  }
}
