/**
 * One device, polled by SNMP: what is read, in which order, and what is remembered between polls. Small and important
 * things come first (uptime, adjacencies, interface states), so that a slow agent still tells them within its deadline.
 * A part that fails is left out and never called complete; only a device that does not even tell its uptime has failed.
 */
import { performance } from "node:perf_hooks"
import type { DeviceId, EntityKey } from "#protocol/id.ts"
import { DEVICE_ENTITY } from "#protocol/id.ts"
import type { Collected } from "#engine/collectors/collector.ts"
import type { Listing, BgpPeer, OspfNeighbor, OwnNetwork } from "#engine/collectors/snmp/adjacencies.ts"
import {
  ifIndexTowards,
  putBgp,
  putOspf,
  readBgp,
  readNetworks,
  readOspf,
} from "#engine/collectors/snmp/adjacencies.ts"
import type { Batch, SentTexts } from "#engine/collectors/snmp/batch.ts"
import { makeBatch } from "#engine/collectors/snmp/batch.ts"
import { BRIDGE_EVERY_MS, bridgeReading, makeBridgeReader, makeWaitingRoom } from "#engine/collectors/snmp/bridge.ts"
import type { BridgeReader, BridgeTable, WaitingRoom } from "#engine/collectors/snmp/bridge.ts"
import { clockSkewSeconds, readDateAndTime } from "#engine/collectors/device-clock.ts"
import type { DeviceClock } from "#engine/collectors/device-clock.ts"
import type { SnmpClient } from "#engine/collectors/snmp/client.ts"
import { SnmpFailed, unlessRefused } from "#engine/collectors/snmp/client.ts"
import { findInstruments } from "#engine/collectors/snmp/health.ts"
import type { Instrument, Reading } from "#engine/collectors/snmp/instruments.ts"
import { getEach, readInstruments } from "#engine/collectors/snmp/instruments.ts"
import type { IfMemory, MutableIfTable } from "#engine/collectors/snmp/interfaces.ts"
import {
  keyOf,
  keysOf,
  localInterfaces,
  makeIfMemory,
  makeIfTable,
  putInterfaces,
  readInterfaces,
} from "#engine/collectors/snmp/interfaces.ts"
import {
  BGP,
  ENT_MODEL_NAME,
  HR_SYSTEM_DATE,
  LLDP_LOC_CHASSIS_ID_SUBTYPE,
  MIKROTIK,
  OSPF,
  SNMP_ENGINE_TIME,
  SYS,
} from "#engine/collectors/snmp/mib.ts"
import { putOspfCosts, readOspfCosts } from "#engine/collectors/snmp/ospf-costs.ts"
import type { OspfCosts } from "#engine/collectors/snmp/ospf-costs.ts"
import { makeReader } from "#engine/collectors/snmp/read-table.ts"
import { makeSurroundingsMemory, putSurroundings, readSurroundings } from "#engine/collectors/snmp/surroundings.ts"
import type { Surroundings, SurroundingsMemory } from "#engine/collectors/snmp/surroundings.ts"
import { octetText } from "#engine/collectors/snmp/text.ts"
import { fingerprint, SYS_DESCR_MAX } from "#engine/collectors/snmp/vendors.ts"
import type { Pace, Walk } from "#engine/collectors/snmp/walk.ts"
import { makePace } from "#engine/collectors/snmp/walk.ts"

/**
 * How often texts, names, instruments and absent tables are looked for again. The first time comes at the device's own
 * place between a half and one and a half of it: a fleet that was added at once must not be discovered at once for ever.
 */
const DISCOVERY_MS = 600_000
/** After an attempt that did not end: an agent that chokes on a table must not do so in each poll. */
const DISCOVERY_RETRY_MS = 60_000
/** How often neighbours and addresses are read; the first time at the device's own place, too. */
const SURROUNDINGS_MS = 300_000

/** TimeTicks of RFC 2578: hundredths of a second in 32 bits, 497 days. */
const TICKS_WRAP_SECONDS = 42_949_672.96
/** sysUpTime that goes back from above this to near 0 has wrapped; from anywhere else the agent restarted. */
const NEAR_WRAP_SECONDS = TICKS_WRAP_SECONDS - 86_400

/** What is read rarely, each in its own time. */
type Rare = "discovery" | "instruments" | "surroundings" | "bridge"

/** Everything that is remembered of a device between polls. Bounded by the device's own tables, which walks bound. */
interface Memory {
  readonly pace: Pace
  readonly interfaces: IfMemory
  readonly parallel: Set<string>
  /** Where the device stands among others, 0..1; see DISCOVERY_MS. */
  readonly place: number
  /** What was read once already, and therefore keeps its own place in time. */
  readonly placed: Set<Rare>
  texts: SentTexts
  /** On performance.now()'s clock. */
  discoveryDueMs: number
  instrumentsDueMs: number
  surroundingsDueMs: number
  bridgeDueMs: number
  readonly bridge: BridgeReader
  instruments: readonly Instrument[]
  /** Whose ports the instruments were found on: after a renumbering an ifIndex is another port. */
  instrumentKeys: ReadonlyMap<number, EntityKey | null>
  readonly surroundings: SurroundingsMemory
  networks: readonly OwnNetwork[]
  /** The agent has the MIB: an empty table then means that every neighbour is gone. */
  hasOspf: boolean
  hasBgp: boolean
  isRouterOs: boolean
  ticksSeconds: number | null
  wraps: number
  ifNumber: number | null
  ifTableLastChange: number | null
}

export interface DevicePoller {
  /** Rejects with SnmpFailed when the device told nothing. `finish` stamps the times that only the caller's clock knows. */
  readonly poll: (untilMs: number) => Promise<(device: DeviceId, startedMs: number, atMs: number) => Collected>
}

/** `place` is where the device stands among all others, 0..1; `room` is theirs, too. */
export const makeDevicePoller = (
  client: SnmpClient,
  place = 0.5,
  room: WaitingRoom = makeWaitingRoom(),
): DevicePoller => {
  const memory: Memory = {
    pace: makePace(),
    interfaces: makeIfMemory(),
    parallel: new Set(),
    place,
    placed: new Set(),
    texts: new Map(),
    discoveryDueMs: 0,
    instrumentsDueMs: 0,
    surroundingsDueMs: 0,
    bridgeDueMs: 0,
    bridge: makeBridgeReader(room),
    instruments: [],
    instrumentKeys: new Map(),
    surroundings: makeSurroundingsMemory(),
    networks: [],
    hasOspf: false,
    hasBgp: false,
    isRouterOs: false,
    ticksSeconds: null,
    wraps: 0,
    ifNumber: null,
    ifTableLastChange: null,
  }
  return {
    poll: async (untilMs) => {
      const walk = { client, pace: memory.pace, untilMs }
      const beganMs = performance.now()
      const read = await readDevice(walk, memory)
      return (device, startedMs, atMs) => {
        const batch = makeBatch(memory.texts)
        putDevice(batch, memory, read)
        putClock(batch, read, startedMs - beganMs)
        const bridge = bridgeReading(read.bridge, (ifIndex) => keyOf(memory.interfaces, ifIndex))
        const poll = batch.finish(device, startedMs, atMs)
        return bridge === undefined ? poll : { ...poll, bridge }
      }
    },
  }
}

/** Raw results of one poll. Null = not read, for whatever reason. */
interface Read {
  uptimeSeconds: number | null
  system: SystemTexts | null
  readings: readonly Reading[]
  ospf: Listing<OspfNeighbor> | null
  bgp: Listing<BgpPeer> | null
  surroundings: Surroundings | null
  costs: OspfCosts
  /** Undefined = not read; null = the device has none. */
  bridge: BridgeTable | null | undefined
  clock: ClockReading | null
  readonly table: MutableIfTable
}

/** The device's clock, and when it was asked and answered, on performance.now()'s. */
interface ClockReading {
  readonly clock: DeviceClock
  readonly askedMs: number
  readonly answeredMs: number
}

const readDevice = async (walk: Walk, memory: Memory): Promise<Read> => {
  const uptimeSeconds = await readUptime(walk, memory)
  const read: Read = {
    uptimeSeconds,
    system: null,
    readings: [],
    ospf: null,
    bgp: null,
    surroundings: null,
    costs: new Map(),
    bridge: undefined,
    clock: null,
    table: makeIfTable(),
  }
  const parts = [
    async () => {
      if (performance.now() >= memory.discoveryDueMs) read.system = await discover(walk, memory)
    },
    async () => {
      if (memory.hasOspf) read.ospf = await readOspf(walk)
    },
    async () => {
      if (memory.hasBgp) read.bgp = await readBgp(walk)
    },
    () => readInterfaces(walk, memory.interfaces, read.table),
    () => discoverInstruments(walk, memory),
    async () => {
      read.readings = await readInstruments(walk.client, memory.instruments, walk.untilMs)
    },
    async () => {
      read.surroundings = await discoverSurroundings(walk, memory)
    },
    async () => {
      if (read.surroundings !== null) read.clock = await readClock(walk)
    },
    async () => {
      if (read.surroundings !== null && memory.hasOspf) read.costs = await readCosts(walk, memory)
    },
    // Last: it may be the longest table that a device has.
    async () => {
      read.bridge = await readHosts(walk, memory)
    },
  ]
  for (const part of parts) if (!(await succeeds(part))) break
  return read
}

const nextMs = ({ place, placed }: Memory, what: Rare, everyMs: number): number => {
  const isFirst = !placed.has(what)
  placed.add(what)
  return performance.now() + pauseMs(place, isFirst, everyMs)
}

/** How long until something is read again. Devices that were first read together are spread over a whole interval. */
export const pauseMs = (place: number, isFirst: boolean, everyMs: number): number =>
  isFirst ? everyMs * (0.5 + place) : everyMs

/** False when the device fell silent: what follows would only wait as well. An SNMP error of one part spoils just that part. */
const succeeds = async (part: () => Promise<void>): Promise<boolean> => {
  try {
    await part()
    return true
  } catch (error) {
    if (!(error instanceof SnmpFailed) || error.reason === "closed") throw error
    return error.reason === "status"
  }
}

/** Also notices restarts and renumberings. */
const readUptime = async (walk: Walk, memory: Memory): Promise<number | null> => {
  const [uptime, ifNumber, lastChange] = (
    await getEach(walk.client, [SYS.sysUpTime, SYS.ifNumber, SYS.ifTableLastChange], walk.untilMs)
  ).map((cell) => (cell === null ? null : cell.answer.number(cell.i)))
  const seconds = uptime === undefined || uptime === null ? null : uptime / 100
  const before = memory.ticksSeconds
  if (seconds !== null && before !== null && seconds < before) {
    if (before > NEAR_WRAP_SECONDS && seconds < TICKS_WRAP_SECONDS - NEAR_WRAP_SECONDS) memory.wraps++
    else restarted(memory)
  }
  if ((ifNumber ?? null) !== memory.ifNumber || (lastChange ?? null) !== memory.ifTableLastChange) {
    memory.interfaces.namesAreDue = true
    memory.bridge.forget()
  }
  memory.ticksSeconds = seconds ?? before
  memory.ifNumber = ifNumber ?? null
  memory.ifTableLastChange = lastChange ?? null
  return seconds
}

const restarted = (memory: Memory): void => {
  memory.wraps = 0
  memory.discoveryDueMs = 0
  memory.instrumentsDueMs = 0
  memory.surroundingsDueMs = 0
  memory.bridgeDueMs = 0
  memory.bridge.forget()
}

interface SystemTexts {
  readonly identity: string | null
  readonly description: string | null
  readonly objectId: string | null
  readonly vendor: string
  readonly model: string | null
  readonly osVersion: string | null
  readonly serial: string | null
}

const DISCOVERED = [
  SYS.sysDescr,
  SYS.sysObjectID,
  SYS.sysName,
  OSPF.ospfAdminStat,
  BGP.bgpLocalAs,
  SNMP_ENGINE_TIME,
  MIKROTIK.mtxrLicVersion,
  MIKROTIK.mtxrSerialNumber,
  MIKROTIK.mtxrBoardName,
  ENT_MODEL_NAME,
  LLDP_LOC_CHASSIS_ID_SUBTYPE,
]

const discover = async (walk: Walk, memory: Memory): Promise<SystemTexts> => {
  memory.discoveryDueMs = performance.now() + DISCOVERY_RETRY_MS
  memory.interfaces.absent.clear()
  memory.interfaces.namesAreDue = true
  const cells = await getEach(walk.client, DISCOVERED, walk.untilMs)
  const text = (at: number, max = 512): string | null => {
    const cell = cells[at]
    const octets = cell?.answer.octets(cell.i) ?? null
    return octets === null ? null : octetText(octets, max)
  }
  const objectIdCell = cells[1]
  const objectId = objectIdCell?.answer.oidValue(objectIdCell.i) ?? null
  const engineCell = cells[5]
  learnWraps(memory, engineCell?.answer.number(engineCell.i) ?? null)
  memory.hasOspf = (cells[3] ?? null) !== null || (await unlessRefused(readOspf(walk), NO_ROWS)).rows.length > 0
  memory.hasBgp = (cells[4] ?? null) !== null || (await unlessRefused(readBgp(walk), NO_ROWS)).rows.length > 0
  if ((cells[10] ?? null) !== null) memory.surroundings.hasLldp = true
  memory.networks = memory.hasOspf ? await unlessRefused(readNetworks(walk), []) : []
  memory.texts = new Map()
  memory.discoveryDueMs = nextMs(memory, "discovery", DISCOVERY_MS)
  const known = fingerprint(objectId, text(0, SYS_DESCR_MAX))
  memory.isRouterOs = known.vendor === "MikroTik"
  return {
    identity: text(2),
    description: text(0),
    objectId,
    vendor: known.vendor,
    // RouterOS calls every box "RouterBOARD" in ENTITY-MIB; its own MIB and sysDescr have the model.
    model: text(8) || (known.vendor === "MikroTik" ? null : text(9)) || known.model,
    osVersion: text(6) ? `RouterOS ${text(6)}` : known.osVersion,
    serial: text(7),
  }
}

const NO_ROWS = { rows: [], isComplete: false }

/** Last in a poll: what is slow here must not cost the states. */
const discoverInstruments = async (walk: Walk, memory: Memory): Promise<void> => {
  if (performance.now() < memory.instrumentsDueMs) return
  memory.instrumentsDueMs = performance.now() + DISCOVERY_RETRY_MS
  memory.instruments = await findInstruments(walk)
  memory.instrumentKeys = new Map(memory.instruments.map(({ ifIndex }) => [ifIndex, keyOf(memory.interfaces, ifIndex)]))
  memory.instrumentsDueMs = nextMs(memory, "instruments", DISCOVERY_MS)
}

/** Needs the interfaces' names: neighbours and addresses are told under them. Null = not now. */
const discoverSurroundings = async (walk: Walk, memory: Memory): Promise<Surroundings | null> => {
  if (performance.now() < memory.surroundingsDueMs || memory.interfaces.namesAreDue) return null
  memory.surroundingsDueMs = performance.now() + DISCOVERY_RETRY_MS
  const surroundings = await readSurroundings(walk, localInterfaces(memory.interfaces), memory.isRouterOs)
  if (surroundings.hasAllNeighbors && surroundings.addresses !== null)
    memory.surroundingsDueMs = nextMs(memory, "surroundings", SURROUNDINGS_MS)
  return surroundings
}

/** Undefined = not now, or not to its end yet. Needs the interfaces' names, as the surroundings do. */
const readHosts = async (walk: Walk, memory: Memory): Promise<BridgeTable | null | undefined> => {
  if (!memory.bridge.hasBegun()) {
    if (performance.now() < memory.bridgeDueMs || memory.interfaces.namesAreDue) return undefined
    memory.bridgeDueMs = nextMs(memory, "bridge", BRIDGE_EVERY_MS)
  }
  return memory.bridge.read(walk, memory.isRouterOs)
}

/** As often as the surroundings: what is not complete is worth telling all the same. */
const readCosts = ({ client, pace, untilMs }: Walk, { networks }: Memory): Promise<OspfCosts> =>
  readOspfCosts({ ...makeReader(client, untilMs, []), pace }, networks)

/** As often as the surroundings. Null = the device has no clock, or not one with a zone. */
const readClock = async ({ client, untilMs }: Walk): Promise<ClockReading | null> => {
  const askedMs = performance.now()
  const [cell] = await getEach(client, [HR_SYSTEM_DATE], untilMs)
  const answeredMs = performance.now()
  const clock = readDateAndTime(cell?.answer.octets(cell.i) ?? null)
  return clock === null ? null : { clock, askedMs, answeredMs }
}

/** `toEpochMs` = what to add to performance.now() for the time of day. */
const putClock = (batch: Batch, { clock: reading }: Read, toEpochMs: number): void => {
  if (reading === null) return
  const { clock, askedMs, answeredMs } = reading
  const skew = clockSkewSeconds(clock, askedMs + toEpochMs, answeredMs + toEpochMs)
  batch.put(DEVICE_ENTITY, "device.clock.skew_seconds", skew)
}

/** snmpEngineTime counts seconds for 68 years: it tells how often sysUpTime has wrapped before we came. */
const learnWraps = (memory: Memory, engineSeconds: number | null): void => {
  if (engineSeconds === null || memory.ticksSeconds === null) return
  const wraps = Math.round((engineSeconds - memory.ticksSeconds) / TICKS_WRAP_SECONDS)
  const rest = engineSeconds - memory.ticksSeconds - wraps * TICKS_WRAP_SECONDS
  if (wraps > 0 && Math.abs(rest) < MAX_ENGINE_START_SECONDS) memory.wraps = wraps
}

/** sysUpTime and snmpEngineTime start within this of each other; else they do not count from the same start. */
const MAX_ENGINE_START_SECONDS = 300

const putDevice = (batch: Batch, memory: Memory, read: Read): void => {
  const { interfaces } = memory
  batch.put(DEVICE_ENTITY, "device.snmp.up", 1)
  if (read.uptimeSeconds !== null) {
    batch.put(DEVICE_ENTITY, "device.uptime_seconds", read.uptimeSeconds + memory.wraps * TICKS_WRAP_SECONDS)
  }
  if (read.system !== null) putSystem(batch, read.system)
  putInterfaces(batch, interfaces, read.table)
  for (const { metric, ifIndex, value } of read.readings) {
    const key = ifIndex === 0 ? DEVICE_ENTITY : keyOf(interfaces, ifIndex)
    if (ifIndex !== 0 && key !== memory.instrumentKeys.get(ifIndex)) memory.instrumentsDueMs = 0
    else if (key !== null) batch.put(key, metric, value)
  }
  const { surroundings } = read
  if (surroundings !== null) {
    const ours = (ifIndex: number): EntityKey | null => keyOf(interfaces, ifIndex)
    putSurroundings(batch, surroundings, memory.surroundings, ours, keysOf(interfaces))
  }
  if (read.bridge) {
    batch.put(DEVICE_ENTITY, "bridge.hosts", read.bridge.rows)
    batch.put(DEVICE_ENTITY, "bridge.hosts_refused", read.bridge.refused)
  }
  putOspfCosts(batch, read.costs, (ifIndex) => keyOf(interfaces, ifIndex))
  if (read.ospf !== null) {
    putOspf(batch, read.ospf, memory.parallel, (neighbor) =>
      keyOf(interfaces, ifIndexTowards(memory.networks, neighbor)),
    )
  }
  if (read.bgp !== null) putBgp(batch, read.bgp)
}

const putSystem = (batch: Batch, system: SystemTexts): void => {
  batch.say(DEVICE_ENTITY, "device.identity", system.identity)
  batch.say(DEVICE_ENTITY, "device.description", system.description)
  batch.say(DEVICE_ENTITY, "device.object_id", system.objectId)
  batch.say(DEVICE_ENTITY, "device.vendor", system.vendor)
  batch.say(DEVICE_ENTITY, "device.model", system.model)
  batch.say(DEVICE_ENTITY, "device.os_version", system.osVersion)
  batch.say(DEVICE_ENTITY, "device.serial", system.serial)
}
