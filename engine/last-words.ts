/**
 * No engine ends without a reason on standard error. Node tells of an error that nobody caught with a stack alone, and of an
 * event loop that ran empty with a number; a start that took minutes and was gone without a word was never explained.
 */
import { writeSync } from "node:fs"
import process from "node:process"

/** Of Node, when the program still waits for something that nothing can bring any more. */
const LOOP_RAN_EMPTY = 13
const STDERR = 2

/** `isEngine`: others may end when nobody reads what they print (`heliograph ... | head`). */
export const tellLastWords = (isEngine: boolean): void => {
  process.stdout.on("error", ({ message }) => {
    if (!isEngine) process.exit()
    say(`nobody reads standard output any more (${message}); the engine goes on`)
  })
  if (!isEngine) return
  process.stderr.on("error", () => undefined)
  // Node's own line and stack follow, and the exit.
  process.on("uncaughtExceptionMonitor", (error, origin) => {
    const what = origin === "unhandledRejection" ? "a failure that nobody waited for" : "an error that nobody caught"
    say(`the engine ends because of ${what}: ${error instanceof Error ? error.message : String(error)}`)
  })
  process.on("exit", (code) => {
    if (code === LOOP_RAN_EMPTY) say("the engine ends: it waits for something that can never come, and nobody ended it")
  })
}

/** At once: the process may have no later. */
const say = (line: string): void => {
  try {
    writeSync(STDERR, `${line}\n`)
  } catch {
    // Nobody reads that either.
  }
}
