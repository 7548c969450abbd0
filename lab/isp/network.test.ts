import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { BGP_ESTABLISHED, HOLD_MS } from "#lab/isp/bgp.ts"
import { OCTETS_PER_PACKET } from "#lab/isp/flows.ts"
import { generate } from "#lab/isp/generate.ts"
import type { Isp, Link } from "#lab/isp/model.ts"
import { AGENT_START_MS, BOOT_MS, Network, REROUTE_MS } from "#lab/isp/network.ts"
import type { NetworkEvent } from "#lab/isp/network.ts"
import { DEAD_INTERVAL_MS, OSPF_FULL, OSPF_GONE } from "#lab/isp/ospf.ts"

/** Nine in the evening in Sao Paulo. */
const EVENING = Date.UTC(2026, 0, 2, 0, 0, 0)
const isp = generate({ routers: 60, seed: 5 })

const open = (of: Isp = isp): { network: Network; events: NetworkEvent[] } => {
  const network = new Network(of, EVENING)
  const events: NetworkEvent[] = []
  network.listen((event) => events.push(event))
  return { network, events }
}
const linkOf = (kind: Link["kind"], where: (link: Link) => boolean = () => true): Link =>
  isp.links.find((link) => link.kind === kind && where(link))!
const routerAt = (port: number): number => isp.ports[port]!.router
/** A router with one link only, and that link. */
const leaf = (): { router: number; link: Link } => {
  const router = isp.routers.find((one) => one.roles[0] === "access" && linksAt(one.index).length === 1)!
  return { router: router.index, link: linksAt(router.index)[0]! }
}
const linksAt = (router: number): readonly Link[] =>
  isp.links.filter((link) => routerAt(link.a) === router || routerAt(link.b) === router)

interface Sums {
  in: number
  out: number
  dropped: number
}
const sumsOf = (network: Network, router: number): Sums => {
  const sums: Sums = { in: 0, out: 0, dropped: 0 }
  for (const port of isp.routers[router]!.ports) {
    sums.in += network.inOctets(port)
    sums.out += network.outOctets(port)
    sums.dropped += network.outDiscards(port) * OCTETS_PER_PACKET
  }
  return sums
}

/** At every router: octets in = octets out + octets dropped, over a time, to a thousandth. */
const assertConserved = (network: Network, overMs: number): void => {
  const before = isp.routers.map((router) => sumsOf(network, router.index))
  network.advance(network.nowMs + overMs)
  for (const router of isp.routers) {
    const now = sumsOf(network, router.index)
    const was = before[router.index]!
    const came = now.in - was.in
    const went = now.out - was.out + (now.dropped - was.dropped)
    const slack = 1e-3 * came + 2 * OCTETS_PER_PACKET * router.ports.length
    assert.ok(Math.abs(came - went) <= slack, `${router.name}: ${came} octets in, ${went} out or dropped`)
  }
}

test("flow is conserved at every router on an evening without faults", () => {
  const { network } = open()
  network.advance(EVENING + 3000)
  assertConserved(network, 30_000)
  const carrying = isp.links.filter((link) => network.outBps(link.a) + network.outBps(link.b) > 1e6)
  assert.ok(carrying.length > isp.links.length / 2, "links carry traffic")
})

test("flow is conserved at every router while a link is congested, and the lost packets are counted on it", () => {
  const { network } = open()
  const link = linkOf("agg", (one) => network.outBps(one.b) > 0)
  network.setLoop(link.index, 1.5 * link.capacityBps)
  network.advance(EVENING + 3000)
  const discards = network.outDiscards(link.a) + network.outDiscards(link.b)
  assertConserved(network, 20_000)
  assert.ok(network.outDiscards(link.a) + network.outDiscards(link.b) > discards)
  const share = [link.a, link.b].map((port) => network.outBps(port) / link.capacityBps)
  assert.ok(Math.max(...share) <= 1 + 1e-9 && Math.max(...share) > 0.99, "the busier direction is full")
  assert.ok(Math.min(...share) > 0.6, "what circles fills the other direction too")
})

test("what one end of a link has sent in any period is what the other end has received", () => {
  const { network } = open()
  const read = () =>
    isp.links.map(({ a, b }) => [network.outOctets(a), network.inOctets(b), network.outOctets(b), network.inOctets(a)])
  const before = read()
  network.advance(EVENING + 12_345)
  read().forEach((now, i) => {
    const [sentAb, gotAb, sentBa, gotBa] = now.map((octets, j) => octets - before[i]![j]!) as [
      number,
      number,
      number,
      number,
    ]
    // Each counter is rounded down by itself.
    assert.ok(Math.abs(sentAb - gotAb) <= 1)
    assert.ok(Math.abs(sentBa - gotBa) <= 1)
  })
})

const step = fc.oneof(
  fc.record({ what: fc.constant("cut" as const), which: fc.nat(), on: fc.boolean() }),
  fc.record({ what: fc.constant("power" as const), which: fc.nat(), on: fc.boolean() }),
  fc.record({ what: fc.constant("loop" as const), which: fc.nat(), on: fc.boolean() }),
  fc.record({ what: fc.constant("wait" as const), which: fc.nat(9000), on: fc.boolean() }),
)

test("counters never go back but over a restart, whatever breaks and mends", () => {
  const small = generate({ routers: 16, seed: 9 })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const { network } = open(small)
      const read = (port: number) => [network.inOctets(port), network.outOctets(port), network.outDiscards(port)]
      let last = small.ports.map((port) => read(port.index))
      let boots = Array.from(network.boots)
      for (const { what, which, on } of steps) {
        const link = which % small.links.length
        const router = which % small.routers.length
        if (what === "cut") network.setCut(link, on)
        else if (what === "loop") network.setLoop(link, on ? 2 * small.links[link]!.capacityBps : 0)
        else if (what === "power") (on ? network.revive : network.kill).call(network, router)
        network.advance(network.nowMs + (what === "wait" ? which : 137))
        const now = small.ports.map((port) => read(port.index))
        now.forEach((values, port) => {
          if (network.boots[small.ports[port]!.router] !== boots[small.ports[port]!.router]) return
          values.forEach((value, i) => assert.ok(value >= last[port]![i]!, `port ${port} counter ${i}`))
          assert.ok(values.every((value) => Number.isSafeInteger(value) && value >= 0))
        })
        last = now
        boots = Array.from(network.boots)
      }
    }),
    { numRuns: 60 },
  )
})

test("a network that is driven in one stride and one driven in many small ones are the same", () => {
  const [one, many] = [open().network, open().network]
  for (const network of [one, many]) network.setCut(3, true)
  one.advance(EVENING + 20_000)
  for (let t = EVENING; t <= EVENING + 20_000; t += 37) many.advance(t)
  many.advance(EVENING + 20_000)
  assert.deepEqual([...many.ospf.state], [...one.ospf.state])
  assert.deepEqual([...many.bgp.state], [...one.bgp.state])
  for (const port of isp.ports) assert.ok(Math.abs(many.inOctets(port.index) - one.inOctets(port.index)) <= 4)
})

test("a cut is heard at both ends at once: ports down, OSPF neighbour gone", () => {
  const { network, events } = open()
  const link = linkOf("core")
  network.setCut(link.index, true)
  assert.deepEqual(
    events.map((event) => (event.kind === "port" ? [event.port, event.up, event.atMs] : [event.kind])),
    [[link.a, false, EVENING], [link.b, false, EVENING], ["ospf"]],
  )
  assert.equal(network.ospf.state[link.index], OSPF_GONE)
})

test("traffic leaves a cut link at once, returns on other paths after the SPF delay, and comes back when it is mended", () => {
  const { network } = open()
  network.advance(EVENING + 1500)
  const link = [...isp.links]
    .filter((one) => one.kind === "core")
    .sort((x, y) => network.outBps(y.a) - network.outBps(x.a))[0]!
  const flow = (): number => network.outBps(link.a) + network.outBps(link.b)
  const delivered = (): number =>
    isp.ports
      .filter((port) => ["subscribers", "customers", "internet"].includes(port.kind))
      .reduce((sum, port) => sum + network.outBps(port.index), 0)
  const normal = delivered()
  assert.ok(flow() > 1e6)
  network.setCut(link.index, true)
  assert.equal(flow(), 0)
  assert.ok(delivered() < normal * 0.999, "what the old routes still send there is lost")
  network.advance(network.nowMs + REROUTE_MS)
  assert.ok(delivered() > normal * 0.99, "the ring has another way")
  network.setCut(link.index, false)
  assert.equal(flow(), 0, "no adjacency, no traffic")
  network.advance(network.nowMs + 900 + REROUTE_MS)
  assert.ok(flow() > 1e6)
})

test("a mended adjacency is Full after 0.9 s, through Init, ExStart and Loading", () => {
  const { network, events } = open()
  const link = linkOf("core")
  network.setCut(link.index, true)
  network.setCut(link.index, false)
  network.advance(EVENING + 900)
  const states = events.flatMap((event) => (event.kind === "ospf" ? [[event.to, event.atMs - EVENING]] : []))
  assert.deepEqual(states, [
    [0, 0],
    [3, 100],
    [5, 500],
    [7, 700],
    [OSPF_FULL, 900],
  ])
})

test("a dead router says nothing; its neighbours lose light, and over transport equipment only the adjacency, 4 s later", () => {
  const transported: Isp = { ...isp, links: isp.links.map((link) => ({ ...link, transport: link.index === 0 })) }
  const { network, events } = open(transported)
  const dead = routerAt(isp.links[0]!.a)
  network.kill(dead)
  assert.ok(events.every((event) => event.kind !== "port" || routerAt(event.port) !== dead))
  const dark = events.flatMap((event) => (event.kind === "port" ? [event.port] : []))
  const far = linksAt(dead)
    .filter((link) => link.index !== 0)
    .map((link) => (routerAt(link.a) === dead ? link.b : link.a))
  assert.deepEqual(
    dark.sort((x, y) => x - y),
    far.sort((x, y) => x - y),
  )
  assert.equal(network.portUp[isp.links[0]!.b], 1)
  network.advance(EVENING + DEAD_INTERVAL_MS - 1)
  assert.equal(network.ospf.state[0], OSPF_FULL)
  network.advance(EVENING + DEAD_INTERVAL_MS)
  assert.equal(network.ospf.state[0], OSPF_GONE)
})

test("a revived router boots, counts from nothing, and answers after its agents started", () => {
  const { network, events } = open()
  const router = routerAt(linkOf("core").a)
  network.kill(router)
  network.advance(EVENING + 2000)
  network.revive(router)
  network.advance(EVENING + 2000 + BOOT_MS)
  assert.equal(network.alive[router], 1)
  assert.equal(network.answers[router], 0)
  const port = isp.routers[router]!.ports[0]!
  assert.ok(network.inOctets(port) < 1e6)
  network.advance(EVENING + 2000 + BOOT_MS + AGENT_START_MS)
  assert.equal(network.answers[router], 1)
  assert.equal(network.boots[router], 2)
  assert.equal(events.filter((event) => event.kind === "boot").length, 1)
})

test("killing a router while it boots keeps it dead", () => {
  const { network } = open()
  network.kill(0)
  network.revive(0)
  network.advance(EVENING + 1000)
  network.kill(0)
  network.advance(EVENING + 60_000)
  assert.equal(network.alive[0], 0)
})

test("a router behind a cut is healthy and silent; everything else goes on answering", () => {
  const { network } = open()
  const { router, link } = leaf()
  network.setCut(link.index, true)
  assert.equal(network.alive[router], 1)
  assert.equal(network.answers[router], 0)
  assert.equal(
    network.answers.reduce((sum, one) => sum + one, 0),
    isp.routers.length - 1,
  )
  network.setCut(link.index, false)
  network.advance(EVENING + 1000)
  assert.equal(network.answers[router], 1)
})

test("iBGP outlives a reroute and falls by its hold time when the peer is gone; eBGP falls with its port", () => {
  const { network, events } = open()
  network.setCut(linkOf("core").index, true)
  network.advance(EVENING + 60_000)
  assert.equal(events.filter((event) => event.kind === "bgp").length, 0)
  network.setCut(linkOf("core").index, false)

  const uplink = linkOf("upstream")
  const at = network.nowMs
  network.setCut(uplink.index, true)
  const fallen = events.flatMap((event) => (event.kind === "bgp" ? [isp.sessions[event.session]!.link] : []))
  assert.deepEqual(fallen, [uplink.index])
  events.length = 0

  const bng = isp.routers.find((router) => router.roles[0] === "bng")!.index
  const sessions = isp.sessions.filter((session) => session.a === bng || session.b === bng)
  network.kill(bng)
  network.advance(at + HOLD_MS - 1)
  assert.ok(sessions.every((session) => network.bgp.state[session.index] === BGP_ESTABLISHED))
  network.advance(at + HOLD_MS)
  assert.ok(sessions.every((session) => network.bgp.state[session.index] !== BGP_ESTABLISHED))
})

test("PPPoE sessions end with their BNG, fade when it is cut off, and are back within two minutes", () => {
  const { network } = open()
  const bng = isp.routers.find((router) => router.roles[0] === "bng")!.index
  const normal = network.households.sessionsOn(bng)!
  assert.ok(normal > 0)
  network.kill(bng)
  assert.equal(network.households.sessionsOn(bng), 0)
  network.revive(bng)
  network.advance(network.nowMs + BOOT_MS + 10_000)
  const returning = network.households.sessionsOn(bng)!
  assert.ok(returning > 0 && returning < normal * 0.6, `${returning} of ${normal}`)
  network.advance(network.nowMs + 120_000)
  assert.ok(network.households.sessionsOn(bng)! > normal * 0.98)

  for (const link of linksAt(bng)) network.setCut(link.index, true)
  network.advance(network.nowMs + 10_000)
  const fading = network.households.sessionsOn(bng)!
  assert.ok(fading > 0 && fading < normal * 0.8)
  network.advance(network.nowMs + 60_000)
  assert.equal(network.households.sessionsOn(bng), 0)
})

test("every PPPoE session of a dead BNG is traffic that no longer reaches its access ports", () => {
  const { network } = open()
  const bng = isp.routers.find((router) => router.roles[0] === "bng")!.index
  const ports = isp.routers[bng]!.ports.filter((port) => isp.ports[port]!.kind === "subscribers")
  network.advance(EVENING + 1500)
  assert.ok(ports.every((port) => network.outBps(port) > 0))
  network.kill(bng)
  assert.ok(ports.every((port) => network.outBps(port) === 0))
})

test("evening traffic is about four times that of the small hours", () => {
  const at = (startMs: number): number => {
    const network = new Network(isp, startMs)
    return isp.ports
      .filter((port) => port.kind === "internet")
      .reduce((sum, port) => sum + network.inBps(port.index), 0)
  }
  const ratio = at(EVENING) / at(Date.UTC(2026, 0, 2, 7, 0, 0))
  assert.ok(ratio > 3 && ratio < 5, String(ratio))
})

test("a long sleep of the machine is caught up in bounded work and keeps counters growing", () => {
  const { network } = open()
  const port = linkOf("core").a
  const before = network.outOctets(port)
  network.advance(EVENING + 7 * 86_400_000)
  assert.equal(network.nowMs, EVENING + 7 * 86_400_000)
  assert.ok(network.outOctets(port) >= before)
  assert.ok(network.nextMs() > network.nowMs)
})

test("a listener that looks at the clock does not make others hear of later moments first", () => {
  const network = new Network(isp, EVENING)
  const heard: number[] = []
  network.listen(() => network.advance(EVENING + 60_000))
  network.listen((event) => heard.push(event.atMs))
  network.setCut(0, true)
  network.setCut(0, false)
  network.advance(EVENING + 5000)
  assert.ok(heard.length >= 8)
  assert.deepEqual(
    heard,
    [...heard].sort((x, y) => x - y),
  )
  assert.equal(network.nowMs, EVENING + 5000)
})
