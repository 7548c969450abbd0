/**
 * The twin's newest events by device, as far as they are evidence: ports that came and went, neighbours that were left,
 * silences, changes of configuration. Every input asks for those of a few devices, so they are not looked for among all 512:
 * the index goes on with the list, event by event. Derived; a twin that was restored makes it anew.
 */
import type { EventView } from "#protocol/view.ts"
import type { World } from "#twin/round.ts"

interface Index {
  /** World.recent, of which this is the index. */
  recent: readonly EventView[]
  /** By subject, oldest first. A list is replaced, never written to: the same list = no news. */
  readonly bySubject: Map<string, readonly EventView[]>
}

export type Remembered = (device: string) => readonly EventView[]

const NONE: readonly EventView[] = []
const known = new WeakMap<World, Index>()

export const rememberedBy = (world: World): Remembered => {
  const index = known.get(world)
  if (index === undefined || (index.recent !== world.recent && !followed(index, world.recent))) {
    const made = indexOf(world.recent)
    known.set(world, made)
    return (device) => made.bySubject.get(device) ?? NONE
  }
  return (device) => index.bySubject.get(device) ?? NONE
}

/** A neighbour or session went down. One that rises from 2-Way to Full has left nothing. */
export const hasLeft = ({ old, new: now }: Pick<EventView, "old" | "new">): boolean =>
  old === "full" || old === "established" || (old === "2way" && !RISING.has(now ?? ""))

const RISING: ReadonlySet<string> = new Set(["exstart", "exchange", "loading", "full"])

/** Somebody who reads the board's evidence looks at it (reading.ts). */
const isEvidence = (event: EventView): boolean =>
  hasLeft(event) ||
  event.type === "config.changed.detected" ||
  (event.new === "down" && (event.type === "interface.oper.changed" || event.type === "device.reachable.changed"))

const indexOf = (recent: readonly EventView[]): Index => {
  const bySubject = new Map<string, EventView[]>()
  for (const event of recent) {
    if (!isEvidence(event)) continue
    const own = bySubject.get(event.subject)
    if (own === undefined) bySubject.set(event.subject, [event])
    else own.push(event)
  }
  return { recent, bySubject: new Map<string, readonly EventView[]>(bySubject) }
}

/** Goes on from the list of before; false = the new one does not follow from it. */
const followed = (index: Index, recent: readonly EventView[]): boolean => {
  const { recent: before, bySubject } = index
  const newest = before.at(-1)
  const at = newest === undefined ? -1 : recent.lastIndexOf(newest)
  const dropped = before.length - 1 - at
  if (at < 0 || dropped < 0 || recent[0] !== before[dropped]) return false
  for (const event of before.slice(0, dropped)) if (isEvidence(event)) drop(bySubject, event)
  for (const event of recent.slice(at + 1)) if (isEvidence(event)) add(bySubject, event)
  index.recent = recent
  return true
}

const add = (bySubject: Index["bySubject"], event: EventView): void => {
  bySubject.set(event.subject, [...(bySubject.get(event.subject) ?? NONE), event])
}

/** The oldest of all is the oldest of its device. */
const drop = (bySubject: Index["bySubject"], { subject }: EventView): void => {
  const rest = (bySubject.get(subject) ?? NONE).slice(1)
  if (rest.length === 0) bySubject.delete(subject)
  else bySubject.set(subject, rest)
}
