import assert from "node:assert/strict"
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import fc from "fast-check"
import { PMTiles } from "pmtiles"
import { buildBasemap } from "#client/build/basemap.ts"
import { buildAll } from "#client/build/build.ts"
import { tileId, writeArchive } from "#client/build/pmtiles-write.ts"

const open = (bytes: Buffer): PMTiles =>
  new PMTiles({
    getKey: () => "memory",
    getBytes: async (offset, length) => ({ data: new Uint8Array(bytes.subarray(offset, offset + length)).buffer }),
  })
const OPTIONS = { minZoom: 0, maxZoom: 6, center: { longitude: 0, latitude: 0, zoom: 1 }, metadata: { name: "test" } }

test("PMTiles: the independent reader finds every tile that was written, and no other", async () => {
  const tiles = fc.uniqueArray(
    fc.record({ z: fc.nat(6), x: fc.nat(63), y: fc.nat(63), data: fc.uint8Array({ minLength: 1, maxLength: 3 }) }),
    { maxLength: 60, selector: ({ z, x, y }) => `${z}/${x % 2 ** z}/${y % 2 ** z}` },
  )
  await fc.assert(
    fc.asyncProperty(tiles, async (drawn) => {
      const placed = drawn.map((tile) => ({ ...tile, x: tile.x % 2 ** tile.z, y: tile.y % 2 ** tile.z }))
      const reader = open(writeArchive(placed, OPTIONS))
      for (const { z, x, y, data } of placed) {
        const found = await reader.getZxy(z, x, y)
        assert.deepEqual(new Uint8Array(found?.data ?? new ArrayBuffer(0)), data)
      }
      const known = new Set(placed.map(({ z, x, y }) => tileId(z, x, y)))
      if (!known.has(tileId(6, 5, 9))) assert.equal(await reader.getZxy(6, 5, 9), undefined)
    }),
    { numRuns: 40 },
  )
})

test("PMTiles: many distinct tiles go to leaf directories and are still found", async () => {
  const tiles = Array.from({ length: 4_096 }, (_, at) => ({
    z: 6,
    x: at % 64,
    y: Math.floor(at / 64),
    data: Uint8Array.of(at & 255, at >> 8, (at * 7) & 255),
  }))
  const reader = open(writeArchive(tiles.toReversed(), OPTIONS))
  for (const at of [0, 1, 63, 64, 2_047, 4_095]) {
    const { x, y, data } = tiles[at] as (typeof tiles)[number]
    assert.deepEqual(new Uint8Array((await reader.getZxy(6, x, y))?.data ?? new ArrayBuffer(0)), data)
  }
})

test("PMTiles: two tiles of one place are refused", () => {
  const tile = { z: 1, x: 0, y: 0, data: Uint8Array.of(1) }
  assert.throws(() => writeArchive([tile, tile], OPTIONS), /comes twice/)
})

test("[U1] the base map: small, byte-identical when built again, with land, borders and names in pt and en", async () => {
  const bytes = await buildBasemap()
  assert.ok(bytes.length < 6 * 1024 * 1024, `${bytes.length} bytes`)
  assert.ok(bytes.equals(await buildBasemap()))
  const reader = open(bytes)
  assert.match(
    String(((await reader.getMetadata()) as { attribution?: string }).attribution),
    /Natural Earth.*GeoNames/,
  )
  const world = await reader.getZxy(2, 1, 2)
  assert.ok(world !== undefined)
  // Layer names, keys and values stand in a vector tile as plain UTF-8.
  const content = Buffer.from(world.data).toString("utf8")
  for (const word of ["earth", "water", "boundaries", "places", "name:pt", "Brasil", "Brazil", "São Paulo"]) {
    assert.ok(content.includes(word), word)
  }
})

test("two builds at once leave one whole product; the next one finds nothing to do", async () => {
  const dist = await mkdtemp(join(tmpdir(), "heliograph-build-"))
  try {
    await Promise.all([buildAll({ dist }), buildAll({ dist })])
    assert.deepEqual((await readdir(dist)).sort(), ["basemap.pmtiles", "basemap.sources", "client"])
    const page = await readFile(join(dist, "client/index.html"), "utf8")
    for (const [, asset = ""] of page.matchAll(/(?:src|href)="\/([^"]+)"/g)) await stat(join(dist, "client", asset))
    assert.doesNotMatch(page, /<script(?![^>]*src=)/, "no inline script: the policy would refuse it")
    const lines: unknown[] = []
    await buildAll({ dist, report: (line) => lines.push(line["cached"]) })
    assert.deepEqual(lines, [true, true])
  } finally {
    await rm(dist, { recursive: true, force: true })
  }
})
