/**
 * The samples that one step of a router gave, in the columns that judgement takes: whatever carries a newer time than before
 * and is read by some rule. Values, interfaces and neighbours are compared with the state before the step, so that polls,
 * probes, traps and syslog lines all count alike, each at its own time; nothing else is looked at, so that a series without
 * a rule costs nothing.
 */
import type { EntityKey, EntityKind } from "#protocol/id.ts"
import { DEVICE_ENTITY, entityKind } from "#protocol/id.ts"
import { METRICS, metricId } from "#protocol/metric.ts"
import type { Adjacency } from "#twin/adjacency.ts"
import { isAdjacencyUp } from "#twin/adjacency.ts"
import type { SampleInput } from "#twin/alert/evaluate.ts"
import type { DevicePlan } from "#twin/alert/plan.ts"
import type { DeviceInput, PollInput } from "#twin/input.ts"
import { ADMIN, COUNTER_METRICS, INTERFACE_LAYOUT, OPER } from "#twin/interface.ts"
import type { RouterState } from "#twin/router.ts"
import { DEVICE_LAYOUT } from "#twin/values.ts"
import type { Layout, ValueTable } from "#twin/values.ts"

/** The samples of a step, or null when there is none. The arrays are reused: judge them before the next call. */
export const samplesOf = (
  plan: DevicePlan,
  before: RouterState,
  after: RouterState,
  input: DeviceInput,
  atMs: number,
): SampleInput | null => {
  const wanted = wantedBy(plan)
  rows.clear()
  // States of a poll are older than its counters: in this order all times ascend, and nobody has to sort them.
  if (after.interfaces !== before.interfaces) interfaceRows(wanted.flags, before, after)
  if (after.adjacencies !== before.adjacencies) adjacencyRows(wanted, before, after)
  if (after.device !== before.device) tableRows(wanted.device, before.device, after.device)
  if (wanted.contact) contactRow(before, after)
  if (after.interfaces !== before.interfaces) interfaceRows(wanted.levels, before, after)
  if (input.kind === "poll" && after.outOfOrder === before.outOfOrder) polledRows(wanted, after, input)
  return rows.input(atMs)
}

// -- which rows somebody wants -------------------------------------------------------------------------------------------

interface Tap {
  readonly column: number
  readonly metric: number
}
interface Wanted {
  readonly device: readonly Tap[]
  readonly flags: readonly Tap[]
  readonly levels: readonly Tap[]
  /** device.up, for devices that nobody pings. */
  readonly contact: boolean
  /** Metrics whose time no table keeps: they are taken from the poll's own rows. By metric id; empty = none. */
  readonly polled: Uint8Array | null
  readonly state: Readonly<Record<"ospf" | "bgp", boolean>>
  readonly up: Readonly<Record<"ospf" | "bgp", boolean>>
}

const METRIC_END = 1 + METRICS.reduce((most, { id }) => Math.max(most, id), 0)
const DEVICE_UP = metricId("device.up")
const STATE = { ospf: metricId("ospf.neighbor.state"), bgp: metricId("bgp.peer.state") } as const
const UP = { ospf: metricId("ospf.neighbor.up"), bgp: metricId("bgp.peer.up") } as const
const ROUTING_KIND = { ospf: "ospf.neighbor", bgp: "bgp.peer" } as const
/** Of neighbours, what is neither state nor derived from it. */
const NEIGHBOUR_VALUES = METRICS.filter(
  ({ id, entity, derived }) =>
    (entity === "ospf.neighbor" || entity === "bgp.peer") && derived !== true && id !== STATE.ospf && id !== STATE.bgp,
)

const wantedPlans = new WeakMap<DevicePlan, Wanted>()

const wantedBy = (plan: DevicePlan): Wanted => {
  const known = wantedPlans.get(plan)
  if (known !== undefined) return known
  const reads = (kind: EntityKind, metric: number): boolean => (plan.kinds[kind].seriesOf[metric] as number) >= 0
  const taps = (kind: EntityKind, layout: Layout): readonly Tap[] =>
    layout.metrics.flatMap(({ id }, column) => (reads(kind, id) ? [{ column, metric: id }] : []))
  const interfaces = taps("interface", INTERFACE_LAYOUT)
  const counters = COUNTER_METRICS.filter((metric) => reads("interface", metric))
  const polled = [...counters, ...NEIGHBOUR_VALUES.filter(({ id, entity }) => reads(entity, id)).map(({ id }) => id)]
  const isFlag = ({ column }: Tap): boolean => column === OPER || column === ADMIN
  const made: Wanted = {
    device: taps("device", DEVICE_LAYOUT),
    flags: interfaces.filter(isFlag),
    levels: interfaces.filter((tap) => !isFlag(tap)),
    contact: reads("device", DEVICE_UP),
    polled:
      polled.length === 0 ? null : Uint8Array.from({ length: METRIC_END }, (_, id) => Number(polled.includes(id))),
    state: { ospf: reads(ROUTING_KIND.ospf, STATE.ospf), bgp: reads(ROUTING_KIND.bgp, STATE.bgp) },
    up: { ospf: reads(ROUTING_KIND.ospf, UP.ospf), bgp: reads(ROUTING_KIND.bgp, UP.bgp) },
  }
  wantedPlans.set(plan, made)
  return made
}

// -- collecting ----------------------------------------------------------------------------------------------------------

/** Rows of one step; entities are numbered as they come. */
class Rows {
  #entities: EntityKey[] = []
  #entity = new Uint16Array(1024)
  #metric = new Uint16Array(1024)
  #value = new Float64Array(1024)
  #times = new Float64Array(1024)
  #count = 0

  clear(): void {
    this.#entities = []
    this.#count = 0
  }

  /** Entities come in runs: only the newest is compared. */
  add(entity: EntityKey, metric: number, value: number, atMs: number): void {
    const at = this.#count
    if (at === this.#entity.length) this.#grow()
    if (this.#entities.length === 0 || this.#entities[this.#entities.length - 1] !== entity) {
      if (this.#entities.length > 0xffff) return
      this.#entities.push(entity)
    }
    this.#entity[at] = this.#entities.length - 1
    this.#metric[at] = metric
    this.#value[at] = value
    this.#times[at] = atMs
    this.#count = at + 1
  }

  #grow(): void {
    const length = 2 * this.#entity.length
    const wider = <T extends Uint16Array | Float64Array>(from: T, to: T): T => {
      to.set(from)
      return to
    }
    this.#entity = wider(this.#entity, new Uint16Array(length))
    this.#metric = wider(this.#metric, new Uint16Array(length))
    this.#value = wider(this.#value, new Float64Array(length))
    this.#times = wider(this.#times, new Float64Array(length))
  }

  input(atMs: number): SampleInput | null {
    const count = this.#count
    if (count === 0) return null
    return {
      kind: "samples",
      atMs,
      entities: this.#entities,
      entity: this.#entity.subarray(0, count),
      metric: this.#metric.subarray(0, count),
      value: this.#value.subarray(0, count),
      times: this.#times.subarray(0, count),
    }
  }
}
/** Scratch: judgement has read it before anything else runs. */
const rows = new Rows()

const tableRows = (taps: readonly Tap[], before: ValueTable, after: ValueTable): void => {
  for (let t = 0; t < taps.length; t++) {
    const { column, metric } = taps[t] as Tap
    const atMs = after.atMs[column] as number
    const value = after.value[column] as number
    if (atMs !== before.atMs[column] && value === value) rows.add(DEVICE_ENTITY, metric, value, atMs)
  }
}

const interfaceRows = (taps: readonly Tap[], before: RouterState, after: RouterState): void => {
  if (taps.length === 0) return
  const { keys, levels } = after.interfaces
  const old = before.interfaces
  const rowBefore = rowsBefore(old.keys, keys)
  for (let row = 0; row < keys.length; row++) {
    const base = row * INTERFACE_LAYOUT.width
    const was = rowBefore === null ? row : (rowBefore[row] as number)
    const baseBefore = was * INTERFACE_LAYOUT.width
    for (let t = 0; t < taps.length; t++) {
      const { column, metric } = taps[t] as Tap
      const atMs = levels.atMs[base + column] as number
      const value = levels.value[base + column] as number
      const known = was >= 0 && old.levels.atMs[baseBefore + column] === atMs
      if (!known && value === value) rows.add(keys[row] as EntityKey, metric, value, atMs)
    }
  }
}

/** Where each key stood before, -1 = nowhere; null = nothing moved. */
const rowsBefore = (before: readonly EntityKey[], after: readonly EntityKey[]): readonly number[] | null => {
  if (before === after) return null
  const index = new Map(before.map((key, row) => [key, row]))
  return after.map((key) => index.get(key) ?? -1)
}

const adjacencyRows = (wanted: Wanted, before: RouterState, after: RouterState): void => {
  const old = before.adjacencies
  let moved: ReadonlyMap<EntityKey, Adjacency> | null = null
  for (let row = 0; row < after.adjacencies.length; row++) {
    const now = after.adjacencies[row] as Adjacency
    const { kind, key, atMs, state } = now
    if ((kind !== "ospf" && kind !== "bgp") || now === old[row]) continue
    let was = old[row]
    if (was?.key !== key) {
      moved ??= new Map(old.map((one) => [one.key, one]))
      was = moved.get(key)
    }
    if (was?.atMs === atMs) continue
    if (wanted.state[kind]) rows.add(key, STATE[kind], state, atMs)
    if (wanted.up[kind]) rows.add(key, UP[kind], isAdjacencyUp(now) ? 1 : 0, atMs)
  }
}

/** Where nobody pings, whether any collector gets an answer is all the contact that there is. */
const contactRow = (before: RouterState, after: RouterState): void => {
  if (after.sources === before.sources || after.reachable === null || after.config.sources.includes("probe")) return
  const tried = after.sources.reduce((newest, { lastTryMs }) => Math.max(newest, lastTryMs ?? 0), 0)
  if (tried > 0) rows.add(DEVICE_ENTITY, DEVICE_UP, after.reachable ? 1 : 0, tried)
}

/** Counters of two collectors differ, so only the first that answers is believed. */
const polledRows = (wanted: Wanted, after: RouterState, poll: PollInput): void => {
  const { polled } = wanted
  if (polled === null) return
  const first = after.interfaces.counters.find(({ source }) =>
    after.sources.some((known) => known.source === source && known.up === true),
  )
  const counters = first?.source === poll.source
  let known: Set<EntityKey> | null = null
  const count = Math.min(poll.entity.length, poll.metric.length, poll.value.length)
  for (let i = 0; i < count; i++) {
    const metric = poll.metric[i] as number
    if (polled[metric] !== 1) continue
    const key = poll.entities[poll.entity[i] as number] as EntityKey
    if (entityKind(key) === "interface" && !counters) continue
    known ??= new Set([...after.interfaces.keys, ...after.adjacencies.map((one) => one.key)])
    if (known.has(key)) rows.add(key, metric, poll.value[i] as number, poll.atMs)
  }
}
