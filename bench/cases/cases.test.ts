/** Every benchmark at its smallest size, end to end on real processes, so that none of them rots. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"
import { CASES } from "#bench/cases/registry.ts"

// Those on real routers have a file of their own: frr-cases.test.ts.
for (const one of CASES.filter(({ tier }) => tier !== "real daemons")) {
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
      // [W11] [7.5] [W13] [7.8] [7.4]
      if (["kill", "away", "replay"].includes(one.name)) {
        assert.equal(figures["decisions_differing"], 0)
        assert.ok((figures["marks_equal"] ?? 0) > 0, "no mark was proven")
      }
      if (one.name === "kill" || one.name === "away") {
        assert.equal(figures["acknowledged_lost"], 0)
        assert.equal(figures["events_told_and_lost"], 0)
        assert.equal(figures["twin_rebuilds"], 0)
      }
      if (one.name === "kill") {
        assert.ok((figures["informs_acknowledged"] ?? 0) > 0, "nothing was acknowledged")
        assert.equal(figures["duplicated"], 0)
      }
      if (one.name === "away") {
        assert.ok((figures["polls_while_away"] ?? 0) > 0, "polling stood still")
        assert.ok((figures["informs_answered_while_away"] ?? 0) > 0, "nothing was answered")
        assert.ok((figures["spool_bytes"] ?? 0) > 0, "nothing was spooled")
      }
      // [I9]
      if (one.name === "rca") {
        assert.equal(figures["false_per_healthy_clean"], 0)
        assert.ok((figures["f1_class_clean"] ?? 0) >= 0.9, `F1 ${figures["f1_class_clean"]} on clean rounds`)
        assert.equal(JSON.parse(result.lines?.at(-1) ?? "{}").case, "rca")
      }
      // [I7] One incident that names the site; of all its alerts at most the cause's own is told.
      if (one.name === "outage") {
        assert.equal(figures["incidents"], 1)
        assert.equal(figures["named_site_power"], 1)
        assert.equal(figures["devices_with_alert"], figures["devices"])
        assert.equal(figures["symptoms_unexplained"], 0)
        assert.equal(figures["held_without_cause_and_evidence"], 0)
        assert.ok((figures["alerts_told"] ?? 9) <= 1, `${figures["alerts_told"]} alerts told`)
      }
      if (one.name === "replay") {
        assert.equal(figures["marks"], figures["marks_equal"])
        assert.equal(figures["branch_past_untouched"], 1)
        assert.ok(Number(figures["branch_events_of_its_own"]) > 0)
      }
      if (one.name === "charts") {
        assert.ok((figures["day_points"] ?? 0) > 100 && (figures["month_points"] ?? 0) > 100, "an empty chart")
        assert.ok((figures["month_bytes"] ?? 0) < 60_000, `${figures["month_bytes"]} bytes`)
      }
      if (one.name === "samples") assert.ok((figures["rollup_5m_bytes_per_sample"] ?? 0) > 0, "nothing was rolled up")
      // [C9] Whoever is to be asked is, as often as was asked for; how evenly is told, not tested.
      if (one.name === "probe-pace" && figures["pings"] !== null) {
        assert.equal(figures["pings"], (one.small["addresses"] ?? 0) * ((one.small["intervals"] ?? 0) + 1))
        assert.ok((figures["intervals"] ?? 0) > 0 && (figures["processes"] ?? 0) > 2, JSON.stringify(figures))
      }
      if (one.name === "recover") {
        assert.equal(figures["links_with_another_state"], 0)
        assert.equal(figures["events_lost"], 0)
        assert.equal(figures["history_points_lost"], 0)
      }
    },
  )
}
