/** The events of a router's interfaces and adjacencies, in PRODUCT.md's names. One change makes one event. */
import type { DeviceId, EntityKey } from "#protocol/id.ts"
import { entityName, serviceKey } from "#protocol/id.ts"
import type { ServiceCondition, ServiceHealth } from "#protocol/service.ts"
import type { Source } from "#protocol/view.ts"
import type { AdjacencyChange } from "#twin/adjacency.ts"
import type { InterfaceChange } from "#twin/interface.ts"
import type { RouterState } from "#twin/router.ts"
import type { Happening } from "#twin/step.ts"

/** Who said it, and the line or trap that did. */
export interface Evidence {
  readonly atMs: number
  readonly source: Source
  readonly raw: string | null
}

const MAX_RAW = 2048

/** An event of the device itself, to be completed. */
export const deviceHappening = (
  state: RouterState,
  evidence: Evidence,
  what: Pick<Happening, "type" | "severity" | "old" | "new">,
  entity: EntityKey | "" = "",
): Happening => ({
  atMs: evidence.atMs,
  subject: state.config.device,
  subjectKind: "device",
  entity,
  raw: evidence.raw === null ? null : evidence.raw.slice(0, MAX_RAW),
  source: evidence.source,
  ...what,
})

/** Down is major where it carries a link, else a warning; so is a shut interface. */
export const interfaceHappening = (state: RouterState, change: InterfaceChange, evidence: Evidence): Happening => {
  const severity = change.new
    ? "cleared"
    : change.flag === "oper" && carriesLink(state, change.key)
      ? "major"
      : "warning"
  const type = change.flag === "oper" ? "interface.oper.changed" : "interface.admin.changed"
  return deviceHappening(state, evidence, { type, severity, old: word(change.old), new: word(change.new) }, change.key)
}

export const adjacencyHappening = (state: RouterState, change: AdjacencyChange, evidence: Evidence): Happening => {
  const type = change.kind === "bgp" ? "bgp.peer.state.changed" : "ospf.neighbor.state.changed"
  const severity = change.up ? "cleared" : "warning"
  return deviceHappening(state, evidence, { type, severity, old: change.old, new: change.new }, change.key)
}

/** `new` = on what it hangs alone now; null = its second way is back, or no longer planned. */
export const redundancyHappening = (
  state: RouterState,
  { atMs, lost, by }: { readonly atMs: number; readonly lost: boolean; readonly by: string | null },
): Happening => ({
  atMs,
  type: lost ? "redundancy.lost" : "redundancy.restored",
  severity: lost ? "warning" : "cleared",
  subject: state.config.device,
  subjectKind: "device",
  entity: "",
  old: null,
  new: by,
  raw: null,
  source: "twin",
})

/** `new` = its health, of a transit also the verdict (`down-out`); `raw` = what is the matter, in words that name the service and its provider and no place. */
export const serviceHappenings = (
  state: RouterState,
  {
    atMs,
    service,
    old,
    condition,
  }: {
    readonly atMs: number
    readonly service: string
    readonly old: ServiceHealth
    readonly condition: ServiceCondition | null
  },
): readonly Happening[] =>
  condition === null ? [] : [serviceHappening(state.config.device, atMs, service, old, condition)]

/** `device` "" = no device stands for it: an event of the tenant. */
export const serviceHappening = (
  device: DeviceId | "",
  atMs: number,
  service: string,
  old: ServiceHealth,
  { health, words, transit }: ServiceCondition,
): Happening => ({
  atMs,
  type: `service.${health}`,
  severity: health === "up" ? "cleared" : health === "down" ? "major" : "warning",
  subject: device,
  subjectKind: device === "" ? "tenant" : "device",
  entity: serviceKey(service),
  old,
  new: transit === null ? health : `${health}-${transit.verdict}`,
  raw: words,
  source: "twin",
})

const carriesLink = (state: RouterState, key: EntityKey): boolean =>
  state.config.ports.some((port) => port.ifName === entityName(key))

const word = (up: boolean): string => (up ? "up" : "down")
