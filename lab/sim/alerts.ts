/**
 * Judgement from scratch, beside the auditor's fold. Whether a processor is busy is told by its newest reading and one
 * comparison, without plans, windows, receipts or timers: so it is known when the alert of that rule has to begin and to end,
 * and each beginning and end must be an event, in its own input, and nothing else may be. Of every rule it follows who was
 * told, what is silenced and who acknowledged what, from the journal alone.
 */
import type { TenantRuntime } from "#engine/tenant/runtime.ts"
import { BUSY_RULE } from "#lab/sim/people.ts"
import { fail } from "#lab/sim/violation.ts"
import type { Silence } from "#protocol/maintenance.ts"
import { metricId } from "#protocol/metric.ts"
import type { EventView } from "#protocol/view.ts"
import { isLit } from "#twin/alert/alert.ts"
import type { Cells } from "#twin/cells.ts"
import type { AckInput, Sequenced } from "#twin/input.ts"
import type { World } from "#twin/round.ts"
import { DEVICE_LAYOUT } from "#twin/values.ts"

const CPU = DEVICE_LAYOUT.columnOf[metricId("device.cpu_pct")] as number

interface Reading {
  readonly atMs: number
  readonly busy: boolean
}
interface Ack {
  readonly by: string
  readonly untilMs: number
}
/** One alert that is lit, as its events say. */
interface Lit {
  told: boolean
  ack: Ack | null
}

export class Alerts {
  /** Rules of the alerts that began, by the event that said so. */
  readonly begun = new Map<string, string>()
  readonly #busyPct: number
  #isJudged = false
  /** Those of now; while they change, those of before too. */
  #silences: ReadonlyArray<readonly Silence[]> = [[]]
  /** Whose acknowledgement is given or taken back by this input: both sides of it may be told. */
  #acking: string | null = null
  /** By device. */
  readonly #readings = new Map<string, Reading>()
  /** By device, rule and entity. */
  readonly #lit = new Map<string, Lit>()

  constructor(busyPct: number) {
    this.#busyPct = busyPct
  }

  isLit(device: string, rule: string, entity: string): boolean {
    return this.#lit.has(keyOf(device, rule, entity))
  }

  /** One input was folded, and these events came of it. */
  note({ seq, input }: Sequenced, events: readonly EventView[], world: World, cells: Cells): void {
    // Timers that were due before it come first, and what they say is of the time before it.
    const flips = this.#isJudged && "device" in input ? this.#read(input.device, world, cells) : null
    if (input.kind === "rules") this.#isJudged = input.rules.some(({ id }) => id === BUSY_RULE)
    const said: string[] = []
    if (input.kind === "silences") this.#silences = [...this.#silences.slice(-1), input.silences]
    this.#acking = input.kind === "ack" ? keyOf(input.device, input.rule, input.entity) : null
    for (const event of events) if (event.type.startsWith("alert.")) this.#heard(event, said)
    this.#silences = this.#silences.slice(-1)
    if (input.kind === "ack") this.#acked(input)
    if (input.kind === "topology") this.#forget(new Set(input.inventory.devices.map(({ id }) => id)))
    if (flips !== null && !said.includes(flips)) fail("alerts", `input ${seq}: nobody said ${flips}`)
    const other = said.find((one) => one !== flips && one.startsWith(`${BUSY_RULE} `))
    if (other !== undefined) fail("alerts", `input ${seq}: an alert without a cause: ${other}`)
  }

  /** What the busy rule has to say after this input; null = nothing new. */
  #read(device: string, world: World, cells: Cells): string | null {
    const slot = world.topology.deviceSlot.get(device as never)
    if (slot === undefined) return null
    const table = cells.routers.state(slot).device
    const [atMs, value] = [table.atMs[CPU] as number, table.value[CPU] as number]
    const before = this.#readings.get(device)
    if (Number.isNaN(value) || atMs <= (before?.atMs ?? 0)) return null
    const busy = value > this.#busyPct
    this.#readings.set(device, { atMs, busy })
    return busy === (before?.busy ?? false) ? null : `${BUSY_RULE} ${busy ? "begins" : "ends"} on ${device}`
  }

  #heard({ id, type, subject, entity, old, new: state, atMs }: EventView, said: string[]): void {
    const key = keyOf(subject, old ?? "", entity)
    const known = this.#lit.get(key)
    const lights = state === "firing" || state === "recovering"
    if (lights !== (known !== undefined)) said.push(`${old} ${lights ? "begins" : "ends"} on ${subject}`)
    const told = type === "alert.firing" || type === "alert.flapping"
    if ((told || type === "alert.resolved") && old === BUSY_RULE && this.#isSilenced(subject, atMs))
      fail("alerts", `event ${id} tells of ${key} although it is silenced`)
    if (type === "alert.firing" && key !== this.#acking && known?.ack != null && known.ack.untilMs > atMs)
      fail("alerts", `event ${id} tells of ${key}, which ${known.ack.by} has acknowledged`)
    if (!lights) this.#lit.delete(key)
    else if (known === undefined) {
      this.begun.set(id, old ?? "")
      this.#lit.set(key, { told, ack: null })
    } else known.told ||= told
  }

  #isSilenced(device: string, atMs: number): boolean {
    return this.#silences.every((silences) =>
      silences.some(
        ({ scope, rule, times }) =>
          (rule === undefined || rule === BUSY_RULE) &&
          (scope.by_device_ids === undefined || scope.by_device_ids.includes(device)) &&
          times.some(([fromMs, toMs]) => fromMs <= atMs && atMs < toMs),
      ),
    )
  }

  /** Only what fires can be acknowledged. */
  #acked({ device, rule, entity, by, untilMs }: AckInput): void {
    const lit = this.#lit.get(keyOf(device, rule, entity))
    if (lit !== undefined) lit.ack = untilMs === null ? null : { by, untilMs }
  }

  #forget(devices: ReadonlySet<string>): void {
    for (const device of this.#readings.keys()) if (!devices.has(device)) this.#readings.delete(device)
    for (const key of this.#lit.keys()) if (!devices.has(key.slice(0, key.indexOf(" ")))) this.#lit.delete(key)
  }

  /** At a quiet moment: the alerts of the live twin are these, told and acknowledged so. */
  compare({ judgement, inside }: TenantRuntime): void {
    const nowMs = inside().world.atMs
    const shown = new Set<string>()
    for (const { device, rule, entity, state, ack, heldBack } of judgement.alerts()) {
      // One that has ended may be shown for as long as it flaps.
      if (!isLit(state)) continue
      const key = keyOf(device, rule, entity)
      const lit = this.#lit.get(key)
      if (lit === undefined) return fail("alerts", `the twin shows ${key}, which never began`)
      shown.add(key)
      const due = lit.ack !== null && lit.ack.untilMs > nowMs ? lit.ack.by : null
      const has = ack !== null && ack.untilMs > nowMs ? ack.by : null
      if (due !== has) fail("alerts", `${key} is acknowledged by ${has ?? "nobody"}, it was by ${due ?? "nobody"}`)
      if (!lit.told && heldBack === null) fail("alerts", `nobody was told of ${key}, and nothing holds it back`)
    }
    const lost = [...this.#lit.keys()].find((key) => !shown.has(key))
    if (lost !== undefined) fail("alerts", `the twin has lost ${lost}`)
  }
}

const keyOf = (device: string, rule: string, entity: string): string => `${device} ${rule} ${entity}`
