/**
 * Speeds of a router's Ethernet ports, bit/s. No list has them; `/interface/ethernet/monitor` (once) says the rate
 * that a running port negotiated. It is asked for ports that came up or were last asked ten minutes ago.
 */
import type { EntityKey } from "#protocol/id.ts"
import type { Row } from "#engine/collectors/routeros/reply.ts"
import type { Sentence } from "#engine/collectors/routeros/words.ts"
import { interfaceKey } from "#protocol/id.ts"
import { interfaceOf } from "#engine/collectors/routeros/map.ts"
import { deviceText } from "#engine/collectors/device-text.ts"
import { parseFlag, parseRate } from "#engine/collectors/routeros/values.ts"

/** Ports asked in one poll; a bigger switch takes a few polls. */
export const PORTS_PER_POLL = 64
export const ASK_AGAIN_MS = 600_000

export interface Speeds {
  /** Known speeds of running ports. */
  readonly bps: Map<EntityKey, number>
  /** When each running port was asked. */
  readonly askedMs: Map<EntityKey, number>
}

export interface Port {
  readonly key: EntityKey
  /** `.id`: a name may contain the comma that separates the ports of a command. */
  readonly id: string
}

export const makeSpeeds = (): Speeds => ({ bps: new Map(), askedMs: new Map() })

/** The ports to ask now. Forgets ports that are down or gone: their speed is not what it was. */
export const dueForSpeed = (speeds: Speeds, rows: readonly Row[], nowMs: number): readonly Port[] => {
  const running = new Set<EntityKey>()
  const due: Port[] = []
  for (const row of rows) {
    const key = row.get("type") === "ether" && parseFlag(row.get("running")) === true ? interfaceOf(row) : null
    const id = row.get(".id")
    if (key === null || id === undefined || !/^\*[0-9A-Fa-f]{1,8}$/.test(id)) continue
    running.add(key)
    const askedMs = speeds.askedMs.get(key) ?? Number.NEGATIVE_INFINITY
    if (due.length < PORTS_PER_POLL && nowMs - askedMs >= ASK_AGAIN_MS) due.push({ key, id })
  }
  for (const key of speeds.askedMs.keys())
    if (!running.has(key)) {
      speeds.askedMs.delete(key)
      speeds.bps.delete(key)
    }
  return due
}

export const monitorWords = (ports: readonly Port[]): Sentence => [
  "/interface/ethernet/monitor",
  `=numbers=${ports.map(({ id }) => id).join(",")}`,
  "=once=",
]

/** Rows answer by name. A port whose rate is unknown keeps none. */
export const learnSpeeds = (speeds: Speeds, asked: readonly Port[], rows: readonly Row[], nowMs: number): void => {
  for (const { key } of asked) {
    speeds.askedMs.set(key, nowMs)
    speeds.bps.delete(key)
  }
  for (const row of rows) {
    const key = interfaceKey(deviceText(row.get("name") ?? ""))
    const rate = parseRate(row.get("rate"))
    if (rate !== null && speeds.askedMs.has(key)) speeds.bps.set(key, rate)
  }
}
