/** Questions to the network: when they are asked and of whom, what an answer changes, what silence is, and all bounds. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { packStored, unpackStored } from "#protocol/codec.ts"
import type { Inventory } from "#protocol/inventory.ts"
import { hashTwin } from "#twin/hash.ts"
import { plainCells } from "#twin/cells.ts"
import { CREDIT_MS, CREDITS_MAX, ANSWER_MS, COUNTS_MS, QUESTIONS_MAX } from "#twin/incident/question.ts"
import { refilled, FULL, SETTLE_MS, UNDER_WAY_MAX } from "#twin/incident/question.ts"
import type { ProbeRequest } from "#twin/incident/question.ts"
import { desk, linkDown, stars } from "#twin/incident/incident.fixture.ts"
import type { Desk } from "#twin/incident/incident.fixture.ts"
import { idOf, poll, ports, silence } from "#twin/inventory.fixture.ts"
import type { ProbedInput } from "#twin/input.ts"
import { at } from "#twin/network.fixture.ts"
import { runRound } from "#twin/round.ts"
import { restoreTwin, snapshotTwin } from "#twin/snapshot.ts"

/** A desk, and everything that it has asked so far. */
interface Asking extends Desk {
  readonly asks: ProbeRequest[]
}

const asking = (inventory: Inventory): Asking => {
  const net = desk(inventory)
  const asks: ProbeRequest[] = []
  const apply: Desk["apply"] = (...inputs) => {
    const result = net.apply(...inputs)
    asks.push(...result.asks)
    return result
  }
  const tick = (second: number): void => void apply({ kind: "tick", atMs: at(second) })
  for (let second = 1; second <= 30; second += 10) net.round(second)
  return { ...net, apply, asks, tick }
}

/** As `stars`, and everybody is pinged too, but who is named. */
const pinged = (sites: Readonly<Record<string, number>>, not: readonly string[] = []): Inventory => {
  const plain = stars(sites)
  return {
    ...plain,
    devices: plain.devices.map((one) => (not.includes(one.name) ? one : { ...one, sources: ["snmp", "probe"] })),
  }
}
const pong = (name: string, second: number, up = true) =>
  poll(name, at(second), { "": { "device.up": up ? 1 : 0 } }, { source: "probe" })

const CORE = (
  name: string,
  second: number,
  down: readonly string[] = [],
  sites: Record<string, number> = { s2: 3, s3: 2 },
) => {
  const own = Object.entries(sites).flatMap(([site, count]) =>
    Array.from({ length: count }, (_, i) => `${site}-${i + 1}`),
  )
  return ports(name, at(second), Object.fromEntries(["e0", ...own].map((port) => [port, !down.includes(port)])))
}
const answer = (
  { incident, question, device }: ProbeRequest,
  second: number,
  outcome: ProbedInput["outcome"],
): ProbedInput => ({
  kind: "probed",
  atMs: at(second),
  incident,
  question,
  device,
  source: "probe",
  startedMs: at(second) - 100,
  outcome,
  rttMs: outcome === "answered" ? 12.4 : null,
})
/** Everybody whom the twin asks tells the truth: `who` is dead, or only its link to c1 is cut. */
const converse = (net: Asking, who: string, dead: boolean, from: number, until: number): void => {
  for (let tenth = Math.round(from * 10); tenth <= until * 10; tenth++) {
    net.tick(tenth / 10)
    for (const ask of net.asks.splice(0)) {
      const soon = tenth / 10 + 0.05
      const core = ["c1", "c2"].find((name) => ask.device === idOf(name))
      const isDead = dead && ask.device === idOf(who)
      if (ask.ask === "ping") net.apply({ ...answer(ask, soon, isDead ? "silent" : "answered"), startedMs: ask.atMs })
      else if (core !== undefined) {
        const read = CORE(core, soon, dead || core === "c1" ? [who] : [])
        net.apply({ ...read, startedMs: ask.atMs })
      } else if (isDead) net.apply(silence(who, at(soon)))
    }
  }
}
const story = (net: Desk): readonly string[] =>
  net.incidents().flatMap(({ timeline }) => timeline.map(({ text }) => text))

/** A router that its collector lost; the port towards it tells whether it is dead. */
const lost = (): Asking => {
  const net = asking(stars({ s2: 3, s3: 2 }))
  net.apply(silence("s2-1", at(31)))
  return net
}

describe("[issue 7.3] what is asked", () => {
  test("in the input that opens the incident, of somebody who can tell; the incident waits for nothing", () => {
    const net = lost()
    assert.deepEqual(net.said, ["31 opened"])
    assert.deepEqual(
      net.asks.map(({ device, ask, atMs, untilMs }) => [device, ask, atMs, untilMs - atMs]),
      [[idOf("c1"), "read", at(31), ANSWER_MS]],
    )
    assert.deepEqual(net.one().probing, [{ text: "read the port of c1 on s2-1 - c1 now", atMs: at(31), answer: null }])
    assert.ok(story(net).includes("asked: read the port of c1 on s2-1 - c1 now"))
  })

  test("a port that is down says that the router is dead, and the story says asked, answered, so", () => {
    const net = lost()
    net.apply(CORE("c1", 31.5, ["s2-1"]))
    net.tick(32)
    const [cause] = net.one().causes
    assert.deepEqual([cause?.members[0]?.fault, cause?.members[0]?.id], ["router", "id-s2-1"])
    assert.equal(net.one().probing[0]?.answer, "the port of c1 on s2-1 - c1 is down")
    assert.match(
      story(net).find((line) => line.startsWith("read the port of c1")) ?? "",
      /^read the port of c1 on s2-1 - c1 now: the port of c1 on s2-1 - c1 is down; still undecided, likeliest: The router s2-1 \(\d+ %\)$/,
    )
    // The other port was read before the fault: it is asked, and decides.
    assert.equal(net.asks[1]?.device, idOf("c2"))
    net.apply(CORE("c2", 32.4, ["s2-1"]))
    net.tick(34)
    const evidence = net.one().causes[0]?.evidence ?? []
    assert.ok(
      evidence.some(({ text, standing }) => standing === "for" && text === "the port of c2 on s2-1 - c2 is down"),
    )
  })

  test("ports that are up say that it lives: it is not called dead", () => {
    const net = lost()
    net.apply(CORE("c1", 31.5))
    net.tick(32)
    net.apply(CORE("c2", 32.4))
    net.tick(36)
    assert.ok(net.incidents().every(({ causes }) => causes.every(({ members }) => members[0]?.fault !== "router")))
    assert.ok(story(net).some((line) => line.includes("the port of c1 on s2-1 - c1 is up; no cause is named by it")))
  })

  test("a poll that began before the question is no answer to it", () => {
    const net = lost()
    const { device } = net.asks[0] as ProbeRequest
    const early = { ...CORE("c1", 31.5, ["s2-1"]), device, startedMs: at(30.9) }
    net.apply(early)
    assert.equal(net.one().probing[0]?.answer, null)
  })

  test("who is not pinged is not asked to answer a ping; who answers nobody is not read", () => {
    for (const [inventory, asks] of [
      [pinged({ s2: 3, s3: 2 }), 1],
      [pinged({ s2: 3, s3: 2 }, ["s2-1"]), 0],
    ] as const) {
      const net = asking(inventory)
      for (const { name, sources } of inventory.devices) if (sources.includes("probe")) net.apply(pong(name, 29))
      net.apply(silence("s2-1", at(31)), linkDown("c1", "s2-1", 31.1))
      net.tick(33)
      assert.equal(net.asks.filter(({ ask, device }) => ask === "ping" && device === idOf("s2-1")).length, asks)
      assert.ok(net.asks.every(({ ask, device }) => ask === "ping" || device !== idOf("s2-1")))
    }
  })
})

describe("[issue 7.3] what an answer is", () => {
  /** The port towards it is down at one core and its collector has lost it: is it dead, or is its link cut? */
  const doubtful = (): Asking => {
    const inventory = pinged({ s2: 3, s3: 2 })
    const net = asking(inventory)
    for (const { name } of inventory.devices) net.apply(pong(name, 29))
    net.apply(linkDown("c1", "s2-1", 31.2), silence("s2-1", at(31.4)))
    net.tick(31.6)
    return net
  }
  const toSuspect = (net: Asking): ProbeRequest => {
    const found = net.asks.findLast(({ ask, device }) => ask === "ping" && device === idOf("s2-1"))
    assert.ok(found, "nobody pings s2-1")
    return found
  }

  test("who answers a ping lives: what was called dead is called cut off, in the open, within seconds", () => {
    const net = doubtful()
    assert.deepEqual(net.one().causes[0]?.members[0]?.fault, "router")
    converse(net, "s2-1", false, 31.6, 36)
    const [member] = net.one().causes[0]?.members ?? []
    assert.deepEqual([member?.kind, member?.id], ["link", "s2-1-1"])
    const lines = story(net)
    assert.ok(lines.some((line) => line.startsWith("ping s2-1: it answers, in 12 ms; ")))
    assert.ok(lines.includes("cause withdrawn: The router s2-1. What was asked speaks against it"))
    assert.deepEqual(net.said.filter((line) => line.endsWith("opened")).length, 1)
  })

  test("who is dead is decided to be, for everything that could speak against it was asked", () => {
    const net = doubtful()
    converse(net, "s2-1", true, 31.6, 46)
    assert.ok(story(net).some((line) => /; decided: The router s2-1 \(9\d %\)$/.test(line)))
    assert.ok((net.one().causes[0]?.confidence ?? 0) > 0.95)
  })

  const isLost = (net: Asking): boolean =>
    net.world.desk.incidents.some(({ symptoms }) =>
      symptoms.some(({ kind, device }) => kind === "ping" && device === idOf("s2-1")),
    )

  test("silence at once is no death: routing may still look for another way; later it is a lost ping", () => {
    const net = doubtful()
    const first = toSuspect(net)
    net.apply(answer(first, 32, "silent"))
    net.tick(32.5)
    assert.ok(story(net).some((line) => line.includes("no answer yet, but routing may still look for another way")))
    assert.ok(!isLost(net))
    let again = first
    for (let second = 33; again === first && second < 60; second++) {
      net.tick(second)
      again = toSuspect(net)
      for (const other of net.asks.filter(({ ask, device }) => ask === "ping" && device !== again.device))
        net.apply(answer(other, second + 0.1, "answered"))
    }
    assert.ok(again.atMs >= at(31) + SETTLE_MS, `${again.atMs - at(0)}`)
    const second = (again.atMs - at(0)) / 1_000 + 1.8
    net.apply(answer(again, second, "silent"))
    net.tick(second + 1)
    assert.ok(net.one().probing.some(({ answer: said }) => said === "no answer"))
    assert.ok(isLost(net))
  })

  test("the silence of who never answered a ping says nothing, and says so", () => {
    const net = asking(pinged({ s2: 3, s3: 2 }))
    net.apply(linkDown("c1", "s2-1", 31.2), silence("s2-1", at(31.4)))
    net.tick(31.6)
    net.apply(answer(toSuspect(net), 32, "silent"))
    net.tick(33)
    assert.ok(net.one().probing.some(({ answer: said }) => said === "no answer, but it has never answered a ping"))
    assert.ok(!isLost(net))
  })

  test("what comes when nobody waits any more is no answer", () => {
    const net = doubtful()
    const asked = toSuspect(net)
    net.tick(36)
    net.apply(answer(asked, 37, "answered"))
    net.tick(38)
    const first = net.one().probing.find(({ text }) => text === "ping s2-1")
    assert.equal(first?.answer, `no answer within ${ANSWER_MS / 1_000} s`)
  })

  test("what was refused is told as that", () => {
    for (const [outcome, words] of [
      ["busy", "not asked, for it rests, or others wait before it"],
      ["quota", "not asked, for the probes of the tenant are used up"],
      ["tool", "not asked, for nothing here can ping"],
      ["forbidden", "not asked, for its address may not be asked"],
    ] as const) {
      const net = doubtful()
      net.apply(answer(toSuspect(net), 32, outcome))
      net.tick(33)
      assert.ok(net.one().probing.some(({ answer: said }) => said === words))
    }
  })

  test("an answer to a question that nobody asked, or of another device, changes nothing", () => {
    const net = doubtful()
    const asked = toSuspect(net)
    net.apply(answer({ ...asked, question: 99 }, 31.7, "answered"))
    net.apply(answer({ ...asked, incident: "1-1" }, 31.7, "answered"))
    net.apply(answer({ ...asked, device: idOf("c1") }, 31.7, "answered"))
    net.tick(33)
    assert.equal(net.one().probing.find(({ text }) => text === "ping s2-1")?.answer, null)
  })

  test("an answer holds while polls read it over, and no longer than it may", () => {
    const net = doubtful()
    net.apply(answer(toSuspect(net), 32, "answered"))
    net.tick(33)
    const held = (): boolean => {
      const { board } = net.world.desk.sight!.symptoms
      return board.confirmed.size > 0
    }
    assert.ok(held())
    net.round(41, [], ["c1:s2-1", "c2:s2-1"])
    net.tick(43)
    assert.ok(held())
    net.tick(33 + COUNTS_MS / 1_000 + 2)
    assert.ok(!held())
  })
})

describe("[issue 7.3] bounds", () => {
  test("the allowance comes back with time, never beyond what there is", () => {
    assert.deepEqual(refilled({ credits: 0, atMs: 1_000 }, 1_000 + CREDIT_MS - 1), { credits: 0, atMs: 1_000 })
    assert.deepEqual(refilled({ credits: 0, atMs: 1_000 }, 1_000 + 3 * CREDIT_MS + 5), {
      credits: 3,
      atMs: 1_000 + 3 * CREDIT_MS,
    })
    assert.equal(refilled(FULL, 1e12).credits, CREDITS_MAX)
    fc.assert(
      fc.property(fc.array(fc.nat(5_000), { maxLength: 40 }), (steps) => {
        let allowance = refilled(FULL, 1_000_000)
        let nowMs = 1_000_000
        let spent = 0
        for (const step of steps) {
          nowMs += step
          allowance = refilled(allowance, nowMs)
          if (allowance.credits > 0) {
            allowance = { ...allowance, credits: allowance.credits - 1 }
            spent++
          }
        }
        assert.ok(spent <= CREDITS_MAX + (nowMs - 1_000_000) / CREDIT_MS)
      }),
    )
  })

  /** Anything that devices may say and engines may answer, second by second. */
  const happening = fc.record({
    what: fc.constantFrom("silent", "down1", "down2", "poll", "pong", "answer", "nothing"),
    who: fc.nat(4),
    outcome: fc.constantFrom("answered" as const, "silent" as const, "busy" as const, "tool" as const),
  })
  const NAMES = ["s2-1", "s2-2", "s2-3", "s3-1", "s3-2"] as const
  const play = (
    net: Asking,
    happenings: ReadonlyArray<{ what: string; who: number; outcome: ProbedInput["outcome"] }>,
  ): void => {
    let second = 31
    for (const { what, who, outcome } of happenings) {
      const name = NAMES[who] as string
      second += 1
      if (what === "silent") net.apply(silence(name, at(second)))
      else if (what === "down1") net.apply(linkDown("c1", name, second))
      else if (what === "down2") net.apply(linkDown("c2", name, second))
      else if (what === "poll") net.apply(CORE(who % 2 === 0 ? "c1" : "c2", second, [name]))
      else if (what === "pong") net.apply(pong(name, second, outcome === "answered"))
      else if (what === "answer" && net.asks.length > 0)
        net.apply(answer(net.asks[who % net.asks.length] as ProbeRequest, second, outcome))
      else net.tick(second)
      for (const { probing } of net.world.desk.incidents) {
        assert.ok(probing.length <= QUESTIONS_MAX)
        assert.ok(probing.filter((one) => one.answer === null).length <= UNDER_WAY_MAX)
      }
      const waits = net.world.desk.incidents.flatMap(({ probing }) =>
        probing.flatMap((one) => (one.answer === null ? [one.text] : [])),
      )
      assert.equal(new Set(waits).size, waits.length, "asked twice at once")
    }
  }

  test("never more than the bounds, never the same twice at once, and each is over when its time is", () => {
    fc.assert(
      fc.property(fc.array(happening, { minLength: 5, maxLength: 40 }), (happenings) => {
        const net = asking(pinged({ s2: 3, s3: 2 }))
        for (const name of NAMES) net.apply(pong(name, 29))
        play(net, happenings)
        const span = happenings.length * 1_000
        assert.ok(net.asks.length <= CREDITS_MAX + span / CREDIT_MS)
        const last = 31 + happenings.length
        net.tick(last + ANSWER_MS / 1_000)
        const asked = net.asks.length
        net.tick(last + 2 * (ANSWER_MS / 1_000))
        for (const { incident, question, untilMs } of net.asks.slice(0, asked)) {
          const one = net.world.desk.incidents.find(({ id }) => id === incident)
          const its = one?.probing.find((probe) => probe.asked?.number === question)
          if (its !== undefined && untilMs <= at(last + 4)) assert.notEqual(its.answer, null)
        }
      }),
      { numRuns: 40 },
    )
  })

  test("live = replay = restart: the journal alone says what was asked and answered", () => {
    fc.assert(
      fc.property(fc.array(happening, { minLength: 5, maxLength: 30 }), fc.nat(), (happenings, cut) => {
        const net = asking(pinged({ s2: 3, s3: 2 }))
        for (const name of NAMES) net.apply(pong(name, 29))
        play(net, happenings)
        const again = desk(pinged({ s2: 3, s3: 2 }))
        let [world, cells] = [again.world, again.cells]
        const half = cut % net.fed.length
        const asks: ProbeRequest[] = []
        for (const [i, input] of net.fed.entries()) {
          asks.push(...runRound(world, cells, [{ seq: world.seq + 1, input }]).asks)
          if (i !== half) continue
          const restored = restoreTwin(unpackStored(packStored(snapshotTwin(world, cells)).slice()))
          world = restored.world
          cells = plainCells(restored.states, (_bank, _slot, error) => {
            throw error
          })
        }
        assert.deepEqual(asks, net.asks)
        assert.equal(hashTwin(world, cells), hashTwin(net.world, net.cells))
      }),
      { numRuns: 25 },
    )
  })

  test("a truthful answer is never worse: what is named after it is right at least as often", () => {
    // Truth: router dead, or its link to c1 cut. Both are first seen as the port at c1 and one silent poll.
    let [before, after] = [0, 0]
    for (const dead of [true, false])
      for (const who of NAMES)
        for (const isAsked of [false, true]) {
          const inventory = pinged({ s2: 3, s3: 2 })
          const net = asking(inventory)
          for (const { name } of inventory.devices) net.apply(pong(name, 29))
          net.apply(linkDown("c1", who, 31.2), silence(who, at(31.4)))
          net.tick(31.6)
          if (isAsked) converse(net, who, dead, 31.6, 36)
          else net.tick(36)
          const [first] = net.incidents()[0]?.causes[0]?.members ?? []
          const right = dead
            ? first?.kind === "device" && first.fault === "router" && first.id === idOf(who)
            : first?.kind === "link" && first.id === `${who}-1`
          if (isAsked) after += Number(right)
          else before += Number(right)
        }
    assert.deepEqual([before, after], [NAMES.length, 2 * NAMES.length])
  })
})
