/**
 * One moment of a twin, and what was derived from it so far: a model costs tens of milliseconds at ten thousand routers, and
 * the next question of the same moment should not pay for it again. Lives in the thread that answers, or in a test.
 */
import type { DeviceId } from "#protocol/id.ts"
import type { Cells } from "#twin/cells.ts"
import type { ProposedLink } from "#twin/propose/propose.ts"
import { proposeLinks } from "#twin/propose/propose.ts"
import type { Said } from "#twin/propose/said.ts"
import { saidBy } from "#twin/propose/said.ts"
import type { Who } from "#twin/propose/who.ts"
import { whoIsWho } from "#twin/propose/who.ts"
import type { World } from "#twin/round.ts"
import { deviceView } from "#twin/view.ts"
import type { Model } from "#twin/whatif/model.ts"
import { toldBy } from "#twin/whatif/told.ts"
import { modelOf } from "#twin/whatif/twin-model.ts"

export interface Ref {
  readonly id: string
  readonly name: string
}

export class Seen {
  readonly world: World
  readonly cells: Cells
  readonly atMs: number
  readonly seq: number
  #model: Model | null = null
  #said: readonly Said[] | null = null
  #who: Who | null = null
  #proposed: readonly ProposedLink[] | null = null

  /** `world` is read now only: its structure, and the time that it stands at. */
  constructor(world: World, cells: Cells) {
    this.world = world
    this.cells = cells
    this.atMs = world.atMs
    this.seq = world.seq
  }

  get inventory() {
    return this.world.topology.inventory
  }

  /** Of what-if; a question changes it and takes the change back. */
  get model(): Model {
    return (this.#model ??= modelOf(this.world, this.cells, { ...toldBy(this.world.topology), sessions: true }))
  }

  /** What each device says, in the order of the inventory. */
  get said(): readonly Said[] {
    return (this.#said ??= this.inventory.devices.flatMap(({ id }) => {
      const view = deviceView(this.world, this.cells, id)
      return view === null ? [] : [saidBy(view)]
    }))
  }

  get who(): Who {
    return (this.#who ??= whoIsWho(this.said))
  }

  get proposed(): readonly ProposedLink[] {
    return (this.#proposed ??= proposeLinks(this.said, this.inventory.links))
  }

  device(slot: number): Ref {
    const device = this.inventory.devices[slot]
    return device === undefined ? { id: "", name: `device ${slot}` } : { id: device.id, name: device.name }
  }

  link(slot: number): Ref {
    const link = this.inventory.links[slot]
    return link === undefined
      ? { id: "", name: `link ${slot}` }
      : { id: link.id, name: `${this.endName(link.a)} - ${this.endName(link.b)}` }
  }

  site(slot: number): Ref {
    const site = this.inventory.sites[slot]
    return site === undefined ? { id: "", name: "no site" } : { id: site.id, name: site.name }
  }

  nameOf(device: DeviceId): string {
    return this.inventory.devices[this.world.topology.deviceSlot.get(device) ?? -1]?.name ?? device
  }

  private endName(end: { readonly device: DeviceId; readonly interface: string }): string {
    return `${this.nameOf(end.device)} ${end.interface}`
  }
}
