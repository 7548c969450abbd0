/** Single points of failure out of the routers that have no second way: the link or router that most of them hang on first. Pure. */
import type { Fault, SinglePoint } from "#protocol/rest-generated.ts"

export interface Point {
  readonly fault: Fault
  readonly name: string
  /** Routers whose nearest single point this is. */
  readonly routers: readonly string[]
  /** Of them, those whose plan has another way. */
  readonly lostNow: number
}

/** A router counts for the link nearest to it, and where there is none for the router before it. */
export const pointsOf = (rows: readonly SinglePoint[]): readonly Point[] => {
  const found = new Map<string, { fault: Fault; name: string; routers: string[]; lostNow: number }>()
  for (const row of rows) {
    const fault = faultOfPoint(row)
    if (fault === null) continue
    const key = JSON.stringify(fault)
    const name = row.link?.name ?? row.byDevice?.name ?? ""
    const point = found.get(key) ?? { fault, name, routers: [], lostNow: 0 }
    point.routers.push(row.device.name)
    if (row.lostNow) point.lostNow++
    found.set(key, point)
  }
  return [...found.values()].sort((a, b) => b.routers.length - a.routers.length || (a.name < b.name ? -1 : 1))
}

/** What would take the router away; null when nothing of ours would. */
export const faultOfPoint = ({ link, byDevice }: Pick<SinglePoint, "link" | "byDevice">): Fault | null => {
  if (link !== null) return { kind: "link", link: link.id }
  return byDevice === null ? null : { kind: "router", device: byDevice.id }
}
