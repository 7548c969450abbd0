/**
 * What a start folds of the journal's tail when nobody answers (after kill -9, in a network that is away): CPU of the twin
 * alone, in process. Every site is an incident then, and none may cost more because there are many others.
 */
import { loadavg } from "node:os"
import type { Case } from "#bench/case.ts"
import { declared, silence } from "#bench/core-site/silent.ts"
import { timedTwin } from "#bench/core-site/timed-twin.ts"
import { round } from "#bench/statistics.ts"
import { hashTwin } from "#twin/hash.ts"

export const silent: Case = {
  name: "silent",
  about: "a network of which all routers fall silent: CPU seconds of folding that, and of the worst input",
  tier: "emulator (ours)",
  full: { routers: 20_000, inputs: 5_000 },
  small: { routers: 240, inputs: 240 },
  run: async (parameters, report) => {
    const { routers, inputs } = parameters as Record<"routers" | "inputs", number>
    const { startMs, inventory } = declared(routers)
    const { world, cells, apply } = timedTwin(inventory, startMs)
    let cpuMs = 0
    let worst = 0
    let told = 0
    for (const input of silence(routers, inputs)) {
      const ms = apply(input)
      cpuMs += ms
      worst = Math.max(worst, ms)
      if (++told % Math.ceil(inputs / 4) === 0)
        report(`${told} silent: ${round(cpuMs / 1000, 2)} s of CPU; load ${round(loadavg()[0] ?? 0)}`)
    }
    return {
      figures: {
        cpu_s: round(cpuMs / 1000, 2),
        cpu_ms_per_input: round(cpuMs / inputs, 2),
        worst_cpu_ms: round(worst),
        incidents_open: world.desk.incidents.filter(({ state }) => state !== "closed").length,
        load_average_1_min: round(loadavg()[0] ?? 0),
      },
      outcome: hashTwin(world, cells),
    }
  },
}
