/** A history that was lived by a twin of its own, with the snapshots and marks that the engine would have left of it. */
import type { ReplaySource } from "#engine/replay/source.ts"
import type { StateMark } from "#engine/storage/snapshots.ts"
import type { StoredSnapshot } from "#engine/tenant/ports.ts"
import { poll, ring, START_MS, trap } from "#engine/tenant/network.fixture.ts"
import { encodeSnapshot } from "#engine/tenant/snapshot-codec.ts"
import { hashSnapshot } from "#engine/tenant/state-hash.ts"
import { twinBuild } from "#engine/tenant/twin-build.ts"
import type { EventView } from "#protocol/view.ts"
import { plainCells } from "#twin/cells.ts"
import type { Input, Sequenced } from "#twin/input.ts"
import { newWorld, runRound } from "#twin/round.ts"
import { snapshotTwin } from "#twin/snapshot.ts"

export const RING = ring(4)
export const FIRST: Input = { kind: "topology", atMs: START_MS, rev: 1, inventory: RING }

export interface Past extends ReplaySource {
  readonly inputs: readonly Sequenced[]
  readonly marked: StateMark[]
  readonly snapshots: StoredSnapshot[]
  /** The live twin's hash after each input. */
  readonly hashes: readonly string[]
  /** What happened, in order. */
  readonly events: readonly EventView[]
}

/** Lives a history, leaving a snapshot and a mark after every `every` inputs. */
export const live = async (inputs: readonly Input[], every: number, batch = 7): Promise<Past> => {
  const sequenced = inputs.map((input, i): Sequenced => ({ seq: i + 1, input }))
  const [world, cells] = [newWorld(), plainCells()]
  const [snapshots, marked, hashes]: [StoredSnapshot[], StateMark[], string[]] = [[], [], []]
  const events: EventView[] = []
  for (const one of sequenced) {
    events.push(...runRound(world, cells, [one]).events)
    const snapshot = snapshotTwin(world, cells)
    const { all } = await hashSnapshot(snapshot)
    hashes.push(all)
    if (one.seq % every !== 0) continue
    snapshots.push({ seq: one.seq, atMs: world.atMs, blob: await encodeSnapshot(snapshot) })
    marked.push({ seq: one.seq, atMs: world.atMs, stateHash: all, build: twinBuild() })
  }
  return {
    inputs: sequenced,
    marked,
    snapshots,
    hashes,
    events,
    checkpoint: async (atMs) => snapshots.findLast((one) => one.atMs <= atMs) ?? snapshots[0] ?? null,
    snapshotAt: async (seq) => snapshots.find((one) => one.seq === seq) ?? null,
    marks: async (afterSeq, toMs, limit) => marked.filter((m) => m.seq > afterSeq && m.atMs <= toMs).slice(0, limit),
    readFrom: async function* (seq) {
      const rest = sequenced.filter((one) => one.seq >= seq)
      for (let from = 0; from < rest.length; from += batch) yield rest.slice(from, from + batch)
    },
  }
}

/** Inputs of a ring, a second apart: polls, now and then a trap. */
export const story = (count: number): readonly Input[] => [
  FIRST,
  ...Array.from({ length: count }, (_, i): Input => {
    const device = RING.devices[i % RING.devices.length]!.id
    const atMs = START_MS + (i + 1) * 1_000
    return i % 11 === 10 ? trap(device, atMs, i % 2 === 0) : poll(device, atMs, { cpu: i % 100, rightUp: i % 13 !== 0 })
  }),
]
