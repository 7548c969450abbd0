/**
 * The real-router lab while it runs: cables are cut, power fails, packets get lost, and what the routers themselves say
 * of their adjacencies. What is broken is kept in the state file, so that any process can go on with it. up.ts builds it.
 */
import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import process from "node:process"
import type { FrrIsp, FrrLink, FrrPort, FrrRouter } from "#lab/frr/isp.ts"
import { bgpPeers, FRR_ISP, ISP_ASN, linkBetween, ospfNeighbours, portsOf, routerNamed } from "#lab/frr/isp.ts"
import { lightLines, PANEL } from "#lab/frr/panel.ts"
import { FrrRefused, interfacesOf, namespaceOf, powerOn, writeOwner } from "#lab/frr/power.ts"
import type { FrrRoutes, RoutingTable } from "#lab/frr/routes.ts"
import { tableOf } from "#lab/frr/routes.ts"
import { ip, pause, run, succeeds } from "#lab/frr/shell.ts"
import type { FrrState, Hurt, Power } from "#lab/frr/state.ts"
import { isOn, readState, writeState } from "#lab/frr/state.ts"

export interface FrrNetwork {
  readonly isp: FrrIsp
  readonly state: () => FrrState
  /** All of these resolve with the wall-clock ms at which the fault was set going. */
  /** The cable: both ends lose the light. */
  readonly cut: (a: string, b: string) => Promise<number>
  /** An operator shuts a's end. */
  readonly shut: (a: string, b: string) => Promise<number>
  /** Neither cut nor shut any more. */
  readonly mend: (a: string, b: string) => Promise<number>
  readonly kill: (router: string) => Promise<number>
  readonly revive: (router: string) => Promise<number>
  readonly loss: (a: string, b: string, percent: number) => Promise<number>
  readonly rate: (a: string, b: string, mbit: number | null) => Promise<number>
  /** OSPF cost of both ends; null = as configured. */
  readonly cost: (a: string, b: string, cost: number | null) => Promise<number>
  /** Of every router of the ISP that has power, as it says itself. */
  readonly tables: () => Promise<readonly RoutingTable[]>
  readonly adjacencies: () => Promise<readonly Adjacencies[]>
  /** Resolves when every router that has power has all the adjacencies that it can have; rejects with what lacks. */
  readonly settled: (timeoutMs: number) => Promise<void>
}

/** What a router itself says, by vtysh. */
export interface Adjacencies {
  readonly router: string
  readonly isOn: boolean
  readonly ospfFull: number
  readonly bgpEstablished: number
}

/** The lab that runs, by its state file. */
export const openNetwork = (stateFile: string): FrrNetwork => {
  if (readState(stateFile) === null)
    throw new FrrRefused(
      `no real-router lab is known here: ${stateFile} is not there, or not yours to read; start one: npm run lab -- frr up`,
    )
  return network(FRR_ISP, stateFile)
}

const network = (isp: FrrIsp, stateFile: string): FrrNetwork => {
  const state = (): FrrState => {
    const read = readState(stateFile)
    if (read === null) throw new FrrRefused(`${stateFile} is gone: the lab has been taken down`)
    return read
  }
  const save = (change: Partial<FrrState>): void => writeState(stateFile, { ...state(), ...change })

  const routerOf = (name: string): FrrRouter => {
    const router = routerNamed(isp, name)
    if (router !== undefined) return router
    throw new FrrRefused(`there is no router "${name}"; there are: ${isp.routers.map((one) => one.name).join(", ")}`)
  }
  const linkOf = (a: string, b: string): FrrLink => {
    routerOf(a)
    routerOf(b)
    const link = linkBetween(isp, a, b)
    if (link !== undefined) return link
    const to = portsOf(isp, a).map(({ far }) => far.router)
    throw new FrrRefused(`no link joins ${a} and ${b}; ${a} has links to ${to.join(", ")}`)
  }
  const hurtOf = ({ a, b }: FrrLink): Hurt =>
    state().hurts.find((one) => one.a === a.router && one.b === b.router) ?? {
      a: a.router,
      b: b.router,
      isCut: false,
      shutAt: null,
      lossPercent: 0,
      rateMbit: null,
    }
  const hurt = (link: FrrLink, change: Partial<Hurt>): void => {
    const next = { ...hurtOf(link), ...change }
    const others = state().hurts.filter(({ a, b }) => a !== next.a || b !== next.b)
    const isHealthy = !next.isCut && next.shutAt === null && next.lossPercent === 0 && next.rateMbit === null
    save({ hurts: isHealthy ? others : [...others, next] })
  }
  const linksOf = (name: string): readonly FrrLink[] => portsOf(isp, name).map(({ link }) => link)
  const endAt = (link: FrrLink, name: string): FrrPort => (link.a.router === name ? link.a : link.b)

  /** Makes the panel show what the state says; `powered` before the state knows it. */
  const light = async (links: readonly FrrLink[], powered: Readonly<Record<string, boolean>> = {}): Promise<void> => {
    const { power } = state()
    const lines = links.flatMap((link) => {
      const { isCut, shutAt } = hurtOf(link)
      const sends = (router: string): boolean => shutAt !== router && (powered[router] ?? isOn(power[router]))
      return lightLines(isp, link, { a: sends(link.a.router), b: sends(link.b.router), isCut })
    })
    await ip(PANEL, lines)
  }
  const whole = (link: FrrLink, a: string, b: string): void => {
    const { isCut, shutAt } = hurtOf(link)
    if (isCut) throw new FrrRefused(`${a} - ${b} is already cut`)
    if (shutAt !== null) throw new FrrRefused(`${a} - ${b} is already shut, at ${shutAt}`)
  }

  const cut = async (a: string, b: string): Promise<number> => {
    const link = linkOf(a, b)
    whole(link, a, b)
    hurt(link, { isCut: true })
    const atMs = Date.now()
    await light([link])
    return atMs
  }
  const shut = async (a: string, b: string): Promise<number> => {
    const link = linkOf(a, b)
    whole(link, a, b)
    hurt(link, { shutAt: a })
    const atMs = Date.now()
    await Promise.all([ip(namespaceOf(a), [`link set ${endAt(link, a).interface} down`]), light([link])])
    return atMs
  }
  const mend = async (a: string, b: string): Promise<number> => {
    const link = linkOf(a, b)
    const { isCut, shutAt } = hurtOf(link)
    if (!isCut && shutAt === null) throw new FrrRefused(`${a} - ${b} is neither cut nor shut`)
    hurt(link, { isCut: false, shutAt: null })
    const atMs = Date.now()
    // A dead router's ports stay dark until it is revived.
    const opens = shutAt !== null && isOn(state().power[shutAt])
    await Promise.all([
      opens ? ip(namespaceOf(shutAt), [`link set ${endAt(link, shutAt).interface} up`]) : null,
      light([link]),
    ])
    return atMs
  }
  const kill = async (name: string): Promise<number> => {
    routerOf(name)
    const power = state().power[name]
    if (!isOn(power)) throw new FrrRefused(`${name} has no power already`)
    const atMs = Date.now()
    // Light first: a killed process would still close its TCP sessions, which a power cut does not.
    await Promise.all([
      ip(
        namespaceOf(name),
        interfacesOf(isp, name).map((one) => `link set ${one} down`),
      ),
      light(linksOf(name), { [name]: false }),
    ])
    process.kill(power.pid, "SIGKILL")
    await ended(power)
    save({ power: { ...state().power, [name]: null } })
    return atMs
  }
  const revive = async (name: string): Promise<number> => {
    const router = routerOf(name)
    const { power, hurts, isTied } = state()
    if (isOn(power[name])) throw new FrrRefused(`${name} has power`)
    const shut = hurts.flatMap(({ a, b, shutAt }) => (shutAt === name ? [endAt(linkOf(a, b), name).interface] : []))
    const atMs = Date.now()
    await ip(
      namespaceOf(name),
      interfacesOf(isp, name)
        .filter((one) => !shut.includes(one))
        .map((one) => `link set ${one} up`),
    )
    await light(linksOf(name), { [name]: true })
    const on = powerOn(router, isTied)
    save({ power: { ...state().power, [name]: on } })
    writeOwner({
      stateFile: resolve(stateFile),
      pids: Object.values(state().power).filter((one) => one !== null),
    })
    return atMs
  }
  const loss = async (a: string, b: string, percent: number): Promise<number> => {
    if (!(percent >= 0 && percent <= 100)) throw new FrrRefused(`a loss is 0 to 100 percent, not ${percent}`)
    const link = linkOf(a, b)
    const atMs = Date.now()
    for (const end of [link.a, link.b]) await lose(namespaceOf(end.router), end.interface, percent)
    hurt(link, { lossPercent: percent })
    return atMs
  }
  const rate = async (a: string, b: string, mbit: number | null): Promise<number> => {
    if (mbit !== null && !(mbit > 0 && mbit <= 100_000))
      throw new FrrRefused(`a rate is 1 to 100000 Mbit/s, not ${mbit}`)
    const link = linkOf(a, b)
    const atMs = Date.now()
    for (const end of [link.a, link.b]) await shape(namespaceOf(end.router), end.interface, mbit)
    hurt(link, { rateMbit: mbit })
    return atMs
  }

  const cost = async (a: string, b: string, wanted: number | null): Promise<number> => {
    const link = linkOf(a, b)
    const asBuilt = link.cost
    if (asBuilt === null) throw new FrrRefused(`no OSPF runs between ${a} and ${b}`)
    const value = wanted ?? asBuilt
    if (!(Number.isInteger(value) && value >= 1 && value <= 65_535))
      throw new FrrRefused(`an OSPF cost is 1 to 65535, not ${value}`)
    const atMs = Date.now()
    for (const end of [link.a, link.b]) {
      const power = state().power[end.router]
      if (isOn(power)) await inside(power, "configure terminal", `interface ${end.interface}`, `ip ospf cost ${value}`)
    }
    return atMs
  }
  const tables = async (): Promise<readonly RoutingTable[]> => {
    const { power } = state()
    const all = await Promise.all(
      isp.routers.map(async ({ name, asn }) => {
        const own = power[name]
        if (asn !== ISP_ASN || !isOn(own)) return []
        const routes = await vtysh<FrrRoutes>(own, "show ip route json")
        return routes === null ? [] : [tableOf(isp, name, routes)]
      }),
    )
    return all.flat()
  }

  const adjacencies = (): Promise<readonly Adjacencies[]> => {
    const { power } = state()
    return Promise.all(isp.routers.map(({ name }) => adjacenciesOf(name, power[name])))
  }
  const settled = async (timeoutMs: number): Promise<void> => {
    const until = Date.now() + timeoutMs
    for (;;) {
      const lacking = lackingOf(isp, state(), await adjacencies())
      if (lacking.length === 0) return
      if (Date.now() > until) throw new Error(`not settled after ${timeoutMs} ms: ${lacking.join("; ")}`)
      await pause(500)
    }
  }
  return { isp, state, cut, shut, mend, kill, revive, loss, rate, cost, tables, adjacencies, settled }
}

/** Drops packets as they come in, all protocols alike. nftables, because not every kernel has netem. */
const lose = async (namespace: string, name: string, percent: number): Promise<void> => {
  const table = `netdev hg_${name}`
  const rules =
    percent === 0
      ? ""
      : `table ${table} { chain lose { type filter hook ingress device "${name}" priority 0; numgen random mod 1000 < ${Math.round(percent * 10)} drop; }; }\n`
  await run("ip", ["netns", "exec", namespace, "nft", "-f", "-"], `add table ${table}\ndelete table ${table}\n${rules}`)
}

const shape = async (namespace: string, name: string, mbit: number | null): Promise<void> => {
  const tc = ["netns", "exec", namespace, "tc", "qdisc"]
  if (mbit !== null)
    await run("ip", [
      ...tc,
      "replace",
      "dev",
      name,
      "root",
      "tbf",
      "rate",
      `${mbit}mbit`,
      "burst",
      "64kb",
      "latency",
      "200ms",
    ])
  else await succeeds(run("ip", [...tc, "delete", "dev", name, "root"]))
}

const adjacenciesOf = async (router: string, power: Power | null | undefined): Promise<Adjacencies> => {
  if (!isOn(power)) return { router, isOn: false, ospfFull: 0, bgpEstablished: 0 }
  const [ospf, bgp] = await Promise.all([
    vtysh<{ neighbors?: Record<string, ReadonlyArray<{ nbrState?: string; state?: string }>> }>(
      power,
      "show ip ospf neighbor json",
    ),
    vtysh<{ ipv4Unicast?: { peers?: Record<string, { state?: string }> } }>(power, "show bgp summary json"),
  ])
  const neighbours = Object.values(ospf?.neighbors ?? {}).flat()
  const peers = Object.values(bgp?.ipv4Unicast?.peers ?? {})
  return {
    router,
    isOn: true,
    ospfFull: neighbours.filter(({ nbrState, state }) => (nbrState ?? state ?? "").startsWith("Full")).length,
    bgpEstablished: peers.filter(({ state }) => state === "Established").length,
  }
}

/** Null while the router has not started yet. */
const vtysh = async <Answer>(power: Power, command: string): Promise<Answer | null> => {
  try {
    return JSON.parse(await inside(power, command)) as Answer
  } catch {
    return null
  }
}

const inside = ({ pid }: Power, ...commands: readonly string[]): Promise<string> => {
  const first = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")[0] ?? ""
  const words = commands.flatMap((command) => ["-c", command])
  return run("nsenter", ["--target", first, "--mount", "--net", "--pid", "vtysh", ...words])
}

/** What is missing, in words. Sessions over what was broken on purpose are not expected. */
const lackingOf = (isp: FrrIsp, state: FrrState, seen: readonly Adjacencies[]): readonly string[] =>
  seen.flatMap(({ router, isOn: on, ospfFull, bgpEstablished }) => {
    if (!on) return []
    const works = (far: string): boolean => isOn(state.power[far])
    const isWhole = (far: string): boolean =>
      works(far) &&
      !state.hurts.some(
        ({ a, b, isCut, shutAt, lossPercent }) =>
          [a, b].includes(router) && [a, b].includes(far) && (isCut || shutAt !== null || lossPercent > 0),
      )
    const ospf = ospfNeighbours(isp, router).filter(isWhole).length
    const bgp = bgpPeers(isp, router).filter(({ remote, remoteAsn }) =>
      remoteAsn === routerNamed(isp, router)?.asn ? works(remote) : isWhole(remote),
    ).length
    return [
      ...(ospfFull < ospf ? [`${router} has ${ospfFull} of ${ospf} OSPF neighbours`] : []),
      ...(bgpEstablished < bgp ? [`${router} has ${bgpEstablished} of ${bgp} BGP sessions`] : []),
    ]
  })

const ended = async (power: Power): Promise<void> => {
  for (let round = 0; round < 250 && isOn(power); round++) await pause(20)
}
