/**
 * Whom a router's bridges hear, by its API: /interface/bridge/host (manual.mikrotik.com, Bridge, Hosts table). The router's
 * own rows are `local`; one that somebody configured is not `dynamic`: neither was heard. A switch has thousands of rows
 * and no way to ask for fewer, so that the menu is asked as rarely as SNMP walks the same table.
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { EntityKey } from "#protocol/id.ts"
import { readMac } from "#protocol/bridge.ts"
import type { BridgeReading } from "#engine/collectors/collector.ts"
import { BRIDGE_ROWS_MAX } from "#engine/collectors/collector.ts"
import { interfaceOf } from "#engine/collectors/routeros/map.ts"
import type { Row } from "#engine/collectors/routeros/reply.ts"
import { parseFlag } from "#engine/collectors/routeros/values.ts"
import type { Sentence } from "#engine/collectors/routeros/words.ts"

export const BRIDGE_HOSTS: Sentence = [
  "/interface/bridge/host/print",
  "=.proplist=mac-address,on-interface,interface,local,dynamic,invalid,disabled",
]

/** The whole table, however many polls are made meanwhile: thousands of rows take a small router longer than one may. */
export const HOSTS_WITHIN_MS = 60_000

/** How it ended, waiting for it at most so long; null = it goes on. */
export const onceSettled = <A, E>(fiber: Fiber.Fiber<A, E>, waitMs: number): Effect.Effect<Exit.Exit<A, E> | null> =>
  Effect.suspend(() => {
    const now = Effect.sync(() => fiber.pollUnsafe() ?? null)
    return waitMs <= 0 ? now : Effect.flatMap(Effect.timeoutOption(Fiber.await(fiber), waitMs), () => now)
  })

export interface BridgeHostsRead {
  readonly reading: BridgeReading
  readonly rows: number
  /** Rows without a MAC, or on nothing that is an interface of ours. */
  readonly refused: number
}

/** `interfaces` are the rows of the poll's list: a subscriber's session in a bridge is no port that is told. */
export const readBridgeHosts = (rows: readonly Row[], interfaces: readonly Row[]): BridgeHostsRead => {
  const ours = new Set(interfaces.flatMap((row) => interfaceOf(row) ?? []))
  const places = new Map<EntityKey, number>()
  const [port, macs]: [number[], number[]] = [[], []]
  let refused = 0
  for (const row of rows.slice(0, BRIDGE_ROWS_MAX)) {
    if (!isHeard(row)) continue
    const mac = readMac(row.get("mac-address") ?? "")
    const key = interfaceOf(new Map([["name", row.get("on-interface") ?? row.get("interface") ?? ""]]))
    if (mac === null || key === null || !ours.has(key)) {
      refused++
      continue
    }
    let place = places.get(key)
    if (place === undefined) places.set(key, (place = places.size))
    port.push(place)
    macs.push(mac)
  }
  const reading: BridgeReading = {
    ports: [...places.keys()],
    port: Uint16Array.from(port),
    mac: Float64Array.from(macs),
    isWhole: rows.length <= BRIDGE_ROWS_MAX,
  }
  return { reading, rows: rows.length, refused }
}

/** Older versions leave out flags that are not set: what is not said to be configured was learned. */
const isHeard = (row: Row): boolean =>
  parseFlag(row.get("local")) !== true &&
  parseFlag(row.get("dynamic")) !== false &&
  parseFlag(row.get("invalid")) !== true &&
  parseFlag(row.get("disabled")) !== true
