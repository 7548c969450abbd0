/**
 * Alerts and incidents as stretches of time, put together out of what a twin tells: from when to when, how severe at worst,
 * how often people were told, and by which policy. Two folds of one past are compared by them, in the words that an operator
 * would ask in: what began, what ended, what was worse, who would have heard.
 */
import { INCIDENT_SLACK_MS } from "#engine/replay/decisions.ts"
import { incidentOf, type EventView } from "#protocol/view.ts"
import { ENGINE_DEVICE, ENGINE_NAME, type DeviceId } from "#protocol/id.ts"
import { SEVERITY, type Severity } from "#protocol/status.ts"
import type { Cells } from "#twin/cells.ts"
import { INCIDENT_SEVERITY } from "#twin/incident/sitting.ts"
import { EVENT_SEVERITY } from "#twin/judge/alert-events.ts"
import { alertViews } from "#twin/judge/alert-view.ts"
import type { World } from "#twin/round.ts"

export interface Spell {
  readonly kind: "alert" | "incident"
  /** Of an alert its rule; of an incident its title as it opened. */
  readonly what: string
  /** Name of the device, and the entity in it; of an incident both "". */
  readonly device: string
  readonly entity: string
  /** May lie before the comparison began. */
  readonly fromMs: number
  /** Null = it still lasted at the end. */
  readonly toMs: number | null
  /** The worst that it was. */
  readonly severity: Severity
  /** How often people are told of it: that it fires, flaps, has ended; that it opened or closed. */
  readonly told: number
  /** Who: the rule's `notify_policy_id`; "" = it names none. */
  readonly policy: string
}

/** Null = this side has none like it. */
export interface SpellChange {
  readonly before: Spell | null
  readonly now: Spell | null
}

/** Stretches of one side that are compared; beyond it only their events are. */
export const SPELLS_MAX = 20_000

type Open = { -readonly [K in keyof Spell]: Spell[K] }

export class Spells {
  readonly #all: Open[] = []
  /** Alerts by device, rule and entity; incidents by id. */
  readonly #lasting = new Map<string, Open>()

  constructor(world: World, cells: Cells) {
    for (const alert of alertViews(world, cells)) {
      const { device, deviceName, entity, rule, state, severity, firedMs, sinceMs } = alert
      if (state !== "firing" && state !== "recovering") continue
      const policy = policyOf(world, rule)
      this.#begin(alertKey(device, rule, entity), {
        kind: "alert",
        what: rule,
        device: deviceName,
        entity,
        fromMs: firedMs ?? sinceMs,
        severity: EVENT_SEVERITY[severity],
        policy,
      })
    }
    for (const { id, title, state, severity, startsAtMs } of world.desk.incidents)
      if (state === "open" || state === "recovering")
        this.#begin(id, { ...incident(title), fromMs: startsAtMs, severity: INCIDENT_SEVERITY[severity] })
  }

  /** `world` as it is after the event's round. */
  hear(event: EventView, world: World): void {
    const id = incidentOf(event)
    if (id !== null) this.#hearIncident(id, event)
    else if (event.type.startsWith("alert.") && event.old !== null) this.#hearAlert(event.old, event, world)
  }

  /** Each stretch of either side that has none like it on the other. */
  changesTo(now: Spells): readonly SpellChange[] {
    const theirs = Map.groupBy(now.#all, nameOf)
    const changes: SpellChange[] = []
    for (const before of this.#all) {
      const list = theirs.get(nameOf(before)) ?? []
      const at = list.findIndex((one) => overlaps(before, one))
      const [alike = null] = at === -1 ? [] : list.splice(at, 1)
      if (alike === null || !isAlike(before, alike)) changes.push({ before, now: alike })
    }
    for (const list of theirs.values()) for (const spell of list) changes.push({ before: null, now: spell })
    return changes.toSorted((a, b) => fromOf(a) - fromOf(b))
  }

  #hearAlert(rule: string, event: EventView, world: World): void {
    const { subject, entity, type, new: state } = event
    const key = alertKey(subject, rule, entity)
    let spell = this.#lasting.get(key)
    if (state === "firing" || state === "recovering") {
      const { severity } = event
      if (spell === undefined) {
        const [device, policy] = [deviceNameOf(world, subject), policyOf(world, rule)]
        spell = this.#begin(key, { kind: "alert", what: rule, device, entity, fromMs: event.atMs, severity, policy })
      } else if (isWorse(severity, spell.severity)) spell.severity = severity
    }
    if (spell === undefined) return
    if (type === "alert.firing" || type === "alert.flapping" || type === "alert.resolved") spell.told++
    if (state !== "firing" && state !== "recovering") this.#end(key, spell, event.atMs)
  }

  #hearIncident(id: string, event: EventView): void {
    const { type, severity, atMs, new: state, raw } = event
    let spell = this.#lasting.get(id)
    if (spell === undefined && state !== "closed")
      spell = this.#begin(id, { ...incident(raw ?? ""), fromMs: atMs, severity })
    if (spell === undefined) return
    if (isWorse(severity, spell.severity)) spell.severity = severity
    if (type === "incident.opened" || type === "incident.closed") spell.told++
    if (state === "closed") this.#end(id, spell, atMs)
  }

  #begin(key: string, spell: Omit<Spell, "toMs" | "told">): Open {
    const open: Open = { ...spell, toMs: null, told: 0 }
    this.#lasting.set(key, open)
    if (this.#all.length < SPELLS_MAX) this.#all.push(open)
    return open
  }

  #end(key: string, spell: Open, atMs: number): void {
    spell.toMs = atMs
    this.#lasting.delete(key)
  }
}

/** What is cleared is never the worst. */
const isWorse = (a: Severity, b: Severity): boolean => SEVERITY.indexOf(a) > SEVERITY.indexOf(b)

const incident = (title: string) => ({ kind: "incident", what: title, device: "", entity: "", policy: "" }) as const

const alertKey = (device: string, rule: string, entity: string): string => JSON.stringify([device, rule, entity])

const nameOf = ({ kind, what, device, entity }: Spell): string => JSON.stringify([kind, what, device, entity])

const deviceNameOf = ({ topology }: World, id: string): string =>
  id === ENGINE_DEVICE
    ? ENGINE_NAME
    : (topology.inventory.devices[topology.deviceSlot.get(id as DeviceId) ?? -1]?.name ?? id)

const policyOf = (world: World, rule: string): string =>
  world.judging.rules.find(({ id }) => id === rule)?.notify_policy_id ?? ""

const overlaps = (a: Spell, b: Spell): boolean =>
  a.fromMs <= (b.toMs ?? Number.POSITIVE_INFINITY) && b.fromMs <= (a.toMs ?? Number.POSITIVE_INFINITY)

const isAlike = (a: Spell, b: Spell): boolean =>
  isNear(a, a.fromMs, b.fromMs) &&
  isNear(a, a.toMs ?? Number.MAX_VALUE, b.toMs ?? Number.MAX_VALUE) &&
  a.severity === b.severity &&
  a.told === b.told &&
  a.policy === b.policy

const isNear = ({ kind }: Spell, aMs: number, bMs: number): boolean =>
  Math.abs(aMs - bMs) <= (kind === "incident" ? INCIDENT_SLACK_MS : 0)

const fromOf = ({ before, now }: SpellChange): number =>
  Math.min(before?.fromMs ?? Number.POSITIVE_INFINITY, now?.fromMs ?? Number.POSITIVE_INFINITY)
