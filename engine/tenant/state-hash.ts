/**
 * The hash of a whole twin, taken of its snapshot: what the live twin was at a moment, so that a replay can prove that it is
 * the same (STYLE.md: replay(snapshot, journal) = live). States are immutable, so the live twin goes on while its snapshot is
 * hashed, a slice at a time. Each actor has a hash of its own: two twins that differ can say where.
 */
import { nextTurn, PROCESS_TURNS } from "#engine/actors/turns.ts"
import { stateHash } from "#twin/hash.ts"
import type { TwinSnapshot } from "#twin/snapshot.ts"

/** Work between two pauses. */
const SLICE_MS = 4
/** Actors hashed between two looks at the clock. */
const PER_LOOK = 16

export interface TwinHash {
  /** 16 hex digits over everything. */
  readonly all: string
  /** By slot. */
  readonly routers: readonly string[]
  readonly links: readonly string[]
  /** The tenant actor, and what is not an actor: inventory, timers, recent events. */
  readonly tenant: string
  readonly rest: string
}

export const hashSnapshot = async (
  snapshot: TwinSnapshot,
  breathe: () => Promise<void> = () => nextTurn(PROCESS_TURNS),
  monoMs: () => number = PROCESS_TURNS.monoMs,
): Promise<TwinHash> => {
  let begunMs = monoMs()
  const hashes = async (states: readonly unknown[]): Promise<readonly string[]> => {
    const result: string[] = []
    for (const [slot, state] of states.entries()) {
      result.push(stateHash(state))
      if (slot % PER_LOOK !== 0 || monoMs() - begunMs < SLICE_MS) continue
      await breathe()
      begunMs = monoMs()
    }
    return result
  }
  const { states, ...others } = snapshot
  const routers = await hashes(states.routers)
  const links = await hashes(states.links)
  const tenant = stateHash(states.tenant)
  const rest = stateHash(others)
  return { all: stateHash([routers, links, tenant, rest]), routers, links, tenant, rest }
}

/** The first actor that differs, by name; null = none does. For the words of a failed proof. */
export const firstDifference = (a: TwinHash, b: TwinHash, snapshot: TwinSnapshot): string | null => {
  const { devices, links } = snapshot.inventory
  const router = a.routers.findIndex((hash, slot) => hash !== b.routers[slot])
  if (router >= 0) return `router ${devices[router]?.name ?? router}`
  const link = a.links.findIndex((hash, slot) => hash !== b.links[slot])
  if (link >= 0) return `link ${links[link]?.id ?? link}`
  if (a.routers.length !== b.routers.length || a.links.length !== b.links.length) return "the number of actors"
  if (a.tenant !== b.tenant) return "the tenant actor"
  return a.rest === b.rest ? null : "inventory, timers or recent events"
}
