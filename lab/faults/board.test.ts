import assert from "node:assert/strict"
import { test } from "node:test"
import { FaultBoard } from "#lab/faults/board.ts"
import { FaultRefused } from "#lab/faults/names.ts"
import { FAULTS } from "#lab/faults/registry.ts"
import { generate } from "#lab/isp/generate.ts"
import { AGENT_START_MS, BOOT_MS, Network } from "#lab/isp/network.ts"
import { truthOf } from "#lab/truth.ts"
import type { Truth } from "#lab/truth.ts"

const START = Date.UTC(2026, 0, 2, 0, 0, 0)
const isp = generate({ routers: 60, seed: 5 })

const open = (): { network: Network; board: FaultBoard; truth: () => Truth } => {
  const network = new Network(isp, START)
  return { network, board: new FaultBoard(network), truth: () => truthOf(network) }
}
const refused = (words: RegExp) => (cause: unknown) => {
  assert.ok(cause instanceof FaultRefused)
  assert.match(cause.message, words)
  return true
}
const healthy = ({ routers, links, bgp }: Truth): boolean =>
  routers.every((router) => router.alive && router.answers) &&
  links.every((link) => link.up && link.aOperUp && link.bOperUp && link.ospfFull !== false) &&
  bgp.established === bgp.sessions

test("a healthy lab says so", () => {
  assert.ok(healthy(open().truth()))
})

test("cut breaks exactly the named link, at the moment it tells, and mend takes it back", () => {
  const { network, board, truth } = open()
  network.advance(START + 1234)
  const { a, b } = truth().links[0]!
  const { atMs } = board.apply("cut", [a.toLowerCase(), b])
  assert.equal(atMs, START + 1234)
  const down = truth().links.filter((link) => !link.up)
  assert.deepEqual(
    down.map((link) => [link.a, link.b, link.aOperUp, link.bOperUp]),
    [[a, b, false, false]],
  )
  board.apply("mend", [b, a])
  network.advance(network.nowMs + 1000)
  assert.ok(healthy(truth()))
  assert.deepEqual(board.active(), [])
})

test("kill stops exactly the named router and its links; revive brings all back", () => {
  const { network, board, truth } = open()
  const name = truth().routers.find((router) => router.roles.includes("core"))!.name
  board.apply("kill", [name])
  const now = truth()
  assert.deepEqual(
    now.routers.filter((router) => !router.alive).map((router) => router.name),
    [name],
  )
  assert.deepEqual(
    now.links.filter((link) => !link.up),
    now.links.filter((link) => link.a === name || link.b === name),
  )
  board.apply("revive", [name])
  network.advance(network.nowMs + BOOT_MS + AGENT_START_MS + 10_000)
  assert.ok(healthy(truth()))
})

test("a flapping link is dark for half of each period until it is steadied, and ends up", () => {
  const { network, board, truth } = open()
  const { a, b } = truth().links[3]!
  const up = () => truth().links[3]!.up
  board.apply("flap", [a, b, "4"])
  const seen: boolean[] = []
  for (let i = 0; i < 6; i++) {
    seen.push(up())
    network.advance(network.nowMs + 2000)
  }
  assert.deepEqual(seen, [false, true, false, true, false, true])
  board.apply("steady", [a, b])
  for (let i = 0; i < 6; i++) {
    assert.ok(up())
    network.advance(network.nowMs + 2000)
  }
})

test("congest fills the named link; relieve empties it", () => {
  const { network, board, truth } = open()
  network.advance(START + 1500)
  const load = () => Math.max(truth().links[5]!.utilAbPct, truth().links[5]!.utilBaPct)
  const normal = load()
  const { a, b } = truth().links[5]!
  board.apply("congest", [a, b])
  assert.ok(load() > 98 && load() <= 100.001, String(load()))
  board.apply("congest", [a, b, "0.85"])
  assert.ok(Math.abs(load() - Math.max(85, normal)) < 1, String(load()))
  board.apply("relieve", [a, b])
  assert.ok(Math.abs(load() - normal) < 1)
})

test("isolate takes the power of exactly one site", () => {
  const { network, board, truth } = open()
  const { site } = truth().routers.find((router) => router.roles.includes("agg"))!
  board.apply("isolate", [site])
  assert.ok(truth().routers.every((router) => router.alive === (router.site !== site)))
  board.apply("reconnect", [site])
  network.advance(network.nowMs + BOOT_MS + AGENT_START_MS + 10_000)
  assert.ok(healthy(truth()))
})

test("drop-pppoe takes the share asked for, and the subscribers return by themselves", () => {
  const { network, board, truth } = open()
  const bng = truth().routers.find((router) => (router.pppoe ?? 0) > 100)!
  const now = () => truth().routers.find((router) => router.name === bng.name)!.pppoe!
  board.apply("drop-pppoe", [bng.name, "40"])
  assert.ok(Math.abs(now() / bng.pppoe! - 0.6) < 0.02)
  assert.deepEqual(board.active(), [])
  network.advance(network.nowMs + 120_000)
  assert.ok(now() > bng.pppoe! * 0.98)
})

test("restore heals whatever is on", () => {
  const { network, board, truth } = open()
  const { a, b } = truth().links[0]!
  board.apply("cut", [a, b])
  board.apply("flap", [truth().links[4]!.a, truth().links[4]!.b])
  board.apply("kill", [truth().routers.at(-1)!.name])
  board.apply("lose", [truth().routers[0]!.name, "80"])
  board.apply("isolate", [truth().routers[9]!.site])
  assert.equal(board.active().length, 5)
  assert.equal(board.apply("restore", []).text, "5 faults healed")
  network.advance(network.nowMs + BOOT_MS + AGENT_START_MS + 12_000)
  assert.ok(healthy(truth()))
  assert.equal(network.answerLoss[0], 0)
})

test("a fault struck twice is one fault", () => {
  const { board, truth } = open()
  const { a, b } = truth().links[0]!
  board.apply("cut", [a, b])
  board.apply("cut", [b, a])
  assert.equal(board.active().length, 1)
  assert.equal(truth().links[0]!.up, false)
})

test("what cannot be done is refused in words, with near names, and changes nothing", () => {
  const { board, truth } = open()
  const [first, second] = truth().routers.map((router) => router.name) as [string, string]
  const far = truth().routers.find((router) => router.roles.includes("access"))!.name
  const bad: ReadonlyArray<readonly [string, readonly string[], RegExp]> = [
    ["cut", [`${first}x`, second], new RegExp(`no router is called "${first}x"; did you mean ${first}`)],
    ["cut", [first, far], /are not neighbours: .* is linked to /],
    ["cut", [first], /usage: cut\|mend A B \[INTERFACE\]/],
    ["mend", [truth().links[0]!.a, truth().links[0]!.b], /nothing to mend: "cut" is not on for/],
    ["ct", [], /there is no fault "ct"; did you mean cut/],
    ["drop-pppoe", [first], /has no PPPoE server: name a BNG/],
    ["flap", [truth().links[0]!.a, truth().links[0]!.b, "0"], /the period must be a number from 1 to 3600, not "0"/],
    ["lose", [first, "NaN"], /the percentage must be a number from 1 to 100/],
    ["isolate", ["sao-paul"], /no site is called "sao-paul"; did you mean sao-paulo/],
  ]
  for (const [verb, args, words] of bad) assert.throws(() => board.apply(verb, args), refused(words), verb)
  assert.ok(healthy(truth()))
})

test("every kind of fault has its own verbs", () => {
  const verbs = FAULTS.flatMap(({ kind, undo }) => (undo === null ? [kind] : [kind, undo]))
  assert.equal(new Set([...verbs, "restore"]).size, verbs.length + 1)
})
