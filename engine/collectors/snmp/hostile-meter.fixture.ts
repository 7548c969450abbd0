/**
 * Throws seeded hostile input at one victim and measures what the hostile benchmark reports: escapes, the slowest single
 * input, memory before and after. Each input is timed twice: by the clock, which also counts garbage collection and the
 * other processes of the machine, and by the thread's own CPU time, which is what the input itself can cost.
 */
import { PerformanceObserver, performance } from "node:perf_hooks"
import process from "node:process"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import type { Dice } from "#engine/collectors/snmp/mutation.fixture.ts"
import { makeDice } from "#engine/collectors/snmp/mutation.fixture.ts"

export interface Victim {
  /** Makes the next input; not timed. */
  readonly next: (dice: Dice) => Buffer | Promise<Buffer>
  /** Eats it; what it throws has escaped. Settles when the input has been dealt with. */
  readonly take: (input: Buffer) => void | Promise<void>
  /** Inputs that were taken for honest: an enemy that is always dropped at the door proves nothing. */
  readonly taken: () => number
  /** Bugs that the victim contained and counted itself; they count as escapes. */
  readonly contained: () => number
  readonly close: () => void | Promise<void>
}

export interface HostileReport {
  readonly inputs: number
  readonly taken: number
  readonly escapes: number
  /** Which input, what it was and what came out of it; null = none. */
  readonly firstEscape: { readonly index: number; readonly hex: string; readonly error: string } | null
  /** By the clock, and how much of that input's time was garbage collection. */
  readonly slowestMs: number
  readonly slowestGcMs: number
  /** CPU time of the thread in one input, garbage collection included. */
  readonly slowestCpuMs: number
  readonly slowestCpuHex: string
  readonly overLimit: number
  readonly overLimitCpu: number
  readonly gcPauseMsMax: number
  readonly seconds: number
  /** At each tenth of the inputs. */
  readonly rssMiB: readonly number[]
  readonly rssMiBBefore: number
  readonly rssMiBAfter: number
  readonly heapMiBBefore: number
  readonly heapMiBAfter: number
}

/** No single input may take longer. */
const LIMIT_MS = 50
/** Inputs between two turns of the event loop: timers, sockets and the observer get their say. */
const SLICE = 500
/** Resident memory on the way, so that a plateau can be told from a leak. */
const RSS_MARKS = 10
/** Memory is measured from here on: code is compiled, buffers and caches have their size. */
const WARM_UP_SHARE = 0.1

interface Span {
  readonly startMs: number
  readonly endMs: number
}

export const throwAll = async (victim: Victim, inputs: number, seed: number): Promise<HostileReport> => {
  const dice = makeDice(seed)
  const pauses = watchPauses()
  const escaped = watchEscapes()
  const slowest: Span & { cpuMs: number; hex: string } = { startMs: 0, endMs: 0, cpuMs: 0, hex: "" }
  let [slow, overLimit, overLimitCpu] = [slowest as Span, 0, 0]
  let before = memory()
  const rssMiB: number[] = []
  const started = performance.now()
  for (let i = 0; i < inputs; i++) {
    if (i === Math.floor(inputs * WARM_UP_SHARE)) before = memory()
    if (i % Math.ceil(inputs / RSS_MARKS) === 0) rssMiB.push(Math.round(process.memoryUsage.rss() / 2 ** 20))
    const input = await victim.next(dice)
    const cpu = process.threadCpuUsage()
    const startMs = performance.now()
    try {
      const taking = victim.take(input)
      if (taking !== undefined) await taking
    } catch (error) {
      escaped.note(i, input, error)
    }
    const endMs = performance.now()
    const used = process.threadCpuUsage(cpu)
    const cpuMs = (used.user + used.system) / 1000
    if (endMs - startMs > slow.endMs - slow.startMs) slow = { startMs, endMs }
    if (cpuMs > slowest.cpuMs) Object.assign(slowest, { cpuMs, hex: input.toString("hex").slice(0, 400) })
    if (endMs - startMs > LIMIT_MS) overLimit++
    if (cpuMs > LIMIT_MS) overLimitCpu++
    if (i % SLICE === SLICE - 1) await new Promise((turn) => setImmediate(turn))
  }
  const seconds = (performance.now() - started) / 1000
  await new Promise((turn) => setImmediate(turn))
  const after = memory()
  const contained = victim.contained()
  const gcMs = pauses.within(slow)
  return {
    inputs,
    taken: victim.taken(),
    escapes: escaped.count() + contained,
    firstEscape: escaped.first(),
    slowestMs: slow.endMs - slow.startMs,
    slowestGcMs: gcMs,
    slowestCpuMs: slowest.cpuMs,
    slowestCpuHex: slowest.hex,
    overLimit,
    overLimitCpu,
    gcPauseMsMax: pauses.longestMs(),
    seconds,
    rssMiB,
    rssMiBBefore: before.rss,
    rssMiBAfter: after.rss,
    heapMiBBefore: before.heap,
    heapMiBAfter: after.heap,
  }
}

/** Pauses longer than a millisecond, of which there are few; the newest PAUSES_MAX of them. */
const watchPauses = (): { within: (span: Span) => number; longestMs: () => number } => {
  const kept: Span[] = []
  let longest = 0
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) {
      longest = Math.max(longest, duration)
      if (duration < 1) continue
      kept.push({ startMs: startTime, endMs: startTime + duration })
      if (kept.length > PAUSES_MAX) kept.shift()
    }
  }).observe({ entryTypes: ["gc"] })
  return {
    within: ({ startMs, endMs }) =>
      kept.reduce(
        (sum, pause) => sum + Math.max(0, Math.min(endMs, pause.endMs) - Math.max(startMs, pause.startMs)),
        0,
      ),
    longestMs: () => longest,
  }
}
const PAUSES_MAX = 10_000

interface Escapes {
  readonly note: (index: number, input: Buffer, error: unknown) => void
  readonly count: () => number
  readonly first: () => HostileReport["firstEscape"]
}

/** What reaches nobody is an escape as well: it would have ended the engine. */
const watchEscapes = (): Escapes => {
  let count = 0
  let first: HostileReport["firstEscape"] = null
  const note = (index: number, input: Buffer, error: unknown): void => {
    count++
    const words = error instanceof Error ? (error.stack ?? error.message) : String(error)
    first ??= { index, hex: input.toString("hex"), error: words.slice(0, 500) }
  }
  for (const event of ["uncaughtException", "unhandledRejection"] as const)
    process.on(event, (error) => note(-1, Buffer.alloc(0), error))
  return { note, count: () => count, first: () => first }
}

setFlagsFromString("--expose-gc")
const collectGarbage = runInNewContext("gc") as () => void

/** Resident memory first: collecting everything moves objects to fresh pages, which is no growth of the victim's. */
const memory = (): { readonly rss: number; readonly heap: number } => {
  const { rss } = process.memoryUsage()
  collectGarbage()
  return { rss: rss / 2 ** 20, heap: process.memoryUsage().heapUsed / 2 ** 20 }
}
