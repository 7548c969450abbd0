/**
 * How fast a device's uptime runs. A virtual machine with a bad clock counts half the seconds that go by, or two for one, and
 * an agent may not count at all: taken for the truth its uptime would leave the device without rates for ever, or halve them.
 * One speed that explains every poll of a run, restarts and set clocks excluded, is a fact about the device; so is 1.
 * A fold over (time, uptime) of one source's polls, so that charts come to what the twin came to.
 */
import { CLOCK_SLACK, POLL_JITTER_SECONDS, restarted, uptimeStep } from "#twin/counter.ts"

/** A run says something when it has so many intervals... */
const POLLS_MIN = 5
/** ...and lasts so long: below, jitter of polls is as large as what is looked for. */
const RUN_SECONDS_MIN = 60
/** An uptime that runs otherwise is off by a part in every interval; a clock that was set, or a poll that lasted, by all in one. */
const INTERVALS_OFF_MIN = 3
/** A silence of minutes is off by more than all the rest: the rest alone must be off by so much more than jitter. */
const REST_OFF_MIN = 3
/** A run that says that all is well lasts longer: a device that was off by a little is not well for its first minute. */
const WELL_SECONDS_MIN = 120
/** Faster than anything. */
const NO_BOUND = 1e9

export interface Uptime {
  readonly atMs: number
  readonly seconds: number
}

export interface Pace {
  /** Where the run began, and its newest answer. */
  readonly from: Uptime
  readonly last: Uptime
  readonly polls: number
  /** The most that one interval of the run was off by, s. */
  readonly widestSeconds: number
  /** The speeds that explain every poll of the run lie between them. */
  readonly least: number
  readonly most: number
  /** Seconds of uptime per second, as far as any run has told; 1 = it runs with time. */
  readonly ratio: number
}

/** What is known after one more answer of the source. */
export const paceAfter = (pace: Pace | undefined, next: Uptime): Pace => {
  if (pace === undefined) return begun(1, next)
  const { from, last } = pace
  const seconds = (next.atMs - last.atMs) / 1000
  const isYounger =
    next.seconds < last.seconds || restarted(last.seconds, next.seconds, seconds * Math.min(1, pace.ratio))
  if (!(seconds > 0) || isYounger) return begun(pace.ratio, next)
  const run = (next.atMs - from.atMs) / 1000
  const grown = next.seconds - from.seconds
  const noise = POLL_JITTER_SECONDS * Math.max(1, grown / run) + uptimeStep(from.seconds, next.seconds)
  const [slowest, fastest] = [(grown - noise) / run, (grown + noise) / run]
  const least = Math.max(pace.least, slowest)
  const most = Math.min(pace.most, fastest)
  // No one speed explains them all: somebody set a clock, or the device's own began to run otherwise.
  if (least > most) return begun(pace.ratio, next)
  const polls = pace.polls + 1
  const widestSeconds = Math.max(pace.widestSeconds, Math.abs(next.seconds - last.seconds - seconds))
  const isLong = polls >= POLLS_MIN && run >= RUN_SECONDS_MIN
  const offSeconds = Math.abs(grown - run)
  const isGradual =
    offSeconds >= INTERVALS_OFF_MIN * widestSeconds || offSeconds - widestSeconds >= REST_OFF_MIN * noise
  const isOff = isLong && isGradual && (slowest > 1 + CLOCK_SLACK || fastest < 1 - CLOCK_SLACK)
  const isWell = isLong && run >= WELL_SECONDS_MIN && Math.abs(grown / run - 1) < CLOCK_SLACK
  const ratio = isOff ? grown / run : isWell ? 1 : pace.ratio
  return { from, last: next, polls, widestSeconds, least, most, ratio }
}

const begun = (ratio: number, from: Uptime): Pace => ({
  from,
  last: from,
  polls: 0,
  widestSeconds: 0,
  least: 0,
  most: NO_BOUND,
  ratio,
})
