/** A device report for a person at a terminal. All device text in it was made safe when it was read. */
import type { DeviceReport, Interface } from "#engine/device-test/report.ts"

export const describeReport = (report: DeviceReport): readonly string[] => {
  const { device, interfaces, addresses, adjacencies, sessions, sensors, warnings } = report
  return [
    `${report.address}`,
    ...(["ping", "snmp", "routeros", "syslog"] as const).map(
      (one) => `  ${LABELS[one].padEnd(14)} ${mark(report.reachable[one])} ${report.details[one]}`,
    ),
    "",
    ...Object.entries(device).flatMap(([name, value]) => (value === null ? [] : [`  ${name.padEnd(14)} ${value}`])),
    ...section(
      "interfaces",
      ["ifIndex", "ifName", "ifAlias", "ifAdminStatus", "ifOperStatus", "Mbit/s", "in octets", "out octets", "errors"],
      interfaces.map(interfaceLine),
    ),
    ...section(
      "addresses",
      ["address", "interface"],
      addresses.map((one) => [
        one.prefixLength === null ? one.address : `${one.address}/${one.prefixLength}`,
        one.interface,
      ]),
    ),
    ...section(
      "adjacencies",
      ["protocol", "interface", "neighbour", "state", "port"],
      adjacencies.map((one) => [
        one.protocol,
        one.interface,
        one.sysName || one.routerId || one.address || one.chassisId,
        one.state,
        one.portId,
      ]),
    ),
    ...section(
      "sessions",
      ["protocol", "peer", "AS", "state"],
      sessions.map((one) => [one.protocol, one.remoteAddress, one.remoteAs, one.state]),
    ),
    ...section(
      "sensors",
      ["name", "value", "type"],
      sensors.map((one) => [one.name, one.value, one.type]),
    ),
    ...(warnings.length === 0 ? [] : ["", "warnings", ...warnings.map((one) => `  ${one}`)]),
  ]
}

const LABELS = { ping: "ping", snmp: "SNMP", routeros: "RouterOS API", syslog: "syslog" } as const

const mark = (reached: boolean | null): string => (reached === null ? "-  " : reached ? "yes" : "NO ")

type Text = string | number | null | undefined

const interfaceLine = (one: Interface): readonly Text[] => {
  const errors = BigInt(one.ifInErrors ?? 0) + BigInt(one.ifOutErrors ?? 0)
  return [
    one.ifIndex,
    one.ifName || one.ifDescr,
    one.ifAlias,
    one.ifAdminStatus,
    one.ifOperStatus,
    one.ifHighSpeed,
    one.ifHCInOctets ?? one.ifInOctets,
    one.ifHCOutOctets ?? one.ifOutOctets,
    one.ifInErrors === null && one.ifOutErrors === null ? null : String(errors),
  ]
}

/** Longest cell that is shown whole. */
const CELL_MAX = 40

const section = (title: string, head: readonly string[], rows: ReadonlyArray<readonly Text[]>): readonly string[] => {
  if (rows.length === 0) return []
  const cells = [head, ...rows].map((row) => row.map((cell) => cut(String(cell ?? ""))))
  const widths = head.map((_, at) => cells.reduce((max, row) => Math.max(max, row[at]?.length ?? 0), 0))
  const lines = cells.map((row) => `  ${row.map((cell, at) => cell.padEnd(widths[at] as number)).join("  ")}`.trimEnd())
  return ["", `${title} (${rows.length})`, ...lines]
}

const cut = (text: string): string => (text.length > CELL_MAX ? `${text.slice(0, CELL_MAX - 1)}…` : text)
