/**
 * Faults that hold in a branch, as its devices would tell of them: who is without power or cut off answers nobody, a port at
 * a broken link is down and counts no more, and what the journal has from there is heard so. Whom a fault cuts off is what
 * the what-if engine says. Told are the direct signs only: neighbours of routing protocols and shifted traffic stay as they
 * were, because how they move is a forecast (ask the branch's what-if), and a sign is not.
 */
import type { FaultBody } from "#engine/api/groups/what-if.ts"
import { answer } from "#engine/whatif/answer.ts"
import { Impossible } from "#engine/whatif/question.ts"
import { Seen } from "#engine/whatif/seen.ts"
import { DEVICE_ENTITY, entityName, interfaceKey, type DeviceId, type EntityKey } from "#protocol/id.ts"
import { metricById, metricId } from "#protocol/metric.ts"
import type { DeviceInput, Input, PollInput, ProbedInput, UnreachableInput } from "#twin/input.ts"
import type { Replay } from "#engine/replay/replay.ts"

/** Devices and links that the faults of one branch may take down; the what-if engine lists as many. */
export const TAKEN_MAX = 1_000

const DETAIL = "a fault of the branch"

export class BranchFaults {
  readonly #origin: Replay
  #seen: Seen | null = null
  #held: readonly FaultBody[] = []
  #silent: ReadonlySet<DeviceId> = new Set()
  #dark: ReadonlyMap<DeviceId, ReadonlySet<EntityKey>> = new Map()
  /** Counters of dark ports stand where they were first read dark. */
  readonly #frozen = new Map<string, number>()

  /** `origin` stands where the branch began, and stays there. */
  constructor(origin: Replay) {
    this.#origin = origin
  }

  get held(): readonly FaultBody[] {
    return this.#held
  }

  /** These hold from `atMs` on and no others; what is said of the change at once. Throws Impossible. */
  hold(faults: readonly FaultBody[], atMs: number): readonly Input[] {
    const { silent, dark } = this.#effectOf(faults)
    const inputs: DeviceInput[] = []
    const { devices } = this.#origin.world.topology.inventory
    for (const { id, sources } of devices) {
      if (silent.has(id) && !this.#silent.has(id))
        for (const source of sources) inputs.push(source === "probe" ? pingLost(id, atMs) : noAnswer(id, source, atMs))
      if (silent.has(id)) continue
      const [before, now] = [this.#dark.get(id) ?? NONE, dark.get(id) ?? NONE]
      for (const key of now) if (!before.has(key)) inputs.push(portTold(id, key, false, atMs))
      for (const key of before) if (!now.has(key)) inputs.push(portTold(id, key, true, atMs))
    }
    for (const [device, keys] of this.#dark)
      for (const key of keys) if (dark.get(device)?.has(key) !== true) this.#thaw(device, key)
    this.#held = faults
    this.#silent = silent
    this.#dark = dark
    return inputs
  }

  /** What the branch hears for an input of the journal. */
  instead(input: Input): readonly Input[] {
    switch (input.kind) {
      case "poll":
        if (!this.#silent.has(input.device)) return [this.#withDarkPorts(input)]
        return [
          input.source === "probe"
            ? pingLost(input.device, input.atMs)
            : noAnswer(input.device, input.source, input.atMs),
        ]
      case "trap":
      case "syslog":
        return [this.#silent.has(input.device) || this.#contradicts(input) ? { kind: "tick", atMs: input.atMs } : input]
      case "probed":
        return [this.#silent.has(input.device) ? unanswered(input) : input]
      default:
        return [input]
    }
  }

  #effectOf(faults: readonly FaultBody[]) {
    if (faults.some(({ kind }) => kind === "drain"))
      throw new Impossible("a drain leaves no sign at a device: ask the branch's what-if about it")
    const silent = new Set<DeviceId>()
    const dark = new Map<DeviceId, Set<EntityKey>>()
    if (faults.length === 0) return { silent, dark }
    this.#seen ??= new Seen(this.#origin.world, this.#origin.cells)
    const { failed, unreachable, totals } = answer(this.#seen, { kind: "ask", faults, routesOf: null })
    if (failed.unknown.length > 0)
      throw new Impossible(`a fault is of nothing in this network: ${JSON.stringify(failed.unknown[0])}`)
    if (totals.unreachable > TAKEN_MAX || failed.devices.length >= TAKEN_MAX || failed.links.length >= TAKEN_MAX)
      throw new Impossible(`the faults of a branch take ${TAKEN_MAX} devices or links at most`)
    for (const { id } of [...failed.devices, ...unreachable]) silent.add(id as DeviceId)
    // Who is without power takes its links along; who is only cut off does not.
    const [dead, broken] = [new Set(failed.devices.map(({ id }) => id)), new Set(failed.links.map(({ id }) => id))]
    for (const { id, a, b } of this.#seen.inventory.links) {
      if (!broken.has(id) && !dead.has(a.device) && !dead.has(b.device)) continue
      for (const end of [a, b]) {
        const keys = dark.get(end.device) ?? new Set()
        dark.set(end.device, keys.add(interfaceKey(end.interface)))
      }
    }
    return { silent, dark }
  }

  #withDarkPorts(poll: PollInput): PollInput {
    const dark = this.#dark.get(poll.device)
    if (dark === undefined) return poll
    const value = poll.value.map((now, row) => {
      const key = poll.entities[poll.entity[row]!]!
      const metric = poll.metric[row]!
      if (!dark.has(key)) return now
      if (metric === OPER_UP) return 0
      if (metricById(metric)?.kind !== "counter") return now
      const name = `${poll.device} ${key} ${metric} ${poll.source}`
      const stood = this.#frozen.get(name)
      if (stood !== undefined) return stood
      this.#frozen.set(name, now)
      return now
    })
    return { ...poll, value }
  }

  /** Somebody else's word that a dark port is up. */
  #contradicts(input: DeviceInput): boolean {
    const dark = this.#dark.get(input.device)
    if (dark === undefined) return false
    if (input.kind === "trap")
      return input.trap === "linkUp" && input.ifName !== null && dark.has(interfaceKey(input.ifName))
    return (
      input.kind === "syslog" &&
      input.event?.type === "interface" &&
      input.event.up &&
      dark.has(interfaceKey(input.event.ifName))
    )
  }

  #thaw(device: DeviceId, key: EntityKey): void {
    for (const name of this.#frozen.keys()) if (name.startsWith(`${device} ${key} `)) this.#frozen.delete(name)
  }
}

const NONE: ReadonlySet<EntityKey> = new Set()
const OPER_UP = metricId("interface.oper_up")

const noAnswer = (device: DeviceId, source: UnreachableInput["source"], atMs: number): UnreachableInput => ({
  kind: "unreachable",
  device,
  source,
  atMs,
  reason: "timeout",
  detail: DETAIL,
})

/** As pings report it (engine/probes/ping-report.ts). */
const pingLost = (device: DeviceId, atMs: number): PollInput => ({
  kind: "poll",
  device,
  source: "probe",
  startedMs: atMs,
  atMs,
  entities: [DEVICE_ENTITY],
  entity: Uint16Array.of(0, 0),
  metric: Uint16Array.of(metricId("device.up"), metricId("probe.ping.loss_pct")),
  value: Float64Array.of(0, 100),
  texts: [],
  complete: [],
})

const portTold = (device: DeviceId, key: EntityKey, up: boolean, atMs: number): DeviceInput => {
  const ifName = entityName(key)
  const raw = `${ifName} ${up ? "up" : "down"}: ${DETAIL}`
  const trap = up ? "linkUp" : "linkDown"
  return {
    kind: "trap",
    device,
    atMs,
    trap,
    oid: "",
    ifIndex: null,
    ifName,
    adminUp: true,
    remote: null,
    state: null,
    raw,
  }
}

const unanswered = (input: ProbedInput): ProbedInput => ({ ...input, outcome: "silent", rttMs: null })
