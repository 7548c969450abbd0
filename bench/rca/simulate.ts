/**
 * What devices would report while something is broken: the ground truth of the benchmark. Written from the devices' side
 * (what does this port, this neighbour, this session do?), with its own reachability and its own physics (lit transmission,
 * half of the upstreams' ports stay up, a queue drops at one end only); it shares no line with twin/rca, which must infer.
 */
import { dice } from "#lab/isp/random.ts"
import type { Dice } from "#lab/isp/random.ts"
import type { World } from "#bench/rca/world.ts"

/** What is broken. Elements are `link:3`, `router:7`, `site:1`, `group:2`. */
export interface Fault {
  readonly type: "cut" | "power" | "site" | "duct" | "upstream" | "bgp" | "congestion" | "flap"
  readonly index: number
}

export const elementOf = ({ type, index }: Fault): string =>
  type === "site"
    ? `site:${index}`
    : type === "duct"
      ? `group:${index}`
      : type === "cut" || type === "congestion" || type === "flap"
        ? `link:${index}`
        : `router:${index}`

/** One sort of alarm; the indexes are link * 2 + end, session * 2 + end, node, vantage * nodes + node. */
export const REPORTS = ["port", "ospf", "bgp", "answer", "ping", "hot", "queue", "flap"] as const
export type Report = (typeof REPORTS)[number]

export interface Round {
  /** `port 12` and so on. */
  readonly alarms: ReadonlySet<string>
  /** Nodes whose own reports are older than the fault: dead, cut off, or polled before it. */
  readonly outdated: ReadonlySet<number>
}

export interface Coverage {
  /** By node. */
  readonly polled: readonly boolean[]
  readonly pinged: readonly boolean[]
}

export interface Noise {
  readonly name: "clean" | "noisy"
  /** Chance that an alarm does not come. */
  readonly loss: number
  /** Chance, for each thing that could alarm, that it does for no reason. */
  readonly spurious: number
  /** Chance that a device was last polled before the fault. */
  readonly skew: number
  /** Chance that a device is not polled at all, and that such a one is not pinged either. */
  readonly unpolled: number
}

export const CLEAN: Noise = { name: "clean", loss: 0, spurious: 0, skew: 0, unpolled: 0 }
export const NOISY: Noise = { name: "noisy", loss: 0.1, spurious: 0.0005, skew: 0.1, unpolled: 0.1 }

export const coverageOf = (world: World, noise: Noise, draw: Dice): Coverage => {
  const polled = world.nodes.map(({ role }) => role !== "upstream" && !draw.chance(noise.unpolled))
  // Nobody reads an upstream's router; everybody pings it.
  const pinged = world.nodes.map(({ role }, n) => role === "upstream" || polled[n] === true || draw.chance(0.5))
  return { polled, pinged }
}

/** Who is off, which cables are cut. */
interface State {
  readonly off: ReadonlySet<number>
  readonly cut: ReadonlySet<number>
}

const stateOf = (world: World, faults: readonly Fault[]): State => {
  const off = new Set<number>()
  const cut = new Set<number>()
  for (const { type, index } of faults) {
    if (type === "cut") cut.add(index)
    if (type === "duct") for (const l of world.groups[index] ?? []) cut.add(l)
    if (type === "power" || type === "upstream") off.add(index)
    if (type === "site") for (const [n, { site }] of world.nodes.entries()) if (site === index) off.add(n)
  }
  return { off, cut }
}

/** Depth first over living devices: what a packet from there can still reach. */
const heardFrom = (world: World, starts: readonly number[], { off, cut }: State): Uint8Array => {
  const heard = new Uint8Array(world.nodes.length)
  const stack = starts.filter((n) => !off.has(n))
  for (const n of stack) heard[n] = 1
  for (let n = stack.pop(); n !== undefined; n = stack.pop())
    for (const l of world.around[n] as readonly number[]) {
      const link = world.links[l] as World["links"][number]
      const far = link.a === n ? link.b : link.a
      if (heard[far] === 1 || cut.has(l) || off.has(far)) continue
      heard[far] = 1
      stack.push(far)
    }
  return heard
}

/** By vantage, who is heard while all is well: the same for every incident of a world. */
const healthyViews = new WeakMap<World, readonly Uint8Array[]>()

const healthyView = (world: World, vantage: number): Uint8Array => {
  let views = healthyViews.get(world)
  if (views === undefined) {
    const nothing: State = { off: new Set(), cut: new Set() }
    views = world.vantages.map((stands) => heardFrom(world, stands, nothing))
    healthyViews.set(world, views)
  }
  return views[vantage] as Uint8Array
}

/** Without noise; `physics` decides what a fault does where nature has a choice. */
export const cleanRound = (world: World, cover: Coverage, faults: readonly Fault[], physics: number): Round => {
  const state = stateOf(world, faults)
  const alarms = new Set<string>()
  const outdated = new Set<number>()
  const nodes = world.nodes.length
  const near = heardFrom(world, world.vantages[0] ?? [], state)
  const nearBefore = healthyView(world, 0)
  for (let n = 0; n < nodes; n++) if (nearBefore[n] === 1 && near[n] === 0) outdated.add(n)
  const tells = (n: number): boolean => cover.polled[n] === true && near[n] === 1
  for (const n of outdated) if (cover.polled[n] === true) alarms.add(`answer ${n}`)
  for (const [v, stands] of world.vantages.entries()) {
    const now = v === 0 ? near : heardFrom(world, stands, state)
    const before = healthyView(world, v)
    for (let n = 0; n < nodes; n++)
      if (cover.pinged[n] === true && before[n] === 1 && now[n] === 0) alarms.add(`ping ${v * nodes + n}`)
  }
  for (const [l, link] of world.links.entries())
    for (const end of [0, 1] as const) {
      const [own, far] = end === 0 ? [link.a, link.b] : [link.b, link.a]
      if (!tells(own)) continue
      const farOff = state.off.has(far)
      const lit = world.nodes[far]?.role === "upstream" ? dice(physics, `upstream ${far}`).chance(0.5) : link.lit
      if (state.cut.has(l) || (farOff && !lit)) alarms.add(`port ${2 * l + end}`)
      if (link.ospf && (state.cut.has(l) || farOff)) alarms.add(`ospf ${2 * l + end}`)
    }
  const bgpOff = new Set(faults.flatMap(({ type, index }) => (type === "bgp" ? [index] : [])))
  for (const [s, { a, b, link }] of world.sessions.entries())
    for (const end of [0, 1] as const) {
      const [own, far] = end === 0 ? [a, b] : [b, a]
      if (!tells(own)) continue
      const gone = state.off.has(far) || bgpOff.has(a) || bgpOff.has(b)
      // Between loopbacks, packets take whatever way is left.
      if (gone || (link >= 0 ? state.cut.has(link) : near[far] === 0 && nearBefore[far] === 1))
        alarms.add(`bgp ${2 * s + end}`)
    }
  for (const { type, index } of faults) {
    const link = world.links[index]
    if (link === undefined || (type !== "congestion" && type !== "flap")) continue
    const draw = dice(physics, `${type} ${index}`)
    const direction = draw.int(0, 1)
    if (type === "congestion") {
      // Both ends count the same octets.
      for (const end of [0, 1] as const) if (tells(end === 0 ? link.a : link.b)) alarms.add(`hot ${2 * index + end}`)
      if (tells(direction === 0 ? link.a : link.b)) alarms.add(`queue ${2 * index + direction}`)
      continue
    }
    for (const end of [0, 1] as const) {
      if (!tells(end === 0 ? link.a : link.b)) continue
      alarms.add(`flap ${2 * index + end}`)
      // As the moment of the poll has it.
      if (direction === 0) alarms.add(`port ${2 * index + end}`).add(`ospf ${2 * index + end}`)
    }
  }
  return { alarms, outdated }
}

/** What arrives of it. */
export const noisyRound = (world: World, cover: Coverage, round: Round, noise: Noise, draw: Dice): Round => {
  const alarms = new Set<string>()
  const outdated = new Set(round.outdated)
  const skewed = new Set<number>()
  for (let n = 0; n < world.nodes.length; n++) if (cover.polled[n] === true && draw.chance(noise.skew)) skewed.add(n)
  for (const alarm of round.alarms) {
    if (draw.chance(noise.loss)) continue
    const node = ownerOf(world, alarm)
    // Half of what a device has to say comes as a trap, whenever it was polled.
    if (node >= 0 && skewed.has(node) && draw.chance(0.5)) continue
    alarms.add(alarm)
  }
  for (const n of skewed) outdated.add(n)
  const sizes: Readonly<Record<Report, number>> = sizesOf(world)
  for (const report of REPORTS) {
    const many = sizes[report] * noise.spurious
    let count = Math.floor(many) + (draw.chance(many % 1) ? 1 : 0)
    for (; count > 0; count--) {
      const alarm = `${report} ${draw.int(0, sizes[report] - 1)}`
      if (isWatched(world, cover, alarm) && !outdated.has(ownerOf(world, alarm))) alarms.add(alarm)
    }
  }
  return { alarms, outdated }
}

const sizesOf = ({ links, nodes, sessions, vantages }: World): Readonly<Record<Report, number>> => ({
  port: 2 * links.length,
  ospf: 2 * links.length,
  bgp: 2 * sessions.length,
  answer: nodes.length,
  ping: vantages.length * nodes.length,
  hot: 2 * links.length,
  queue: 2 * links.length,
  flap: 2 * links.length,
})

const split = (alarm: string): readonly [Report, number] => {
  const [report, index] = alarm.split(" ")
  return [report as Report, Number(index)]
}

/** The device whose report it is; -1 = somebody else's view (answer, ping). */
export const ownerOf = (world: World, alarm: string): number => {
  const [report, index] = split(alarm)
  if (report === "answer" || report === "ping") return -1
  const ends = report === "bgp" ? world.sessions[index >> 1] : world.links[index >> 1]
  return ends === undefined ? -1 : (index & 1) === 0 ? ends.a : ends.b
}

export const isWatched = (world: World, cover: Coverage, alarm: string): boolean => {
  const [report, index] = split(alarm)
  if (report === "answer") return cover.polled[index] === true
  if (report === "ping") return cover.pinged[index % world.nodes.length] === true
  if (report === "ospf" && world.links[index >> 1]?.ospf !== true) return false
  return cover.polled[ownerOf(world, alarm)] === true
}
