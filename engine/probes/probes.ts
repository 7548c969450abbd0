/**
 * The probes of all tenants: one pinger and one set of beats for the process, so that the cap on packets per second
 * holds over everybody; results go to the inbox of the device's own tenant and nowhere else. What is probed follows
 * the inventory: a tenant's entries are replaced as a whole.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { Entry } from "#engine/address-book.ts"
import type { Log } from "#engine/log.ts"
import { literal } from "#engine/probes/address.ts"
import { runBeats } from "#engine/probes/beat.ts"
import { pingReport, reportEveryMs, worthTelling } from "#engine/probes/ping-report.ts"
import type { Told } from "#engine/probes/ping-report.ts"
import { findPingTool } from "#engine/probes/ping-tool.ts"
import type { FoundPing } from "#engine/probes/ping-tool.ts"
import { NO_PINGS, pinged } from "#engine/probes/ping-window.ts"
import type { PingState } from "#engine/probes/ping-window.ts"
import { LOSSES_TO_DOWN } from "#engine/probes/ping-window.ts"
import { makeRecheck, RARE_MS } from "#engine/probes/recheck.ts"
import type { Burst } from "#engine/probes/recheck.ts"
import { makePinger } from "#engine/probes/pinger.ts"
import type { OnPing, Pinger, PingSubject } from "#engine/probes/pinger.ts"
import { serviceBeats } from "#engine/probes/services.ts"
import type { TenantId } from "#protocol/id.ts"

export interface ProbeStats {
  /** Devices that are pinged. */
  devices: number
  answered: number
  lost: number
  /** Reports that an inbox refused because it was full. */
  refused: number
  /** Probes of services: running, and due times that were missed. */
  readonly services: () => { readonly beats: number; readonly runs: number; readonly missed: number }
}

export interface Probes {
  /** Replaces what is probed for a tenant; devices whose address and rates stay keep their window. */
  readonly setTenant: (tenant: TenantId, entries: readonly Entry[]) => Effect.Effect<void>
  /** Null = nothing on this machine can ping. */
  readonly tool: "fping" | "ping" | null
  readonly stats: ProbeStats
}

export interface ProbesOptions {
  readonly log: Log
  /** Finds what pings; tests give their own. */
  readonly find?: () => Promise<FoundPing>
  /** What takes a second look at a rarely pinged device. */
  readonly burst?: Burst
}

/** Service probes at once, over all tenants. */
const SERVICES_CONCURRENT = 64

/** One device that is pinged. */
interface Pinged {
  readonly entry: Entry
  readonly everyMs: number
  state: PingState
  told: Told | null
}

export const makeProbes = (options: ProbesOptions): Effect.Effect<Probes, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { log } = options
    const { tool, why } = yield* Effect.promise(options.find ?? (() => findPingTool()))
    if (tool === null)
      log.warn("devices are not pinged; install fping, or give this process the NET_RAW right", { why })
    else if (why !== "") log.info(`devices are pinged by ${tool.file}`, { why })

    const beats = yield* runBeats(SERVICES_CONCURRENT)
    const stats: ProbeStats = {
      devices: 0,
      answered: 0,
      lost: 0,
      refused: 0,
      services: () => ({ beats: beats.size(), ...beats.stats }),
    }
    /** By subjectKey: an address and rate is asked once, however many devices have it. */
    let bySubject = new Map<string, Pinged[]>()
    const recheck = yield* makeRecheck(options.burst)
    const onPing: OnPing = (subject, rttMs) => {
      if (rttMs === null) stats.lost++
      else stats.answered++
      const devices = bySubject.get(subjectKey(subject)) ?? []
      for (const device of devices) heard(device, rttMs, stats)
      const isNews = rttMs === null && devices.some(({ state }) => state.lostInRow === 1 && state.up === true)
      if (isNews && subject.intervalMs >= RARE_MS) recheck(subject.address, () => lostAgain(subject))
    }
    /** As many as make the verdict are taken into the window; an answer meanwhile makes it void. */
    const lostAgain = (subject: PingSubject): void => {
      for (const device of bySubject.get(subjectKey(subject)) ?? [])
        while (device.state.lostInRow > 0 && device.state.lostInRow < LOSSES_TO_DOWN) heard(device, null, stats)
    }
    const pinger: Pinger | null = tool === null ? null : yield* makePinger(tool, onPing, log)
    const entries = new Map<TenantId, readonly Entry[]>()
    const oneAtATime = yield* Semaphore.make(1)

    const follow = Effect.suspend(() => {
      const all = [...entries.values()].flat()
      const { subjects, devices } = subjectsOf(all, bySubject)
      bySubject = devices
      stats.devices = pinger === null ? 0 : [...devices.values()].reduce((sum, list) => sum + list.length, 0)
      const submitted = (taken: boolean): void => {
        if (!taken) stats.refused++
      }
      const services = beats.set(all.flatMap((entry) => serviceBeats(entry, submitted)))
      return pinger === null ? services : Effect.andThen(pinger.set(subjects), services)
    })
    return {
      setTenant: (tenant, next) =>
        oneAtATime.withPermits(1)(
          Effect.suspend(() => {
            entries.set(tenant, next)
            return follow
          }),
        ),
      tool: tool?.kind ?? null,
      stats,
    }
  })

const subjectKey = ({ address, intervalMs }: PingSubject): string => `${intervalMs} ${address}`

/** What to ping for these devices; a device that was pinged as it is now goes on from its window. */
const subjectsOf = (
  entries: readonly Entry[],
  before: ReadonlyMap<string, readonly Pinged[]>,
): { readonly subjects: readonly PingSubject[]; readonly devices: Map<string, Pinged[]> } => {
  const subjects = new Map<string, PingSubject>()
  const devices = new Map<string, Pinged[]>()
  for (const entry of entries) {
    const { device, address, pollSeconds, ping } = entry.target
    const to = literal(address)
    if (ping === undefined || ping === null || to === null) continue
    const subject = { address: to.text, intervalMs: ping.intervalSeconds * 1_000 }
    const key = subjectKey(subject)
    subjects.set(key, subject)
    const known = before.get(key)?.find((it) => it.entry.target.device === device)
    const list = devices.get(key) ?? []
    devices.set(key, list)
    list.push({
      entry,
      everyMs: reportEveryMs(pollSeconds, subject.intervalMs),
      state: known?.state ?? NO_PINGS,
      told: known?.told ?? null,
    })
  }
  return { subjects: [...subjects.values()], devices }
}

/** Takes one ping of a device, tells its twin when it is worth it, and has a turn confirmed by a poll. */
const heard = (device: Pinged, rttMs: number | null, stats: ProbeStats): void => {
  const { entry } = device
  device.state = pinged(device.state, rttMs)
  const atMs = Math.floor(Date.now())
  const told = worthTelling(device.state, device.told, atMs, device.everyMs)
  if (told === null) return
  const taken = entry.sink.submit(pingReport(entry.target.device, device.state, atMs - Math.round(rttMs ?? 0), atMs))
  // What was refused is told by the next ping.
  if (!taken) return void stats.refused++
  if (device.told !== null && device.told.up !== told.up) entry.pollNow()
  device.told = told
}
