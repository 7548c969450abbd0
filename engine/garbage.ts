/**
 * How V8 collects an engine's garbage. A twin of 10,000 routers is 400 MB of small objects beside 10 MB a second of short-lived
 * buffers (polls, packets, journal rows). V8 answers every 64 MB of such buffers with a whole marking of the heap, on the
 * thread that polls, in one go: half a second without an answer, every 7 seconds (measured, `npm run bench -- fleet10k`).
 */
import { setFlagsFromString } from "node:v8"

/** Of Node 26; garbage.test.ts asks the node that runs it whether it knows them all. */
export const GARBAGE_FLAGS: readonly string[] = [
  // Buffers count towards one limit with the heap, instead of forcing a collection by themselves.
  "--external-memory-accounted-in-global-limit",
  // That limit: half as much again as what was alive. More would be rarer pauses, and gigabytes.
  "--heap-growing-percent=50",
  // Marking goes on as the engine allocates, in small steps, not in tasks that push the event loop's work aside.
  "--no-incremental-marking-task",
]

/** Before the engine starts, and only in its own process: V8 reads these whenever it decides. */
export const easeGarbage = (): void => {
  for (const flag of GARBAGE_FLAGS) setFlagsFromString(flag)
}
