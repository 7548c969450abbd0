/**
 * A moment of the past, opened as a branch that hears more than the past did (PRODUCT.md, fork): the replay folds the journal
 * on as it was, the branch folds the same and what it is told besides, and what they come to is compared. The branch shares
 * its states with the replay until it changes them; nothing that it hears can reach the replay, or anything that is stored.
 */
import type { ForkInput } from "#engine/replay/fork-inputs.ts"
import type { Replay } from "#engine/replay/replay.ts"
import { SideBySide, type Compared } from "#engine/replay/side-by-side.ts"
import { hashSnapshot, type TwinHash } from "#engine/tenant/state-hash.ts"
import { unpackStatus, type Status } from "#protocol/status.ts"
import type { Branch } from "#twin/fork.ts"
import type { Input } from "#twin/input.ts"
import type { World } from "#twin/round.ts"
import { glancedTwin } from "#twin/snapshot.ts"

/** An actor that the branch left in another state. */
export interface Otherwise {
  readonly kind: "router" | "link"
  readonly name: string
  /** As a viewer would see it; equal where only what lies behind it differs. */
  readonly before: Status
  readonly now: Status
}

export interface Branched extends Compared {
  readonly otherwise: readonly Otherwise[]
  /** Of the past, which stands where a replay without a branch would, and of the branch. */
  readonly stateHash: string
  readonly branchHash: string
}

/**
 * `replay` stands where the branch begins, and is folded to `toMs`. With `alone` the branch hears nothing of the journal: its
 * time passes with its own inputs only.
 */
export const compareBranch = async (
  replay: Replay,
  own: readonly ForkInput[],
  toMs: number,
  alone: boolean,
): Promise<Branched> => {
  const sides = new SideBySide(replay)
  const { branch } = sides
  let taken = 0
  /** Of the same time, what was comes first. */
  const ownUntil = (atMs: number): readonly Input[] => {
    const from = taken
    while (taken < own.length && own[taken]!.atMs < atMs) taken++
    return own.slice(from, taken)
  }
  const instead = (input: Input): readonly Input[] => (alone ? [] : [...ownUntil(input.atMs), input])
  const inputs = await replay.runTo({ atMs: toMs }, (result, slice) => sides.follow(result, slice, instead))
  sides.hear(ownUntil(toMs + 1))
  const was = await replay.hash()
  const is = await hashSnapshot(glancedTwin(branch.world, branch.cells))
  const otherwise = differing(replay, branch, was, is)
  return { ...sides.result(inputs), otherwise, stateHash: was.all, branchHash: is.all }
}

const differing = (replay: Replay, branch: Branch, was: TwinHash, is: TwinHash): readonly Otherwise[] => {
  // A branch alone does not hear of a change of the inventory: actors are the same by id.
  const [{ topology }, other] = [replay.world, branch.world]
  const found: Otherwise[] = []
  for (const [slot, { id, name }] of topology.inventory.devices.entries()) {
    const there = other.topology.deviceSlot.get(id)
    if (there === undefined || was.routers[slot] === is.routers[there]) continue
    found.push({ kind: "router", name, before: nodeStatus(replay.world, slot), now: nodeStatus(other, there) })
  }
  for (const [slot, { id }] of topology.inventory.links.entries()) {
    const there = other.topology.linkSlot.get(id)
    if (there === undefined || was.links[slot] === is.links[there]) continue
    found.push({ kind: "link", name: id, before: linkStatus(replay.world, slot), now: linkStatus(other, there) })
  }
  return found
}

const nodeStatus = ({ columns }: World, slot: number): Status => unpackStatus(columns.nodeStatus[slot] ?? 0)
const linkStatus = ({ columns }: World, slot: number): Status => unpackStatus(columns.linkStatus[slot] ?? 0)
