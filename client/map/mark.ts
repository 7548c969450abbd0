/**
 * How a status is drawn. Six marks, each with a shape, a lightness and a hue of its own, because hue alone fails for
 * colour-blind eyes (measured: deuteranopia brings warning and major within 2.5 of each other). Worst first.
 */
import { unpackStatus } from "#protocol/status.ts"
import type { Status } from "#protocol/status.ts"

export const MARKS = ["critical", "major", "warning", "unknown", "maintenance", "ok"] as const
export type Mark = (typeof MARKS)[number]

/** Worse than this index is trouble: it is drawn at every zoom, listed and labelled. */
export const WORST_OK = MARKS.indexOf("unknown")

export const markOf = (status: Status): Mark => {
  if (status.maintenance) return "maintenance"
  if (status.severity === "critical" || status.severity === "major") return status.severity
  if (status.severity === "warning" || status.severity === "minor") return "warning"
  if (status.severity === "cleared" && status.health === "down") return "critical"
  if (status.severity === "cleared" && status.health === "degraded") return "warning"
  const known = status.health === "ok" && status.severity === "cleared" && !status.stale
  return known ? "ok" : "unknown"
}

/** Traffic cannot pass: drawn dashed. */
export const isBroken = (status: Status): boolean => status.health === "down" || status.health === "unreachable"

const FACTS = Array.from({ length: 256 }, (_, byte) => {
  const status = unpackStatus(byte)
  return { mark: MARKS.indexOf(markOf(status)), broken: isBroken(status) }
})

/** Index into MARKS of a packed status; a table, as it runs for every change of every frame. */
export const markOfByte = (byte: number): number => FACTS[byte & 255]?.mark ?? WORST_OK
export const isBrokenByte = (byte: number): boolean => FACTS[byte & 255]?.broken ?? false
export const isTrouble = (mark: number): boolean => mark < WORST_OK
