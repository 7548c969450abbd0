/**
 * How long a chart takes: a day and a month of one rate of one device, with and without its 95th percentile, a day of
 * single samples, the bytes that the month's chart sends, and the writes of others while somebody reads a year again and
 * again (PRODUCT.md U9, W15). In the engine, without HTTP.
 */
import type { Case } from "#bench/case.ts"
import { runFixture } from "#bench/cases/history-fixture.ts"

export const charts: Case = {
  name: "charts",
  about: "milliseconds of a 24 h and a 30 d chart, its bytes, and live writes beside a report over a year",
  tier: "emulator (ours)",
  full: { interfaces: 20, days: 30, pollSeconds: 30, reads: 100 },
  small: { interfaces: 2, days: 2, pollSeconds: 60, reads: 10 },
  run: async (parameters, report) => {
    const figures = await runFixture("charts", parameters)
    report(`${figures["month_points"]} points in the month's chart`)
    return { figures, outcome: { day: figures["day_points"], month: figures["month_points"] } }
  },
}
