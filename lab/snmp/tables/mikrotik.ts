/**
 * MIKROTIK-MIB: health, system names and what the router's own discovery heard, and the session count that RouterOS shows through CISCO-AAA-SESSION-MIB.
 * Sensors appear twice, as the old scalars (tenths) and as the gauge table of RouterOS 7.
 */
import { TAG } from "#lab/snmp/ber.ts"
import type { Writer } from "#lab/snmp/ber.ts"
import { row, scalars, sortRows, table } from "#lab/snmp/mib.ts"
import type { Cell, Row, Subject, Table } from "#lab/snmp/mib.ts"
import { portTableRows } from "#lab/snmp/tables/interfaces.ts"
import { farPort, nearPort } from "#lab/snmp/tables/routing.ts"
import { bystandersOf } from "#lab/isp/bystanders.ts"
import type { Port, Router } from "#lab/isp/model.ts"

const thisRouter = ({ network: { isp }, router }: Subject): Router => isp.routers[router]!

export const supplyVolts = (router: number): number => 24 + (router % 10) / 10
const tenths = (out: Writer, value: number): void => out.integer(Math.round(value * 10))

const TEMPERATURE: Row = row([14], 0)
const CPU_TEMPERATURE: Row = row([17], 1)
const VOLTAGE: Row = row([13], 2)
const GAUGES: readonly Row[] = [VOLTAGE, TEMPERATURE, CPU_TEMPERATURE]
const GAUGE_NAMES = ["temperature", "cpu-temperature", "voltage"] as const
/** mtxrGaugeUnit: celsius(1), rpm(2), dV(3). */
const GAUGE_UNITS = [1, 1, 3] as const

export const gaugeValue = ({ network, router }: Subject, gauge: number): number => {
  if (gauge === VOLTAGE.key) return Math.round(supplyVolts(router) * 10)
  return Math.round(network.temperature(router) + (gauge === CPU_TEMPERATURE.key ? 9 : 0))
}

/** Light in thousandths of a dBm, as the module of an SFP or QSFP port reports it; no light reads as -40 dBm. */
export const lightRx = ({ network }: Subject, port: number): number =>
  network.portUp[port] === 1 ? -4000 - (port % 40) * 100 : -40_000
export const lightTx = (_: Subject, port: number): number => -1000 - (port % 15) * 100

/** A port with an optical module in it; empty cages have no row. */
export const isOptical = ({ name, kind }: Port): boolean => /^q?sfp/.test(name) && kind !== "spare"

const opticalRows = (subject: Subject): readonly Row[] =>
  portTableRows(subject).filter(({ key }) => isOptical(subject.network.isp.ports[key]!))

const ONE = [row([0], 0)]

const aaaSessions: Table = table(
  "1.3.6.1.4.1.9.9.150.1.1",
  (subject) => (subject.network.households.sessionsOn(subject.router) === null ? [] : ONE),
  { 1: (out, { network, router }) => out.unsigned(network.households.sessionsOn(router)!, TAG.gauge32) },
)

/** What a row of mtxrNeighborTable says; the table does not tell by which protocol it was heard. */
interface Heard {
  readonly near: Port
  readonly address: string
  readonly mac: string
  readonly version: string
  readonly platform: string
  readonly identity: string
  readonly softwareId: string
}

/** Keys of bystanders' rows start here; below are links. */
const BYSTANDERS = 1_000_000

const neighborRows = ({ network, router }: Subject): readonly Row[] => {
  const gear = network.quiet.has(router) ? [] : bystandersOf(network, router)
  const keys = [...network.heardLinks(router), ...gear.map(({ nth }) => BYSTANDERS + nth)]
  return sortRows(keys.map((key) => row([key + 1], key)))
}

const heard = ({ network, router }: Subject, key: number): Heard => {
  const { isp } = network
  const bystander = bystandersOf(network, router).find(({ nth }) => BYSTANDERS + nth === key)
  if (bystander !== undefined) return { ...bystander, near: bystander.port }
  const far = farPort(isp, isp.links[key]!, router)
  const them = isp.routers[far.router]!
  const isRouterOs = them.persona !== "frr"
  return {
    near: nearPort(isp, isp.links[key]!, router),
    address: far.address?.split("/")[0] ?? "0.0.0.0",
    mac: far.mac,
    version: them.osVersion,
    platform: isRouterOs ? "MikroTik" : "",
    identity: them.name,
    softwareId: isRouterOs ? `LAB-${String(far.router).padStart(4, "0")}` : "",
  }
}

const neighborText =
  (of: (one: Heard) => string): Cell =>
  (out, subject, key) =>
    out.text(of(heard(subject, key)))

export const mikrotikTables: readonly Table[] = [
  aaaSessions,
  scalars("1.3.6.1.4.1.14988.1.1.3", {
    8: (out, { router }) => tenths(out, supplyVolts(router)),
    10: (out, { network, router }) => tenths(out, network.temperature(router)),
    11: (out, { network, router }) => tenths(out, network.temperature(router) + 9),
    12: (out, { network, router }) => tenths(out, 28 + 0.4 * network.cpuPercent(router)),
  }),
  table(
    "1.3.6.1.4.1.14988.1.1.3.100.1",
    ({ network: { isp }, router }) => (isp.routers[router]!.persona === "routeros7" ? GAUGES : []),
    {
      2: (out, _, key) => out.text(GAUGE_NAMES[key]!),
      3: (out, subject, key) => out.integer(gaugeValue(subject, key)),
      4: (out, _, key) => out.integer(GAUGE_UNITS[key]!),
    },
  ),
  table("1.3.6.1.4.1.14988.1.1.19.1.1", opticalRows, {
    2: (out, { network }, port) => out.text(network.isp.ports[port]!.name),
    9: (out, subject, port) => out.integer(lightTx(subject, port)),
    10: (out, subject, port) => out.integer(lightRx(subject, port)),
  }),
  table("1.3.6.1.4.1.14988.1.1.11.1.1", neighborRows, {
    2: (out, subject, key) => out.ipAddress(heard(subject, key).address),
    3: (out, subject, key) => out.octets(Buffer.from(heard(subject, key).mac.replaceAll(":", ""), "hex")),
    4: neighborText(({ version }) => version),
    5: neighborText(({ platform }) => platform),
    6: neighborText(({ identity }) => identity),
    7: neighborText(({ softwareId }) => softwareId),
    8: (out, subject, key) => out.integer(heard(subject, key).near.ifIndex),
  }),
  scalars("1.3.6.1.4.1.14988.1.1.4", { 4: (out, subject) => out.text(thisRouter(subject).osVersion) }),
  scalars("1.3.6.1.4.1.14988.1.1.7", {
    3: (out, subject) => out.text(thisRouter(subject).serial),
    4: (out, subject) => out.text(thisRouter(subject).osVersion),
    8: (out, subject) => out.text(thisRouter(subject).name),
    9: (out, subject) => out.text(thisRouter(subject).model),
  }),
]
