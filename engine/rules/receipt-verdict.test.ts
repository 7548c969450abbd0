/**
 * [I5] Receipts: every one that judgement makes is accepted by a verifier that shares no evaluation with it, and none that
 * was changed is, in any leaf, whether its hash was made to fit again or not, but for what UNCHECKED names.
 */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { describe, test } from "node:test"
import fc from "fast-check"
import { truthIn, Undecided } from "#engine/rules/receipt-truth.ts"
import { UNCHECKED, verifyReceipt } from "#engine/rules/receipt-verdict.ts"
import { judgedRule, OneDevice } from "#engine/rules/one-device.fixture.ts"
import { PACKS } from "#twin/alert/packs/registry.ts"
import type { Receipt } from "#twin/alert/receipt.ts"
import { boundedReceipts, sealed } from "#twin/alert/receipt.ts"
import { parseScenario, runScenario } from "#twin/alert/scenario.ts"
import type { Verdict } from "#twin/alert/verdict.ts"
import { stateHash } from "#twin/hash.ts"

const sent = (receipt: unknown): unknown => JSON.parse(JSON.stringify(receipt))
const accepted = (receipt: unknown): boolean => verifyReceipt(sent(receipt)).verdict === "accepted"
const rehashed = ({ hash: _hash, ...rest }: Receipt): Receipt => ({ ...rest, hash: stateHash(rest) })

/** Every decision of the two scenarios of every shipped rule. */
const PACK_VERDICTS: ReadonlyArray<Omit<Verdict, "receipt"> & { readonly receipt: Receipt }> = PACKS.flatMap(
  ({ rules }) => {
    const all = rules.map((one) => judgedRule({ ...one.rule, enabled: true }))
    return rules.flatMap(({ fires, quiet }) =>
      [fires, quiet].flatMap((text) =>
        runScenario(all, parseScenario(text).scenario).verdicts.map((one) => ({
          ...one,
          receipt: sealed(one.receipt),
        })),
      ),
    )
  },
)

/** Paths of all leaves: values that are neither objects nor lists. */
type Path = readonly (string | number)[]
const leavesOf = (value: unknown, path: Path = []): readonly Path[] =>
  typeof value !== "object" || value === null
    ? [path]
    : Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, [...path, Array.isArray(value) ? +key : key]))
const changedAt = (receipt: Receipt, path: Path, change: (old: unknown) => unknown): Receipt => {
  const copy = sent(receipt) as Record<string | number, unknown>
  let place = copy
  for (const key of path.slice(0, -1)) place = place[key] as Record<string | number, unknown>
  const last = path.at(-1)!
  place[last] = change(place[last])
  return copy as unknown as Receipt
}
const another = (old: unknown): unknown => {
  if (typeof old === "number") return old + 1
  if (typeof old === "boolean") return !old
  if (old === null) return "something"
  return `${String(old)}x`
}

/** May be chosen freely by whoever makes up a receipt with a hash of its own (UNCHECKED), or does not bear on the truth. */
const FREE = [
  /^device\./,
  /^summary$/,
  /^heldBack/,
  /^notice$/,
  /^before\./,
  /^entity$/,
  /^watchedMs$/,
  /^series\./,
  /^events\./,
]
const isFree = (path: Path): boolean => FREE.some((one) => one.test(path.join(".")))

describe("[I5] decision receipts", () => {
  test("[I5] every decision of every shipped rule's scenarios is accepted", (t) => {
    assert.ok(PACK_VERDICTS.length > 150, String(PACK_VERDICTS.length))
    const kinds = new Set<string>()
    for (const { receipt } of PACK_VERDICTS) {
      const { verdict, reasons } = verifyReceipt(sent(receipt))
      assert.equal(
        verdict,
        "accepted",
        `${receipt.rule.id} ${receipt.before.state}>${receipt.after.state}: ${reasons.join("; ")}`,
      )
      kinds.add(receipt.rule.condition.type)
    }
    t.diagnostic(`${PACK_VERDICTS.length} receipts; conditions ${[...kinds].join(", ")}`)
    assert.ok(kinds.size >= 8, [...kinds].join(" "))
  })

  const CPU = "device.cpu_pct"
  const threshold = fc.record({
    type: fc.constant("threshold"),
    metric: fc.constant(CPU),
    operator: fc.constantFrom(">", ">=", "<", "<=", "==", "!="),
    threshold_num: fc.integer({ min: 0, max: 4 }),
    aggregation: fc.constantFrom("avg", "min", "max", "p95", "last", "sum", "count"),
    lookback_seconds: fc.integer({ min: 1, max: 120 }),
  })
  const leaf = fc.oneof(
    threshold,
    fc.record({
      type: fc.constant("consecutive"),
      metric: fc.constant(CPU),
      operator: fc.constantFrom(">", "<"),
      threshold_num: fc.integer({ min: 0, max: 4 }),
      count: fc.integer({ min: 1, max: 5 }),
    }),
    fc.record({
      type: fc.constant("flap"),
      metric: fc.constant(CPU),
      transitions: fc.integer({ min: 2, max: 6 }),
      lookback_seconds: fc.integer({ min: 10, max: 120 }),
    }),
    fc.record({
      type: fc.constant("rate_of_change"),
      metric: fc.constant(CPU),
      operator: fc.constantFrom(">", "<"),
      threshold_num: fc.constantFrom(-0.1, 0, 0.1),
      lookback_seconds: fc.integer({ min: 10, max: 120 }),
      relative: fc.boolean(),
    }),
    fc.record({ type: fc.constant("absent"), metric: fc.constant(CPU), seconds: fc.integer({ min: 5, max: 60 }) }),
    fc.record({
      type: fc.constant("state_not_in"),
      metric: fc.constant(CPU),
      good_values: fc.constantFrom([0], [1, 2]),
      lookback_seconds: fc.integer({ min: 1, max: 60 }),
    }),
    fc.record({
      type: fc.constant("baseline"),
      metric: fc.constant(CPU),
      operator: fc.constantFrom(">", "<"),
      factor: fc.constantFrom(0.5, 1, 2),
      baseline_seconds: fc.constant(60),
    }),
  )
  const condition = fc.oneof(
    { weight: 3, arbitrary: leaf },
    fc.record({
      type: fc.constant("composite"),
      op: fc.constantFrom("and", "or"),
      conditions: fc.array(leaf, { minLength: 1, maxLength: 3 }),
    }),
    leaf.map((one) => ({ type: "composite", op: "not", conditions: [one] })),
  )
  const history = fc.array(
    fc.record({
      step: fc.constantFrom(1, 5, 10, 30, 90, 400),
      value: fc.constantFrom(0, 1, 2, 3, 0.1, 2.7, -1.3),
      late: fc.constantFrom(0, 0, 0, 7, 33),
    }),
    { minLength: 5, maxLength: 60 },
  )
  const receiptsOf = (
    wanted: unknown,
    recover: unknown,
    seconds: number,
    steps: readonly Step[],
  ): readonly Receipt[] => {
    const timing = { for_seconds: seconds, recover_seconds: seconds }
    const device = new OneDevice(wanted, { ...timing, ...(recover === null ? {} : { recover }) })
    let now = 0
    for (const { step, value, late } of steps) {
      now += step
      device.sample(now, CPU, value, late < now ? late : 0)
    }
    return device.receipts
  }
  interface Step {
    readonly step: number
    readonly value: number
    readonly late: number
  }

  test("[I5] random rules on random histories, late samples and gaps included: every receipt is accepted", (t) => {
    let count = 0
    fc.assert(
      fc.property(condition, fc.option(leaf), fc.constantFrom(0, 0, 20), history, (wanted, recover, seconds, steps) => {
        for (const receipt of receiptsOf(wanted, recover, seconds, steps)) {
          const { verdict, reasons } = verifyReceipt(sent(receipt))
          assert.equal(verdict, "accepted", reasons.join("; "))
          count++
        }
      }),
      { numRuns: 600 },
    )
    t.diagnostic(`${count} receipts`)
    assert.ok(count > 1_000, String(count))
  })

  const sampleOf = PACK_VERDICTS.filter((_, nth) => nth % 7 === 0).map(({ receipt }) => receipt)

  test("[I5] one leaf changed, whichever: rejected", (t) => {
    let count = 0
    for (const receipt of sampleOf)
      for (const path of leavesOf(sent(receipt))) {
        assert.equal(verifyReceipt(sent(changedAt(receipt, path, another))).verdict, "rejected", path.join("."))
        count++
      }
    t.diagnostic(`${count} changed leaves of ${sampleOf.length} receipts`)
  })

  test("[I5] one leaf changed and the hash made to fit: rejected, but for what is listed as unchecked", () => {
    for (const receipt of sampleOf)
      for (const path of leavesOf(sent(receipt))) {
        if (path[0] === "hash") continue
        const made = rehashed(changedAt(receipt, path, another))
        if (!isFree(path))
          assert.notEqual(verifyReceipt(sent(made)).verdict, "accepted", `${receipt.rule.id} ${path.join(".")}`)
      }
    assert.ok(UNCHECKED.length > 0)
  })

  test("[I5] samples that do not bear out what was decided are rejected, hash or not", () => {
    let flipped = 0
    for (const receipt of sampleOf)
      for (const value of [-1e6, 0, 1e6]) {
        const series = receipt.series.map((one) => ({
          ...one,
          samples: one.samples.map((old, nth) => (nth % 2 === 0 ? old : value)),
        }))
        const made = rehashed({ ...receipt, series })
        const said = truthIn(made, receipt.rule.condition)
        if (said === receipt.condition) continue
        flipped++
        assert.equal(verifyReceipt(sent(made)).verdict, "rejected")
      }
    assert.ok(flipped > 20, String(flipped))
  })

  test("[I5] a rule that was made milder, with version and hash made to fit, is another decision: rejected", () => {
    const device = new OneDevice(overCpu(90))
    device.sample(1, CPU, 95)
    const receipt = device.receipts[0]!
    assert.ok(accepted(receipt))
    const milder = { ...receipt.rule, condition: overCpu(99) } as Receipt["rule"]
    assert.equal(
      verifyReceipt(sent(rehashed({ ...receipt, rule: milder, version: stateHash(milder) }))).verdict,
      "rejected",
    )
    const elsewhere = { ...receipt.rule, scope: { by_site_ids: ["other"] } }
    const made = rehashed({ ...receipt, rule: elsewhere, version: stateHash(elsewhere) })
    assert.match(verifyReceipt(sent(made)).reasons.join(), /not about this entity/)
  })
  const overCpu = (threshold_num: number): object => ({
    type: "threshold",
    metric: CPU,
    operator: ">",
    threshold_num,
    aggregation: "last",
    lookback_seconds: 60,
  })

  const longWindow = (seconds: number): Receipt => {
    const wanted = { ...overCpu(0.9), aggregation: "avg", lookback_seconds: seconds }
    const device = new OneDevice(wanted, {
      recover: { ...overCpu(1e9), lookback_seconds: seconds },
      for_seconds: Math.round(0.4 * seconds),
    })
    for (let second = 1; second < seconds; second++) device.sample(second, CPU, 1 + (second % 7) / 100)
    return device.receipts.at(-1)!
  }

  test("[I5] windows of thousands of samples are decided: accepted as they are, rejected when one old sample is another", () => {
    for (const seconds of [3_600, 12_000]) {
      const receipt = longWindow(seconds)
      assert.ok(receipt.series[0]!.samples.length > 4_000 && !receipt.series[0]!.cut)
      assert.deepEqual(verifyReceipt(sent(receipt)), { verdict: "accepted", reasons: [] })
      const samples = receipt.series[0]!.samples.with(101, -1e9)
      const made = rehashed({ ...receipt, series: [{ ...receipt.series[0]!, samples }] })
      assert.equal(verifyReceipt(sent(made)).verdict, "rejected")
    }
  })

  test("[I5] where samples were left out it says that it cannot tell, and accepts nothing", () => {
    const { hash: _hash, ...whole } = longWindow(3_600)
    const [short] = boundedReceipts([whole, ...Array.from({ length: 12 }, () => whole)])
    const receipt = sealed(short!)
    assert.ok(receipt.series[0]!.cut)
    const { verdict, reasons } = verifyReceipt(sent(receipt))
    assert.equal(verdict, "undecided")
    assert.match(reasons.join(), /left out/)
    assert.throws(() => truthIn(receipt, receipt.rule.condition), Undecided)
  })

  test("[I5] anything else that JSON can say is rejected, and never throws", () => {
    const receipt = sent(PACK_VERDICTS[0]!.receipt) as Receipt
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(receipt)), (value, key) => {
        assert.equal(verifyReceipt(value).verdict, "rejected")
        const made = { ...receipt, [key]: value }
        if (JSON.stringify(made) !== JSON.stringify(receipt)) assert.notEqual(verifyReceipt(made).verdict, "accepted")
      }),
      { numRuns: 2_000 },
    )
  })

  test("[I5] the verifier is small, and imports none of what judges", () => {
    const texts = ["receipt-truth.ts", "receipt-verdict.ts"].map((file) =>
      readFileSync(new URL(file, import.meta.url), "utf8"),
    )
    assert.ok(texts.join("").split("\n").length <= 500)
    for (const text of texts)
      for (const [line] of text.matchAll(/^import (?!type).*$/gm))
        assert.doesNotMatch(line, /#twin\/alert/, "types only: the shape of the JSON")
  })
})
