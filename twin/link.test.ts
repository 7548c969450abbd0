import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import type { Health, Severity } from "#protocol/status.ts"
import { unpackUtil } from "#protocol/wire.ts"
import type { Input } from "#twin/input.ts"
import { device, inventory, link, poll, POLL_SECONDS, ports, silence, T0, trap } from "#twin/inventory.fixture.ts"
import { network } from "#twin/network.fixture.ts"
import type { Network } from "#twin/network.fixture.ts"

const at = (seconds: number): number => T0 + seconds * 1000
const pair = (capacityBps: number | null = 1e9): Network =>
  network(inventory([device("r1"), device("r2")], [link("l1", "r1:e r2:e", capacityBps)]))
const verdict = (net: Network): string => {
  const { health, severity, stale } = net.linkShown(0)
  return `${health} ${severity}${stale ? " stale" : ""}`
}

describe("state of a link", () => {
  test("one end that says up is enough; either end that says down is too", () => {
    const net = pair()
    assert.equal(verdict(net), "unknown indeterminate")
    net.apply(ports("r1", at(1), { e: true }))
    assert.equal(verdict(net), "ok cleared")
    net.apply(ports("r2", at(2), { e: false }))
    assert.equal(verdict(net), "down critical")
    assert.deepEqual(net.link("l1").reasons, ["r2 e is down (snmp)"])
    net.apply(ports("r2", at(3), { e: true }))
    assert.equal(verdict(net), "ok cleared")
  })

  test("shut by an operator at one end is down as a warning, whatever the other end sees", () => {
    const net = pair()
    net.apply(
      ports("r2", at(1), { e: false }),
      poll("r1", at(2), { "if:e": { "interface.admin_up": 0, "interface.oper_up": 0 } }),
    )
    assert.equal(verdict(net), "down warning")
    assert.deepEqual(net.link("l1").reasons, ["r1 e is shut by an operator"])
  })

  test("a silent router's last word does not count, unless it came by trap after it fell silent", () => {
    const net = pair()
    net.apply(ports("r1", at(1), { e: false }), ports("r2", at(2), { e: true }), silence("r1", at(3)))
    assert.equal(verdict(net), "degraded indeterminate", "one end that says up is half a proof now")
    assert.deepEqual(net.link("l1").reasons, ["r1 e cannot confirm: its router does not answer"])
    net.apply(trap("r1", at(4), { ifName: "e" }))
    assert.equal(verdict(net), "down critical")
  })

  test("both routers silent: unreachable, which says nothing of the link", () => {
    const net = pair()
    net.apply(ports("r1", at(1), { e: true }), silence("r1", at(2)), silence("r2", at(3)))
    assert.equal(verdict(net), "unreachable indeterminate")
    net.apply(ports("r2", at(4), { e: true }))
    assert.equal(verdict(net), "degraded indeterminate")
    net.apply(ports("r1", at(5), { e: true }))
    assert.equal(verdict(net), "ok cleared")
  })

  test("polls that stop, one end after the other, are no news of the link", () => {
    const net = pair()
    net.apply(ports("r1", at(1), { e: false }), ports("r2", at(5), { e: false }))
    const { events } = net.apply({ kind: "tick", atMs: at(600) })
    assert.deepEqual(events, [])
    assert.equal(verdict(net), "down critical stale")
  })

  test("when all evidence is stale the last verdict stays, marked stale", () => {
    const net = pair()
    net.apply(ports("r1", at(1), { e: false }))
    net.apply({ kind: "tick", atMs: at(60) })
    assert.equal(verdict(net), "down critical stale")
    assert.deepEqual(
      net.world.recent.map(({ type }) => type),
      ["link.down"],
    )
    net.apply(ports("r2", at(61), { e: true }))
    assert.equal(verdict(net), "ok cleared", "fresh evidence beats stale")
  })
})

describe("events of a link", () => {
  test("down and up are told once, with the duration, through a silence in between", () => {
    const net = pair()
    const said = (input: Input): string[] =>
      net
        .apply(input)
        .events.filter(({ subjectKind }) => subjectKind === "link")
        .map(({ type, raw }) => `${type}: ${raw}`)
    assert.deepEqual(said(ports("r1", at(0), { e: true })), [])
    assert.deepEqual(said(ports("r1", at(10), { e: false })), ["link.down: r1 e is down (snmp)"])
    assert.deepEqual(said(ports("r2", at(11), { e: false })), [])
    assert.deepEqual([...said(silence("r1", at(20))), ...said(silence("r2", at(21)))], [])
    assert.equal(verdict(net), "unreachable indeterminate")
    assert.deepEqual(said(ports("r2", at(40), { e: false })), [])
    assert.deepEqual(said(ports("r1", at(41), { e: true })), [])
    assert.deepEqual(said(ports("r2", at(65), { e: true })), ["link.up: was down for 55 s"])
  })

  test("a trap gives link.down in the same input", () => {
    const net = pair()
    net.apply(ports("r1", at(0), { e: true }), ports("r2", at(0.5), { e: true }))
    const { events, links } = net.apply(trap("r1", at(2), { ifName: "e" }))
    assert.deepEqual(
      events.map(({ type, severity }) => [type, severity]),
      [
        ["interface.oper.changed", "major"],
        ["link.down", "critical"],
      ],
    )
    assert.deepEqual(links, [0])
    assert.deepEqual([net.link("l1").a.source, net.link("l1").a.atMs, net.link("l1").sinceMs], ["trap", at(2), at(2)])
  })
})

describe("utilisation of a link", () => {
  /** Cumulative traffic of an end: bit/s for each of the polls. */
  const traffic = (net: Network, name: string, rx: number, tx: number, speed: number): void => {
    for (const seconds of [0, 8]) {
      const octets = (bps: number): number => 1e6 + (bps / 8) * seconds
      net.apply(
        poll(name, at(10 + seconds), {
          "if:e": {
            "interface.oper_up": 1,
            "interface.rx_bytes_total": octets(rx),
            "interface.tx_bytes_total": octets(tx),
            "interface.speed_bps": speed,
          },
        }),
      )
    }
  }
  const drawn = (net: Network): Array<number | null> => [
    unpackUtil(net.world.columns.linkUtilAB[0] as number),
    unpackUtil(net.world.columns.linkUtilBA[0] as number),
  ]

  test("A to B is what A sends, else what B receives; over the declared capacity", () => {
    const net = pair(1e9)
    traffic(net, "r2", 3e8, 9e8, 1e10)
    assert.deepEqual(drawn(net), [0.3, 0.9])
    assert.equal(net.counts().linksHot, 1)
    traffic(net, "r1", 1e8, 4e8, 1e10)
    assert.deepEqual(drawn(net), [0.4, 0.9])
    net.apply(silence("r2", at(30)))
    assert.deepEqual(drawn(net), [0.4, 0.1])
    assert.equal(net.counts().linksHot, 0)
    net.apply(silence("r1", at(31)))
    assert.deepEqual(drawn(net), [null, null])
  })

  test("a poll of counters alone, without the state, moves the utilisation too", () => {
    const net = pair(1e9)
    for (const [seconds, octets] of [
      [0, 0],
      [8, 1e8],
      [16, 4e8],
    ] as const)
      net.apply(
        poll("r1", at(10 + seconds), {
          "if:e": { ...(seconds === 0 ? { "interface.oper_up": 1 } : {}), "interface.tx_bytes_total": octets },
        }),
      )
    assert.equal(drawn(net)[0], 0.3)
  })

  test("without a declared capacity the slower end's speed counts; without any it is unknown", () => {
    const net = pair(null)
    traffic(net, "r1", 0, 4e8, 1e9)
    assert.deepEqual(drawn(net), [0.4, 0])
    traffic(net, "r2", 0, 0, 5e8)
    assert.deepEqual(drawn(net), [0.8, 0])
    assert.equal(net.link("l1").capacityBps, 5e8)
    const unknown = pair(null)
    traffic(unknown, "r1", 0, 4e8, 0)
    assert.deepEqual(drawn(unknown), [null, null])
  })
})

describe("against a simple oracle", () => {
  interface Told {
    readonly up: boolean
    readonly atMs: number
  }
  interface End {
    answers: boolean | null
    sinceMs: number
    heardMs: number
    oper: Told | null
    admin: Told | null
  }
  type Act = {
    ms: number
    end: 0 | 1
    what: "poll" | "silence" | "trap"
    oper: boolean
    admin: boolean
    startedMs: number
  }

  /** What the rules say of one end, from all that was ever said. */
  const heard = (end: End, act: Act, atMs: number): void => {
    const startedMs = atMs - act.startedMs
    const newer = (old: Told | null, told: Told): Told => (old !== null && told.atMs < old.atMs ? old : told)
    if (act.what === "trap") {
      if (end.oper === null) return // no poll has shown the interface
      end.oper = newer(end.oper, { up: act.oper, atMs })
      end.admin = newer(end.admin, { up: act.admin, atMs })
      return
    }
    const answers = act.what === "poll"
    if (end.answers !== answers) end.sinceMs = atMs
    end.answers = answers
    end.heardMs = atMs
    if (!answers) return
    end.oper = newer(end.oper, { up: act.oper, atMs: startedMs })
    end.admin = newer(end.admin, { up: act.admin, atMs: startedMs })
  }

  type Verdict = readonly [Health, Severity, boolean]
  const expected = (ends: readonly End[], nowMs: number, last: Verdict): Verdict => {
    const patience = (end: End): number => 3 * 1000 * (end.answers ? POLL_SECONDS : 60)
    const stale = (end: End): boolean => nowMs > end.heardMs + patience(end)
    const fresh = ends.filter((end) =>
      end.answers ? !stale(end) : end.answers === false && end.oper !== null && end.oper.atMs > end.sinceMs,
    )
    const verdict = (group: readonly End[]): readonly [Health, Severity] | null => {
      if (group.some((end) => end.admin?.up === false)) return ["down", "warning"]
      if (group.some((end) => end.oper?.up === false)) return ["down", "critical"]
      return group.some((end) => end.oper?.up === true) ? ["ok", "cleared"] : null
    }
    const now = verdict(fresh)
    const silent = ends.some((end) => end.answers === false && !fresh.includes(end))
    if (now?.[0] === "ok" && silent) return ["degraded", "indeterminate", false]
    if (now !== null) return [...now, false]
    const old = verdict(ends.filter((end) => end.answers))
    if (old !== null) return ["ok", "degraded", "down"].includes(last[0]) ? [last[0], last[1], true] : [...old, true]
    return ends.every((end) => end.answers === false)
      ? ["unreachable", "indeterminate", false]
      : ["unknown", "indeterminate", false]
  }

  const act: fc.Arbitrary<Act> = fc.record({
    ms: fc.oneof(fc.integer({ min: 1, max: 9000 }), fc.integer({ min: 20_000, max: 200_000 })),
    end: fc.constantFrom(0 as const, 1 as const),
    what: fc.constantFrom("poll" as const, "poll" as const, "silence" as const, "trap" as const),
    oper: fc.boolean(),
    admin: fc.boolean(),
    startedMs: fc.nat(5000),
  })

  test("the link is what the rules say after every input, and link.down / link.up alternate", () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
        const net = pair()
        const ends: [End, End] = [0, 1].map(() => ({
          answers: null,
          sinceMs: 0,
          heardMs: 0,
          oper: null,
          admin: null,
        })) as never
        let nowMs = T0
        const told: string[] = []
        let last: Verdict = ["unknown", "indeterminate", false]
        for (const step of acts) {
          // Ends go stale at their own times, each with its own verdict in between.
          const until = nowMs + step.ms
          const turns = ends.map((end) => end.heardMs + 1 + 3 * 1000 * (end.answers ? POLL_SECONDS : 60))
          for (const turn of turns.filter((ms) => ms > nowMs && ms <= until).sort((x, y) => x - y))
            last = expected(ends, turn, last)
          nowMs = until
          const name = step.end === 0 ? "r1" : "r2"
          const flags = { "interface.oper_up": step.oper ? 1 : 0, "interface.admin_up": step.admin ? 1 : 0 }
          const { events } = net.apply(
            step.what === "poll"
              ? poll(name, nowMs, { "if:e": flags }, { startedMs: nowMs - step.startedMs })
              : step.what === "silence"
                ? silence(name, nowMs)
                : trap(name, nowMs, { trap: step.oper ? "linkUp" : "linkDown", ifName: "e", adminUp: step.admin }),
          )
          heard(ends[step.end], step, nowMs)
          told.push(...events.filter(({ subjectKind }) => subjectKind === "link").map(({ type }) => type))
          const { health, severity, stale } = net.linkShown(0)
          last = expected(ends, nowMs, last)
          assert.deepEqual([health, severity, stale], last, JSON.stringify(step))
        }
        for (const [index, type] of told.entries()) assert.equal(type, index % 2 === 0 ? "link.down" : "link.up")
      }),
      { numRuns: 1000 },
    )
  })
})
