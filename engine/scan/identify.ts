/**
 * Who answers SNMP at an address: the system group, what the vendor's own MIB says of model, version and serial number, the
 * engine id (RFC 3411) and the device's own addresses. The last three tell when two addresses are one device.
 */
import { performance } from "node:perf_hooks"
import { readAddresses } from "#engine/collectors/snmp/addresses.ts"
import type { SnmpClient } from "#engine/collectors/snmp/client.ts"
import { SnmpFailed } from "#engine/collectors/snmp/client.ts"
import { makeGateCounts } from "#engine/collectors/snmp/gate.ts"
import { ENT_MODEL_NAME, MIKROTIK, SYS } from "#engine/collectors/snmp/mib.ts"
import { oid } from "#engine/collectors/snmp/oid.ts"
import { openClient } from "#engine/collectors/snmp/open-client.ts"
import { makeReader, readScalars } from "#engine/collectors/snmp/read-table.ts"
import type { UdpPool } from "#engine/collectors/snmp/udp.ts"
import { fingerprint, SYS_DESCR_MAX } from "#engine/collectors/snmp/vendors.ts"
import type { SnmpCredential } from "#engine/collectors/target.ts"

export interface Identity {
  readonly vendor: string
  readonly model: string | null
  readonly osVersion: string | null
  readonly sysName: string | null
  readonly sysObjectID: string | null
  readonly sysDescr: string | null
  readonly serial: string | null
  /** snmpEngineID, hexadecimal. */
  readonly engineId: string | null
  readonly ownAddresses: readonly string[]
}

/** What is asked in one request, so that one packet each way is enough. */
const OBJECTS = {
  sysDescr: SYS.sysDescr,
  sysObjectID: SYS.sysObjectID,
  sysName: SYS.sysName,
  engineId: oid("1.3.6.1.6.3.10.2.1.1.0"),
  mtxrBoardName: MIKROTIK.mtxrBoardName,
  mtxrLicVersion: MIKROTIK.mtxrLicVersion,
  mtxrSerialNumber: MIKROTIK.mtxrSerialNumber,
  entModelName: ENT_MODEL_NAME,
  entSerialNum: oid("1.3.6.1.2.1.47.1.1.1.1.11.1"),
} as const

/** An engine id has 5 to 32 octets. */
const ENGINE_ID_MAX = 32

/** Null = nothing that this credential opens answers there in time. Never rejects for what a device does. */
export const identify = async (
  pool: UdpPool,
  address: string,
  credential: SnmpCredential,
  deadlineMs: number,
): Promise<Identity | null> => {
  const client = openClient(pool, address, credential, makeGateCounts())
  try {
    return await readIdentity(client, performance.now() + deadlineMs)
  } catch (error) {
    if (!(error instanceof SnmpFailed)) throw error
    return null
  } finally {
    client.close()
  }
}

/** Time for the own addresses, which are worth little against the next address of the range. */
const ADDRESSES_MS = 1_000

const readIdentity = async (client: SnmpClient, untilMs: number): Promise<Identity> => {
  const cells = await readScalars(makeReader(client, untilMs, []), OBJECTS)
  const sysDescr = cells.sysDescr?.text(SYS_DESCR_MAX) ?? null
  const sysObjectID = cells.sysObjectID?.dotted() ?? null
  const known = fingerprint(sysObjectID, sysDescr)
  const isMikrotik = known.vendor === "MikroTik"
  const version = cells.mtxrLicVersion?.text() || null
  const engineId = cells.engineId?.octets() ?? null
  const own = await readAddresses(makeReader(client, performance.now() + ADDRESSES_MS, []))
  return {
    vendor: known.vendor,
    // RouterOS calls every box "RouterBOARD" in ENTITY-MIB.
    model: cells.mtxrBoardName?.text() || (isMikrotik ? null : cells.entModelName?.text()) || known.model,
    osVersion: version === null ? known.osVersion : `RouterOS ${version}`,
    sysName: cells.sysName?.text() || null,
    sysObjectID,
    sysDescr,
    serial: cells.mtxrSerialNumber?.text() || cells.entSerialNum?.text() || null,
    engineId: engineId === null || engineId.length > ENGINE_ID_MAX ? null : Buffer.from(engineId).toString("hex"),
    ownAddresses: own.map(({ address }) => address),
  }
}
