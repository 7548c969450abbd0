/**
 * BRIDGE-MIB (RFC 4188) of the devices that switch, as RouterOS 6.44 answers it (recordings of a CRS317 and of an LHG):
 * dot1dBasePortIfIndex by the bridge's own port numbers, and of dot1dTpFdbTable the port column alone, in which RouterOS
 * puts an ifIndex where the standard wants a port number. Devices without a bridge answer no row.
 */
import type { Port } from "#lab/isp/model.ts"
import { bridgePorts, learnedHosts } from "#lab/isp/switching.ts"
import { row, sortRows, table } from "#lab/snmp/mib.ts"
import type { Row, Subject, Table } from "#lab/snmp/mib.ts"

/** The bridge numbers its ports in its own way: not by ifIndex. */
const BASE_PORT_OFFSET = 100

const portOf = ({ network }: Subject, key: number): Port => network.isp.ports[key] as Port

const basePortRows = ({ network: { isp }, router }: Subject): readonly Row[] =>
  bridgePorts(isp, router).map((port, nth) => row([BASE_PORT_OFFSET + nth], port.index))

const hostRows = ({ network, router }: Subject): readonly Row[] => {
  const own = bridgePorts(network.isp, router)[0]
  if (own === undefined) return []
  const hosts = new Map(learnedHosts(network, router).map(({ mac, port }) => [mac, port]))
  hosts.set(own.mac, own)
  return sortRows([...hosts].map(([mac, port]) => row(octetsOf(mac), port.index)))
}

const octetsOf = (mac: string): number[] => mac.split(":").map((octet) => Number.parseInt(octet, 16))

export const bridgeTables: readonly Table[] = [
  table("1.3.6.1.2.1.17.1.4.1", basePortRows, {
    2: (out, subject, key) => out.integer(portOf(subject, key).ifIndex),
  }),
  table("1.3.6.1.2.1.17.4.3.1", hostRows, {
    2: (out, subject, key) => out.integer(portOf(subject, key).ifIndex),
  }),
]
