/**
 * What no list of a router has: the speed that an Ethernet port negotiated and the light in its optical module.
 * `/interface/ethernet/monitor` (once) says both. It is asked for ports whose link changed, for optical ports once a
 * minute (also dark ones: that is when the light matters), and for the others every ten minutes.
 */
import type { EntityKey } from "#protocol/id.ts"
import type { Row } from "#engine/collectors/routeros/reply.ts"
import type { Sentence } from "#engine/collectors/routeros/words.ts"
import { interfaceKey } from "#protocol/id.ts"
import { interfaceOf } from "#engine/collectors/routeros/map.ts"
import { deviceText } from "#engine/collectors/device-text.ts"
import { parseDecibels, parseFlag, parseRate } from "#engine/collectors/routeros/values.ts"

/** Ports asked in one poll; a bigger switch takes a few polls. */
export const PORTS_PER_POLL = 64
export const ASK_AGAIN_MS = 600_000
export const ASK_OPTICAL_MS = 60_000

/** Light of one port, dBm; null = the module does not say. */
export interface Light {
  readonly key: EntityKey
  readonly rxPowerDbm: number | null
  readonly txPowerDbm: number | null
}

export interface Ethernet {
  /** Known speeds of running ports, bit/s. */
  readonly speedBps: Map<EntityKey, number>
  /** When each enabled port was asked, with what link, and whether it had light. */
  readonly asked: Map<EntityKey, { readonly atMs: number; readonly running: boolean; readonly optical: boolean }>
}

export interface Port {
  readonly key: EntityKey
  /** `.id`: a name may contain the comma that separates the ports of a command. */
  readonly id: string
  readonly running: boolean
}

export const makeEthernet = (): Ethernet => ({ speedBps: new Map(), asked: new Map() })

/** The ports to ask now. Forgets ports that are disabled or gone, and the speed of those without a link. */
export const duePorts = (ethernet: Ethernet, rows: readonly Row[], nowMs: number): readonly Port[] => {
  const { asked, speedBps } = ethernet
  const enabled = new Set<EntityKey>()
  const due: Port[] = []
  for (const row of rows) {
    const key = row.get("type") === "ether" && parseFlag(row.get("disabled")) !== true ? interfaceOf(row) : null
    const id = row.get(".id")
    if (key === null || id === undefined || !/^\*[0-9A-Fa-f]{1,8}$/.test(id)) continue
    enabled.add(key)
    const running = parseFlag(row.get("running")) === true
    if (!running) speedBps.delete(key)
    const before = asked.get(key)
    const restMs = before?.optical === true ? ASK_OPTICAL_MS : ASK_AGAIN_MS
    const isDue = before === undefined || before.running !== running || nowMs - before.atMs >= restMs
    if (isDue && due.length < PORTS_PER_POLL) due.push({ key, id, running })
  }
  for (const key of asked.keys())
    if (!enabled.has(key)) {
      asked.delete(key)
      speedBps.delete(key)
    }
  return due
}

export const monitorWords = (ports: readonly Port[]): Sentence => [
  "/interface/ethernet/monitor",
  `=numbers=${ports.map(({ id }) => id).join(",")}`,
  "=once=",
]

/** Rows answer by name. A port whose rate is unknown has no speed. Returns the light that was seen. */
export const learnPorts = (
  ethernet: Ethernet,
  ports: readonly Port[],
  rows: readonly Row[],
  nowMs: number,
): readonly Light[] => {
  const { asked, speedBps } = ethernet
  for (const { key, running } of ports) {
    asked.set(key, { atMs: nowMs, running, optical: false })
    speedBps.delete(key)
  }
  const lights: Light[] = []
  for (const row of rows) {
    const key = interfaceKey(deviceText(row.get("name") ?? ""))
    const port = asked.get(key)
    if (port === undefined) continue
    const rate = port.running ? parseRate(row.get("rate")) : null
    if (rate !== null) speedBps.set(key, rate)
    const rxPowerDbm = parseDecibels(row.get("sfp-rx-power"))
    const txPowerDbm = parseDecibels(row.get("sfp-tx-power"))
    const optical = rxPowerDbm !== null || txPowerDbm !== null
    asked.set(key, { ...port, optical: optical || parseFlag(row.get("sfp-module-present")) === true })
    if (optical) lights.push({ key, rxPowerDbm, txPowerDbm })
  }
  return lights
}
