/**
 * What may be told at a time when nothing is broken. Storms have an aftermath: incidents of theirs end minutes after them,
 * alerts that were held back are told when a silence ends, processors are busy at some hours. Whatever begins anew needs a
 * cause that the lab knows of: an alert none at all, an incident an alert of before that lasts, or a link that really is full.
 */
import type { Network } from "#lab/isp/network.ts"
import { BUSY_RULE } from "#lab/sim/people.ts"
import type { Tenancy } from "#lab/sim/tenancy.ts"
import type { EventView } from "#protocol/view.ts"
import { HOT } from "#twin/link.ts"

/** A rate is a mean over one poll, and traffic breathes within it. */
const NEARLY = 0.95
/** An incident opens at the poll after the one that measured it, at the latest. */
const POLLS = 3
const SLACK_MS = 30_000

/** Which links were full, and when last, by the lab's own word. */
export class Heat {
  readonly #network: Network
  readonly #hotMs = new Map<number, number>()

  constructor(network: Network) {
    this.#network = network
  }

  look(): void {
    const { isp, nowMs } = this.#network
    for (const { index, a, b, capacityBps } of isp.links)
      if (Math.max(this.#network.outBps(a), this.#network.outBps(b)) >= NEARLY * HOT * capacityBps)
        this.#hotMs.set(index, nowMs)
  }

  wasHot(link: number, sinceMs: number): boolean {
    return (this.#hotMs.get(link) ?? 0) >= sinceMs
  }
}

/** Null = it has a cause, or is the aftermath of one; else what is wrong with it, in words. */
export const causeless = (tenancy: Tenancy, heat: Heat, nowMs: number, pollSeconds: number, event: EventView) => {
  const { type, id, entity, raw } = event
  if (type.startsWith("alert.")) {
    const rule = tenancy.auditor.alerts?.begun.get(id) ?? BUSY_RULE
    // The busy ones are judged from scratch (alerts.ts).
    return rule === BUSY_RULE ? null : `an alert of ${rule} begins`
  }
  if (!type.startsWith("incident.")) return "nothing happened"
  if (type !== "incident.opened" && type !== "incident.reopened")
    return tenancy.auditor.decided.some((one) => one.type === "incident.opened" && one.entity === entity)
      ? null
      : "that incident was never opened"
  if (isOfEarlierAlert(tenancy, raw ?? "")) return null
  const sinceMs = nowMs - POLLS * pollSeconds * 1_000 - SLACK_MS
  const full = linksOf(tenancy, entity).filter((link) => heat.wasHot(link, sinceMs))
  return full.length > 0 ? null : `no link is full that ${raw ?? "it"} could be about`
}

/** Called by an alert of the storm that lasts: it looked for its place, or was held back for another incident, until now. */
const isOfEarlierAlert = ({ auditor }: Tenancy, title: string): boolean =>
  auditor.decided.some(
    ({ type, old, raw, subject, entity }) =>
      (type === "alert.firing" || type === "alert.suppressed") &&
      old !== null &&
      isTitled(title, (raw ?? "").replace(/ \([a-z]+: .*\)$/, "")) &&
      auditor.alerts?.isLit(subject, old, entity) === true,
  )

/** An alert whose words name its device is told without the device's name before it (twin/incident/named-once.ts). */
const isTitled = (title: string, words: string): boolean => title === words || title.endsWith(`: ${words}`)

/** Links that the twin itself says are congested in this incident, by the lab's numbers. */
const linksOf = (tenancy: Tenancy, incident: string): readonly number[] =>
  (tenancy.current()?.incident?.(incident)?.causes ?? [])
    .flatMap(({ members }) => members)
    .filter(({ fault, kind }) => fault === "congestion" && kind === "link")
    .flatMap(({ id }) => [...tenancy.declared.links].filter((link) => tenancy.names.link(link) === id))
