/**
 * Who is kept quiet while a cause lasts: every alert that it explains, on the routers that it silences and on the ends of
 * what it takes down, also before they fire. The cause's own alert is told. Each order names incident, cause and evidence:
 * that is the answer to "why suppressed". When the cause is gone the orders are lifted, and what still fires is told, but for
 * news of the cause itself ("has rebooted"), which stay quiet until they end.
 */
import { alertNameOf } from "#protocol/alert.ts"
import type { EntityKey } from "#protocol/id.ts"
import type { Sitting } from "#twin/incident/sitting.ts"
import { put } from "#twin/incident/sitting.ts"
import type { Incident, Quieted } from "#twin/incident/state.ts"
import { placeKey } from "#twin/incident/state.ts"
import type { Suspicion } from "#twin/incident/suspicion.ts"
import type { AlertOrder } from "#twin/tenant.ts"

/** Places that one incident keeps quiet. */
export const QUIETED_MAX = 4_000

export const ordersOf = (sitting: Sitting, taken: ReadonlyMap<string, Suspicion>): readonly AlertOrder[] => {
  const orders: AlertOrder[] = []
  for (const incident of sitting.incidents.values()) {
    const suspicion = taken.get(incident.id) ?? null
    const wanted = wantedOf(sitting, incident, suspicion)
    if (wanted === incident.quieted) continue
    const [before, after] = [namesOf(incident.quieted), namesOf(wanted)]
    // First who stays quiet for another reason, lest he is heard between the two.
    for (const one of wanted) if (!before.has(nameOf(one))) order(sitting, orders, one, incident, true)
    for (const one of incident.quieted) if (!after.has(nameOf(one))) order(sitting, orders, one, incident, false)
    put(sitting, { ...incident, quieted: wanted })
  }
  return orders
}

const nameOf = ({ device, entity, rule }: Quieted): string =>
  rule === undefined ? placeKey(device, entity) : `${placeKey(device, entity)} ${rule}`

/** Thousands of places, asked for in every evaluation: what does not change is named once. */
const namesOf = (quieted: readonly Quieted[]): ReadonlySet<string> => {
  const known = knownNames.get(quieted)
  if (known !== undefined) return known
  const names = new Set(quieted.map(nameOf))
  knownNames.set(quieted, names)
  return names
}
const knownNames = new WeakMap<readonly Quieted[], ReadonlySet<string>>()

const NOBODY: readonly Quieted[] = []

const wantedOf = (sitting: Sitting, incident: Incident, suspicion: Suspicion | null): readonly Quieted[] => {
  const { quieted, causes, state } = incident
  const [cause] = causes
  if (quieted.length === 0 && state !== "open") return quieted
  if (state === "recovering") return newsOf(incident)
  if (state === "closed" || cause === undefined) return quieted.length === 0 ? quieted : NOBODY
  // A cause that is not seen at the moment, or only what is left of it, keeps what it had.
  if (suspicion === null || !(cause.key === suspicion.key || cause.keys.includes(suspicion.key))) return quieted
  if (isSettled(quieted, suspicion)) return quieted
  const { inventory } = sitting.world.topology
  const idOf = (slot: number): string => inventory.devices[slot]?.id ?? ""
  const own = suspicion.own === null ? null : placeKey(idOf(suspicion.own.slot), suspicion.own.entity)
  const known = namesOf(quieted)
  const silent = new Set<string>()
  const news: Quieted[] = []
  for (const slot of suspicion.silent) {
    const device = slot === suspicion.own?.slot ? "" : idOf(slot)
    if (device === "") continue
    silent.add(device)
    if (!known.has(placeKey(device, "*"))) news.push({ device, entity: "*" })
  }
  for (const key of suspicion.predicted) {
    if (key === own || known.has(key)) continue
    const at = key.indexOf(" ")
    const [device, entity] = [key.slice(0, at), key.slice(at + 1)]
    if (!silent.has(device)) news.push({ device, entity })
  }
  // What was quiet stays so while the cause lasts: evidence comes and goes with every poll.
  const isTold = own !== null && known.has(own)
  if (news.length === 0 && !isTold) {
    const { silent: whole, predicted, own: told } = suspicion
    settled.set(quieted, { silent: whole, predicted, own: told })
    return quieted
  }
  const kept = isTold ? quieted.filter((one) => nameOf(one) !== own) : quieted
  return [...kept, ...news].slice(0, QUIETED_MAX)
}

/** What tells of the cause that was, and was quiet with it. */
const newsOf = ({ symptoms, quieted }: Incident): readonly Quieted[] => {
  const known = namesOf(quieted)
  const wanted = symptoms.flatMap(({ alert, device, entity, endedMs, isNews }): readonly Quieted[] => {
    if (isNews !== true || endedMs !== null) return []
    const rule = alertNameOf(alert)?.rule
    if (rule === undefined) return []
    const one = { device, entity, rule }
    return [one, { device, entity }, { device, entity: "*" }].some((by) => known.has(nameOf(by))) ? [one] : []
  })
  return wanted.length === quieted.length && wanted.every((one) => known.has(nameOf(one))) ? quieted : wanted
}

/** Nothing was wanting for this very cause: it is not asked place by place again. */
const isSettled = (quieted: readonly Quieted[], { silent, predicted, own }: Suspicion): boolean => {
  const known = settled.get(quieted)
  const isOwn = known?.own?.slot === own?.slot && known?.own?.entity === own?.entity
  return known?.silent === silent && known.predicted === predicted && isOwn
}
const settled = new WeakMap<readonly Quieted[], Pick<Suspicion, "silent" | "predicted" | "own">>()

const order = (
  { world, nowMs }: Sitting,
  orders: AlertOrder[],
  one: Quieted,
  { id, title, causes }: Incident,
  isQuiet: boolean,
): void => {
  const { device, entity, rule = null } = one
  const slot = world.topology.deviceSlot.get(device as never)
  if (slot === undefined) return
  const name = rule === null ? `incident:${id}:${entity}` : `incident:${id}:${entity} ${rule}`
  if (!isQuiet) {
    orders.push({ kind: "order", slot, command: { kind: "lift", atMs: nowMs, id: name } })
    return
  }
  const [cause] = causes
  const evidence = cause?.evidence.find(({ standing }) => standing === "for")?.text
  const sure = cause === undefined ? "" : ` (${Math.round(cause.confidence * 100)} %)`
  const suppression = {
    id: name,
    kind: "dependency" as const,
    rule,
    entity: entity === "*" ? null : (entity as EntityKey),
    reason: `incident ${id}: explained by ${title}${sure}${evidence === undefined ? "" : `, for ${evidence}`}`,
    untilMs: null,
    sparesCritical: false,
  }
  orders.push({ kind: "order", slot, command: { kind: "suppress", atMs: nowMs, suppression } })
}
