import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { ENGLISH, fill, PHRASES, readPhrase, say, sayIn } from "#protocol/phrase.ts"
import type { Kind, Phrase, PhraseCode } from "#protocol/phrase.ts"

const CODES = Object.keys(PHRASES) as PhraseCode[]
/** Phrases without holes that may stand wherever a phrase is asked for. */
const INNER = ["the router R7", "1 alarm", "the port of R1 on R1 ether1 - R2 ether2", "CPU of R1 is at 97.5 %"]
const NAMES = ["R1", "BNG1-RIO002", "São João", "sfp-sfpplus1", "Ünïcode 7"]
const valueFor: Readonly<Record<Kind, fc.Arbitrary<string>>> = {
  text: fc.constantFrom(...NAMES),
  word: fc.constantFrom("device.cpu", ">", "%", "12-0"),
  name: fc.constantFrom(...NAMES, "a foreign device"),
  number: fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })).map(String),
  said: fc.constantFrom(...INNER),
  any: fc.constantFrom(...INNER, ...NAMES),
  ors: fc.array(fc.constantFrom(...INNER), { minLength: 1, maxLength: 3 }).map((all) => all.join(", or ")),
  list: fc.array(fc.constantFrom(...INNER), { minLength: 1, maxLength: 3 }).map((all) => all.join("; ")),
  commas: fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 }).map((all) => all.join(", ")),
  ands: fc
    .array(fc.constantFrom("site", "role", "tag"), { minLength: 1, maxLength: 2 })
    .map((all) => all.join(" and ")),
  parens: fc.constantFrom("no sample", "no sample) (12 %"),
}

/** A sentence of this code with values as the twin may give. */
const sentence = (code: PhraseCode): fc.Arbitrary<string> => {
  const holes: [string, Kind][] = []
  fill(PHRASES[code], (hole, kind) => {
    holes.push([hole, kind])
    return ""
  })
  return fc
    .tuple(...holes.map(([, kind]) => valueFor[kind]))
    .map((values) => fill(PHRASES[code], (hole) => values[holes.findIndex(([name]) => name === hole)] ?? ""))
}

test("[U7] every sentence of the twin is read again, and says the same", () => {
  for (const code of CODES)
    fc.assert(
      fc.property(sentence(code), (text) => {
        const phrase = readPhrase(text)
        assert.ok(phrase !== null, `${code}: ${text}`)
        assert.equal(sayIn(ENGLISH, phrase), text)
      }),
      { numRuns: 20, seed: 7 },
    )
})

test("[U7] whatever is read says the same again, whoever wrote it", () => {
  const pieces = [...INNER, ...NAMES, ", or ", "; ", " is down", ": ", "cause: ", " (97 %). ", "It explains ", "."]
  const texts = fc.oneof(
    fc.string({ maxLength: 200 }),
    fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((all) => all.join("")),
  )
  fc.assert(
    fc.property(texts, (text) => {
      const phrase = readPhrase(text)
      if (phrase !== null) assert.equal(sayIn(ENGLISH, phrase), text)
    }),
    { numRuns: 2_000, seed: 7 },
  )
})

test("the most telling phrase wins, and phrases in phrases are found", () => {
  const read = (text: string): PhraseCode | undefined => readPhrase(text)?.code
  assert.equal(read("the port of R1 on R1 ether1 - R2 ether2 is down"), "seen.down")
  assert.equal(read("ether1 of R1 is down"), "rule.interface-down.summary")
  assert.equal(read("the OSPF neighbour of R1 on A - B is full"), "seen.ospf.cleared")
  assert.equal(read("the port of R1 on A - B is full"), "seen.hot.alarmed")
  assert.equal(read("BGP session of R1 with R2 is down"), "rule.bgp-session-down.summary")
  const title = readPhrase("Congestion of the link A - B, or the router R7") as Phrase
  assert.deepEqual(title.params["first"], { code: "cause.congestion", params: { link: "A - B" }, capital: true })
})

test("what a device or a person named is no phrase, whatever it says", () => {
  assert.deepEqual(readPhrase("the router it is back")?.params, { device: "it is back" })
  const held = "it fires: no sample; nobody is told: mute, it is back"
  assert.equal(readPhrase(held)?.params["reason"], "it is back")
  assert.equal(readPhrase("Backbone cut by a digger"), null)
  assert.equal(readPhrase(""), null)
})

test("hostile texts cost no more than their length", () => {
  const nested = "incident 1: explained by ".repeat(80)
  for (const text of [nested, ", or ".repeat(400), "; ".repeat(1_000), "it fires: ".repeat(200), "x".repeat(100_000)]) {
    const phrase = readPhrase(text)
    if (phrase !== null) assert.equal(sayIn(ENGLISH, phrase), text)
  }
})

test("say fills in its values", () => {
  assert.equal(say("incident.crowd", { count: 5, site: "Rio" }), "5 warnings at Rio")
  assert.equal(say("line.back"), "it is back")
})
