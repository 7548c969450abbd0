/**
 * The ways between two devices, as they stand in the address (`#/whatif/paths?open=FROM~TO`) and as the map draws them: link
 * slots of the twin at hand, in the order of the way. Pure; what the twin does not have is left out.
 */
import type { TwinState } from "#client/state/twin-store.ts"
import type { Paths } from "#protocol/rest-generated.ts"

export interface Ends {
  readonly from: string | null
  readonly to: string | null
}
const ID_MAX = 200

export const formatEnds = ({ from, to }: Ends): string | null =>
  from === null && to === null ? null : [from ?? "", to ?? ""].map(escape).join("~")
const escape = (part: string): string => encodeURIComponent(part).replaceAll("~", "%7E")

/** Anything unreadable is nobody. */
export const parseEnds = (text: string | null): Ends => {
  const [from = null, to = null, ...rest] = (text ?? "").split("~").map(plain)
  return rest.length > 0 ? { from: null, to: null } : { from, to }
}
const plain = (part: string): string | null => {
  try {
    const id = decodeURIComponent(part)
    return id === "" || id.length > ID_MAX ? null : id
  } catch {
    return null
  }
}

export interface DrawnPath {
  /** Slots of the devices of each hop, from the first to the last; a hop that the twin does not have is left out. */
  readonly hops: ReadonlyArray<readonly [from: number, to: number]>
  readonly nodes: readonly number[]
}

export const drawnPath = ({ devices }: Paths["paths"][number], { nodeById }: TwinState): DrawnPath => {
  const slots = devices.map(({ id }) => nodeById.get(id))
  const hops = slots.slice(1).flatMap((to, at) => {
    const from = slots[at]
    return from === undefined || to === undefined ? [] : [[from, to] as const]
  })
  return { hops, nodes: slots.filter((slot) => slot !== undefined) }
}
