/**
 * A running lab: the network, its sockets, the faults, and the clock that moves it all. main.ts puts a process and a
 * control port around it; tests start it as it is.
 */
import { FaultBoard } from "#lab/faults/board.ts"
import { FLEET_DEFAULTS, Fleet } from "#lab/fleet.ts"
import type { FleetOptions, Receivers } from "#lab/fleet.ts"
import { generate } from "#lab/isp/generate.ts"
import type { IspOptions } from "#lab/isp/generate.ts"
import { importDocument } from "#lab/isp/import.ts"
import type { ImportDocument } from "#lab/isp/import.ts"
import type { Isp } from "#lab/isp/model.ts"
import { Network } from "#lab/isp/network.ts"
import { quietSwitches } from "#lab/isp/switching.ts"

export interface LabOptions extends IspOptions, Partial<FleetOptions> {
  readonly receivers?: Receivers
  /** Written into the import document; null leaves the engine's default. */
  readonly pollSeconds?: number | null
  /** Unix milliseconds. Default Date.now. */
  readonly clock?: () => number
  /** How many of the switches say nothing of neighbours and addresses; default none. */
  readonly quietSwitches?: number
}

export class Lab {
  readonly network: Network
  readonly fleet: Fleet
  readonly faults: FaultBoard
  private readonly clock: () => number
  private readonly pollSeconds: number | null
  private timer: NodeJS.Timeout | null = null
  private closed = false

  static async start(options: LabOptions): Promise<Lab> {
    const clock = options.clock ?? Date.now
    const isp = generate(options)
    const network = new Network(isp, clock(), quietSwitches(isp, options.quietSwitches ?? 0))
    const fleet = await Fleet.start(network, clock, { ...FLEET_DEFAULTS, ...definedOnly(options) })
    if (options.receivers !== undefined) fleet.receivers = options.receivers
    return new Lab(network, fleet, clock, options.pollSeconds ?? null)
  }

  private constructor(network: Network, fleet: Fleet, clock: () => number, pollSeconds: number | null) {
    this.network = network
    this.fleet = fleet
    this.faults = new FaultBoard(network)
    this.clock = clock
    this.pollSeconds = pollSeconds
    this.sleep()
  }

  get isp(): Isp {
    return this.network.isp
  }

  importDocument(): ImportDocument {
    return importDocument(this.isp, this.fleet.endpoints, this.pollSeconds)
  }

  /** Brings the network up to now: before anything is read or broken. */
  touch(): void {
    this.network.advance(this.clock())
    this.sleep()
  }

  close(): void {
    this.closed = true
    if (this.timer !== null) clearTimeout(this.timer)
    this.fleet.close()
  }

  /** Wakes when the network has something to do by itself. */
  private sleep(): void {
    if (this.timer !== null) clearTimeout(this.timer)
    if (this.closed) return
    this.timer = setTimeout(() => this.touch(), Math.max(1, this.network.nextMs() - this.clock()))
  }
}

const definedOnly = ({ net, snmpPort, apiPort }: Partial<FleetOptions>): Partial<FleetOptions> => ({
  ...(net === undefined ? {} : { net }),
  ...(snmpPort === undefined ? {} : { snmpPort }),
  ...(apiPort === undefined ? {} : { apiPort }),
})
