/**
 * The recorded fault timelines of real routers (lab/frr/timelines), replayed into a twin as the engine would have fed it,
 * with root cause asked after every input. Between recorded changes each living router is polled at the recording's pace.
 */
import { readTimeline } from "#lab/frr/timeline.ts"
import type { Entry, Header } from "#lab/frr/timeline.ts"
import {
  bgpPeers,
  FRR_ISP,
  linkBetween,
  LINK_CAPACITY_BPS,
  ospfNeighbours,
  portsOf,
  routerNamed,
} from "#lab/frr/isp.ts"
import { deviceId, linkId, siteId } from "#protocol/id.ts"
import type { EntityKey } from "#protocol/id.ts"
import type { Inventory } from "#protocol/inventory.ts"
import { BGP_STATES, metricId, OSPF_STATES } from "#protocol/metric.ts"
import { plainCells } from "#twin/cells.ts"
import type { DeviceInput, Input, PollInput } from "#twin/input.ts"
import { explain, isNamed } from "#twin/rca/explain.ts"
import type { Candidate, Explanation } from "#twin/rca/explain.ts"
import { causeWords, elementOf } from "#twin/rca/cause.ts"
import { refresh, symptomsOf } from "#twin/rca/symptoms.ts"
import type { Symptoms } from "#twin/rca/symptoms.ts"
import { newWorld, runRound } from "#twin/round.ts"

const T0_MS = 1_760_000_000_000

export interface Replayed {
  readonly header: Header
  /** `link:0`, `router:1` as the twin numbers them. */
  readonly truth: string
  /** Milliseconds from the fault until the verdict was, for the first time, exactly the truth; null = never. */
  readonly firstRightMs: number | null
  /** What was named last before the mending. */
  readonly named: ReadonlyArray<{
    readonly element: string
    readonly kind: Candidate["cause"]["kind"]
    readonly words: string
    readonly confidence: number
  }>
  /** Elements that were ever named and are not the truth. */
  readonly wrong: readonly string[]
  /** Named at the end of the recording, when all is well again. */
  readonly after: readonly string[]
}

export const inventoryOfLab = (): Inventory => ({
  sites: FRR_ISP.sites.map(({ id, name, latitude, longitude }) => ({ id: siteId(id), name, latitude, longitude })),
  devices: FRR_ISP.routers.map(({ name, management, site, roles }) => ({
    id: deviceId(name),
    name,
    address: management,
    site: siteId(site),
    roles,
    pollSeconds: 1,
    sources: ["snmp" as const],
  })),
  links: FRR_ISP.links.map(({ a, b }, index) => ({
    id: linkId(`l${index}`),
    a: { device: deviceId(a.router), interface: a.interface },
    b: { device: deviceId(b.router), interface: b.interface },
    capacityBps: LINK_CAPACITY_BPS,
  })),
})

/** The rows that a poll of a router reads; recorded changes are written into it. */
type Rows = Map<
  string,
  {
    readonly metric: "interface.oper_up" | "interface.admin_up" | "ospf.neighbor.state" | "bgp.peer.state"
    value: number
  }
>

const healthyRows = (name: string): Rows => {
  const rows: Rows = new Map()
  const put = (
    entity: string,
    metric: "interface.oper_up" | "interface.admin_up" | "ospf.neighbor.state" | "bgp.peer.state",
    value: number,
  ): void => {
    rows.set(`${entity} ${metric}`, { metric, value })
  }
  for (const { own } of portsOf(FRR_ISP, name)) {
    put(`if:${own.interface}`, "interface.oper_up", 1)
    put(`if:${own.interface}`, "interface.admin_up", 1)
  }
  for (const far of ospfNeighbours(FRR_ISP, name))
    put(`ospf:${routerNamed(FRR_ISP, far)?.loopback}`, "ospf.neighbor.state", OSPF_STATES.indexOf("full"))
  for (const { remoteAddress } of bgpPeers(FRR_ISP, name))
    put(`bgp:${remoteAddress}`, "bgp.peer.state", BGP_STATES.indexOf("established"))
  return rows
}

const pollOf = (name: string, rows: Rows, startedMs: number, atMs: number): PollInput => {
  const keys = [...new Set(["if:lo", ...[...rows.keys()].map((key) => key.split(" ")[0] as string)])]
  const flat = [...rows].map(([key, { metric, value }]) => ({
    entity: keys.indexOf(key.split(" ")[0] as string),
    metric: metricId(metric),
    value,
  }))
  flat.push({ entity: 0, metric: metricId("interface.oper_up"), value: 1 })
  const texts = portsOf(FRR_ISP, name).map(({ own }) => ({ entity: `if:${own.interface}`, text: `${own.address}/30` }))
  texts.push({ entity: "if:lo", text: `${routerNamed(FRR_ISP, name)?.loopback}/32` })
  return {
    kind: "poll",
    device: deviceId(name),
    source: "snmp",
    startedMs,
    atMs,
    entities: keys as EntityKey[],
    entity: Uint16Array.from(flat, ({ entity }) => entity),
    metric: Uint16Array.from(flat, ({ metric }) => metric),
    value: Float64Array.from(flat, ({ value }) => value),
    texts: texts.map(({ entity, text }) => ({
      entity: entity as EntityKey,
      fact: "interface.addresses" as const,
      text,
    })),
    complete: ["interface", "ospf.neighbor", "bgp.peer"],
  }
}

const valueOf = (metric: string, text: string): number => {
  if (metric === "ospf.neighbor.state") return OSPF_STATES.indexOf(text as (typeof OSPF_STATES)[number])
  if (metric === "bgp.peer.state") return BGP_STATES.indexOf(text as (typeof BGP_STATES)[number])
  return text === "up" ? 1 : 0
}

/** A recorded entry as the input that made it; null = it was none of the twin's. */
const inputOf = (entry: Entry, rows: Map<string, Rows>): DeviceInput | null => {
  const device = deviceId(entry.device)
  const atMs = T0_MS + entry.ms
  const own = rows.get(entry.device) as Rows
  switch (entry.kind) {
    case "trap":
      return { ...entry, device, atMs } as unknown as DeviceInput
    case "syslog":
      return { ...entry, device, atMs, topics: [], facility: null } as unknown as DeviceInput
    case "unreachable":
      return { kind: "unreachable", device, source: "snmp", atMs, reason: "timeout", detail: entry.detail }
    case "answers":
      return pollOf(entry.device, own, atMs - 20, atMs)
    case "poll": {
      const metric = entry.metric as Rows extends Map<string, infer Row extends { metric: string }>
        ? Row["metric"]
        : never
      if (!["interface.oper_up", "interface.admin_up", "ospf.neighbor.state", "bgp.peer.state"].includes(metric))
        return null
      if (entry.new === null) own.delete(`${entry.entity} ${metric}`)
      else own.set(`${entry.entity} ${metric}`, { metric, value: valueOf(metric, entry.new) })
      return pollOf(entry.device, own, T0_MS + entry.startedMs, atMs)
    }
  }
}

/** All inputs in the order of their times, the regular polls among them. */
const inputsOf = (entries: readonly Entry[], pollSeconds: number): readonly Input[] => {
  const rows = new Map(FRR_ISP.routers.map(({ name }) => [name, healthyRows(name)]))
  const lastMs = (entries.at(-1)?.ms ?? 0) + 5_000
  const silent = new Set<string>()
  const inputs: Input[] = []
  let next = 0
  for (let tick = -3_000; tick <= lastMs; tick += pollSeconds * 1000) {
    for (; next < entries.length && (entries[next] as Entry).ms <= tick; next++) {
      const entry = entries[next] as Entry
      if (entry.kind === "unreachable") silent.add(entry.device)
      if (entry.kind === "answers") silent.delete(entry.device)
      const input = inputOf(entry, rows)
      if (input !== null) inputs.push(input)
    }
    for (const { name } of FRR_ISP.routers) {
      const isQuiet = !entries.some(
        ({ device, ms, kind }) => device === name && kind === "poll" && Math.abs(ms - tick) < pollSeconds * 1000,
      )
      const dead = silent.has(name) || isDying(entries, name, tick)
      if (!dead && isQuiet) inputs.push(pollOf(name, rows.get(name) as Rows, T0_MS + tick - 20, T0_MS + tick))
    }
  }
  return inputs
}

/** From the fault on, a router that is soon found silent answers nothing, though nobody has noticed yet. */
const isDying = (entries: readonly Entry[], name: string, tick: number): boolean =>
  tick >= 0 &&
  entries.some(({ device, kind, ms }) => device === name && kind === "unreachable" && ms > tick && ms - tick < 5_000)

const truthOf = ({ cause }: Header): string => {
  if (cause.kind === "router") return `router:${FRR_ISP.routers.findIndex(({ name }) => name === cause.router)}`
  return `link:${FRR_ISP.links.indexOf(linkBetween(FRR_ISP, cause.a, cause.b) as (typeof FRR_ISP.links)[number])}`
}

export const replayTimeline = (text: string): Replayed => {
  const { header, entries } = readTimeline(text)
  const world = newWorld()
  const cells = plainCells(undefined, (_bank, _slot, error) => {
    throw error
  })
  const apply = (input: Input): ReturnType<typeof runRound> => runRound(world, cells, [{ seq: world.seq + 1, input }])
  apply({ kind: "topology", atMs: T0_MS - 4_000, rev: 1, inventory: inventoryOfLab() })
  const truth = truthOf(header)
  const wrong = new Set<string>()
  let symptoms: Symptoms | null = null
  let explanation: Explanation | null = null
  let firstRightMs: number | null = null
  let named: Replayed["named"] = []
  let after: readonly string[] = []
  for (const input of inputsOf(entries, header.pollSeconds)) {
    const { nodes } = apply(input)
    const slots = new Set([...nodes, ...("device" in input ? [world.topology.deviceSlot.get(input.device) ?? 0] : [])])
    if (symptoms === null || !refresh(symptoms, world, cells, slots)) {
      symptoms = symptomsOf(world, cells)
      explanation = null
    }
    explanation = explain(symptoms.board, explanation)
    const { model } = symptoms.board
    const now = explanation.candidates.filter(isNamed)
    after = now.map(({ cause }) => elementOf(model, cause))
    const ms = input.atMs - T0_MS
    if (ms < 0 || ms >= header.mendedMs) continue
    named = now.map(({ cause, confidence }) => ({
      element: elementOf(model, cause),
      kind: cause.kind,
      words: causeWords(model, cause),
      confidence,
    }))
    for (const element of after) if (element !== truth) wrong.add(element)
    if (firstRightMs === null && after.length === 1 && after[0] === truth) firstRightMs = ms
  }
  return { header, truth, firstRightMs, named, wrong: [...wrong], after }
}
