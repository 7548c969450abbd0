/**
 * Inputs that wait for a full inbox, in a lane for each tenant: whose inbox is full waits alone, and no other tenant's
 * messages stand behind its (law 3). Inside a lane the order stays. Bounded per lane; what finds no place is the caller's
 * to count.
 */
import type { Sink } from "#engine/collectors/collector.ts"
import type { DeviceId } from "#protocol/id.ts"
import type { DeviceInput } from "#twin/input.ts"

export interface Lanes<I extends DeviceInput> {
  /** `taken` by the sink, `waiting` for it, or `lost` because the lane is full. */
  readonly submit: (input: I, durable?: () => void) => "taken" | "waiting" | "lost"
  /** Offers what waits again; `taken` is told of each. True when a lane got shorter. */
  readonly retry: (taken: (input: I) => void) => boolean
  /** How many wait in this device's lane. */
  readonly behind: (device: DeviceId) => number
  readonly waiting: () => readonly I[]
}

/** Whose a device is; two devices of one tenant share a lane. */
export type LaneOf = (device: DeviceId) => string

interface Waiting<I> {
  readonly input: I
  readonly durable: (() => void) | undefined
}

export const makeLanes = <I extends DeviceInput>(sink: Sink, max: number, laneOf: LaneOf = () => ""): Lanes<I> => {
  const lanes = new Map<string, Array<Waiting<I>>>()
  const retryLane = (lane: string, queue: ReadonlyArray<Waiting<I>>, taken: (input: I) => void): boolean => {
    let done = 0
    for (const { input, durable } of queue) {
      if (!sink.submit(input, durable)) break
      taken(input)
      done++
    }
    if (done === queue.length) lanes.delete(lane)
    else if (done > 0) lanes.set(lane, queue.slice(done))
    return done > 0
  }
  return {
    submit: (input, durable) => {
      const lane = laneOf(input.device)
      const queue = lanes.get(lane)
      if (queue === undefined) {
        if (sink.submit(input, durable)) return "taken"
        lanes.set(lane, [{ input, durable }])
        return "waiting"
      }
      if (queue.length >= max) return "lost"
      queue.push({ input, durable })
      return "waiting"
    },
    retry: (taken) => {
      let shorter = false
      for (const [lane, queue] of lanes) if (retryLane(lane, queue, taken)) shorter = true
      return shorter
    },
    behind: (device) => lanes.get(laneOf(device))?.length ?? 0,
    waiting: () => [...lanes.values()].flat().map(({ input }) => input),
  }
}
