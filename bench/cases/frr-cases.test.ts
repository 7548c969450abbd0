/** The benchmarks on real routers at their smallest size; without root or the programs each says why it was skipped. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"
import { CASES } from "#bench/cases/registry.ts"

for (const one of CASES.filter(({ tier }) => tier === "real daemons")) {
  test(
    `bench ${one.name} runs at its smallest size and prints figures`,
    { skip: NO_POSTGRES, timeout: 840_000 },
    async (t) => {
      const { figures, outcome } = await one.run(one.small, () => undefined)
      const { skipped } = Object(outcome) as { readonly skipped?: string }
      if (skipped !== undefined) return t.skip(skipped)
      for (const [name, value] of Object.entries(figures)) assert.ok(Number.isFinite(value), `${name} is ${value}`)
      // [W8] A wrong foresight is wrong however slow the machine is.
      if (one.name === "whatif-frr") {
        assert.equal(figures["mismatches"], 0, JSON.stringify(outcome))
        assert.ok((figures["next_hops_said"] ?? 0) > 0, "nothing was foreseen")
        assert.equal(figures["next_hops_equal"], figures["next_hops_said"])
      }
      // [I9]
      if (one.name === "incidents")
        assert.equal(figures["link_cause_named"], figures["link_of"], "a cut cable is named")
    },
  )
}
