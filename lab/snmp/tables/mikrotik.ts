/**
 * MIKROTIK-MIB: health and system names, and the session count that RouterOS shows through CISCO-AAA-SESSION-MIB.
 * Sensors appear twice, as the old scalars (tenths) and as the gauge table of RouterOS 7.
 */
import { TAG } from "#lab/snmp/ber.ts"
import type { Writer } from "#lab/snmp/ber.ts"
import { row, scalars, table } from "#lab/snmp/mib.ts"
import type { Row, Subject, Table } from "#lab/snmp/mib.ts"
import { portTableRows } from "#lab/snmp/tables/interfaces.ts"
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
  scalars("1.3.6.1.4.1.14988.1.1.4", { 4: (out, subject) => out.text(thisRouter(subject).osVersion) }),
  scalars("1.3.6.1.4.1.14988.1.1.7", {
    3: (out, subject) => out.text(thisRouter(subject).serial),
    4: (out, subject) => out.text(thisRouter(subject).osVersion),
    8: (out, subject) => out.text(thisRouter(subject).name),
    9: (out, subject) => out.text(thisRouter(subject).model),
  }),
]
