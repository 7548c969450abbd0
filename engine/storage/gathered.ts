/** Samples of a few series, gathered from stored chunks and from windows in memory, kept apart by the collector's source. */
import { chunkSeries, openChunk, windowSeries, type Series } from "#engine/storage/chunk.ts"
import type { SeriesKey, Stored } from "#engine/storage/derive.ts"
import type { StoredChunk } from "#engine/storage/history-table.ts"
import type { PackedWindow } from "#engine/storage/packed-window.ts"
import type { EntityKey } from "#protocol/id.ts"
import type { Source } from "#protocol/view.ts"

export class Gathered {
  readonly #keys: readonly SeriesKey[]
  readonly #parts = new Map<Source, Map<string, Series[]>>()
  /** A window may be found in memory and, stored a moment later, in the table: its first seq names it. */
  readonly #seen = new Set<string>()

  constructor(keys: readonly SeriesKey[]) {
    this.#keys = keys
  }

  /** Keeps copies of the wanted series only. Throws a RangeError for damaged bytes. */
  addChunk({ source, seq0, data }: StoredChunk): void {
    if (!this.#isNew(source, seq0)) return
    const chunk = openChunk(data)
    this.#add(source, (entity, metric) => chunkSeries(chunk, entity, metric))
  }

  addWindow(source: Source, packed: PackedWindow): void {
    const seq0 = packed.seq[0]
    if (seq0 === undefined || !this.#isNew(source, seq0)) return
    const window = packed.unpack((entity, metric) => this.#keys.some(([of, id]) => of === entity && id === metric))
    this.#add(source, (entity, metric) => windowSeries(window, entity, metric))
  }

  /** Each source with a look-up of its series, which ascend in time. */
  sources(): ReadonlyArray<readonly [source: Source, stored: Stored]> {
    return [...this.#parts].map(([source, series]) => {
      const whole = new Map([...series].map(([key, parts]) => [key, joined(parts)]))
      return [source, (entity, metric) => whole.get(keyOf(entity, metric)) ?? null]
    })
  }

  #isNew(source: Source, seq0: number): boolean {
    const name = `${source} ${seq0}`
    if (this.#seen.has(name)) return false
    this.#seen.add(name)
    return true
  }

  #add(source: Source, stored: Stored): void {
    let series = this.#parts.get(source)
    if (series === undefined) this.#parts.set(source, (series = new Map()))
    for (const [entity, metric] of this.#keys) {
      const part = stored(entity, metric)
      if (part === null) continue
      const parts = series.get(keyOf(entity, metric))
      if (parts === undefined) series.set(keyOf(entity, metric), [part])
      else parts.push(part)
    }
  }
}

const keyOf = (entity: EntityKey, metric: number): string => `${metric} ${entity}`

export const joined = (parts: readonly Series[]): Series => {
  const length = parts.reduce((sum, part) => sum + part.atMs.length, 0)
  const atMs = new Float64Array(length)
  const value = new Float64Array(length)
  let end = 0
  for (const part of parts) {
    atMs.set(part.atMs, end)
    value.set(part.value, end)
    end += part.atMs.length
  }
  return inOrder({ atMs, value })
}

/** Usually they are; when a clock was set back they are sorted, and of equal times the later in the journal counts. */
const inOrder = (series: Series): Series => {
  const { atMs, value } = series
  let ascending = true
  for (let i = 1; i < atMs.length && ascending; i++) ascending = atMs[i]! > atMs[i - 1]!
  if (ascending) return series
  const order = Array.from(atMs.keys()).toSorted((a, b) => atMs[a]! - atMs[b]! || a - b)
  const kept = order.filter((index, i) => i + 1 === order.length || atMs[order[i + 1]!] !== atMs[index])
  return {
    atMs: Float64Array.from(kept, (index) => atMs[index]!),
    value: Float64Array.from(kept, (index) => value[index]!),
  }
}
