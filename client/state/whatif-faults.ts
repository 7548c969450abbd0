/**
 * The faults that a simulation assumes, as they stand in the address: `router~ID!drain~ID`. What one person imagines can be
 * sent to another, and the browser's back button takes the last fault back. Pure; anything unreadable is left out.
 */
import type { Fault } from "#protocol/rest-generated.ts"

/** As the API takes them (engine/api/groups/what-if.ts FAULTS_MAX). */
export const FAULTS_MAX = 200
/** An id of the inventory is shorter; a longer one is somebody's joke. */
const ID_MAX = 200

/** The ways that a person can pick here; a port alone comes from an address or an incident. */
export const FAULT_KINDS = ["link", "drain", "router", "site", "srlg", "interface"] as const
export type FaultKind = (typeof FAULT_KINDS)[number]

/** `!` between faults and `~` inside one: `encodeURIComponent` leaves both alone, and escapes nothing into them. */
export const formatFaults = (faults: readonly Fault[]): string | null =>
  faults.length === 0 ? null : faults.map((fault) => [fault.kind, ...partsOf(fault)].map(escape).join("~")).join("!")

const escape = (part: string): string => encodeURIComponent(part).replaceAll("~", "%7E").replaceAll("!", "%21")

export const parseFaults = (text: string | null): readonly Fault[] => {
  if (text === null) return []
  const found = new Map<string, Fault>()
  for (const word of text.split("!").slice(0, FAULTS_MAX)) {
    const fault = parseFault(word)
    if (fault !== null) found.set(keyOf(fault), fault)
  }
  return [...found.values()]
}

const parseFault = (word: string): Fault | null => {
  const [kind = "", id = "", port = "", ...rest] = word.split("~").map(plain)
  if (id === "" || id.length > ID_MAX || port.length > ID_MAX || rest.length > 0) return null
  if (kind === "interface") return port === "" ? null : { kind, device: id, interface: port }
  return port === "" && isPicked(kind) ? faultOf(kind, id) : null
}
/** A broken percent sign is no id. */
const plain = (part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    return ""
  }
}

type PickedKind = Exclude<FaultKind, "interface">
const isPicked = (kind: string): kind is PickedKind => kind !== "interface" && FAULT_KINDS.some((one) => one === kind)

export const faultOf = (kind: PickedKind, id: string): Fault => {
  switch (kind) {
    case "link":
    case "drain":
      return { kind, link: id }
    case "router":
      return { kind, device: id }
    case "site":
      return { kind, site: id }
    case "srlg":
      return { kind, srlg: id }
  }
}

export const partsOf = (fault: Fault): readonly string[] => {
  switch (fault.kind) {
    case "link":
    case "drain":
      return [fault.link]
    case "router":
      return [fault.device]
    case "site":
      return [fault.site]
    case "srlg":
      return [fault.srlg]
    case "interface":
      return [fault.device, fault.interface]
  }
}

/** One element, however it fails: a link is cut or drained, never both. */
export const keyOf = (fault: Fault): string =>
  JSON.stringify([fault.kind === "drain" ? "link" : fault.kind, ...partsOf(fault)])

export const has = (faults: readonly Fault[], fault: Fault): boolean =>
  faults.some((one) => keyOf(one) === keyOf(fault))

/** Another way of failing replaces the first; the same once more takes it away. Full is full: then nothing changes. */
export const toggled = (faults: readonly Fault[], fault: Fault): readonly Fault[] => {
  const known = faults.find((one) => keyOf(one) === keyOf(fault))
  if (known === undefined) return faults.length >= FAULTS_MAX ? faults : [...faults, fault]
  if (known.kind === fault.kind) return faults.filter((one) => one !== known)
  return faults.map((one) => (one === known ? fault : one))
}

/** Sets it, however it stood before. */
export const withFault = (faults: readonly Fault[], fault: Fault): readonly Fault[] =>
  faults.some((one) => keyOf(one) === keyOf(fault) && one.kind === fault.kind) ? faults : toggled(faults, fault)
