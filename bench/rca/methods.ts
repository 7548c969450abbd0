/**
 * What the field does, each as its documentation has it, on the very reports that the twin gets: no suppression, the
 * single parent of Nagios and its heirs, all parents down, parents with port alerts, and the greedy set cover of the
 * fault-localisation papers. They answer elements, as the labels do, and know no confidence.
 */
import type { Coverage, Round } from "#bench/rca/simulate.ts"
import type { World } from "#bench/rca/world.ts"

export interface Root {
  readonly element: string
  /** Null = the method has none. */
  readonly confidence: number | null
}

/** Prepared for a topology; called for each round. */
export type Method = (round: Round) => readonly Root[]

export interface Baseline {
  readonly name: string
  readonly prepare: (world: World, cover: Coverage) => Method
}

const roots = (elements: Iterable<string>): readonly Root[] =>
  [...new Set(elements)].map((element) => ({ element, confidence: null }))

const parsed = (round: Round): ReadonlyArray<readonly [string, number]> =>
  [...round.alarms].map((alarm) => {
    const [report, index] = alarm.split(" ")
    return [report as string, Number(index)]
  })

/** Routers that do not answer, as such tools see them: a ping is lost, or else the poll. */
const silentOf = (world: World, round: Round): ReadonlySet<number> => {
  const silent = new Set<number>()
  for (const [report, index] of parsed(round)) {
    if (report === "answer") silent.add(index)
    if (report === "ping" && index < world.nodes.length) silent.add(index)
  }
  return silent
}

/** Every alarm is somebody's fault: its own element's. */
const elementOfAlarm = (world: World, report: string, index: number): string => {
  if (report === "answer") return `router:${index}`
  if (report === "ping") return `router:${index % world.nodes.length}`
  if (report !== "bgp") return `link:${index >> 1}`
  const session = world.sessions[index >> 1]
  if (session === undefined) return "session"
  return session.link >= 0 ? `link:${session.link}` : `router:${(index & 1) === 0 ? session.b : session.a}`
}

/** Levels from the first vantage point, and each router's neighbours one level nearer. */
const parentsOf = (world: World): ReadonlyArray<readonly number[]> => {
  const level = world.nodes.map(() => -1)
  const queue = [...(world.vantages[0] ?? [])]
  for (const n of queue) level[n] = 0
  const parents: number[][] = world.nodes.map(() => [])
  for (let head = 0; head < queue.length; head++) {
    const n = queue[head] as number
    for (const l of world.around[n] ?? []) {
      const link = world.links[l] as World["links"][number]
      const far = link.a === n ? link.b : link.a
      if (level[far] === -1) {
        level[far] = (level[n] as number) + 1
        queue.push(far)
      }
      if (level[far] === (level[n] as number) + 1) parents[far]?.push(n)
    }
  }
  return parents
}

const suppressed = (world: World, most: number): ((round: Round) => readonly string[]) => {
  const parents = parentsOf(world)
  return (round) => {
    const silent = silentOf(world, round)
    return [...silent].flatMap((n) => {
      const mine = (parents[n] ?? []).slice(0, most)
      return mine.length > 0 && mine.every((p) => silent.has(p)) ? [] : [`router:${n}`]
    })
  }
}

/** A port is told of when the routers of both its ends answer. */
const portAlerts = (world: World, round: Round): readonly string[] => {
  const silent = silentOf(world, round)
  return parsed(round).flatMap(([report, index]) => {
    if (report === "ping" || report === "answer" || report === "bgp") return []
    const link = world.links[index >> 1]
    if (link === undefined || silent.has(link.a) || silent.has(link.b)) return []
    return [elementOfAlarm(world, report, index)]
  })
}

/** For each element the alarms that its failure makes directly: no paths, no absences, no priors. */
const covers = (world: World): ReadonlyMap<string, ReadonlySet<string>> => {
  const sets = new Map<string, Set<string>>()
  const put = (element: string, alarm: string): void => {
    const set = sets.get(element) ?? new Set<string>()
    sets.set(element, set.add(alarm))
  }
  const views = world.vantages.length
  const putNode = (element: string, n: number): void => {
    put(element, `answer ${n}`)
    for (let v = 0; v < views; v++) put(element, `ping ${v * world.nodes.length + n}`)
  }
  const putLink = (element: string, l: number): void => {
    for (const end of [0, 1]) for (const report of ["port", "ospf"]) put(element, `${report} ${2 * l + end}`)
  }
  for (const [n, { site }] of world.nodes.entries())
    for (const element of [`router:${n}`, `site:${site}`]) {
      putNode(element, n)
      for (const l of world.around[n] ?? []) putLink(element, l)
    }
  for (const l of world.links.keys()) {
    putLink(`link:${l}`, l)
    for (const end of [0, 1])
      for (const report of ["hot", "queue", "flap"]) put(`link:${l}`, `${report} ${2 * l + end}`)
  }
  for (const [g, links] of world.groups.entries()) for (const l of links) putLink(`group:${g}`, l)
  for (const [s, { a, b, link }] of world.sessions.entries())
    for (const element of [`router:${a}`, `router:${b}`, ...(link >= 0 ? [`link:${link}`] : [])])
      for (const end of [0, 1]) put(element, `bgp ${2 * s + end}`)
  // A bridge's failure silences what is behind it, as the papers' fault trees have it.
  const parents = parentsOf(world)
  for (const [n, mine] of parents.entries()) if (mine.length === 1) putNode(`router:${mine[0]}`, n)
  return sets
}

const greedyCover = (world: World): ((round: Round) => readonly string[]) => {
  const sets = covers(world)
  // Between equals the smaller element wins; the ways in which a link can ail do not make it bigger.
  const isDown = (alarm: string): boolean => !/^(hot|queue|flap)/.test(alarm)
  const sizes = new Map([...sets].map(([element, set]) => [element, [...set].filter(isDown).length]))
  const elementsOf = new Map<string, string[]>()
  for (const [element, set] of sets)
    for (const alarm of set) {
      const list = elementsOf.get(alarm)
      if (list === undefined) elementsOf.set(alarm, [element])
      else list.push(element)
    }
  return ({ alarms }) => {
    const rest = new Set(alarms)
    const found: string[] = []
    while (rest.size > 0) {
      const hits = new Map<string, number>()
      for (const alarm of rest)
        for (const element of elementsOf.get(alarm) ?? []) hits.set(element, (hits.get(element) ?? 0) + 1)
      let best: string | null = null
      let bestHits = 0
      let bestSize = 0
      for (const [element, count] of hits) {
        const size = sizes.get(element) ?? 0
        if (count > bestHits || (count === bestHits && size < bestSize))
          [best, bestHits, bestSize] = [element, count, size]
      }
      if (best === null) break
      found.push(best)
      for (const alarm of sets.get(best) ?? []) rest.delete(alarm)
    }
    return found
  }
}

export const BASELINES: readonly Baseline[] = [
  {
    name: "none",
    prepare: (world) => (round) => roots(parsed(round).map(([report, index]) => elementOfAlarm(world, report, index))),
  },
  {
    name: "singleParent",
    prepare: (world) => {
      const by = suppressed(world, 1)
      return (round) => roots(by(round))
    },
  },
  {
    name: "allParents",
    prepare: (world) => {
      const by = suppressed(world, Number.POSITIVE_INFINITY)
      return (round) => roots(by(round))
    },
  },
  {
    name: "parentsAndPorts",
    prepare: (world) => {
      const by = suppressed(world, Number.POSITIVE_INFINITY)
      return (round) => roots([...by(round), ...portAlerts(world, round)])
    },
  },
  {
    name: "greedyCover",
    prepare: (world) => {
      const by = greedyCover(world)
      return (round) => roots(by(round))
    },
  },
]
