/**
 * A moment of a twin on its way to the thread that answers: what reasoning reads of each actor, without counters of the last
 * poll and without judgement, in pieces that are posted between two breaths of the engine. States never change in place
 * (twin/step.ts), so that all pieces are of one moment although they leave one after the other.
 */
import type { Inventory } from "#protocol/inventory.ts"
import type { Cells } from "#twin/cells.ts"
import { plainCells } from "#twin/cells.ts"
import type { Chunked } from "#twin/chunked.ts"
import type { LinkState } from "#twin/link.ts"
import type { RouterState } from "#twin/router.ts"
import type { World } from "#twin/round.ts"
import { worldOf } from "#twin/round.ts"
import { newTenant } from "#twin/tenant.ts"
import type { NodeNote } from "#twin/tenant.ts"
import type { Topology } from "#twin/topology.ts"
import { buildTopology } from "#twin/topology.ts"

export type Piece =
  | {
      readonly kind: "begin"
      readonly rev: number
      /** All but devices and links, which follow; null = as in the moment before. */
      readonly inventory: Inventory | null
      readonly atMs: number
      readonly seq: number
    }
  | { readonly kind: "declared"; readonly devices: Inventory["devices"]; readonly links: Inventory["links"] }
  | { readonly kind: "nodes"; readonly chunks: Chunked<NodeNote>["chunks"] }
  | { readonly kind: "routers"; readonly states: readonly RouterState[] }
  | { readonly kind: "links"; readonly states: readonly LinkState[] }
  | { readonly kind: "end" }

/** What one piece holds: about a millisecond to post. */
const ROUTERS_PER_PIECE = 20
const LINKS_PER_PIECE = 250
const DECLARED_PER_PIECE = 500
const CHUNKS_PER_PIECE = 10

export interface TwinMoment {
  readonly world: World
  readonly cells: Cells
}

/** The pieces of now, made one by one: references are taken at once, states are trimmed when their piece leaves. */
export const piecesOf = ({ world, cells }: TwinMoment, known: Topology | null): Iterable<Piece> => {
  const { topology, atMs, seq } = world
  const routers = topology.routers.map((_, slot) => cells.routers.state(slot))
  const links = topology.links.map((_, slot) => cells.links.state(slot))
  const { nodes } = cells.tenant.state(0)
  const inventory = known === topology ? null : topology.inventory
  return pieces({ rev: topology.rev, atMs, seq }, inventory, nodes.chunks, routers, links)
}

function* pieces(
  when: { readonly rev: number; readonly atMs: number; readonly seq: number },
  inventory: Inventory | null,
  notes: Chunked<NodeNote>["chunks"],
  routers: readonly RouterState[],
  links: readonly LinkState[],
): Iterable<Piece> {
  yield { kind: "begin", ...when, inventory: inventory === null ? null : { ...inventory, devices: [], links: [] } }
  const { devices = [], links: declared = [] } = inventory ?? {}
  for (let from = 0; from < Math.max(devices.length, declared.length); from += DECLARED_PER_PIECE) {
    const part = <T>(all: readonly T[]): readonly T[] => all.slice(from, from + DECLARED_PER_PIECE)
    yield { kind: "declared", devices: part(devices), links: part(declared) }
  }
  for (let from = 0; from < notes.length; from += CHUNKS_PER_PIECE)
    yield { kind: "nodes", chunks: notes.slice(from, from + CHUNKS_PER_PIECE) }
  for (let from = 0; from < routers.length; from += ROUTERS_PER_PIECE)
    yield { kind: "routers", states: routers.slice(from, from + ROUTERS_PER_PIECE).map(leanRouter) }
  for (let from = 0; from < links.length; from += LINKS_PER_PIECE)
    yield { kind: "links", states: links.slice(from, from + LINKS_PER_PIECE) }
  yield { kind: "end" }
}

const leanRouter = (state: RouterState): RouterState => ({
  ...state,
  interfaces: { ...state.interfaces, counters: [] },
  judgement: null,
})

/** Puts pieces together again; `moment` is the newest whole one. */
export class Assembly {
  #topology: Topology | null = null
  #begin: Extract<Piece, { kind: "begin" }> | null = null
  #devices: Array<Inventory["devices"][number]> = []
  #declared: Array<Inventory["links"][number]> = []
  #chunks: Array<readonly NodeNote[]> = []
  #routers: RouterState[] = []
  #links: LinkState[] = []

  /** The moment that this piece completes; else null. */
  take(piece: Piece): TwinMoment | null {
    switch (piece.kind) {
      case "begin":
        this.#begin = piece
        this.#devices = []
        this.#declared = []
        this.#chunks = []
        this.#routers = []
        this.#links = []
        return null
      case "declared":
        for (const device of piece.devices) this.#devices.push(device)
        for (const link of piece.links) this.#declared.push(link)
        return null
      case "nodes":
        for (const chunk of piece.chunks) this.#chunks.push(chunk)
        return null
      case "routers":
        for (const state of piece.states) this.#routers.push(state)
        return null
      case "links":
        for (const state of piece.states) this.#links.push(state)
        return null
      case "end":
        return this.#whole()
    }
  }

  #whole(): TwinMoment | null {
    const begin = this.#begin
    if (begin !== null && begin.inventory !== null)
      this.#topology = buildTopology(begin.rev, { ...begin.inventory, devices: this.#devices, links: this.#declared })
    const topology = this.#topology
    if (topology === null || begin === null) return null
    const world = worldOf(topology)
    world.atMs = begin.atMs
    world.seq = begin.seq
    const tenant = { ...newTenant(topology.tenant), nodes: { length: this.#routers.length, chunks: this.#chunks } }
    return { world, cells: plainCells({ routers: this.#routers, links: this.#links, tenant }) }
  }
}
