/** Which tables each kind of device offers. RouterOS offers neither OSPF-MIB nor BGP4-MIB (help.mikrotik.com, SNMP). */
import { orderTables } from "#lab/snmp/mib.ts"
import type { Table } from "#lab/snmp/mib.ts"
import { bridgeTables } from "#lab/snmp/tables/bridge.ts"
import { addressTables, interfaceTables } from "#lab/snmp/tables/interfaces.ts"
import { lldpdTables, routerosLldpTables } from "#lab/snmp/tables/lldp.ts"
import { mikrotikTables } from "#lab/snmp/tables/mikrotik.ts"
import { bgpTables, ospfTables } from "#lab/snmp/tables/routing.ts"
import { systemTables } from "#lab/snmp/tables/system.ts"
import type { Persona } from "#lab/isp/model.ts"

const common = [...systemTables, ...interfaceTables, ...addressTables]
const routeros = orderTables([...common, ...bridgeTables, ...routerosLldpTables, ...mikrotikTables])

export const TABLES: Readonly<Record<Persona, readonly Table[]>> = {
  routeros7: routeros,
  routeros6: routeros,
  frr: orderTables([...common, ...lldpdTables, ...ospfTables, ...bgpTables]),
}

/**
 * Longest answer, octets. RouterOS keeps an answer within one Ethernet frame, so that a GETBULK may come back short;
 * net-snmp fills the datagram, and we stop at a size that no manager refuses.
 */
export const ANSWER_MAX: Readonly<Record<Persona, number>> = { routeros7: 1472, routeros6: 1472, frr: 8192 }
