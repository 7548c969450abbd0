/** Whether the first device has come up, and what to check when it has not. Pure; the words are the dictionaries'. */
import type { DeviceView } from "#protocol/view.ts"

/** A first poll and a second try fit into this; after it, waiting longer helps less than looking. */
export const LATE_MS = 30_000

export type Verdict = "waiting" | "late" | "up"
export const judge = (view: DeviceView | null, waitedMs: number): Verdict => {
  if (view !== null && (view.health === "ok" || view.health === "degraded")) return "up"
  return waitedMs >= LATE_MS ? "late" : "waiting"
}

/** It answers, and something that it was given a credential for does not: that is worth the advice too. */
export const isSilent = (view: DeviceView | null): boolean =>
  view?.sources.some(({ source, up }) => (source === "snmp" || source === "routeros") && !up) === true

export type Advice =
  | "setup.advice.credential"
  | "setup.advice.address"
  | "setup.advice.firewall"
  | "setup.advice.snmp"
  | "setup.advice.routeros"
  | "setup.advice.test"

/** The most likely first. A source that was refused is a matter of credentials; one that is silent, of the way to it. */
export const adviceFor = (view: DeviceView | null, credentials: readonly string[]): readonly Advice[] => {
  const asked = new Set([...credentials, ...(view?.sources.map(({ source }) => source) ?? [])])
  const polled = asked.has("snmp") || asked.has("routeros")
  return [
    ...(polled ? [] : (["setup.advice.credential"] as const)),
    "setup.advice.address",
    "setup.advice.firewall",
    ...(asked.has("snmp") ? (["setup.advice.snmp"] as const) : []),
    ...(asked.has("routeros") ? (["setup.advice.routeros"] as const) : []),
    "setup.advice.test",
  ]
}
