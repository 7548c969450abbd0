/**
 * The proof that a replay is the past: at every mark that the live twin left (its hash at an input), the replayed twin must
 * have the same hash. The first mark that differs ends the proof; where the live snapshot of that input is still kept, the
 * actor is named too. Another build of the twin may rightly have decided otherwise: its marks count when they are equal, and
 * prove nothing when they are not, nor does what follows from them.
 */
import * as Data from "effect/Data"
import type { Replay } from "#engine/replay/replay.ts"
import type { ReplaySource } from "#engine/replay/source.ts"
import { decodeSnapshot } from "#engine/tenant/snapshot-codec.ts"
import { firstDifference, hashSnapshot, type TwinHash } from "#engine/tenant/state-hash.ts"
import { twinBuild } from "#engine/tenant/twin-build.ts"
import { plainCells } from "#twin/cells.ts"
import { restoreTwin, snapshotTwin } from "#twin/snapshot.ts"

/** Live and replay part between the two inputs. A defect: keep the journal and report it. */
export class ReplayDiverged extends Data.TaggedError("ReplayDiverged")<{
  /** Newest input at which both were equal; 0 = where the replay began. */
  readonly equalSeq: number
  readonly differentSeq: number
  /** The first actor that differs; null = not known, because the live state of that input is no longer kept. */
  readonly actor: string | null
}> {
  override get message(): string {
    const where = this.actor === null ? "the state of that input is no longer kept" : `first in ${this.actor}`
    return `the replay differs from the live twin: equal at input ${this.equalSeq}, different at ${this.differentSeq}; ${where}`
  }
}

export interface Verified {
  readonly inputs: number
  /** Marks compared, all equal. */
  readonly instants: number
  /** Marks that differ and prove nothing: another build left them, or one before them on the way. */
  readonly incomparable: number
  /** From when on all marks are of this build, so that a replay from there proves them; null = none is, or nothing differs. */
  readonly comparableMs: number | null
  /** At the last input folded. */
  readonly stateHash: string
}

/** Marks read at a time. */
const PAGE = 500

/** Folds to `toMs` and proves every mark on the way. Rejects with ReplayDiverged or ReplayImpossible. */
export const verifyTo = async (
  source: ReplaySource,
  replay: Replay,
  toMs: number,
  build: string = twinBuild(),
): Promise<Verified> => {
  let inputs = 0
  let instants = 0
  let incomparable = 0
  let comparableMs: number | null = null
  let equalSeq = 0
  let isForeign = await beganForeign(source, replay, build)
  for (;;) {
    const marks = await source.marks(Math.max(replay.world.seq, equalSeq), toMs, PAGE)
    for (const mark of marks) {
      inputs += await replay.runTo({ seq: mark.seq })
      // A mark beyond the journal's end: the journal was cut after it.
      if (replay.world.seq !== mark.seq) break
      const ours = await replay.hash()
      if (mark.build !== build) {
        isForeign = true
        comparableMs = null
      } else comparableMs ??= mark.atMs
      if (ours.all === mark.stateHash) {
        // From the same state on, this build alone decides.
        if (mark.build === build) isForeign = false
        equalSeq = mark.seq
        instants++
      } else if (isForeign) incomparable++
      else {
        const actor = await differingActor(source, replay, ours, mark.seq)
        throw new ReplayDiverged({ equalSeq, differentSeq: mark.seq, actor })
      }
    }
    if (marks.length < PAGE) break
  }
  inputs += await replay.runTo({ atMs: toMs })
  const stateHash = (await replay.hash()).all
  return { inputs, instants, incomparable, comparableMs: incomparable === 0 ? null : comparableMs, stateHash }
}

/** Whether another build left the snapshot that the replay began from: the live twin may have begun from another one. */
const beganForeign = async (source: ReplaySource, { startSeq }: Replay, build: string): Promise<boolean> => {
  if (startSeq === 0) return false
  const [mark] = await source.marks(startSeq - 1, Number.MAX_SAFE_INTEGER, 1)
  return mark?.seq === startSeq && mark.build !== build
}

const differingActor = async (
  source: ReplaySource,
  replay: Replay,
  ours: TwinHash,
  seq: number,
): Promise<string | null> => {
  const stored = await source.snapshotAt(seq)
  if (stored === null) return null
  const { world, states } = restoreTwin(await decodeSnapshot(stored.blob))
  const live = await hashSnapshot(snapshotTwin(world, plainCells(states)))
  return firstDifference(live, ours, replay.snapshot())
}
