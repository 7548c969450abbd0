/**
 * Traps (RFC 2863 s6, RFC 4273, RFC 4750) and syslog lines: what a device says unasked. They are the fastest evidence,
 * but they come over UDP and may be lost, so they change a known state and never create an entity.
 */
import { interfaceKey } from "#protocol/id.ts"
import type { EntityKey } from "#protocol/id.ts"
import { adjacencyKey, parseState, stateName, tellAdjacency } from "#twin/adjacency.ts"
import { adjacencyHappening, deviceHappening, interfaceHappening } from "#twin/happening.ts"
import type { Evidence } from "#twin/happening.ts"
import type { SyslogInput, TrapInput } from "#twin/input.ts"
import { findInterface, tellFlag } from "#twin/interface.ts"
import type { InterfaceTable } from "#twin/interface.ts"
import { toldToStart } from "#twin/reboot.ts"
import type { RouterState, Seen, Turn } from "#twin/router.ts"
import type { Happening } from "#twin/step.ts"

export const notified = (state: RouterState, input: TrapInput | SyslogInput, seen: Seen): Turn =>
  input.kind === "trap" ? trapped(state, input, seen) : logged(state, input, seen)

const trapped = (state: RouterState, input: TrapInput, seen: Seen): Turn => {
  const evidence: Evidence = { atMs: input.atMs, source: "trap", raw: input.raw }
  switch (input.trap) {
    case "linkDown":
    case "linkUp": {
      const key = input.ifName === null ? null : interfaceKey(input.ifName)
      return linkTold(state, key, input.ifIndex, input.trap === "linkUp", input.adminUp, evidence)
    }
    case "coldStart":
      return toldToStart(state, seen, evidence)
    case "ospfNbrStateChange":
      return adjacencyTold(state, "ospf", input.remote, input.state ?? null, evidence)
    case "ospfIfStateChange":
      return ospfInterfaceTold(state, input, evidence)
    case "bgpEstablished":
      return adjacencyTold(state, "bgp", input.remote, "established", evidence)
    case "bgpBackwardTransition":
      return adjacencyTold(state, "bgp", input.remote, input.state ?? "idle", evidence)
    case "authenticationFailure":
      return authFailed(state, null, evidence)
    case "warmStart":
    case "other":
      return { state, events: [] }
  }
}

const logged = (state: RouterState, input: SyslogInput, seen: Seen): Turn => {
  const evidence: Evidence = { atMs: input.atMs, source: "syslog", raw: input.raw ?? input.message }
  const { event } = input
  if (event === null) return { state, events: [] }
  if (input.eventOnly === true) return { state, events: [toldOnly(state, event, evidence)] }
  switch (event.type) {
    case "interface":
      return linkTold(state, interfaceKey(event.ifName), null, event.up, null, evidence)
    case "ospf":
      return adjacencyTold(state, "ospf", event.remote, event.state, evidence)
    case "bgp":
      return adjacencyTold(state, "bgp", event.remote, event.up ? "established" : "idle", evidence)
    case "auth-failed":
      return authFailed(state, `${event.user} from ${event.from}`, evidence)
    case "rebooted":
      return toldToStart(state, seen, evidence)
  }
}

/** An interface that no poll has shown is still reported, as an event only. */
const linkTold = (
  state: RouterState,
  key: EntityKey | null,
  ifIndex: number | null,
  up: boolean,
  adminUp: boolean | null,
  evidence: Evidence,
): Turn => {
  const row = findInterface(state.interfaces, key, ifIndex)
  if (row < 0) {
    const what = {
      type: "interface.oper.changed",
      severity: up ? "cleared" : "warning",
      old: null,
      new: up ? "up" : "down",
    } as const
    return { state, events: [deviceHappening(state, evidence, what, key ?? "")] }
  }
  const { atMs, source } = evidence
  const admin =
    adminUp === null
      ? { table: state.interfaces, changed: null }
      : tellFlag(state.interfaces, row, "admin", adminUp, atMs, source)
  const oper = tellFlag(admin.table, row, "oper", up, atMs, source)
  const changes = [admin.changed, oper.changed].filter((change) => change !== null)
  return {
    state: { ...state, interfaces: oper.table },
    events: changes.map((change) => interfaceHappening(state, change, evidence)),
  }
}

/**
 * RFC 4750 ospfIfStateChange: the first word of a cut wire, seconds before an agent's cached ifTable says so. It comes as
 * well when somebody takes OSPF off an interface that works, so that it is an event of the interface and not its state: the
 * poll that every trap asks for tells that.
 */
const ospfInterfaceTold = (state: RouterState, input: TrapInput, evidence: Evidence): Turn => {
  const row = interfaceOf(state.interfaces, input.remote, input.ifIndex)
  const entity = row < 0 ? "" : (state.interfaces.keys[row] as EntityKey)
  const what = {
    type: "ospf.interface.state.changed",
    severity: input.state === null ? "indeterminate" : input.state === "down" ? "warning" : "cleared",
    old: null,
    new: input.state,
  } as const
  return { state, events: [deviceHappening(state, evidence, what, entity)] }
}

/** By an own address as interface.addresses tells it, else by ifIndex; -1 = no interface that we know. */
const interfaceOf = (table: InterfaceTable, address: string | null, ifIndex: number | null): number => {
  if (address === null) return findInterface(table, null, ifIndex)
  const has = (text: string | null): boolean =>
    text?.split(", ").some((one) => one.split("/", 1)[0] === address) === true
  return table.addresses?.findIndex(has) ?? -1
}

/** `told` null = the notice did not say which state: an event, but no change of what we know. */
const adjacencyTold = (
  state: RouterState,
  kind: "ospf" | "bgp",
  remote: string | null,
  told: string | null,
  evidence: Evidence,
): Turn => {
  if (remote === null) return { state, events: [] }
  const key = adjacencyKey(kind, remote)
  const known = state.adjacencies.find((adjacency) => adjacency.key === key)
  const index = told === null ? -1 : parseState(kind, told)
  if (known === undefined || index < 0) {
    const what = {
      type: kind === "bgp" ? "bgp.peer.state.changed" : "ospf.neighbor.state.changed",
      severity: "indeterminate",
      old: known === undefined ? null : stateName(kind, known.state),
      new: index < 0 ? null : stateName(kind, index),
    } as const
    return { state, events: [deviceHappening(state, evidence, what, key)] }
  }
  const { table, changed } = tellAdjacency(state.adjacencies, key, index, evidence.atMs, evidence.source)
  return {
    state: { ...state, adjacencies: table },
    events: changed === null ? [] : [adjacencyHappening(state, changed, evidence)],
  }
}

/** What a line says that is kept but not believed: an event of no weight, and no change of what we know. */
const toldOnly = (state: RouterState, event: NonNullable<SyslogInput["event"]>, evidence: Evidence): Happening => {
  const say = (type: Happening["type"], told: string | null, entity: EntityKey | "" = "") =>
    deviceHappening(state, evidence, { type, severity: "indeterminate", old: null, new: told }, entity)
  switch (event.type) {
    case "interface":
      return say("interface.oper.changed", event.up ? "up" : "down", interfaceKey(event.ifName))
    case "ospf":
      return say("ospf.neighbor.state.changed", event.state, adjacencyKey("ospf", event.remote))
    case "bgp":
      return say("bgp.peer.state.changed", event.up ? "established" : "idle", adjacencyKey("bgp", event.remote))
    case "auth-failed":
      return say("auth.failed", `${event.user} from ${event.from}`)
    case "rebooted":
      return say("device.rebooted", null)
  }
}

const authFailed = (state: RouterState, who: string | null, evidence: Evidence): Turn => {
  const what = { type: "auth.failed", severity: "warning", old: null, new: who } as const
  return { state, events: [deviceHappening(state, evidence, what)] }
}
