/**
 * What the operator of one tenant declares: some of the network's routers and links, and changes of it while everything
 * runs. A change is stored (with a new revision) before the twin hears of it, as in the engine.
 */
import type { Isp } from "#lab/isp/model.ts"
import type { Dice } from "#lab/isp/random.ts"
import { sourcesOf } from "#lab/sim/devices.ts"
import type { Names } from "#lab/sim/devices.ts"
import { siteId } from "#protocol/id.ts"
import type { Inventory } from "#protocol/inventory.ts"

/** An operator keeps at least so many devices. */
const DEVICES_MIN = 2

export interface Stored {
  readonly rev: number
  readonly inventory: Inventory
}

export class Declared {
  readonly routers: Set<number>
  readonly links: Set<number>
  #stored: Stored | null = null
  #rev = 1
  readonly #isp: Isp
  readonly #names: Names
  readonly #pollSeconds: number
  /** Site of a router that was moved. */
  readonly #moved = new Map<number, number>()

  constructor(isp: Isp, names: Names, pollSeconds: number, routers: readonly number[]) {
    this.#isp = isp
    this.#names = names
    this.#pollSeconds = pollSeconds
    this.routers = new Set(routers)
    this.links = new Set(this.#possibleLinks())
  }

  /** The newest revision, as the database has it. */
  stored(): Stored {
    this.#stored ??= { rev: this.#rev, inventory: this.#inventory() }
    return this.#stored
  }

  /** One change by lot, in words. */
  change(dice: Dice): string {
    const did = dice.pick([this.#add, this.#remove, this.#move, this.#addLink, this.#removeLink]).call(this, dice)
    this.#rev++
    this.#stored = null
    return did
  }

  #add(dice: Dice): string {
    const others = this.#isp.routers.map(({ index }) => index).filter((router) => !this.routers.has(router))
    if (others.length === 0) return "nothing to add"
    const router = dice.pick(others)
    this.routers.add(router)
    for (const link of this.#possibleLinks()) if (this.#endsAt(link, router)) this.links.add(link)
    return `device ${router} added`
  }

  #remove(dice: Dice): string {
    if (this.routers.size <= DEVICES_MIN) return "nothing to remove"
    const router = dice.pick([...this.routers])
    this.routers.delete(router)
    this.#moved.delete(router)
    for (const link of this.links) if (this.#endsAt(link, router)) this.links.delete(link)
    return `device ${router} removed`
  }

  #move(dice: Dice): string {
    const router = dice.pick([...this.routers])
    this.#moved.set(router, dice.int(0, this.#isp.sites.length - 1))
    return `device ${router} moved`
  }

  #addLink(dice: Dice): string {
    const others = this.#possibleLinks().filter((link) => !this.links.has(link))
    if (others.length === 0) return "no link to add"
    const link = dice.pick(others)
    this.links.add(link)
    return `link ${link} added`
  }

  #removeLink(dice: Dice): string {
    if (this.links.size === 0) return "no link to remove"
    const link = dice.pick([...this.links])
    this.links.delete(link)
    return `link ${link} removed`
  }

  #endsAt(link: number, router: number): boolean {
    const { a, b } = this.#isp.links[link]!
    return this.#isp.ports[a]!.router === router || this.#isp.ports[b]!.router === router
  }

  #possibleLinks(): readonly number[] {
    const { links, ports } = this.#isp
    return links
      .filter(({ a, b }) => this.routers.has(ports[a]!.router) && this.routers.has(ports[b]!.router))
      .map(({ index }) => index)
  }

  #inventory(): Inventory {
    const { sites, routers, links, ports } = this.#isp
    const ascending = (set: ReadonlySet<number>): readonly number[] => [...set].sort((a, b) => a - b)
    const end = (port: number) => ({
      device: this.#names.device(ports[port]!.router),
      interface: ports[port]!.name,
    })
    return {
      sites: sites.map(({ id, name, latitude, longitude }) => ({ id: siteId(id), name, latitude, longitude })),
      devices: ascending(this.routers).map((index) => {
        const router = routers[index]!
        return {
          id: this.#names.device(index),
          name: router.name,
          address: router.loopback,
          site: siteId(sites[this.#moved.get(index) ?? router.site]!.id),
          roles: router.roles,
          pollSeconds: this.#pollSeconds,
          sources: sourcesOf(router),
        }
      }),
      links: ascending(this.links).map((index) => {
        const { a, b, capacityBps } = links[index]!
        return { id: this.#names.link(index), a: end(a), b: end(b), capacityBps }
      }),
    }
  }
}
