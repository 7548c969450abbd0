/**
 * Every sentence that the twin puts before people is one of protocol/phrase.ts, so that a screen can say it in its language.
 * What makes sentences is asked by its registry: a new kind without its phrases fails here.
 */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { readPhrase } from "#protocol/phrase.ts"
import type { Phrase } from "#protocol/phrase.ts"
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

const SENTENCES = ["for", "against", "missing"] as const
const known = (text: string): Phrase => {
  const phrase = readPhrase(text)
  assert.ok(phrase !== null, `no phrase says: ${text}`)
  return phrase
}
const RULES = PACKS.flatMap(({ rules }) => rules)

describe("[U7] what the twin says has a code", () => {
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
        hole === "value" ? "{value:number}" : `{${hole}}`,
      )
    }
    assert.deepEqual(ruleNames, names)
    assert.deepEqual(ruleSummaries, summaries)
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
