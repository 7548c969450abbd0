/**
 * Queues of a router (/queue/simple, /queue/tree) as counts and totals. A queue's name, target and comment are a customer's
 * (PRODUCT.md S11), so they are not even asked for: a row is its `.id` and its drops. Drops are counted queue by queue
 * between two readings, because the sum over all queues falls whenever a subscriber's dynamic queue goes.
 */
import type { MetricName } from "#protocol/metric.ts"
import type { Row } from "#engine/collectors/routeros/reply.ts"
import { parseCount, parseFlag } from "#engine/collectors/routeros/values.ts"
import type { Sentence } from "#engine/collectors/routeros/words.ts"

/** Queues of one menu whose drops are followed; of a router with more only the count is told. */
export const QUEUES_MAX = 16_384

export interface QueueMenu {
  readonly words: Sentence
  readonly count: MetricName
}

const PROPERTIES = "=.proplist=.id,dropped,disabled,invalid"
export const QUEUE_MENUS: readonly QueueMenu[] = [
  { words: ["/queue/simple/print", "=stats=", PROPERTIES], count: "queue.simple.count" },
  { words: ["/queue/tree/print", "=stats=", PROPERTIES], count: "queue.tree.count" },
]

/** Drops of each queue at the reading before, by menu and `.id`. */
export interface QueueMemory {
  readonly menus: Map<MetricName, { readonly atMs: number; readonly dropped: ReadonlyMap<string, number> }>
}
export const makeQueueMemory = (): QueueMemory => ({ menus: new Map() })

export interface QueueReading {
  /** Queues in use: neither disabled nor invalid. */
  readonly count: number
  /** Packets per second dropped since the reading before; null = nothing to compare with. */
  readonly droppedPps: number | null
}

/** Takes one reading of one menu. `atMs` is monotonic. */
export const takeQueues = (
  memory: QueueMemory,
  { count: menu }: QueueMenu,
  rows: readonly Row[],
  atMs: number,
): QueueReading => {
  const used = rows.filter((row) => parseFlag(row.get("disabled")) !== true && parseFlag(row.get("invalid")) !== true)
  const before = memory.menus.get(menu)
  if (rows.length > QUEUES_MAX) {
    memory.menus.delete(menu)
    return { count: used.length, droppedPps: null }
  }
  const dropped = new Map<string, number>()
  for (const row of rows) {
    const id = row.get(".id")
    const drops = dropsOf(row.get("dropped"))
    if (id !== undefined && drops !== null) dropped.set(id, drops)
  }
  memory.menus.set(menu, { atMs, dropped })
  const seconds = before === undefined ? 0 : (atMs - before.atMs) / 1000
  if (before === undefined || seconds <= 0 || (dropped.size === 0 && used.length > 0)) {
    return { count: used.length, droppedPps: null }
  }
  let packets = 0
  for (const [id, now] of dropped) {
    const last = before.dropped.get(id)
    // Less than before: another queue under the same id, or its counters were reset.
    if (last !== undefined && now > last) packets += now - last
  }
  return { count: used.length, droppedPps: packets / seconds }
}

/** `upload/download` of a simple queue, one number of a tree's. */
const dropsOf = (text: string | undefined): number | null => {
  const parts = (text ?? "").split("/", 3).map(parseCount)
  if (parts.length > 2 || parts.some((part) => part === null)) return null
  return parts.reduce<number>((sum, part) => sum + (part ?? 0), 0)
}
