/**
 * Reads one device by SNMP, once and completely: who it is, its interfaces, addresses, neighbours, sessions and sensors.
 * The system group decides whether SNMP works; whatever is missing, odd or late behind it becomes a warning.
 */
import { performance } from "node:perf_hooks"
import { inOrder } from "#engine/collectors/target.ts"
import type { SnmpCredential } from "#engine/collectors/target.ts"
import { SnmpFailed } from "#engine/collectors/snmp/client.ts"
import type { DropReason } from "#engine/collectors/snmp/gate.ts"
import { DROP_REASONS, makeGateCounts } from "#engine/collectors/snmp/gate.ts"
import { ENT_MODEL_NAME, MIKROTIK, SYS } from "#engine/collectors/snmp/mib.ts"
import { openClient } from "#engine/collectors/snmp/open-client.ts"
import { makeUdpPool } from "#engine/collectors/snmp/udp.ts"
import { readAddresses } from "#engine/device-test/addresses.ts"
import { readInterfaces } from "#engine/device-test/interfaces.ts"
import { readBgp, readHeard, readOspf } from "#engine/device-test/neighbors.ts"
import { makeReader, readScalars } from "#engine/collectors/snmp/read-table.ts"
import type { Reader } from "#engine/collectors/snmp/read-table.ts"
import type { DeviceFacts, Snapshot } from "#engine/device-test/report.ts"
import { readEntitySensors, readMikrotikSensors } from "#engine/device-test/sensors.ts"
import { fingerprint, SYS_DESCR_MAX } from "#engine/collectors/snmp/vendors.ts"

/** What came of asking: a snapshot, or one line that says why there is none. */
export type Asked = { readonly snapshot: Snapshot; readonly detail: string } | { readonly failed: string }

/**
 * With each credential in its order until one works; every one gets its share of the time that is left. `address` is an IP
 * literal. Always settles, soon after `deadlineMs` at the latest.
 */
export const askSnmp = async (address: string, credential: SnmpCredential, deadlineMs: number): Promise<Asked> => {
  const credentials = inOrder(credential)
  const untilMs = performance.now() + deadlineMs
  const failed: string[] = []
  for (const [nth, one] of credentials.entries()) {
    const asked = await askOnce(address, one, (untilMs - performance.now()) / (credentials.length - nth))
    const place = credentials.length === 1 ? "" : `credential ${nth + 1} of ${credentials.length} `
    if ("snapshot" in asked) return { ...asked, detail: `${place}${asked.detail}` }
    failed.push(`${place === "" ? "" : `${place}(${nameOf(one)}): `}${asked.failed}`)
  }
  return { failed: failed.join("; ") }
}

/** Of a credential only what is no secret. */
const nameOf = (credential: SnmpCredential): string => (credential.version === "3" ? "v3" : "v2c")

const askOnce = async (address: string, credential: SnmpCredential, deadlineMs: number): Promise<Asked> => {
  const startedMs = performance.now()
  const counts = makeGateCounts()
  const client = openClient(makeUdpPool(), address, credential, counts)
  const warnings: string[] = []
  const reader = makeReader(client, startedMs + deadlineMs, warnings)
  try {
    const snapshot = await readSnapshot(reader, warnings)
    for (const reason of DROP_REASONS)
      if (counts.dropped[reason] > 0)
        reader.warn(`${counts.dropped[reason]} datagrams were not accepted: ${DROPPED[reason]}`)
    const version = credential.version === "3" ? `v3, ${levelOf(credential)}` : "v2c"
    const tookMs = Math.round(performance.now() - startedMs)
    return { snapshot, detail: `answers (${version}, UDP port ${credential.port}; read in ${tookMs} ms)` }
  } catch (error) {
    if (!(error instanceof SnmpFailed)) throw error
    return { failed: `${error.detail}; ${ADVICE[error.reason]}` }
  } finally {
    client.close()
  }
}

const levelOf = (credential: SnmpCredential): string => {
  if (credential.version !== "3" || credential.authProtocol === undefined) return "noAuthNoPriv"
  return credential.privProtocol === undefined ? "authNoPriv" : "authPriv"
}

const ADVICE: Readonly<Record<SnmpFailed["reason"], string>> = {
  timeout: "check that SNMP is on, that this machine may ask it, the port, and community, user and passwords",
  refused: "check the route to the device and this machine's firewall",
  auth: "check user, protocols and passwords",
  protocol: "check that the port is SNMP's; the device's answers break the standard",
  status: "check what the device lets this community or user see",
  closed: "the test was ended",
}

const DROPPED: Readonly<Record<DropReason, string>> = {
  ber: "not the encoding that SNMP asks for",
  trailing: "bytes behind the message",
  version: "another SNMP version than the one asked with",
  community: "another community than the one asked with",
  pdu: "not an answer",
  level: "below the configured security level, or not authentic",
  engine: "from another SNMP engine than before",
  id: "late, repeated or never asked for",
  budget: "more packets than one request may cost",
  answer: "they do not answer what was asked",
}

const readSnapshot = async (reader: Reader, warnings: readonly string[]): Promise<Snapshot> => {
  const { device, ifNumber } = await readFacts(reader)
  const part = async <T>(name: string, read: () => Promise<readonly T[]>): Promise<readonly T[]> => {
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof SnmpFailed)) throw error
      reader.warn(`${name} could not be read: ${error.detail}`)
      return []
    }
  }
  const interfaces = await part("interfaces", () => readInterfaces(reader, ifNumber))
  const ospf = await part("OSPF neighbours", () => readOspf(reader, interfaces))
  const sessions = await part("BGP peers", () => readBgp(reader))
  const addresses = await part("addresses", () => readAddresses(reader, interfaces))
  const isMikrotik = device.vendor === "MikroTik"
  const heard = await part("neighbours", () => readHeard(reader, interfaces, isMikrotik))
  const entity = await part("ENTITY-SENSOR-MIB", () => readEntitySensors(reader))
  const own = isMikrotik ? await part("MikroTik health", () => readMikrotikSensors(reader)) : []
  return {
    device,
    interfaces,
    addresses,
    adjacencies: [...ospf, ...heard],
    sessions,
    sensors: [...entity, ...own],
    warnings,
  }
}

const readFacts = async (reader: Reader): Promise<{ device: DeviceFacts; ifNumber: number | null }> => {
  const { sysDescr, sysObjectID, sysUpTime, sysName, ifNumber } = SYS
  const system = await readScalars(reader, { sysDescr, sysObjectID, sysUpTime, sysName, ifNumber })
  const descr = system.sysDescr?.text(SYS_DESCR_MAX) ?? null
  const objectId = system.sysObjectID?.dotted() ?? null
  for (const name of ["sysDescr", "sysObjectID", "sysUpTime"] as const)
    if (system[name] === null) reader.warn(`the agent has no ${name}`)
  const uptime = system.sysUpTime?.number() ?? null
  const { vendor, model, osVersion } = fingerprint(objectId, descr)
  const more = await readMore(reader, vendor === "MikroTik")
  return {
    device: {
      sysName: system.sysName?.text() ?? null,
      sysDescr: descr,
      sysObjectID: objectId,
      vendor,
      model: more.model ?? model,
      osVersion: more.osVersion ?? osVersion,
      uptimeSeconds: uptime === null ? null : uptime / 100,
    },
    ifNumber: system.ifNumber?.number() ?? null,
  }
}

/** What sysDescr does not say; a device that fails here is still a device. */
const readMore = async (
  reader: Reader,
  isMikrotik: boolean,
): Promise<{ model: string | null; osVersion: string | null }> => {
  try {
    if (isMikrotik) {
      const { mtxrBoardName, mtxrLicVersion } = MIKROTIK
      const { mtxrBoardName: board, mtxrLicVersion: version } = await readScalars(reader, {
        mtxrBoardName,
        mtxrLicVersion,
      })
      const number = version?.text() || null
      return { model: board?.text() || null, osVersion: number === null ? null : `RouterOS ${number}` }
    }
    const { modelName } = await readScalars(reader, { modelName: ENT_MODEL_NAME })
    return { model: modelName?.text() || null, osVersion: null }
  } catch (error) {
    if (!(error instanceof SnmpFailed)) throw error
    return { model: null, osVersion: null }
  }
}
