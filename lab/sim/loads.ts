/**
 * What the twin says that links carry, second by second through a calm, against what they carried in it by the lab's own word.
 * A rate is a mean over one poll: it lies between the least and the most of that time, whatever clocks are set to and however
 * often the engine begins anew meanwhile. One wrong rate is gone with the next poll, so nobody sees it who looks at the end.
 */
import type { Network } from "#lab/isp/network.ts"
import type { Tenancy } from "#lab/sim/tenancy.ts"
import { fail } from "#lab/sim/violation.ts"

/** By how much a rate may pass what was carried: the times of two polls are known to a second or two. */
const SHARE = 0.5
/** Percent of the capacity. */
const SLACK_PCT = 2

interface Range {
  leastPct: number
  mostPct: number
}

export class Loads {
  readonly #network: Network
  readonly #carried = new Map<number, Range>()
  #watching = false

  constructor(network: Network) {
    this.#network = network
  }

  /** From now on traffic changes only by itself. */
  begin(): void {
    this.#carried.clear()
  }

  /** Every rate of before is gone, until `end`. */
  watch(): void {
    this.#watching = true
  }

  end(): void {
    this.#watching = false
  }

  look(tenancies: readonly Tenancy[]): void {
    const { isp } = this.#network
    for (const { index, a, capacityBps } of isp.links) {
      const pct = (100 * this.#network.outBps(a)) / capacityBps
      const range = this.#carried.get(index)
      if (range === undefined) this.#carried.set(index, { leastPct: pct, mostPct: pct })
      else {
        range.leastPct = Math.min(range.leastPct, pct)
        range.mostPct = Math.max(range.mostPct, pct)
      }
    }
    if (this.#watching) for (const tenancy of tenancies) this.#compare(tenancy)
  }

  #compare(tenancy: Tenancy): void {
    const { world, cells } = tenancy.current()?.inside() ?? {}
    if (world === undefined || cells === undefined) return
    for (const index of tenancy.declared.links) {
      const slot = world.topology.linkSlot.get(tenancy.names.link(index))
      const range = this.#carried.get(index)
      const said = slot === undefined ? null : cells.links.state(slot).utilAB
      if (said === null || range === undefined) continue
      const pct = 100 * said
      if (pct > range.mostPct * (1 + SHARE) + SLACK_PCT || pct < range.leastPct * (1 - SHARE) - SLACK_PCT)
        fail(
          "truth",
          `link ${index} carried ${range.leastPct.toFixed(1)} to ${range.mostPct.toFixed(1)} %, the twin says ${pct.toFixed(1)} %`,
        )
    }
  }
}
