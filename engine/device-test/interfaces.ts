/**
 * Every row of ifTable and ifXTable (RFC 2863), whatever its type: an interface that the agent lists is shown, so that a
 * person can compare with the device. A cell that is not there is null.
 */
import { IF_ADMIN_STATUS, IF_OPER_STATUS, word } from "#engine/device-test/enumerations.ts"
import { ifTypeWord } from "#engine/device-test/if-types.ts"
import { columnsOf, readTable } from "#engine/collectors/snmp/read-table.ts"
import type { Cell, Reader, TableRow } from "#engine/collectors/snmp/read-table.ts"
import type { Interface } from "#engine/device-test/report.ts"

const IF_ENTRY = "1.3.6.1.2.1.2.2.1"
const IF_X_ENTRY = "1.3.6.1.2.1.31.1.1.1"

/** In the order of importance: a device that is slow or stops still gave names, states and octets. */
const COLUMNS = {
  ...columnsOf(IF_ENTRY, { ifDescr: 2, ifType: 3, ifAdminStatus: 7, ifOperStatus: 8 }),
  ...columnsOf(IF_X_ENTRY, { ifName: 1, ifHCInOctets: 6, ifHCOutOctets: 10, ifHighSpeed: 15 }),
  ...columnsOf(IF_X_ENTRY, { ifAlias: 18 }),
  ...columnsOf(IF_ENTRY, { ifMtu: 4, ifSpeed: 5, ifPhysAddress: 6, ifLastChange: 9 }),
  ...columnsOf(IF_ENTRY, { ifInErrors: 14, ifOutErrors: 20, ifInDiscards: 13, ifOutDiscards: 19 }),
  ...columnsOf(IF_X_ENTRY, {
    ifHCInUcastPkts: 7,
    ifHCInMulticastPkts: 8,
    ifHCInBroadcastPkts: 9,
    ifHCOutUcastPkts: 11,
    ifHCOutMulticastPkts: 12,
    ifHCOutBroadcastPkts: 13,
    ifCounterDiscontinuityTime: 19,
  }),
  ...columnsOf(IF_ENTRY, { ifInOctets: 10, ifOutOctets: 16, ifInUcastPkts: 11, ifOutUcastPkts: 17 }),
}
type Column = keyof typeof COLUMNS

export const readInterfaces = async (reader: Reader, ifNumber: number | null): Promise<readonly Interface[]> => {
  const rows = await readTable(reader, "the interface table", COLUMNS)
  const usable = rows.filter(({ index }) => index.length === 1 && (index[0] as number) > 0)
  if (usable.length < rows.length) reader.warn(`${rows.length - usable.length} interface rows have no ifIndex`)
  const interfaces = usable.map(interfaceOf).sort((a, b) => (a.ifIndex ?? 0) - (b.ifIndex ?? 0))
  warnOfOddities(reader, interfaces, ifNumber)
  return interfaces
}

const interfaceOf = ({ index, cells }: TableRow<Column>): Interface => {
  const number = (column: Column): number | null => cells[column]?.number() ?? null
  const counter = (column: Column): string | null => cells[column]?.counter() ?? null
  const text = (column: Column): string | null => cells[column]?.text() ?? null
  return {
    ifIndex: index[0] as number,
    ifName: text("ifName"),
    ifDescr: text("ifDescr"),
    ifAlias: text("ifAlias"),
    ifType: ifTypeWord(number("ifType")),
    ifMtu: number("ifMtu"),
    ifPhysAddress: physAddress(cells.ifPhysAddress),
    ifAdminStatus: word(IF_ADMIN_STATUS, number("ifAdminStatus")),
    ifOperStatus: word(IF_OPER_STATUS, number("ifOperStatus")),
    ifLastChange: number("ifLastChange"),
    ifHighSpeed: number("ifHighSpeed"),
    ifSpeed: number("ifSpeed"),
    ifHCInOctets: counter("ifHCInOctets"),
    ifHCOutOctets: counter("ifHCOutOctets"),
    ifHCInUcastPkts: counter("ifHCInUcastPkts"),
    ifHCInMulticastPkts: counter("ifHCInMulticastPkts"),
    ifHCInBroadcastPkts: counter("ifHCInBroadcastPkts"),
    ifHCOutUcastPkts: counter("ifHCOutUcastPkts"),
    ifHCOutMulticastPkts: counter("ifHCOutMulticastPkts"),
    ifHCOutBroadcastPkts: counter("ifHCOutBroadcastPkts"),
    ifInOctets: counter("ifInOctets"),
    ifOutOctets: counter("ifOutOctets"),
    ifInUcastPkts: counter("ifInUcastPkts"),
    ifOutUcastPkts: counter("ifOutUcastPkts"),
    ifInErrors: counter("ifInErrors"),
    ifOutErrors: counter("ifOutErrors"),
    ifInDiscards: counter("ifInDiscards"),
    ifOutDiscards: counter("ifOutDiscards"),
    ifCounterDiscontinuityTime: number("ifCounterDiscontinuityTime"),
  }
}

/** `aa:bb:cc:dd:ee:ff` of any length; null for none. */
export const physAddress = (cell: Cell | undefined): string | null => {
  const octets = cell?.octets() ?? new Uint8Array(0)
  return octets.length === 0
    ? null
    : Buffer.from(octets.subarray(0, 32))
        .toString("hex")
        .replace(/..(?=.)/g, "$&:")
}

const warnOfOddities = (reader: Reader, interfaces: readonly Interface[], ifNumber: number | null): void => {
  const count = (accept: (one: Interface) => boolean): number => interfaces.filter(accept).length
  if (interfaces.length === 0) return reader.warn("the agent lists no interface: does its view include IF-MIB?")
  if (ifNumber !== null && ifNumber !== interfaces.length)
    reader.warn(`ifNumber says ${ifNumber} interfaces, the tables have ${interfaces.length}`)
  const stateless = count((one) => one.ifOperStatus === null)
  if (stateless > 0) reader.warn(`${stateless} interfaces have no ifOperStatus`)
  const narrow = count((one) => one.ifHCInOctets === null && one.ifInOctets !== null)
  if (narrow > 0)
    reader.warn(`${narrow} interfaces have 32-bit octet counters only: they wrap within seconds at 10 Gbit/s`)
  const names = new Set(interfaces.map((one) => one.ifName ?? one.ifDescr))
  if (names.size < interfaces.length)
    reader.warn(`${interfaces.length - names.size} interfaces share their name with another one`)
}
