/** What an auditor finds: the first thing that was wrong ends the run. */

export type AuditorName =
  | "journal" // acknowledged inputs are in the journal, once, in order, and nothing else is
  | "acts" // so is what people did
  | "fold" // live state = from-scratch fold
  | "alerts" // alerts, who is told of them and acknowledgements = judged from scratch
  | "history" // every sample is in the chunks, once
  | "events" // the events' table = what the twin decided
  | "viewers" // every picture = the twin's
  | "bounds" // queues within their limits
  | "isolation" // something of one tenant is another's, or waits for another
  | "truth" // the twin agrees with the lab
  | "recovery" // healthy again in time
  | "false-alarm" // an event without a cause
  | "life" // something threw, hung or did not start

export class Violation extends Error {
  readonly auditor: AuditorName
  constructor(auditor: AuditorName, detail: string) {
    super(`${auditor}: ${detail}`)
    this.auditor = auditor
  }
}

export const fail = (auditor: AuditorName, detail: string): never => {
  throw new Violation(auditor, detail)
}
