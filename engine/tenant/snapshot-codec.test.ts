import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { poll, ring, START_MS, trap } from "#engine/tenant/network.fixture.ts"
import { decodeSnapshot, encodeSnapshot, SNAPSHOT_FORMAT, SnapshotUnreadable } from "#engine/tenant/snapshot-codec.ts"
import { packStored } from "#protocol/codec.ts"
import { plainCells } from "#twin/cells.ts"
import { hashTwin } from "#twin/hash.ts"
import type { Sequenced } from "#twin/input.ts"
import { newWorld, runRound } from "#twin/round.ts"
import { restoreTwin, snapshotTwin } from "#twin/snapshot.ts"
import type { TwinSnapshot } from "#twin/snapshot.ts"

const twinOf = (routers: number) => {
  const world = newWorld()
  const cells = plainCells()
  const inventory = ring(routers, "ñ")
  const inputs: Sequenced["input"][] = [{ kind: "topology", atMs: START_MS, rev: 1, inventory }]
  for (const device of inventory.devices)
    inputs.push(poll(device.id, START_MS + 1_000), trap(device.id, START_MS + 2_000, false))
  runRound(
    world,
    cells,
    inputs.map((input, index) => ({ seq: index + 1, input })),
  )
  return { world, cells }
}

test("[N1] a twin of any size survives encoding, decoding and restoring, with the same hash", async () => {
  for (const routers of [0, 1, 128, 129, 300]) {
    const { world, cells } = twinOf(routers)
    const { world: again, states } = restoreTwin(await decodeSnapshot(await encodeSnapshot(snapshotTwin(world, cells))))
    assert.equal(hashTwin(again, plainCells(states)), hashTwin(world, cells), `${routers} routers`)
  }
})

test("[N2] the twin may go on while its snapshot is being packed: the bytes are of the moment of the capture", async () => {
  const { world, cells } = twinOf(300)
  const before = hashTwin(world, cells)
  let breaths = 0
  const slow = (): Promise<void> => {
    const seq = world.seq + 1
    const device = world.topology.inventory.devices[breaths++ % 300]
    if (device !== undefined) runRound(world, cells, [{ seq, input: trap(device.id, START_MS + 9_000 + seq, true) }])
    // Uses up the slice, so that every pause breathes.
    const endMs = performance.now() + 9
    while (performance.now() < endMs);
    return Promise.resolve()
  }
  const spin = snapshotTwin(world, cells)
  const encoding = encodeSnapshot(spin, slow)
  await slow()
  const { world: again, states } = restoreTwin(await decodeSnapshot(await encoding))
  assert.equal(hashTwin(again, plainCells(states)), before)
  assert.notEqual(hashTwin(world, cells), before)
})

test("[N3] a damaged snapshot is refused as SnapshotUnreadable, or read as something that restoreTwin judges", async () => {
  const { world, cells } = twinOf(3)
  const blob = await encodeSnapshot(snapshotTwin(world, cells))
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 255 }), fc.boolean(), async (at, bits, cut) => {
      const place = at % blob.length
      const damaged = cut ? blob.slice(0, place) : blob.slice()
      if (!cut) damaged[place] = (damaged[place] as number) ^ bits
      const result = await decodeSnapshot(damaged).catch((error: unknown) => error)
      if (result instanceof Error) assert.ok(result instanceof SnapshotUnreadable, String(result))
      else if (cut) assert.fail("a truncated snapshot was read")
    }),
    { numRuns: 300 },
  )
})

test("[N4] a format of the future is refused by name", async () => {
  await assert.rejects(
    decodeSnapshot(Uint8Array.of(SNAPSHOT_FORMAT + 1, 0)),
    /snapshot format 3: this build reads 1 and 2/,
  )
})

/** As builds of before wrote them: parts that are not compressed, and no word of judgement. */
const plainFormat = (snapshot: TwinSnapshot): Uint8Array => {
  const { judging: _judging, states, ...rest } = snapshot
  const { alerts: _alerts, ...tenant } = states.tenant
  const routers = states.routers.map(({ judgement: _judgement, ...router }) => router)
  const { inventory, timers, recent, ...others } = rest
  const { nodes, links: tenantLinks, ...tenantRest } = tenant
  const lists: ReadonlyArray<readonly unknown[]> = [
    inventory.sites,
    inventory.devices,
    inventory.links,
    routers,
    states.links,
    nodes.chunks,
    tenantLinks.chunks,
    timers,
    recent,
  ]
  const shell = {
    ...others,
    inventory: { sites: [], devices: [], links: [] },
    timers: [],
    recent: [],
    states: {
      routers: [],
      links: [],
      tenant: { ...tenantRest, nodes: { ...nodes, chunks: [] }, links: { ...tenantLinks, chunks: [] } },
    },
  }
  const parts = [packStored([shell, lists.map((list) => list.length)])]
  for (const list of lists) if (list.length > 0) parts.push(packStored(list))
  const framed = parts.flatMap((part) => {
    const length = Buffer.alloc(4)
    length.writeUInt32LE(part.length)
    return [length, part]
  })
  return Buffer.concat([Uint8Array.of(1), ...framed])
}

test("[N4] a snapshot of before there were rules, not compressed, is read as the twin that it was", async () => {
  const { world, cells } = twinOf(5)
  const snapshot = snapshotTwin(world, cells)
  const { world: again, states } = restoreTwin(await decodeSnapshot(plainFormat(snapshot)))
  assert.equal(hashTwin(again, plainCells(states)), hashTwin(world, cells))
})
