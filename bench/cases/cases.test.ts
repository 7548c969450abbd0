/** Every benchmark at its smallest size, end to end on real processes, so that none of them rots. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"
import { CASES } from "#bench/cases/registry.ts"

for (const one of CASES) {
  test(
    `bench ${one.name} runs at its smallest size and prints figures`,
    { skip: NO_POSTGRES, timeout: 400_000 },
    async () => {
      const result = await one.run(one.small, () => undefined)
      for (const [name, value] of Object.entries(result.figures)) {
        assert.ok(value === null || Number.isFinite(value), `${name} is ${value}`)
      }
      assert.ok(result.outcome !== undefined)
      const figures = result.figures
      if (one.name === "fleet" || one.name === "canonical") {
        assert.ok((figures["polls"] ?? 0) > 0, "nothing was polled")
        assert.equal(figures["polls_failed"], 0)
      }
      if (one.name === "fleet10k") assert.ok((figures["polls"] ?? 0) > 0, "nothing was polled")
      if (one.name === "hostile") assert.equal(figures["escapes"], 0)
      if (one.name === "snmp-cost") assert.equal(figures["requests_without_answer"], 0)
      if (one.name === "recover") {
        assert.equal(figures["links_with_another_state"], 0)
        assert.equal(figures["events_lost"], 0)
        assert.equal(figures["history_points_lost"], 0)
      }
    },
  )
}
