/**
 * The subscribers: how many PPPoE sessions are up behind every access port. Sessions die with their BNG at once, fade
 * when the way to it is gone (LCP echoes time out one by one), and return as fast as a BNG and its RADIUS let them in.
 */
import { ONLINE_SHARE } from "#lab/isp/demand.ts"
import type { Isp } from "#lab/isp/model.ts"
import { dice } from "#lab/isp/random.ts"
import type { Dice } from "#lab/isp/random.ts"

/** Of the subscribers of one access port, how many dial in per second after an outage: all are back in a minute. */
const RETURN_SHARE_PER_S = 1 / 60
/** And how many sessions of a lost path time out per second: RouterOS gives up after 30 s without an echo. */
const FADE_SHARE_PER_S = 1 / 30
/** Pull back to normal per second, and shake, of the load noise (an Ornstein-Uhlenbeck walk, about 5 % around 1). */
const NOISE_PULL = 0.02
const NOISE_SHAKE = 0.01

export class Households {
  /** Sessions behind router r's own ports. They count at its BNG. */
  readonly active: Float64Array
  /** Around 1: how lively router r's subscribers are now. */
  readonly mood: Float64Array
  private readonly isp: Isp
  private readonly dice: Dice
  private readonly behind: ReadonlyArray<readonly number[]>

  constructor(isp: Isp) {
    this.isp = isp
    this.dice = dice(isp.seed, "households")
    this.active = Float64Array.from(isp.routers, (router) => Math.round(router.subscribers * ONLINE_SHARE))
    this.mood = Float64Array.from(isp.routers, () => 1 + 0.05 * this.dice.normal())
    const behind: number[][] = isp.routers.map(() => [])
    for (const router of isp.routers) if (router.bng !== null) behind[router.bng]!.push(router.index)
    this.behind = behind
  }

  /** PPPoE sessions on a BNG; null for a router that has no PPPoE server. */
  sessionsOn(bng: number): number | null {
    if (this.behind[bng]!.length === 0) return null
    let sum = 0
    for (const router of this.behind[bng]!) sum += Math.floor(this.active[router]!)
    return sum
  }

  /** Takes away a share (0..1) of a BNG's sessions; they dial in again by themselves. */
  drop(bng: number, share: number): void {
    for (const router of this.behind[bng]!) this.active[router]! *= 1 - share
  }

  /** A BNG that lost power has forgotten everybody. */
  forget(bng: number): void {
    this.drop(bng, 1)
  }

  /** One second passes. `served(r)`: r's subscribers can reach their BNG, and the BNG the Internet. */
  tick(served: (router: number) => boolean): void {
    for (const { index, subscribers } of this.isp.routers) {
      this.mood[index]! += NOISE_PULL * (1 - this.mood[index]!) + NOISE_SHAKE * this.dice.normal()
      if (subscribers === 0) continue
      const now = this.active[index]!
      if (!served(index)) this.active[index] = Math.max(0, now - Math.max(1, subscribers * FADE_SHARE_PER_S))
      else {
        const target = Math.round(subscribers * (ONLINE_SHARE + 0.02 * (this.mood[index]! - 1)))
        const step = Math.max(1, subscribers * RETURN_SHARE_PER_S)
        this.active[index] = now < target ? Math.min(target, now + step) : Math.max(target, now - step)
      }
    }
  }
}
