/** Counts in the screens of Reason: one is one in both languages, and every plural has both its forms. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { en } from "#client/i18n/en.ts"
import { inLanguage } from "#client/i18n/language.fixture.ts"
import { pt } from "#client/i18n/pt.ts"
import { tCount } from "#client/i18n/translate.ts"
import type { Language } from "#client/i18n/translate.ts"

const words = (lang: Language, count: number) =>
  inLanguage(lang, () =>
    [
      tCount("next.devices", count),
      tCount("next.full", count),
      tCount("next.single", count),
      tCount("single.hang", count),
      tCount("single.alone", count),
      tCount("whatif.srlg.links", count),
      tCount("whatif.unknown", count),
      tCount("whatif.customers.measured", count),
      tCount("whatif.customers.estimated", count),
      tCount("whatif.customers.uncounted", count),
      tCount("proposals.bulk.takes", count),
    ].join(" | "),
  )

test("[U7] one router, one link, one fault and one customer are not told as several", () => {
  assert.doesNotMatch(
    words("pt-BR", 1),
    /roteadores|enlaces|caem|enchem|dependem|têm|falhas|estão|contados|estimados|seriam/,
  )
  assert.match(words("pt-BR", 2), /2 roteadores caem \| 2 enlaces enchem \| 2 roteadores têm um só caminho/)
  assert.doesNotMatch(words("en", 1), /routers|links|faults|hang on|have|they/)
  assert.match(words("en", 21_227), /21,227 routers lost \| 21,227 links full \| 21,227 routers have/)
})

test("[U7] whoever has a form for one has a form for others, in both languages", () => {
  for (const dictionary of [pt, en]) {
    const keys = Object.keys(dictionary)
    const bases = (ending: string) =>
      keys.filter((key) => key.endsWith(ending)).map((key) => key.slice(0, -ending.length))
    assert.ok(bases(".one").length > 20)
    for (const base of bases(".one")) assert.ok(keys.includes(`${base}.other`), base)
  }
})
