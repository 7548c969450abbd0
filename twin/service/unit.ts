/**
 * Whether one device, one link or one group does its part of a service, from the newest evidence: probes of a device come
 * first, then whether it answers at all. A probe that failed once is not believed yet: UDP loses packets.
 */
import { metricId } from "#protocol/metric.ts"
import type { MetricName } from "#protocol/metric.ts"
import { say } from "#protocol/phrase.ts"
import type { ServiceReason } from "#protocol/service.ts"
import type { Cells } from "#twin/cells.ts"
import type { GroupPlan } from "#twin/service/plan.ts"
import type { Topology } from "#twin/topology.ts"
import { DEVICE_LAYOUT } from "#twin/values.ts"

/** A probe that was not repeated for so long says nothing of now: the slowest rate is 300 s (engine/probes/plan.ts). */
export const PROBE_EVIDENCE_MS = 660_000

const column = (name: MetricName): number => DEVICE_LAYOUT.columnOf[metricId(name)] as number
const PROBES = [
  ["DNS", column("probe.dns.up")],
  ["HTTP", column("probe.http.up")],
  ["TCP", column("probe.tcp.up")],
] as const
const SESSIONS = column("pppoe.sessions.active")

export interface Unit {
  readonly state: "up" | "weak" | "down" | "unknown"
  readonly reason: ServiceReason
}

/** What an evaluation reads by, and what it leaves behind. */
export interface Reading {
  readonly topology: Topology
  readonly cells: Cells
  readonly nowMs: number
  /** Probes that failed, by `device probe`: the time of the first sample in a row. Written. */
  readonly failing: Map<string, number>
  /** When the passing of time alone may say otherwise. Written. */
  staleMs: number
}

const reason = (kind: "device" | "link" | "", id: string, isFault: boolean, text: string): ServiceReason => ({
  text,
  isFault,
  kind,
  id,
})

export const deviceUnit = (
  reading: Reading,
  slot: number,
  needs: readonly GroupPlan[],
  countsSessions: boolean,
): Unit => {
  const { topology, cells } = reading
  const { id, name } = topology.inventory.devices[slot]!
  const because = (state: Unit["state"], text: string): Unit => ({
    state,
    reason: reason("device", id, state === "down" || state === "weak", text),
  })
  const broken = needs.find((group) => groupCount(reading, group).possible < group.need)
  if (broken !== undefined) return because("down", say("service.why.needs", { device: name, group: broken.name }))
  const probed = probeUnit(reading, slot, name)
  if (probed !== null) return because(...probed)
  const router = cells.routers.state(slot)
  if (router.reachable === false) return because("down", say("service.why.silent", { device: name }))
  if (router.reachable === null) return because("unknown", say("service.why.untold", { device: name }))
  if (router.stale) return because("unknown", say("service.why.stale", { device: name }))
  if (countsSessions && router.device.value[SESSIONS] === 0)
    return because("weak", say("service.why.sessions", { device: name }))
  return because("up", say("service.why.answers", { device: name }))
}

/** Null = nobody probes what it serves, or not lately. All of its probes must succeed. */
const probeUnit = (reading: Reading, slot: number, name: string): [Unit["state"], string] | null => {
  const { cells, nowMs, failing } = reading
  const { device: table } = cells.routers.state(slot)
  const device = reading.topology.inventory.devices[slot]!.id
  let succeeds: string | null = null
  let once: string | null = null
  let fails: string | null = null
  for (const [what, at] of PROBES) {
    const key = `${device} ${what}`
    const sampleMs = table.rows === 0 ? 0 : (table.atMs[at] as number)
    const value = table.rows === 0 ? Number.NaN : (table.value[at] as number)
    if (Number.isNaN(value) || nowMs - sampleMs >= PROBE_EVIDENCE_MS) {
      failing.delete(key)
      continue
    }
    reading.staleMs = Math.min(reading.staleMs, sampleMs + PROBE_EVIDENCE_MS)
    if (value !== 0) {
      failing.delete(key)
      succeeds = what
      continue
    }
    const firstMs = failing.get(key) ?? sampleMs
    failing.set(key, firstMs)
    if (sampleMs > firstMs) fails = what
    else once = what
  }
  if (fails !== null) return ["down", say("service.why.probe", { what: fails, device: name })]
  if (once !== null) return ["weak", say("service.why.probe.once", { what: once, device: name })]
  return succeeds === null ? null : ["up", say("service.why.probe.ok", { what: succeeds, device: name })]
}

export const linkUnit = ({ topology, cells }: Reading, link: number): Unit => {
  const { id } = topology.inventory.links[link]!
  const name = linkName(topology, link)
  switch (cells.links.state(link).status.health) {
    case "down":
      return { state: "down", reason: reason("link", id, true, say("service.why.link.down", { link: name })) }
    case "ok":
    case "degraded":
      return { state: "up", reason: reason("link", id, false, "") }
    case "unknown":
    case "unreachable":
      return { state: "unknown", reason: reason("link", id, false, say("service.why.link.unknown", { link: name })) }
  }
}

/** Members that are known to be there, and those that may be. */
const groupCount = (
  reading: Reading,
  { devices, links }: GroupPlan,
): { readonly present: number; readonly possible: number; readonly all: number } => {
  const states = [
    ...devices.map((slot) => deviceUnit(reading, slot, [], false).state),
    ...links.map((link) => linkUnit(reading, link).state),
  ]
  const present = states.filter((state) => state === "up" || state === "weak").length
  return { present, possible: present + states.filter((state) => state === "unknown").length, all: states.length }
}

/** A group that has more than it needs is weak when one is gone, and down when it has too few. */
export const groupUnit = (reading: Reading, group: GroupPlan): Unit => {
  const { present, possible, all } = groupCount(reading, group)
  const text = say("service.why.group", { group: group.name, have: present, need: group.need })
  const state = possible < group.need ? "down" : present < group.need ? "unknown" : possible < all ? "weak" : "up"
  return { state, reason: reason("", "", state === "down" || state === "weak", text) }
}

export const linkName = ({ inventory, deviceSlot }: Topology, link: number): string => {
  const { a, b } = inventory.links[link]!
  const name = (id: (typeof a)["device"]): string => inventory.devices[deviceSlot.get(id) ?? -1]?.name ?? id
  return `${name(a.device)} - ${name(b.device)}`
}
