/** The table of a transit, whole: every combination of eBGP, our own network and public targets. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { EBGP, ebgpOf, INSIDE, SITES_MIN, TARGETS, targetsOf, transitFinding } from "#twin/service/transit.ts"

/** `health verdict` by eBGP, inside, targets: written out by hand from PRODUCT.md W7, not from the source. */
const EXPECTED: Readonly<Record<string, string>> = {
  "up ok ok": "up -",
  "up ok part": "up -",
  "up ok lost": "degraded beyond",
  "up ok unknown": "up -",
  "up broken ok": "up -",
  "up broken part": "degraded inside",
  "up broken lost": "degraded inside",
  "up broken unknown": "up -",
  "part ok ok": "degraded -",
  "part ok part": "degraded -",
  "part ok lost": "degraded beyond",
  "part ok unknown": "degraded -",
  "part broken ok": "degraded inside",
  "part broken part": "degraded inside",
  "part broken lost": "degraded inside",
  "part broken unknown": "degraded inside",
  "down ok ok": "down session",
  "down ok part": "down session",
  "down ok lost": "down out",
  "down ok unknown": "down session",
  "down broken ok": "down inside",
  "down broken part": "down inside",
  "down broken lost": "down inside",
  "down broken unknown": "down inside",
  "unknown ok ok": "unknown -",
  "unknown ok part": "unknown -",
  "unknown ok lost": "degraded beyond",
  "unknown ok unknown": "unknown -",
  "unknown broken ok": "unknown -",
  "unknown broken part": "unknown -",
  "unknown broken lost": "degraded inside",
  "unknown broken unknown": "unknown -",
}

const combinations = EBGP.flatMap((ebgp) =>
  INSIDE.flatMap((inside) => TARGETS.map((targets) => ({ ebgp, inside, targets }))),
)

describe("[W7] the verdict on a transit", () => {
  test("every combination of eBGP, our own network and public targets is what the table says", () => {
    assert.equal(combinations.length, Object.keys(EXPECTED).length)
    for (const { ebgp, inside, targets } of combinations) {
      const { health, verdict } = transitFinding(ebgp, inside, targets)
      assert.equal(
        `${health} ${verdict ?? "-"}`,
        EXPECTED[`${ebgp} ${inside} ${targets}`],
        `${ebgp} ${inside} ${targets}`,
      )
    }
  })

  test("it is called out only when eBGP is down, we are well and several sites lose public targets", () => {
    const out = combinations.filter(
      ({ ebgp, inside, targets }) => transitFinding(ebgp, inside, targets).verdict === "out",
    )
    assert.deepEqual(out, [{ ebgp: "down", inside: "ok", targets: "lost" }])
  })

  test("what is broken inside is never the provider's, and what is beyond us is said with less confidence than an outage", () => {
    for (const { ebgp, targets } of combinations) {
      const { verdict } = transitFinding(ebgp, "broken", targets)
      assert.ok(verdict === null || verdict === "inside")
    }
    const out = transitFinding("down", "ok", "lost").confidence
    for (const ebgp of EBGP) {
      const finding = transitFinding(ebgp, "ok", "lost")
      if (finding.verdict === "beyond") assert.ok(finding.confidence < out)
    }
  })

  test("each of several transits that stand is blamed with its share only", () => {
    assert.equal(transitFinding("up", "ok", "lost", 2).confidence, transitFinding("up", "ok", "lost", 1).confidence / 2)
    assert.equal(transitFinding("down", "ok", "lost", 2).confidence, transitFinding("down", "ok", "lost").confidence)
  })

  test("one finding has a verdict exactly when it has a confidence", () => {
    for (const { ebgp, inside, targets } of combinations) {
      const { verdict, confidence } = transitFinding(ebgp, inside, targets)
      assert.equal(verdict === null, confidence === 0)
    }
  })
})

describe("[W7] readings", () => {
  test("two sites are several; where one watches, it is all there is", () => {
    assert.deepEqual(
      [
        targetsOf(0, 0),
        targetsOf(0, 3),
        targetsOf(1, 3),
        targetsOf(2, 3),
        targetsOf(1, 1),
        targetsOf(2, 2),
        targetsOf(1, 2),
      ],
      ["unknown", "ok", "part", "lost", "lost", "lost", "part"],
    )
  })

  test("more losses never look better, and without any everything is well", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(40), (watching, some) => {
        const lost = Math.min(some, watching)
        const rank = (n: number): number => ["ok", "part", "lost"].indexOf(targetsOf(n, watching))
        assert.ok(rank(lost) >= rank(Math.max(0, lost - 1)))
        assert.equal(targetsOf(0, watching), "ok")
        if (lost >= SITES_MIN) assert.equal(targetsOf(lost, watching), "lost")
      }),
    )
  })

  test("eBGP is up, down or in part by the places that are known, and unknown where none is", () => {
    assert.deepEqual([ebgpOf(0, 0), ebgpOf(2, 0), ebgpOf(0, 2), ebgpOf(1, 1)], ["unknown", "up", "down", "part"])
  })
})
