/**
 * Looks for devices in a range of addresses (PRODUCT.md C12): pings, asks each by SNMP with the credentials given, in their
 * order, and looks at the RouterOS API's ports. It changes nothing and adds nothing: what it found is a report, of which an
 * operator may make an import document. Rate and number of addresses asked at once are bounded, whatever the range.
 */
import { performance } from "node:perf_hooks"
import { makeUdpPool } from "#engine/collectors/snmp/udp.ts"
import type { UdpPool } from "#engine/collectors/snmp/udp.ts"
import { GENERIC } from "#engine/collectors/snmp/vendors.ts"
import { SNMP_CREDENTIALS_MAX } from "#engine/collectors/target.ts"
import type { SnmpCredential } from "#engine/collectors/target.ts"
import { literal } from "#engine/probes/address.ts"
import type { TargetPolicy } from "#engine/probes/policy.ts"
import { askApiPort } from "#engine/scan/api-banner.ts"
import type { ApiPort } from "#engine/scan/api-banner.ts"
import { identify } from "#engine/scan/identify.ts"
import type { Identity } from "#engine/scan/identify.ts"
import { hostsOf } from "#engine/scan/range.ts"
import { sameDevices } from "#engine/scan/same-device.ts"
import { sweep } from "#engine/scan/sweep.ts"

/** Addresses asked at once, and how many may be begun in a second. */
const AT_ONCE = 64
const BEGUN_PER_SECOND = 200
/** For one credential at an address that answers nothing else, and at one that is known to be there. */
const SILENT_MS = 1_200
const THERE_MS = 3_000
/** For all credentials at one that is there, unless each needs what a silent one gets. */
const ALL_MS = 6_000
const API_MS = 1_200

export interface ScanOptions {
  /** `192.0.2.0/24`. */
  readonly range: string
  /** Tried in this order; the first that works at an address is used there. */
  readonly snmp: readonly SnmpCredential[]
  /** Ports where the RouterOS API is looked for. */
  readonly apiPorts: readonly number[]
  /** Addresses that may be asked at all (engine/net/reach.ts). */
  readonly reach: TargetPolicy
  readonly signal?: AbortSignal
}

export interface FoundDevice {
  /** All addresses of the range that are this device, in order. */
  readonly addresses: readonly string[]
  /** Null = there is nothing here to ping with. */
  readonly pings: boolean | null
  readonly vendor: string | null
  readonly model: string | null
  readonly osVersion: string | null
  readonly sysName: string | null
  readonly sysObjectID: string | null
  readonly sysDescr: string | null
  readonly serial: string | null
  /** Which credential worked, from 0 in the order given; null = SNMP did not answer. */
  readonly credential: number | null
  readonly api: readonly { readonly port: number; readonly speaks: boolean }[]
}

export interface ScanReport {
  readonly range: string
  readonly asked: number
  /** Addresses of the range that may not be asked: this machine's own, link-local, a cloud's. */
  readonly refused: number
  readonly devices: readonly FoundDevice[]
  readonly tookMs: number
  readonly warnings: readonly string[]
}

/** Throws WrongRange. Never rejects for what a network does. */
export const scan = async (options: ScanOptions): Promise<ScanReport> => {
  const startedMs = performance.now()
  const hosts = hostsOf(options.range)
  const allowed = hosts.filter((host) => {
    const to = literal(host)
    return to !== null && options.reach.allows(to)
  })
  const pinged = await sweep(allowed, options.signal)
  const found = await askAll(allowed, pinged, options)
  return {
    range: options.range,
    asked: allowed.length,
    refused: hosts.length - allowed.length,
    devices: sameDevices(found).map(deviceOf),
    tookMs: Math.round(performance.now() - startedMs),
    warnings:
      pinged === null && allowed.length > 0 ? ["fping is not installed or may not ping: nothing was pinged"] : [],
  }
}

interface Found {
  readonly address: string
  readonly pings: boolean | null
  readonly identity: Identity | null
  readonly credential: number | null
  readonly api: FoundDevice["api"]
}

const askAll = async (
  hosts: readonly string[],
  pinged: ReadonlySet<string> | null,
  options: ScanOptions,
): Promise<readonly Found[]> => {
  const pool = makeUdpPool()
  const found: Array<Found | undefined> = []
  const turn = makeTurns(BEGUN_PER_SECOND)
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < hosts.length && options.signal?.aborted !== true) {
      const at = next++
      await turn()
      const one = await askOne(pool, hosts[at] as string, pinged?.has(hosts[at] as string) ?? null, options)
      if (one !== null) found[at] = one
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, hosts.length) }, worker))
  return found.filter((one) => one !== undefined)
}

/** Resolves at most so many times a second, evenly. */
const makeTurns = (perSecond: number): (() => Promise<void>) => {
  let freeMs = 0
  return () => {
    const nowMs = performance.now()
    freeMs = Math.max(nowMs, freeMs + 1_000 / perSecond)
    return freeMs <= nowMs ? Promise.resolve() : new Promise((go) => setTimeout(go, freeMs - nowMs))
  }
}

/** Null = nothing answers there. */
const askOne = async (
  pool: UdpPool,
  address: string,
  pings: boolean | null,
  { snmp, apiPorts }: ScanOptions,
): Promise<Found | null> => {
  const [ports, named] = await Promise.all([
    Promise.all(apiPorts.map(async (port) => ({ port, state: await askApiPort(address, port, API_MS) }))),
    firstThatWorks(
      pool,
      address,
      snmp.slice(0, SNMP_CREDENTIALS_MAX),
      pings === true ? patienceMs(snmp.length) : SILENT_MS,
    ),
  ])
  const api = ports.filter(isThere).map(({ port, state }) => ({ port, speaks: state === "speaks" }))
  if (pings !== true && named === null && api.length === 0) return null
  return { address, pings, identity: named?.identity ?? null, credential: named?.credential ?? null, api }
}

const patienceMs = (credentials: number): number => Math.max(SILENT_MS, Math.min(THERE_MS, ALL_MS / credentials))

const isThere = ({ state }: { readonly state: ApiPort }): boolean => state !== "closed"

const firstThatWorks = async (
  pool: UdpPool,
  address: string,
  credentials: readonly SnmpCredential[],
  deadlineMs: number,
): Promise<{ readonly identity: Identity; readonly credential: number } | null> => {
  for (const [credential, one] of credentials.entries()) {
    const identity = await identify(pool, address, one, deadlineMs)
    if (identity !== null) return { identity, credential }
  }
  return null
}

/** Of several addresses the first that told who it is speaks for all. */
const deviceOf = (members: readonly Found[]): FoundDevice => {
  const named = members.find(({ identity }) => identity !== null)
  const api = members
    .flatMap((one) => one.api)
    .filter(({ port }, i, all) => all.findIndex((o) => o.port === port) === i)
  const byApi = api.some(({ speaks }) => speaks) ? "MikroTik" : null
  const identity = named?.identity ?? null
  const pings = members.some((one) => one.pings === true) || (members[0]?.pings === null ? null : false)
  return {
    addresses: members.map(({ address }) => address),
    pings,
    vendor: identity !== null && identity.vendor !== GENERIC ? identity.vendor : (byApi ?? identity?.vendor ?? null),
    model: identity?.model ?? null,
    osVersion: identity?.osVersion ?? null,
    sysName: identity?.sysName ?? null,
    sysObjectID: identity?.sysObjectID ?? null,
    sysDescr: identity?.sysDescr ?? null,
    serial: identity?.serial ?? null,
    credential: named?.credential ?? null,
    api,
  }
}
