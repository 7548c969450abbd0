import assert from "node:assert/strict"
import { test } from "node:test"
import { contracted } from "#client/i18n/pt-contractions.ts"
import { inLanguage } from "#client/i18n/language.fixture.ts"
import { headline, leads, nameHeadline, said, saidName, TONGUES } from "#client/i18n/said.ts"
import { LANGUAGES } from "#client/i18n/translate.ts"
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
const inPt = <A>(run: () => A): A => inLanguage("pt-BR", run)
const inEn = <A>(run: () => A): A => inLanguage("en", run)

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
    "propose.against",
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
      "causa: o roteador R7, ou o enlace A - B (92 %). Explica 3 alarmes; nada mais explica tão bem.",
    )
    assert.equal(said("it is not known whether the ping of R7 is lost"), "não se sabe se o ping de R7 foi perdido")
    assert.equal(
      said("incident 12-0: explained by The router R7 (92 %), for R7 does not answer its collector"),
      "incidente 12-0: explicado pelo roteador R7 (92 %), porque R7 não responde ao coletor",
    )
    assert.equal(said("R1: The service dns is down"), "R1: O serviço dns está fora do ar")
    assert.equal(
      said("it fires: avg of device.cpu over 60 s: 97.5 %, asked > 90"),
      "dispara: avg de device.cpu em 60 s: 97,5 %, limite > 90",
    )
    assert.equal(saidName("link A - B"), "o enlace A - B")
    assert.equal(saidName("BGP on R1"), "o BGP em R1")
    assert.equal(said("fibre cut by a digger"), "fibre cut by a digger")
  })
})

test("[U7] drift, proposals, paths and states are said in Portuguese, with what is named untouched and figures as there", () => {
  inPt(() => {
    assert.equal(
      said("r1 e1 sends 4.1 Gbit/s, r2 e1 receives 900 Mbit/s"),
      "r1 e1 envia 4,1 Gbit/s, r2 e1 recebe 900 Mbit/s",
    )
    assert.equal(
      said(
        "the devices say r1 e1 - r3 e2, but declared is r1 e1 - r2 e1; a stronger proposal wants one of these ports",
      ),
      "os dispositivos dizem r1 e1 - r3 e2, mas o declarado é r1 e1 - r2 e1; uma proposta mais forte quer uma destas portas",
    )
    assert.equal(said("its ports run at 1 Gbit/s and 2.5 Gbit/s"), "suas portas operam a 1 Gbit/s e 2,5 Gbit/s")
    assert.equal(
      said("r1 hears r2 by LLDP on ether1, which names its port sfp 1"),
      "r1 ouve r2 por LLDP em ether1, que chama sua porta de sfp 1",
    )
    const foreign = "one end sends 4.1 Gbit/s, the other receives 2.2 Gbit/s: this is nobody's sentence"
    assert.equal(said(foreign), foreign, "all of it, or nothing")
    assert.equal(said("icmp: no answer, and never was one"), "icmp: nenhuma resposta, e nunca houve")
    assert.equal(said("BGP peer 10.0.0.1 is idle"), "o par BGP 10.0.0.1 está em idle")
    assert.equal(
      said("2 ways between a and b share no link, but all of them share a router"),
      "2 caminhos entre a e b não têm enlace em comum, mas todos passam por um mesmo roteador",
    )
  })
})

test("[U7] a cause in mid-sentence has no capital, and melts with the preposition before it", () => {
  const sentences = [
    ["evidence for The router R7", "evidência do roteador R7"],
    [
      "evidence for The port of R1 on A - B, shut by an operator",
      "evidência da porta de R1 em A - B, desligada por um operador",
    ],
    ["explained by The power of the site Recife", "explicado pela energia do local Recife"],
    ["explained by The link A - B, or the router A", "explicado pelo enlace A - B, ou o roteador A"],
    ["part of incident 7-0: The flapping link A - B", "parte do incidente 7-0: o enlace instável A - B"],
    ["The router R7", "O roteador R7"],
    ["The router o R7", "O roteador o R7"],
  ] as const
  inPt(() => {
    for (const [english, portuguese] of sentences) assert.equal(said(english), portuguese)
  })
  inEn(() => {
    for (const [english] of sentences.slice(0, 5))
      assert.equal(said(english), english.replace(/(?<=for |by |: )The /, "the "))
    assert.equal(said("The router R7"), "The router R7")
  })
})

test("[U7] a title names the cause without its article; what is no cause stands as it is said", () => {
  inPt(() => {
    assert.equal(headline("The router R7"), "Roteador R7")
    assert.equal(headline("Loss on the link A - B"), "Perda no enlace A - B")
    assert.equal(headline("The power of the site Recife"), "Energia do local Recife")
    assert.equal(nameHeadline("link A - B"), "Enlace A - B")
    assert.equal(headline("R1: CPU of R1 is at 97.5 %"), "A CPU de R1 está em 97,5 %")
  })
  inEn(() => {
    assert.equal(headline("The router R7, or the link A - B"), "Router R7, or the link A - B")
    assert.equal(headline("BGP on R1"), "BGP on R1")
    assert.equal(headline("The site is dark"), "The site is dark", "what a person wrote keeps its letters")
  })
})

test("[U7] an alert that names its device is not told with the device's name before it, in either language", () => {
  const twice = [
    ["R1: R1 has no PPPoE session left", "R1 não tem mais nenhuma sessão PPPoE"],
    ["R1: CPU of R1 is at 97.5 %", "A CPU de R1 está em 97,5 %"],
  ] as const
  for (const [stored, portuguese] of twice) {
    assert.equal(
      inPt(() => said(stored)),
      portuguese,
    )
    assert.equal(
      inEn(() => said(stored)),
      stored.slice("R1: ".length),
    )
  }
  // Whatever rule of ours it is that names the device.
  const filled = { device: "R1", entity: "e1", value: "7", percent: "7", threshold: "9" } as Readonly<
    Record<string, string>
  >
  const summaries = Object.entries(PHRASES).filter(
    ([code, template]) => code.endsWith(".summary") && template.includes("{device}"),
  )
  assert.ok(summaries.length > 30)
  for (const [, template] of summaries) {
    const summary = fill(template, (hole) => filled[hole] ?? hole)
    for (const lang of LANGUAGES)
      inLanguage(lang, () => assert.equal(said(`R1: ${summary}`), said(summary), `${lang} ${summary}`))
  }
  const withdrawn = "cause withdrawn: R1: R1 has no PPPoE session left. What was asked speaks against it"
  assert.equal(
    inPt(() => said(withdrawn)),
    "causa retirada: R1 não tem mais nenhuma sessão PPPoE. O que foi perguntado fala contra ela",
  )
  assert.equal(
    inPt(() => said("R1: R1 has no PPPoE session left again")),
    "R1 não tem mais nenhuma sessão PPPoE, de novo",
  )
  assert.equal(
    inEn(() => said("R1: R1 has no PPPoE session left again")),
    "R1 has no PPPoE session left again",
  )
  // Another's name, or a part of one, is not the device's.
  assert.equal(
    inEn(() => said("R1: R10 has no PPPoE session left")),
    "R1: R10 has no PPPoE session left",
  )
  assert.ok(!leads("R1: R1 has no PPPoE session left"))
  assert.ok(leads("R1: CPU of R1 is at 97.5 %"))
})

test("[U7] no name is bent: a preposition melts with an article of ours only", () => {
  assert.equal(contracted("evidência de ", "o roteador a R"), "evidência do roteador a R")
  assert.equal(contracted("por ", "as portas"), "pelas portas")
  assert.equal(contracted("visto em ", "a porta"), "visto na porta")
  assert.equal(contracted("ligado a ", "o enlace"), "ligado ao enlace")
  assert.equal(contracted("onde ", "o enlace"), "onde o enlace")
  assert.equal(contracted("de ", "outro"), "de outro")
  inPt(() =>
    assert.equal(said("explained by o-1 does not answer its collector"), "explicado por o-1 não responde ao coletor"),
  )
})

test("[U7] English has the twin's words and a reader's figures", () => {
  inEn(() => {
    assert.equal(said("it is back"), "it is back")
    assert.equal(saidName("link A - B"), "the link A - B")
    assert.equal(said("21227 warnings at Recife"), "21,227 warnings at Recife")
    assert.equal(said("fibre cut 21227 by a digger"), "fibre cut 21227 by a digger")
  })
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
