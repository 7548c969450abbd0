/** A network with rules for tests of incidents: two core routers, and sites whose routers hang on both of them. */
import type { IncidentView } from "#protocol/incident.ts"
import { siteId } from "#protocol/id.ts"
import type { Device, Inventory, Link } from "#protocol/inventory.ts"
import type { Rule } from "#protocol/rule.ts"
import type { EventView } from "#protocol/view.ts"
import type { IncidentAct } from "#twin/incident/act.ts"
import { incidentView } from "#twin/incident/view.ts"
import { over } from "#twin/alert/rule.fixture.ts"
import { device, inventory, link, poll, ports, silence, trap } from "#twin/inventory.fixture.ts"
import { ruleOf } from "#twin/judge/pool.fixture.ts"
import type { Input } from "#twin/input.ts"
import type { JudgedNetwork } from "#twin/judge/judged.fixture.ts"
import { judgedNetwork } from "#twin/judge/judged.fixture.ts"
import { at } from "#twin/network.fixture.ts"

export const RULES = [
  ruleOf(
    "silent",
    { type: "consecutive", metric: "device.up", operator: "==", threshold_num: 0, count: 1 },
    { severity: "critical" },
  ),
  ruleOf("port", { type: "consecutive", metric: "interface.oper_up", operator: "==", threshold_num: 0, count: 1 }),
  ruleOf("cpu", over("device.cpu_pct", 85, 60), { severity: "warn" }),
  ruleOf("hot", over("device.temp_c", 70, 60), { severity: "critical" }),
]

export interface Desk extends JudgedNetwork {
  /** Ids of `incident.*` events so far: `12 opened`. */
  readonly said: string[]
  /** Everything that was fed to it after the topology and the rules, and every event since. */
  readonly fed: Input[]
  readonly events: EventView[]
  readonly incidents: () => readonly IncidentView[]
  /** The only one. */
  readonly one: () => IncidentView
  readonly act: (second: number, id: string, act: IncidentAct) => void
  readonly tick: (second: number) => void
  /** Everybody who is not named answers, all ports up but those named: `r1:e1`. */
  readonly round: (second: number, silent?: readonly string[], down?: readonly string[]) => void
}

const portsOf = (name: string, { links }: Inventory): readonly string[] =>
  links.flatMap(({ a, b }) => [a, b].flatMap((end) => (end.device === `id-${name}` ? [end.interface] : [])))

export const desk = (start: Inventory, rules: readonly Rule[] = RULES): Desk => {
  const net = judgedNetwork(start, rules)
  const said: string[] = []
  const fed: Input[] = []
  const events: EventView[] = []
  const apply: Desk["apply"] = (...inputs) => {
    const result = net.apply(...inputs)
    fed.push(...inputs)
    events.push(...result.events)
    for (const { atMs, type } of result.events)
      if (type.startsWith("incident.")) said.push(`${(atMs - at(0)) / 1000} ${type.slice("incident.".length)}`)
    return result
  }
  const incidents = (): readonly IncidentView[] => net.world.desk.incidents.map(incidentView)
  return {
    ...net,
    apply,
    said,
    fed,
    events,
    incidents,
    one: () => {
      const [only, ...others] = incidents()
      if (only === undefined || others.length > 0) throw new Error(`${incidents().length} incidents`)
      return only
    },
    act: (second, incident, act) => void apply({ kind: "incident", atMs: at(second), incident, by: "ana", act }),
    tick: (second) => void apply({ kind: "tick", atMs: at(second) }),
    round: (second, silent = [], down = []) =>
      void apply(
        ...start.devices.map(({ name }, index) => {
          const atMs = at(second) + index
          if (silent.includes(name)) return silence(name, atMs)
          const up = Object.fromEntries(portsOf(name, start).map((port) => [port, !down.includes(`${name}:${port}`)]))
          return ports(name, atMs, up)
        }),
      ),
  }
}

const AT = (site: string, roles: Device["roles"]) => ({ site: siteId(site), roles })

/** c1, c2 at s1; at each further site `count` routers, each linked to both cores. */
export const stars = (sites: Readonly<Record<string, number>>): Inventory => {
  const devices = [device("c1", AT("s1", ["core"])), device("c2", AT("s1", ["core"]))]
  const links: Link[] = [link("core", "c1:e0 c2:e0")]
  for (const [site, count] of Object.entries(sites))
    for (let i = 1; i <= count; i++) {
      const name = `${site}-${i}`
      devices.push(device(name, AT(site, ["access"])))
      links.push(link(`${name}-1`, `${name}:u1 c1:${name}`), link(`${name}-2`, `${name}:u2 c2:${name}`))
    }
  const plain = inventory(devices, links)
  const named = Object.keys(sites).map((id) => ({ id: siteId(id), name: id, latitude: 0, longitude: 0 }))
  return { ...plain, sites: [...plain.sites.filter(({ id }) => !(id in sites)), ...named] }
}

export const cpu = (name: string, second: number, value: number) =>
  poll(name, at(second), { "": { "device.cpu_pct": value } })
export const hot = (name: string, second: number, value: number) =>
  poll(name, at(second), { "": { "device.temp_c": value } })
export const linkDown = (name: string, port: string, second: number) =>
  trap(name, at(second), { ifName: port, adminUp: true })
