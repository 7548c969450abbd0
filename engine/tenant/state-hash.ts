/**
 * The hash of a whole twin, taken of its snapshot: what the live twin was at a moment, so that a replay can prove that it is
 * the same (STYLE.md: replay(snapshot, journal) = live). Each actor has a hash of its own, and the whole is the hash of these:
 * two twins that differ can say where, and what nobody touched since the last time is not looked at again. States are
 * immutable, so the live twin goes on while its snapshot is hashed, a slice at a time.
 */
import { nextTurn, PROCESS_TURNS } from "#engine/actors/turns.ts"
import type { Chunked } from "#twin/chunked.ts"
import { digestOf, frozenDigest, type DigestMemo } from "#twin/digest.ts"
import type { TwinSnapshot } from "#twin/snapshot.ts"
import type { TenantState } from "#twin/tenant.ts"

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

/**
 * By identity: a step that changes a state makes another object of it, also where it writes rows of judgement in place
 * (twin/alert/hand.ts). An entry lives as long as its state.
 */
const known: DigestMemo = new WeakMap()

/** `memo` = hashes that are known; tests begin with none. */
export const hashSnapshot = async (
  snapshot: TwinSnapshot,
  breathe: () => Promise<void> = () => nextTurn(PROCESS_TURNS),
  monoMs: () => number = PROCESS_TURNS.monoMs,
  memo: DigestMemo = known,
): Promise<TwinHash> => {
  let begunMs = monoMs()
  const hashes = async (states: readonly object[]): Promise<readonly string[]> => {
    const result: string[] = []
    for (const [slot, state] of states.entries()) {
      result.push(frozenDigest(state, memo))
      if (slot % PER_LOOK !== 0 || monoMs() - begunMs < SLICE_MS) continue
      await breathe()
      begunMs = monoMs()
    }
    return result
  }
  const { states, ...others } = snapshot
  const routers = await hashes(states.routers)
  const links = await hashes(states.links)
  const tenant = hashTenant(states.tenant, memo)
  const rest = hashRest(others, memo)
  return { all: digestOf([routers, links, tenant, rest]), routers, links, tenant, rest }
}

const hashTenant = ({ config, nodes, links, alerts, ...rest }: TenantState, memo: DigestMemo): string => {
  const chunks = <T>(list: Chunked<T>): readonly string[] => list.chunks.map((chunk) => frozenDigest(chunk, memo))
  return digestOf([
    frozenDigest(config, memo),
    chunks(nodes),
    chunks(links),
    chunks(alerts.bySlot),
    [nodes.length, links.length, alerts.bySlot.length, alerts.lit],
    rest,
  ])
}

/** Lists that stay for long, and grow at an end, are looked at once; of the others all is. */
const hashRest = (snapshot: Omit<TwinSnapshot, "states">, memo: DigestMemo): string => {
  const { inventory, recent, judging, desk, ...rest } = snapshot
  const each = (list: readonly object[]): readonly string[] => list.map((item) => frozenDigest(item, memo))
  return digestOf([
    frozenDigest(inventory, memo),
    each(recent),
    judging === undefined ? null : { ...judging, rules: frozenDigest(judging.rules, memo) },
    desk === undefined ? null : { ...desk, incidents: each(desk.incidents), sight: hashSight(desk.sight, memo) },
    rest,
  ])
}

const hashSight = (sight: NonNullable<TwinSnapshot["desk"]>["sight"], memo: DigestMemo): unknown => {
  if (sight === null) return null
  const { places, sessions, ...seen } = sight
  return [frozenDigest(places, memo), frozenDigest(sessions, memo), seen]
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
