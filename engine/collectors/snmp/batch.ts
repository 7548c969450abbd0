/**
 * Collects one poll column by column into the PollInput that the twin takes (twin/input.ts). Values that are not finite
 * are not measurements and are left out; texts travel only when they changed, because they are state, not series.
 */
import type { DeviceId, EntityKey, EntityKind } from "#protocol/id.ts"
import { DEVICE_ENTITY } from "#protocol/id.ts"
import type { MetricName, TextFact } from "#protocol/metric.ts"
import { metricId } from "#protocol/metric.ts"
import type { PollInput } from "#twin/input.ts"

/** Entity indexes are 16 bits. */
const MAX_ENTITIES = 65_535

/** Texts already sent, by entity and fact. Clearing it sends everything again. */
export type SentTexts = Map<string, string>

export interface Batch {
  readonly put: (entity: EntityKey, metric: MetricName, value: number | null) => void
  readonly say: (entity: EntityKey, fact: TextFact, text: string | null) => void
  /** This poll listed every entity of the kind. */
  readonly listed: (kind: EntityKind) => void
  /** Makes an entity known that may have no value. */
  readonly seen: (entity: EntityKey) => void
  readonly finish: (device: DeviceId, startedMs: number, atMs: number) => PollInput
}

export const makeBatch = (sent: SentTexts): Batch => {
  const entities: EntityKey[] = []
  const indexes = new Map<EntityKey, number>()
  const entity: number[] = []
  const metric: number[] = []
  const value: number[] = []
  const texts: Array<PollInput["texts"][number]> = []
  const complete: EntityKind[] = []

  const indexOf = (key: EntityKey): number | null => {
    const known = indexes.get(key)
    if (known !== undefined) return known
    if (entities.length >= MAX_ENTITIES) return null
    indexes.set(key, entities.length)
    return entities.push(key) - 1
  }

  return {
    seen: (key) => void indexOf(key),
    put: (key, name, measured) => {
      if (measured === null || !Number.isFinite(measured)) return
      const index = indexOf(key)
      if (index === null) return
      entity.push(index)
      metric.push(metricId(name))
      value.push(measured)
    },
    say: (key, fact, text) => {
      if (text === null || (text === "" && key === DEVICE_ENTITY)) return
      const name = `${fact}\0${key}`
      if (sent.get(name) === text || indexOf(key) === null) return
      sent.set(name, text)
      texts.push({ entity: key, fact, text })
    },
    listed: (kind) => {
      complete.push(kind)
    },
    finish: (device, startedMs, atMs) => ({
      kind: "poll",
      device,
      source: "snmp",
      startedMs,
      atMs,
      entities,
      entity: Uint16Array.from(entity),
      metric: Uint16Array.from(metric),
      value: Float64Array.from(value),
      texts,
      complete,
    }),
  }
}
