/** Own addresses of a device (IP-MIB, see the collector's addresses.ts), each with the name of its interface. */
import { readAddresses as readOwn } from "#engine/collectors/snmp/addresses.ts"
import type { Reader } from "#engine/collectors/snmp/read-table.ts"
import type { Address, Interface } from "#engine/device-test/report.ts"

export const readAddresses = async (reader: Reader, interfaces: readonly Interface[]): Promise<readonly Address[]> => {
  const names = new Map(interfaces.map((one) => [one.ifIndex, one.ifName ?? one.ifDescr]))
  return (await readOwn(reader)).map((one) => ({ ...one, interface: names.get(one.ifIndex) ?? null }))
}
