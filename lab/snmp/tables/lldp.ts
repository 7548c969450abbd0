/**
 * LLDP-MIB (IEEE 802.1AB): who is heard on which port, true to the emulated wires. RouterOS has lldpRemTable alone, with
 * chassis ids printed as text; its version 6 indexes it by one number and does not say on which port it hears. lldpd on
 * Linux has the local ports too, and MAC addresses as octets.
 */
import { row, scalars, sortRows, table } from "#lab/snmp/mib.ts"
import type { Cell, Row, Subject, Table } from "#lab/snmp/mib.ts"
import { portTableRows } from "#lab/snmp/tables/interfaces.ts"
import { farPort, nearPort } from "#lab/snmp/tables/routing.ts"
import type { Port, Router } from "#lab/isp/model.ts"

/** LldpChassisIdSubtype macAddress(4); LldpPortIdSubtype macAddress(3), interfaceName(5). */
const CHASSIS_MAC = 4
const PORT_MAC = 3
const PORT_NAME = 5

const macOctets = (port: Port): Buffer => Buffer.from(port.mac.replaceAll(":", ""), "hex")

/** The links over which this router hears somebody who lives. */
const heard = ({ network, router }: Subject): readonly number[] => network.heardLinks(router)

/** RouterOS 6: a number of the neighbour. Everybody else: time mark, local port, number. */
const rows = (subject: Subject): readonly Row[] => {
  const { isp } = subject.network
  const isOld = isp.routers[subject.router]!.persona === "routeros6"
  return sortRows(
    heard(subject).map((link) => {
      const near = nearPort(isp, isp.links[link]!, subject.router)
      return row(isOld ? [link + 1] : [0, near.ifIndex, 1], link)
    }),
  )
}

const far = ({ network: { isp }, router }: Subject, link: number): Port => farPort(isp, isp.links[link]!, router)
const farRouter = (subject: Subject, link: number): Router => subject.network.isp.routers[far(subject, link).router]!
/** A chassis goes by the address of its first port. */
const chassisPort = (subject: Subject, router: Router): Port => subject.network.isp.ports[router.ports[0]!]!

const sysName: Cell = (out, subject, link) => out.text(farRouter(subject, link).name)
const sysDesc: Cell = (out, subject, link) => {
  const { persona, osVersion, model } = farRouter(subject, link)
  out.text(persona === "frr" ? `Debian GNU/Linux, ${osVersion}` : `MikroTik RouterOS ${osVersion} ${model}`)
}

export const routerosLldpTables: readonly Table[] = [
  table("1.0.8802.1.1.2.1.4.1.1", rows, {
    4: (out) => out.integer(CHASSIS_MAC),
    5: (out, subject, link) => out.text(chassisPort(subject, farRouter(subject, link)).mac.toUpperCase()),
    6: (out) => out.integer(PORT_NAME),
    7: (out, subject, link) => out.text(far(subject, link).name),
    9: sysName,
    10: sysDesc,
  }),
]

export const lldpdTables: readonly Table[] = [
  scalars("1.0.8802.1.1.2.1.3", {
    1: (out) => out.integer(CHASSIS_MAC),
    2: (out, subject) => out.octets(macOctets(chassisPort(subject, subject.network.isp.routers[subject.router]!))),
  }),
  table("1.0.8802.1.1.2.1.3.7.1", portTableRows, {
    2: (out) => out.integer(PORT_MAC),
    3: (out, { network }, port) => out.octets(macOctets(network.isp.ports[port]!)),
    4: (out, { network }, port) => out.text(network.isp.ports[port]!.name),
  }),
  table("1.0.8802.1.1.2.1.4.1.1", rows, {
    4: (out) => out.integer(CHASSIS_MAC),
    5: (out, subject, link) => out.octets(macOctets(chassisPort(subject, farRouter(subject, link)))),
    6: (out) => out.integer(PORT_MAC),
    7: (out, subject, link) => out.octets(macOctets(far(subject, link))),
    8: (out, subject, link) => out.text(far(subject, link).name),
    9: sysName,
    10: sysDesc,
  }),
]
