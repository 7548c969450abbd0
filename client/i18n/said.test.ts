import assert from "node:assert/strict"
import { test } from "node:test"
import { leads, said, saidName, TONGUES } from "#client/i18n/said.ts"
import { LANGUAGES, language } from "#client/i18n/translate.ts"
import { fill, PHRASES } from "#protocol/phrase.ts"
import type { PhraseCode } from "#protocol/phrase.ts"

const holes = (template: string): readonly string[] => {
  const found: string[] = []
  fill(template, (hole) => {
    found.push(hole)
    return ""
  })
  return found.sort()
}
const inPt = <A>(run: () => A): A => {
  const before = language.value
  language.value = "pt-BR"
  try {
    return run()
  } finally {
    language.value = before
  }
}

test("[U7] every code that the twin can say has its words in every language, with the same holes", () => {
  for (const lang of LANGUAGES) {
    const { templates } = TONGUES[lang]
    assert.deepEqual(Object.keys(templates).sort(), Object.keys(PHRASES).sort(), lang)
    for (const code of Object.keys(PHRASES) as PhraseCode[]) {
      assert.notEqual(templates[code].trim(), "", code)
      assert.deepEqual(holes(templates[code]), holes(PHRASES[code]), `${lang} ${code}`)
    }
  }
})

test("[U7] Portuguese is Portuguese: no phrase of words stands in English there", () => {
  const same = (Object.keys(PHRASES) as PhraseCode[]).filter(
    (code) => TONGUES["pt-BR"].templates[code] === PHRASES[code].replace(/:\w+\}/g, "}"),
  )
  // What holds no word, or one that both languages use.
  assert.deepEqual(same.sort(), [
    "event.held",
    "incident.alert",
    "poll.reason",
    "rule.jitter-high.name",
    "seen.parts",
    "value.number",
    "value.unit",
  ])
})

test("[U7] titles, evidence, timelines and reasons are said in Portuguese", () => {
  inPt(() => {
    assert.equal(said("Congestion of the link R1 e0 - R2 e1"), "O congestionamento do enlace R1 e0 - R2 e1")
    assert.equal(
      said("cause: The router R7, or the link A - B (92 %). It explains 3 alarms; nothing else fits nearly as well."),
      "causa: O roteador R7, ou o enlace A - B (92 %). Explica 3 alarmes; nada mais explica tão bem.",
    )
    assert.equal(said("it is not known whether the ping of R7 is lost"), "não se sabe se o ping de R7 foi perdido")
    assert.equal(
      said("incident 12-0: explained by The router R7 (92 %), for R7 does not answer its collector"),
      "incidente 12-0: explicado por O roteador R7 (92 %), porque R7 não responde ao coletor",
    )
    assert.equal(said("R1: CPU of R1 is at 97.5 %"), "R1: A CPU de R1 está em 97,5 %")
    assert.equal(
      said("it fires: avg of device.cpu over 60 s: 97.5 %, asked > 90"),
      "dispara: avg de device.cpu em 60 s: 97,5 %, limite > 90",
    )
    assert.equal(saidName("link A - B"), "enlace A - B")
    assert.equal(saidName("BGP on R1"), "BGP em R1")
    assert.equal(said("fibre cut by a digger"), "fibre cut by a digger")
  })
})

test("[U7] English stands as the twin said it", () => {
  const before = language.value
  language.value = "en"
  assert.equal(said("it is back"), "it is back")
  assert.equal(saidName("link A - B"), "link A - B")
  language.value = before
})

test("[U7] a name at the beginning keeps its letters; a word of ours leads with a capital", () => {
  assert.ok(leads("the port of r1 on r1 - r2 is down"))
  assert.ok(leads("evidence for The link r1 - r2"))
  assert.ok(!leads("r1 does not answer its collector"))
  assert.ok(!leads("eth2 of r1 is down"))
  assert.ok(!leads("what somebody wrote"))
  inPt(() => {
    assert.equal(said("eth2 of r1 is full: unknown %"), "eth2 de r1 está cheia: desconhecido %")
    const resting = "breaker: resting: one attempt every 60 s until it answers (no answer to /login within 5000 ms)"
    assert.equal(
      said(`routeros: ${resting}`),
      "routeros: em repouso: uma tentativa a cada 60 s até responder (nenhuma resposta a /login em 5.000 ms)",
    )
  })
})
