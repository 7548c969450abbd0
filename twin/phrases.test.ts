/**
 * Every sentence that the twin puts before people is one of protocol/phrase.ts, so that a screen can say it in its language.
 * What makes sentences is asked by its registry: a new kind without its phrases fails here.
 */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { readPhrase } from "#protocol/phrase.ts"
import type { Phrase } from "#protocol/phrase.ts"
import { ruleDescriptions } from "#protocol/phrases/rule-descriptions.ts"
import { ruleNames, ruleSummaries } from "#protocol/phrases/rules.ts"
import { PACKS } from "#twin/alert/packs/registry.ts"
import { checkRule, subjectKind } from "#twin/alert/check.ts"
import type { JudgedRule } from "#twin/alert/plan.ts"
import { parseScenario, runScenario } from "#twin/alert/scenario.ts"
import { desk, hot, linkDown, stars } from "#twin/incident/incident.fixture.ts"
import { HOLD_MS } from "#twin/incident/correlate.ts"
import { COOLDOWN_MS } from "#twin/incident/lifecycle.ts"
import { observedWords } from "#twin/incident/suspicion.ts"
import { alertViews, explainAlert } from "#twin/judge/alert-view.ts"
import { observable } from "#twin/rca/board.ts"
import { causeWords } from "#twin/rca/cause.ts"
import { EVIDENCE } from "#twin/rca/evidence/registry.ts"
import { CAUSE_KINDS } from "#twin/rca/model.ts"
import { small } from "#twin/rca/rca.fixture.ts"
import { proposeLinks } from "#twin/propose/propose.ts"
import { proposeRoles } from "#twin/propose/roles.ts"
import { ownAddresses } from "#twin/propose/said.ts"
import type { Heard, Said } from "#twin/propose/said.ts"
import { whoIsWho } from "#twin/propose/who.ts"
import { deviceView, linkView } from "#twin/view.ts"

const SENTENCES = ["for", "against", "missing"] as const
const known = (text: string): Phrase => {
  const phrase = readPhrase(text)
  assert.ok(phrase !== null, `no phrase says: ${text}`)
  return phrase
}
const RULES = PACKS.flatMap(({ rules }) => rules)

/** What a device may tell another network's writer: names with blanks, points and dashes. */
const neighbours = (): readonly Said[] => [
  heardOf("core 1", [
    { by: "lldp", interface: "sfp 1", remoteName: "core-2", remotePort: "sfp-2", remoteAddress: null },
    { by: "mndp", interface: null, remoteName: "core-2", remotePort: null, remoteAddress: null },
    { by: "cdp", interface: "sfp 1", remoteName: "core-2", remotePort: null, remoteAddress: null },
    { by: "lldp", interface: null, remoteName: "core-2", remotePort: "sfp-2", remoteAddress: null },
    { by: "lldp", interface: "sfp 1", remoteName: "core.3", remotePort: "sfp-1", remoteAddress: null },
  ]),
  heardOf("core-2"),
  heardOf("core.3"),
]
const heardOf = (name: string, heard: readonly Heard[] = []): Said => ({
  device: `id-${name}`,
  name,
  names: [name],
  management: "172.16.0.1",
  site: "s1",
  roles: [],
  interfaces: ["sfp 1", "sfp-1", "sfp-2"],
  lower: new Map(),
  addresses: [],
  heard,
  routing: [],
  subscribers: null,
})

const foreign = (as: string): Said["routing"] => [
  { kind: "bgp", remote: "203.0.113.9", up: true, interface: null, remoteAs: as },
]

describe("[U7] what the twin says has a code", () => {
  test("every kind of evidence for a link, what speaks against it, and why a role is proposed", () => {
    const [a, b, c] = neighbours() as [Said, Said, Said]
    const near = ownAddresses("sfp 1", "10.0.0.0/31")
    const far = ownAddresses("sfp-2", "10.0.0.1/31")
    const routing = (["ospf", "bgp"] as const).map((kind): Said["routing"][number] => ({
      kind,
      remote: "10.0.0.1",
      up: true,
      interface: null,
      remoteAs: kind === "bgp" ? "64500" : null,
    }))
    const bridge = new Map([["sfp 1", { macs: ["02:00:00:00:00:02"], others: false, more: false }]])
    const macs = new Map([["sfp-2", "02:00:00:00:00:02"]])
    const told = [{ ...a, addresses: near, routing, bridge }, { ...b, addresses: far, macs }, c]
    const end = (device: string, port: string) => ({ device, interface: port })
    const declared = [{ id: "l1", a: end(a.device, "sfp 1"), b: end("id-gone", "e9") }]
    const kinds = new Set<string>()
    for (const { evidence, against } of proposeLinks(told, declared)) {
      for (const { kind, text } of evidence) {
        kinds.add(kind)
        assert.match(known(text).code, /^propose\./, text)
      }
      if (against !== null) known(against)
    }
    assert.deepEqual([...kinds].sort(), ["bgp", "bridge", "cdp", "lldp", "mndp", "ospf", "site", "subnet"])

    const reasons = new Set<string>()
    const spokes = Array.from({ length: 9 }, (_, n) => heardOf(`spoke${n}`))
    const peersOf = (names: readonly Said[], as: string): Said["routing"] =>
      names.map((_, n) => ({ kind: "bgp", remote: `10.9.0.${n}`, up: true, interface: null, remoteAs: as }))
    const at = (said: Said, n: number): Said => ({ ...said, addresses: ownAddresses("lo", `10.9.0.${n}/32`) })
    const ours = spokes.map((said, n) => ({ ...at(said, n), routing: peersOf([spokes[0] as Said], "64500") }))
    const cases: readonly (readonly Said[])[] = [
      [{ ...heardOf("rr"), routing: peersOf(spokes, "64500") }, ...ours],
      [{ ...heardOf("e"), routing: [...peersOf(spokes.slice(0, 2), "64500"), ...foreign("64999")] }, ...ours],
      [{ ...heardOf("b"), subscribers: 900 }],
      [
        heardOf("leaf"),
        {
          ...heardOf("hub"),
          routing: [1, 2, 3].map((n) => ({ ...(routing[0] as Said["routing"][number]), remote: `10.1.0.${n}` })),
        },
        heardOf("x"),
        heardOf("y"),
      ],
      [
        { ...heardOf("x"), routing: peersOf([spokes[0] as Said], "64500") },
        { ...ours[0], routing: [] } as Said,
        ...ours.slice(1),
      ],
      [
        {
          ...heardOf("y"),
          addresses: ownAddresses("e1", "10.7.0.1/30"),
          routing: foreign("64500").map((one) => ({ ...one, remote: "10.7.0.2" })),
        },
        { ...heardOf("b"), addresses: ownAddresses("e1", "10.7.0.2/30") },
      ],
      [
        { ...heardOf("u"), addresses: ownAddresses("lo", "10.8.0.1/32") },
        ...ours.map((one) => ({
          ...one,
          routing: [...one.routing, ...foreign("64999").map((session) => ({ ...session, remote: "10.8.0.1" }))],
        })),
      ],
    ]
    const wires = [
      { a: { device: "id-leaf" }, b: { device: "id-hub" } },
      { a: { device: "id-x" }, b: { device: "id-hub" } },
      { a: { device: "id-y" }, b: { device: "id-hub" } },
      { a: { device: "id-x" }, b: { device: "id-two" } },
    ]
    for (const said of cases)
      for (const { because } of proposeRoles(said, whoIsWho(said), wires)) reasons.add(known(because).code)
    assert.deepEqual(
      [...reasons].sort(),
      ["access.one", "access.two", "bng", "core", "edge", "edge.unnamed", "rr", "upstream", "upstream.wires"].map(
        (one) => `propose.${one}`,
      ),
    )
  })

  test("why a device or a link is not well", () => {
    const net = desk(stars({ s2: 2 }))
    for (let second = 1; second <= 30; second += 10) net.round(second)
    const seen = new Set<string>()
    const look = () => {
      const { devices, links } = net.world.topology.inventory
      const told = [
        ...devices.flatMap(({ id }) => deviceView(net.world, net.cells, id)?.reasons ?? []),
        ...links.flatMap(({ id }) => linkView(net.world, net.cells, id)?.reasons ?? []),
      ]
      // What a collector says of its own failure is its own.
      for (const text of told) if (!/^(snmp|routeros|icmp): /.test(text)) seen.add(known(text).code)
    }
    net.apply(linkDown("s2-1", "u1", 31), linkDown("c1", "s2-1", 31.2))
    look()
    for (const second of [41, 51, 61, 71]) net.round(second, ["s2-2"])
    look()
    assert.ok(seen.size >= 3, [...seen].join(" "))
    for (const text of [
      "not polled yet",
      "icmp: no answer, and never was one",
      "it answers ping, but not its management plane",
      "none of its neighbours answers either",
      "OSPF neighbour 10.0.0.1 is init",
      "BGP peer 2001:db8::1 is idle",
      "the routers of both ends do not answer",
      "neither end has told the state of its interface",
      "r1 e1 cannot confirm: its router does not answer",
      "r1 e1 is shut by an operator",
    ])
      known(text)
  })
  test("every kind of evidence, for, against and not known", () => {
    const board = small()
    for (const kind of EVIDENCE) {
      assert.ok(kind.count(board.model) > 0, kind.name)
      for (const standing of SENTENCES) {
        const { code } = known(observedWords(board, observable(board, kind.name, 0), standing))
        assert.match(code, standing === "missing" ? /^seen\.unknown$/ : /^seen\./, `${kind.name} ${standing}`)
      }
    }
  })

  test("every kind of cause", () => {
    const board = small({
      sites: 1,
      siteOf: new Int32Array(8),
      groups: [{ name: "duct", links: [0, 1] }],
    })
    const codes = CAUSE_KINDS.map((kind) => known(causeWords(board.model, { kind, index: 0 })).code)
    assert.ok(
      codes.every((code) => code.startsWith("cause.")),
      codes.join(" "),
    )
    assert.equal(new Set(codes).size, CAUSE_KINDS.length)
  })

  test("every shipped rule: its name, its summary, its template as it was copied", () => {
    const names: Record<string, string> = {}
    const summaries: Record<string, string> = {}
    for (const { rule } of RULES) {
      names[`rule.${rule.id}.name`] = rule.name
      summaries[`rule.${rule.id}.summary`] = rule.annotations.summary_template.replace(/\{\{(\w+)\}\}/g, (_, hole) =>
        ["value", "percent"].includes(hole) ? `{${hole}:number}` : `{${hole}}`,
      )
    }
    assert.deepEqual(ruleNames, names)
    assert.deepEqual(ruleSummaries, summaries)
    assert.deepEqual(
      ruleDescriptions,
      Object.fromEntries(RULES.map(({ rule }) => [`rule.${rule.id}.description`, rule.annotations.description])),
    )
  })

  test("every summary that fires in the rules' own scenarios", () => {
    const judged = RULES.map(({ rule }): JudgedRule => {
      const checked = checkRule(rule)
      assert.ok(checked.ok)
      return { rule: { ...checked.rule, enabled: true }, version: checked.version, kind: subjectKind(checked.rule) }
    })
    for (const { rule, fires } of RULES) {
      const fired = runScenario(judged, parseScenario(fires).scenario).verdicts.find(
        ({ rule: id, to }) => id === rule.id && to === "firing",
      )
      assert.equal(known(fired?.summary ?? "").code, `rule.${rule.id}.summary`)
    }
  })

  test("titles, causes, evidence, timelines and symptoms of incidents, from the fault to the end", () => {
    const net = desk(stars({ s2: 3, s3: 2 }))
    for (let second = 1; second <= 30; second += 10) net.round(second)
    net.apply(linkDown("s2-1", "u1", 31), linkDown("c1", "s2-1", 31.2))
    net.tick(33)
    const [first] = net.incidents()
    assert.ok(first !== undefined)
    net.act(34, first.id, { act: "ack", untilMs: 40_000_000_000_000 })
    net.act(35, first.id, { act: "assign", user: "ana" })
    net.act(36, first.id, { act: "unack" })
    net.act(37, first.id, { act: "assign", user: null })
    const dead = ["s2-1", "s2-2", "s2-3"]
    for (const second of [41, 51, 61])
      net.round(
        second,
        dead,
        dead.flatMap((name) => [`c1:${name}`, `c2:${name}`]),
      )
    net.tick(61 + HOLD_MS / 1000)
    for (const { heldBack } of alertViews(net.world, net.cells)) if (heldBack !== null) known(heldBack.reason)
    net.round(120)
    net.tick(130)
    net.tick(140 + COOLDOWN_MS / 1000)
    for (const { title, causes, symptoms, timeline, probing } of net.incidents()) {
      known(title)
      for (const { because, evidence, members } of causes) {
        known(because)
        for (const { text } of evidence) known(text)
        for (const { name } of members) assert.ok(readPhrase(`the ${name}`) ?? readPhrase(name), name)
      }
      for (const { text, answer } of probing) for (const one of answer === null ? [text] : [text, answer]) known(one)
      for (const { why, alert, summary } of symptoms) {
        if (why !== null) known(why)
        if (alert === "") known(summary)
      }
      // The rules of this network are an operator's: their summaries are nobody's phrase.
      for (const { action, text } of timeline) if (action !== "alert" || text.includes(" more alerts")) known(text)
      assert.ok(timeline.some(({ action }) => action === "closed"))
    }
  })

  test("why an alert fires, why it does not, whom it covers", () => {
    const net = desk(stars({ s2: 2 }))
    for (let second = 1; second <= 30; second += 10) net.round(second)
    net.apply(hot("s2-1", 31, 90))
    net.tick(33)
    for (const rule of ["silent", "port", "cpu", "hot", "gone"])
      for (const entity of ["", "if:u1", "if:none"]) {
        const told = explainAlert(net.world, net.cells, { device: "id-s2-1", rule, entity })
        if (told === null) continue
        if (!told.found) known(told.reason)
        else {
          known(told.explanation.because)
          known(told.explanation.scope)
          known(told.explanation.condition.text)
        }
      }
  })
})
