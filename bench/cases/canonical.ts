/**
 * The canonical workload, run by `npm run bench` without arguments: a fleet polled every second, ten times its usual
 * pace, with a viewer on the stream. Two numbers come out: samples a second that were really journaled and folded, and
 * the p99 from a device's answer to the frame that shows it.
 */
import type { Case } from "#bench/case.ts"
import { runPace } from "#bench/pace.ts"

export const canonical: Case = {
  name: "canonical",
  about: "sustained samples/s and p99 device-to-frame of a fleet polled every second",
  tier: "emulator (ours)",
  full: { routers: 200, pollSeconds: 1, seconds: 30, seed: 1 },
  small: { routers: 12, pollSeconds: 1, seconds: 3, seed: 1 },
  run: runPace,
}
