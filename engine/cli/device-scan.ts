/** `heliograph device scan RANGE`: which devices are in a range of addresses, and what they are. Adds nothing. */
import type { CommandInput, CommandIo } from "#engine/cli/command.ts"
import { settingsOf } from "#engine/cli/command.ts"
import { inOrder } from "#engine/collectors/target.ts"
import type { Credentials } from "#engine/device-test/options.ts"
import type { ImportSite } from "#engine/import/document.ts"
import { escapeText } from "#engine/log.ts"
import type { FoundDevice, ScanReport } from "#engine/scan/scan.ts"

export const SCAN_OPTIONS = {
  "import-document": { type: "boolean" },
  site: { type: "string" },
  "api-port": { type: "string" },
} as const

const API_PORTS = [8728, 8729]

/** Exit code. `credentials` were read by the command. */
export const scanDevices = async (
  range: string,
  credentials: Credentials,
  options: CommandInput["options"],
  io: CommandIo,
): Promise<number> => {
  const wrong = (why: string): number => {
    io.err(`heliograph device scan: ${why}`)
    return 2
  }
  const loaded = settingsOf(io)
  if (loaded === null) return 2
  const site = typeof options["site"] === "string" ? siteOf(options["site"]) : null
  if (options["import-document"] === true && site === null)
    return wrong("--import-document needs --site ID,LATITUDE,LONGITUDE: a device without a place cannot be imported")
  const apiPort = options["api-port"]
  if (apiPort !== undefined && !(Number(apiPort) >= 1 && Number(apiPort) <= 65_535))
    return wrong("--api-port takes a port, 1 to 65535")
  const { deviceReach } = await import("#engine/net/reach.ts")
  const { scan } = await import("#engine/scan/scan.ts")
  const { WrongRange } = await import("#engine/scan/range.ts")
  const snmp = inOrder(credentials.snmp)
  try {
    const report = await scan({
      range,
      snmp,
      apiPorts: apiPort === undefined ? API_PORTS : [Number(apiPort)],
      reach: deviceReach(loaded.config.loopbackTargets === "allow"),
    })
    if (options["import-document"] === true && site !== null) {
      const { proposeImport } = await import("#engine/scan/import-document.ts")
      io.out(JSON.stringify(proposeImport(report, site, snmp), null, 2))
      io.err("This document holds the credentials that worked. Look through it, then: heliograph import FILE")
    } else if (options["json"] === true) io.out(JSON.stringify(report))
    else for (const line of describe(report)) io.out(escapeText(line))
    for (const warning of [...credentials.warnings, ...report.warnings]) io.err(`warning: ${warning}`)
    return report.devices.length > 0 ? 0 : 1
  } catch (cause) {
    if (cause instanceof WrongRange) return wrong(cause.message)
    throw cause
  }
}

/** `sao-1,-23.55,-46.63`, with a name behind it when it should have one. Null = it is not that. */
const siteOf = (text: string): ImportSite | null => {
  const [id = "", latitude = "", longitude = "", ...name] = text.split(",")
  const [north, east] = [Number(latitude), Number(longitude)]
  const isPlace = latitude !== "" && longitude !== "" && Math.abs(north) <= 90 && Math.abs(east) <= 180
  if (id === "" || id.length > 64 || !isPlace) return null
  return { id, name: name.join(",").slice(0, 128) || id, latitude: north, longitude: east }
}

const describe = ({ range, asked, refused, devices, tookMs }: ScanReport): readonly string[] => [
  ...devices.filter(({ vendor, api }) => vendor !== null || api.length > 0).map(lineOf),
  ...silentOf(devices),
  `${devices.length} devices at ${devices.reduce((sum, one) => sum + one.addresses.length, 0)} of ${asked} addresses of ${range}, in ${(tookMs / 1000).toFixed(1)} s`,
  ...(refused > 0 ? [`${refused} addresses were not asked: this machine's own, link-local or a cloud's`] : []),
]

/** Addresses that answer pings and nothing else: on one line, because they may be a whole range. */
const silentOf = (devices: readonly FoundDevice[]): readonly string[] => {
  const silent = devices.filter(({ vendor, api }) => vendor === null && api.length === 0)
  if (silent.length === 0) return []
  const shown = silent.slice(0, SILENT_SHOWN).flatMap(({ addresses }) => addresses)
  return [`${silent.length} answer pings only: ${shown.join(", ")}${silent.length > SILENT_SHOWN ? ", ..." : ""}`]
}
const SILENT_SHOWN = 16

const lineOf = (device: FoundDevice): string => {
  const { addresses, vendor, model, osVersion, sysName, serial, credential, pings, api } = device
  const [first = "", ...more] = addresses
  const what = [vendor ?? "unknown", model, osVersion].filter(Boolean).join(" ")
  const by = [
    ...(pings === true ? ["ping"] : []),
    ...(credential === null ? [] : [`SNMP by credential ${credential + 1}`]),
    ...api.map(({ port, speaks }) => (speaks ? `RouterOS API on ${port}` : `TCP ${port} open`)),
  ].join(", ")
  const also = more.length === 0 ? "" : ` (also ${more.join(", ")})`
  return `${first}${also}  ${sysName ?? "-"}  ${what}${serial === null ? "" : `  serial ${serial}`}  by ${by}`
}
