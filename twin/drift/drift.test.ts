/**
 * [W3] [U7] Each kind of drift from the facts that make it, what does not make it, and that whatever it says is a phrase:
 * a screen can say it in its own language. Against the emulated ISP's wires it stands in lab/sim/inference.test.ts.
 */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { readPhrase } from "#protocol/phrase.ts"
import type { Cells } from "#twin/cells.ts"
import { driftOf } from "#twin/drift/drift.ts"
import type { Drift, DriftKind } from "#twin/drift/drift.ts"
import { device, inventory, link, T0 } from "#twin/inventory.fixture.ts"
import { newLink } from "#twin/link.ts"
import type { EndFact, LinkState } from "#twin/link.ts"
import type { ProposedLink } from "#twin/propose/propose.ts"
import type { Said } from "#twin/propose/said.ts"
import { buildTopology } from "#twin/topology.ts"

const G = 1e9
/** Of a port that is up and carries a gigabit both ways. */
const end = (which: "a" | "b", change: Partial<EndFact> = {}): EndFact => ({
  kind: "end",
  link: 0,
  end: which,
  operUp: true,
  adminUp: true,
  atMs: T0,
  source: "snmp",
  reachable: true,
  fresh: true,
  speedBps: 10 * G,
  rxBps: G,
  txBps: G,
  ...change,
})

interface Case {
  readonly links?: ReturnType<typeof link>[]
  /** By link: both ends, and since when it is as it is. */
  readonly states: readonly { readonly a: EndFact | null; readonly b: EndFact | null; readonly sinceMs?: number }[]
  readonly interfaces?: readonly string[]
  readonly proposed?: readonly ProposedLink[]
}
const drift = ({ links = [link("l1", "r1:e1 r2:e1", 10 * G)], states, interfaces, proposed = [] }: Case): Drift => {
  const names = ["r1", "r2", "r3"]
  const topology = buildTopology(
    1,
    inventory(
      names.map((name) => device(name)),
      links,
    ),
  )
  const cells = {
    links: {
      state: (slot: number): LinkState => ({
        ...newLink(topology.links[slot] as LinkState["config"]),
        ...states[slot],
        sinceMs: states[slot]?.sinceMs ?? T0,
      }),
    },
  } as unknown as Cells
  const said = names.map((name) => ({ device: `id-${name}`, name, interfaces: interfaces ?? [], subscribers: null }))
  return driftOf(topology, cells, T0 + 3_600_000, said as unknown as readonly Said[], proposed)
}
const kinds = ({ findings }: Drift): readonly DriftKind[] => findings.map(({ kind }) => kind)

const proposed = (contradicts: string | null): ProposedLink => ({
  id: "p1",
  a: { device: "id-r1", interface: "e1" },
  b: { device: "id-r3", interface: null },
  confidence: 0.95,
  evidence: [{ kind: "lldp", text: "r1 hears r3 by LLDP on e1", weight: 0.9 }],
  evidenceKey: "k",
  contradicts,
  against: contradicts === null ? null : "declared is r1 e1 - r2 e1",
})

/** One of each, and no more of what it finds than that. */
const CASES: Readonly<Record<DriftKind, readonly Case[]>> = {
  "interface-missing": [
    { states: [{ a: end("a"), b: null }], interfaces: ["e2", "e3"] },
    { states: [{ a: end("a"), b: null }], interfaces: Array.from({ length: 20 }, (_, n) => `ge-0/0/${n}`) },
  ],
  "capacity-disagrees": [
    { states: [{ a: end("a", { speedBps: G, rxBps: null, txBps: null }), b: null }] },
    { links: [link("l1", "r1:e1 r2:e1", G)], states: [{ a: end("a", { txBps: 2.5 * G }), b: null }] },
    { links: [link("l1", "r1:e1 r2:e1", G)], states: [{ a: end("a", { txBps: 1e6, rxBps: 1e6 }), b: null }] },
    {
      links: [link("l1", "r1:e1 r2:e1", null)],
      states: [{ a: end("a"), b: end("b", { speedBps: 2.5 * G }) }],
    },
  ],
  "flow-disagrees": [{ states: [{ a: end("a", { txBps: 4.1 * G }), b: end("b") }] }],
  "status-disagrees": [
    {
      states: [{ a: end("a", { rxBps: null, txBps: null }), b: end("b", { operUp: false, rxBps: null, txBps: null }) }],
    },
  ],
  "flow-not-conserved": [
    {
      links: [link("l1", "r1:e1 r2:e1", 10 * G), link("l2", "r1:e2 r3:e1", 10 * G)],
      states: [
        { a: end("a", { rxBps: 4 * G }), b: end("b", { txBps: 4 * G }) },
        { a: end("a"), b: end("b") },
      ],
    },
    {
      links: [link("l1", "r1:e1 r2:e1", 10 * G), link("l2", "r1:e2 r3:e1", 10 * G)],
      states: [
        { a: end("a", { txBps: 4 * G }), b: end("b", { rxBps: 4 * G }) },
        { a: end("a"), b: end("b") },
      ],
    },
  ],
  "neighbour-contradicts": [{ states: [{ a: null, b: null }], proposed: [proposed("l1")] }],
  "undeclared-link": [{ states: [{ a: null, b: null }], proposed: [proposed(null)] }],
}

describe("drift", () => {
  for (const [kind, cases] of Object.entries(CASES))
    test(`[W3] ${kind} is found, once, and all that it says can be said in another language`, () => {
      for (const one of cases) {
        const found = drift(one)
        const ours = found.findings.filter((finding) => finding.kind === kind)
        assert.ok(ours.length > 0, `${JSON.stringify(one.states)} ${kinds(found).join(" ")}`)
        assert.deepEqual([...new Set(kinds(found))], [kind])
        for (const { text, evidence } of ours)
          for (const words of [text, ...evidence]) {
            const code = readPhrase(words)?.code ?? ""
            assert.match(code, words === text ? /^drift\./ : /^(drift|propose)\./, words)
          }
      }
    })

  test("[W3] two ends that agree are no drift, and count as agreeing", () => {
    const found = drift({ states: [{ a: end("a"), b: end("b") }] })
    assert.deepEqual(found.findings, [])
    assert.deepEqual([found.checkedLinks, found.agreeing], [1, 1])
  })

  test("[W3] what is not measured, little traffic, an operator's shutdown and a change of this minute are no drift", () => {
    const silent = { rxBps: null, txBps: null }
    const quiet: readonly Case[] = [
      { states: [{ a: null, b: null }] },
      { states: [{ a: end("a", { txBps: 9e5, rxBps: 0 }), b: end("b", { rxBps: 1e5, txBps: 0 }) }] },
      { states: [{ a: end("a", silent), b: end("b", { ...silent, operUp: false, adminUp: false }) }] },
      { states: [{ a: end("a", silent), b: end("b", { ...silent, operUp: false }), sinceMs: T0 + 3_599_000 }] },
      { states: [{ a: end("a"), b: end("b", { rxBps: 0.8 * G, txBps: 0.8 * G }) }] },
      { states: [{ a: null, b: null }], interfaces: ["e1"] },
      { states: [{ a: null, b: null }], proposed: [{ ...proposed(null), confidence: 0.7 }] },
    ]
    for (const one of quiet) assert.deepEqual(kinds(drift(one)), [], JSON.stringify(one))
  })

  test("[W3] the surest comes first, and a finding names what it is about", () => {
    const { findings } = drift({
      links: [link("l1", "r1:e1 r2:e1", 10 * G), link("l2", "r2:e2 r3:e1", 10 * G)],
      states: [
        { a: end("a", { txBps: 4.1 * G }), b: end("b") },
        { a: end("a", { speedBps: G }), b: end("b", { speedBps: G }) },
      ],
    })
    assert.ok(findings.length >= 2)
    assert.deepEqual(
      findings.map(({ confidence }) => confidence),
      findings.map(({ confidence }) => confidence).toSorted((x, y) => y - x),
    )
    assert.equal(findings[0]?.kind, "capacity-disagrees")
    assert.equal(findings[0]?.link, 1)
  })
})
