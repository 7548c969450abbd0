/**
 * Links out of bridges' forwarding tables (RFC 4188 dot1dTpFdbTable). Classical inference (Breitbart 2000, Lowekamp 2001): of
 * two ports that face each other each hears the other's device, and who else is heard on one of them stands behind the
 * other device, never between. One side alone, or somebody whose place is not known, is a shared segment until more is
 * said: no proposal of it is sure. Who certainly stands between two takes their link away.
 */
import type { EvidenceKind, Hint, HintEnd, Surroundings } from "#twin/propose/evidence/evidence.ts"
import type { FarSide } from "#twin/propose/evidence/far-side.ts"
import { farSideOf } from "#twin/propose/evidence/far-side.ts"
import type { PortHears, Sightings, Table } from "#twin/propose/evidence/sightings.ts"
import { heardFrom, isNextTo, sightingsOf } from "#twin/propose/evidence/sightings.ts"

/** Both hear each other, and everybody else's place is known. */
const FACING = 0.85
/** Both hear each other, and somebody may stand between. */
const DOUBTED = 0.5
/** Only one side has a table, no other bridge can be between, and the other says that it routes with one neighbour there. */
const ROUTED = 0.82
/** Only one side has a table, and hears nobody else on that port / hosts that are none of ours besides. */
const ONE_SIDED = 0.65
const ONE_SIDED_AMONG_OTHERS = 0.45
/** The other side has a table, and does not hear this one. */
const UNANSWERED = 0.4
/** A port with several of ours, of which any may be the next. */
const SHARED = 0.3
/** Devices on such a port, beyond which nothing is said of it: a hundred far ends help nobody. */
const SHARED_DEVICES_MAX = 4

const hints = (surroundings: Surroundings): readonly Hint[] => {
  const { said } = surroundings
  const sightings = sightingsOf(said)
  if (sightings === null) return []
  const farSide = farSideOf(surroundings)
  const names = new Map(said.map(({ device, name }) => [device, name]))
  const found: Hint[] = []
  for (const near of sightings.tables.values()) {
    for (const at of near.ports.keys()) {
      for (const device of (near.ports.get(at) as PortHears).devices.keys()) {
        const far = sightings.tables.get(device)
        const back = far?.portsOf.get(near.said.device) ?? []
        const name = names.get(device) ?? device
        if (far === undefined || back.length === 0)
          found.push(...oneSided(sightings, farSide, { near, at, device, name, hasTable: far !== undefined }))
        else if (near.said.device < device) found.push(...facing(sightings, near, at, far, back))
      }
    }
  }
  return found
}

// -- both hear each other -----------------------------------------------------------------------------------------------

const facing = (
  sightings: Sightings,
  near: Table,
  at: string,
  far: Table,
  back: readonly string[],
): readonly Hint[] => {
  const mine = near.portsOf.get(far.said.device) ?? []
  // Heard on several ports, of parallel cables or while a table is being learned anew: which faces which is not known.
  const isSingle = mine.length === 1 && back.length === 1
  if (!isSingle && mine.length * back.length > SHARED_DEVICES_MAX) return []
  return back.flatMap((its): Hint[] => {
    const place = standing(sightings, near, at, far, its)
    if (place === "between") return []
    const weight = !isSingle ? SHARED : place === "doubted" ? DOUBTED : FACING
    const ends = `${near.said.name} ${at} and ${far.said.name} ${its}`
    const text =
      weight === FACING
        ? `${ends} hear each other in their bridge tables, and nobody between`
        : `${ends} hear each other in their bridge tables, but somebody may stand between`
    return [{ kind: BRIDGE.kind, a: endOf(near, at), b: endOf(far, its), weight, text }]
  })
}

const endOf = ({ said, ports }: Table, at: string): HintEnd => ({
  device: said.device,
  interface: (ports.get(at) as PortHears).end,
})

type Standing = "clear" | "doubted" | "between"

/** Who stands between two ports whose devices hear each other there. */
const standing = (sightings: Sightings, near: Table, at: string, far: Table, its: string): Standing => {
  const here = near.ports.get(at) as PortHears
  const there = far.ports.get(its) as PortHears
  let result: Standing = here.more || there.more ? "doubted" : "clear"
  for (const third of here.devices.keys()) {
    if (third === far.said.device) continue
    // Heard from both sides on the very ports that face each other.
    if (there.devices.has(third) || dividesThem(sightings, third, near.said.device, far.said.device)) return "between"
    if (!isBehind(third, far, its) || near.portsOf.get(third)?.length !== 1) result = "doubted"
  }
  for (const third of there.devices.keys()) {
    if (third === near.said.device) continue
    if (dividesThem(sightings, third, near.said.device, far.said.device)) return "between"
    if (!isBehind(third, near, at) || far.portsOf.get(third)?.length !== 1) result = "doubted"
  }
  return result === "clear" && hasSilentDivider(sightings, near, far) ? "doubted" : result
}

/** Heard by that device on another port: it stands beyond it. */
const isBehind = (third: string, { portsOf }: Table, facingPort: string): boolean => {
  const ports = portsOf.get(third) ?? []
  return ports.length > 0 && !ports.includes(facingPort)
}

/** It has a table in which the two stand on different ports. */
const dividesThem = ({ tables }: Sightings, third: string, one: string, other: string): boolean => {
  const portsOf = tables.get(third)?.portsOf
  const [mine, its] = [portsOf?.get(one) ?? [], portsOf?.get(other) ?? []]
  return mine.length > 0 && its.length > 0 && mine.every((port) => !its.includes(port))
}

/**
 * Somebody hears both on different ports and is heard by neither: a switch whose own address crosses no cable that these two
 * see. In a ring of routed ports all hear each other, so that nobody there is taken for one.
 */
const hasSilentDivider = (sightings: Sightings, near: Table, far: Table): boolean => {
  const { heardBy } = sightings
  for (const third of heardBy.get(near.said.device) ?? []) {
    const isHeard = near.portsOf.has(third) || far.portsOf.has(third)
    if (!isHeard && third !== far.said.device && dividesThem(sightings, third, near.said.device, far.said.device))
      return true
  }
  return false
}

// -- one hears the other ------------------------------------------------------------------------------------------------

interface Seen {
  readonly near: Table
  readonly at: string
  readonly device: string
  readonly name: string
  readonly hasTable: boolean
}

const oneSided = (sightings: Sightings, farSide: FarSide, seen: Seen): readonly Hint[] => {
  const { near, at, device, name, hasTable } = seen
  const port = near.ports.get(at) as PortHears
  if (port.devices.size > SHARED_DEVICES_MAX) return []
  for (const third of port.devices.keys())
    if (third !== device && dividesThem(sightings, third, near.said.device, device)) return []
  const from = port.devices.get(device) ?? null
  // Parallel cables of a router are told apart by its addresses, one for each port.
  const heardOn = from === null ? near.portsOf.get(device) : heardFrom(near, device, from)
  const isAlone = port.devices.size === 1 && !port.more && heardOn?.length === 1
  const subnet = isAlone ? routedThere(sightings, farSide, seen, from) : null
  const alone = subnet !== null ? ROUTED : hasTable ? UNANSWERED : port.others ? ONE_SIDED_AMONG_OTHERS : ONE_SIDED
  const heard = `${near.said.name} hears ${name} on ${at} in its bridge table`
  const [weight, text] = !isAlone
    ? [SHARED, `${heard}, and others of ours there too`]
    : subnet !== null
      ? [alone, `${heard}, alone, where it routes over ${subnet} with one neighbour`]
      : [alone, port.others ? `${heard}, among other hosts` : `${heard}, alone`]
  return [{ kind: BRIDGE.kind, a: endOf(near, at), b: { device, interface: from }, weight, text }]
}

/** Null = not known to be one cable with two routers at its ends. Hosts of strangers may be gear in the cable. */
const routedThere = (
  sightings: Sightings,
  farSide: FarSide,
  { near, at, device }: Seen,
  from: string | null,
): string | null => {
  const port = near.ports.get(at) as PortHears
  if (from === null || port.end === null || port.others || !isNextTo(sightings, near, device, from)) return null
  return farSide(device, from, near.said.device)
}

export const BRIDGE: EvidenceKind = { kind: "bridge", hints }
