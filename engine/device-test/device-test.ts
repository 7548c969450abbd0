/**
 * Asks one device by everything that a person gave credentials for, side by side, and makes one report of the answers
 * (issue "Ears", item 7). It ends within its time whatever the device does, and keeps nothing afterwards.
 */
import { lookup } from "node:dns/promises"
import { isIP } from "node:net"
import type { RouterOsCredential, SnmpCredential } from "#engine/collectors/target.ts"
import { ping } from "#engine/device-test/ping.ts"
import type { DeviceFacts, DeviceReport, Snapshot } from "#engine/device-test/report.ts"
import { NO_FACTS } from "#engine/device-test/report.ts"
import { askRouterOs } from "#engine/device-test/routeros.ts"
import { askSnmp } from "#engine/device-test/snmp.ts"
import { listenForSyslog } from "#engine/device-test/syslog.ts"
import type { Asked } from "#engine/device-test/snmp.ts"

export interface DeviceTest {
  /** IP literal. */
  readonly address: string
  readonly snmp: SnmpCredential | null
  readonly routeros: RouterOsCredential | null
  /** UDP port to listen on for its syslog; null = not asked for. */
  readonly syslogPort: number | null
  /** For everything together; ping takes three seconds of it at most. */
  readonly deadlineMs: number
  /** What the person should know about how the test was called. */
  readonly warnings: readonly string[]
}

const PING_SECONDS = 3

/** Never rejects for what a device or a network does. */
export const testDevice = async (test: DeviceTest): Promise<DeviceReport> => {
  const { address, snmp, routeros, syslogPort, deadlineMs } = test
  const [pinged, bySnmp, byApi, logged] = await Promise.all([
    ping(address, PING_SECONDS),
    snmp === null ? null : askSnmp(address, snmp, deadlineMs),
    routeros === null ? null : askRouterOs(address, routeros, deadlineMs),
    syslogPort === null ? null : listenForSyslog(address, syslogPort, deadlineMs),
  ])
  const [first, second] = [snapshotOf(bySnmp), snapshotOf(byApi)]
  return {
    address,
    reachable: { ping: pinged.answered, snmp: worked(bySnmp), routeros: worked(byApi), syslog: logged?.heard ?? null },
    details: {
      ping: pinged.detail,
      snmp: detailOf(bySnmp, "not tried: no community or user was given"),
      routeros: detailOf(byApi, "not tried: no API user was given"),
      syslog: logged?.detail ?? "not tried: no --syslog-port was given",
    },
    ...combine(first, second),
    warnings: [...test.warnings, ...(first?.warnings ?? []), ...(second?.warnings ?? []), ...quarrels(first, second)],
  }
}

/** The address of a name, or the literal itself. Rejects with an error for a person. */
export const resolveAddress = async (text: string, deadlineMs: number): Promise<string> => {
  if (isIP(text) !== 0) return text
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error(`${JSON.stringify(text)} could not be looked up in time`)), deadlineMs).unref()
  })
  try {
    return (await Promise.race([lookup(text), late])).address
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    throw code === undefined ? cause : new Error(`${JSON.stringify(text)} is no IP address and no known name (${code})`)
  }
}

const snapshotOf = (asked: Asked | null): Snapshot | null =>
  asked !== null && "snapshot" in asked ? asked.snapshot : null

const worked = (asked: Asked | null): boolean | null => (asked === null ? null : "snapshot" in asked)

const detailOf = (asked: Asked | null, untried: string): string => {
  if (asked === null) return untried
  return "snapshot" in asked ? asked.detail : asked.failed
}

/** SNMP's lists and words first, as they have ifIndex and all counters; the API fills what SNMP has none of. */
const combine = (first: Snapshot | null, second: Snapshot | null): Omit<Snapshot, "warnings"> => {
  const list = <Part extends "interfaces" | "addresses" | "adjacencies" | "sessions" | "sensors">(
    part: Part,
  ): Snapshot[Part] => {
    const own = first?.[part]
    return (own !== undefined && own.length > 0 ? own : (second?.[part] ?? own ?? [])) as Snapshot[Part]
  }
  const device = { ...NO_FACTS } as Record<keyof DeviceFacts, unknown>
  for (const fact of Object.keys(NO_FACTS) as Array<keyof DeviceFacts>)
    device[fact] = first?.device[fact] ?? second?.device[fact] ?? null
  return {
    device: device as unknown as DeviceFacts,
    interfaces: list("interfaces"),
    addresses: list("addresses"),
    adjacencies: list("adjacencies"),
    sessions: list("sessions"),
    sensors: list("sensors"),
  }
}

/** Two answers behind one address should be of one device. */
const quarrels = (first: Snapshot | null, second: Snapshot | null): readonly string[] => {
  const names = [first?.device.sysName, second?.device.sysName]
  if (names[0] == null || names[1] == null || names[0] === names[1]) return []
  return [`SNMP calls the device ${JSON.stringify(names[0])}, the API ${JSON.stringify(names[1])}: is it one device?`]
}
