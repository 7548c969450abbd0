/**
 * What a sample costs: durable samples a second and core, engine and PostgreSQL apart, bytes on disk in the journal, the
 * chunks and the rollups, and how long a write waits while a partition of old rows is dropped. Journal and history as in
 * production, fed by a fixture of the engine, because no fleet that fits on one machine fills them.
 */
import type { Case } from "#bench/case.ts"
import { runFixture } from "#bench/cases/history-fixture.ts"

export const samples: Case = {
  name: "samples",
  about: "durable samples a second and core, bytes a sample on disk, and the longest write beside a purge",
  tier: "emulator (ours)",
  full: { devices: 100, interfaces: 20, hours: 6, pollSeconds: 30, purgeRows: 1_000_000 },
  small: { devices: 4, interfaces: 4, hours: 2, pollSeconds: 30, purgeRows: 2_000 },
  run: async (parameters, report) => {
    const figures = await runFixture("samples", parameters)
    report(`${figures["samples"]} samples stored`)
    return { figures, outcome: { samples: figures["samples"] } }
  },
}
