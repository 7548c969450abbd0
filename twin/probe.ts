/**
 * What probes of a router's address tell its twin: the verdict of its pings (`device.up`) is one more evidence of
 * reachability, the other rows are values. A probe knows nothing of interfaces or neighbours, so it touches none.
 */
import { entityKind } from "#protocol/id.ts"
import { metricId } from "#protocol/metric.ts"
import type { PollInput } from "#twin/input.ts"
import { pollDevice } from "#twin/poll.ts"
import { attempted, isOutOfOrder } from "#twin/reach.ts"
import type { RouterState, Turn } from "#twin/router.ts"

const UP = metricId("device.up")

export const probed = (before: RouterState, poll: PollInput): Turn => {
  const up = verdictOf(poll)
  // Only pings speak about reachability, so only they can come too late for it; values are ordered one by one.
  if (up !== null && isOutOfOrder(before, poll.source, poll.atMs))
    return { state: { ...before, outOfOrder: before.outOfOrder + 1 }, events: [] }
  const kinds = poll.entities.map(entityKind)
  const { table, refused } = pollDevice(before.device, poll, kinds)
  const foreign = poll.entity.reduce((rows, index) => rows + (isForeign(kinds[index]) ? 1 : 0), 0)
  const state = { ...before, device: table, refused: before.refused + refused + foreign }
  if (up === null) return { state, events: [] }
  const attempt = up ? { up, uptimeSeconds: null, unseenMs: 0 } : { up, error: "no answer to ping" }
  return attempted(state, poll.source, poll.atMs, attempt)
}

/** An entity of a kind that no probe can see; one of no known kind is refused by pollDevice. */
const isForeign = (kind: ReturnType<typeof entityKind> | undefined): boolean =>
  kind !== undefined && kind !== null && kind !== "device"

/** The device's `device.up`, or null when this poll has none. */
const verdictOf = (poll: PollInput): boolean | null => {
  const row = poll.metric.indexOf(UP)
  if (row < 0 || entityKind(poll.entities[poll.entity[row] as number] ?? ("?" as never)) !== "device") return null
  return poll.value[row] === 1 ? true : poll.value[row] === 0 ? false : null
}
