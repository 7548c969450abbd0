/** A fleet polled at its usual pace for minutes: what it costs, and whether any poll was late or lost. */
import type { Case } from "#bench/case.ts"
import { runPace } from "#bench/pace.ts"

export const fleet: Case = {
  name: "fleet",
  about: "CPU share, RSS, event-loop p99, polls late or lost of a fleet at its usual pace",
  tier: "emulator (ours)",
  full: { routers: 1000, pollSeconds: 10, seconds: 300, seed: 1 },
  small: { routers: 12, pollSeconds: 1, seconds: 4, seed: 1 },
  run: runPace,
}
