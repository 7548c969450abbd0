/**
 * How near to each other a tenant's checkpoints lie, from which replays start: in the last hour as near as keeps them within
 * 240 MB, so that a small twin's are few seconds apart and those of a large one do not fill the disk. Who takes snapshots and
 * who keeps them go by it.
 */

/** Of twins so large that an hour of more would be too much: a replay folds half of it on average before its first frame. */
export const FINE_CHECKPOINT_MS = 600_000
const NEAREST_CHECKPOINT_MS = 15_000
/** Of snapshots no larger than this; of up to twice as large ones they lie twice as far apart, and so on. */
const SMALL_SNAPSHOT_BYTES = 1 << 20
const SMALL_CHECKPOINT_MS_MAX = 60_000

/** Between two checkpoints of so many bytes. `smallBytes`: tests have smaller ones. */
export const checkpointEveryMs = (bytes: number, smallBytes: number = SMALL_SNAPSHOT_BYTES): number => {
  for (let everyMs = NEAREST_CHECKPOINT_MS, most = smallBytes; everyMs <= SMALL_CHECKPOINT_MS_MAX; everyMs *= 2) {
    if (bytes <= most) return everyMs
    most *= 2
  }
  return FINE_CHECKPOINT_MS
}
