/** SNMPv2-MIB's system group (RFC 3418) and HOST-RESOURCES-MIB (RFC 2790): who the device is, processor and memory. */
import { TAG } from "#lab/snmp/ber.ts"
import { parseOid, row, scalars, table } from "#lab/snmp/mib.ts"
import type { Row, Subject, Table } from "#lab/snmp/mib.ts"
import type { Router } from "#lab/isp/model.ts"

const routerOf = ({ network, router }: Subject): Router => network.isp.routers[router]!

const ROUTEROS = parseOid("1.3.6.1.4.1.14988.1")
const NET_SNMP_LINUX = parseOid("1.3.6.1.4.1.8072.3.2.10")

/** Hundredths of a second from boot to a moment; 0 when it was before. Wraps after 497 days, as TimeTicks do. */
export const ticksSinceBoot = ({ network, router }: Subject, atMs: number): number =>
  Math.floor(Math.max(0, atMs - network.bootedMs[router]!) / 10) % 4294967296

const sysDescr = (router: Router): string =>
  router.persona === "frr"
    ? `Linux ${router.name} 6.1.0-26-amd64 #1 SMP PREEMPT_DYNAMIC Debian 6.1.112-1 x86_64`
    : `RouterOS ${router.model}`

const systemGroup = scalars("1.3.6.1.2.1.1", {
  1: (out, subject) => out.text(sysDescr(routerOf(subject))),
  2: (out, subject) => out.oid(routerOf(subject).persona === "frr" ? NET_SNMP_LINUX : ROUTEROS),
  3: (out, subject) => out.unsigned(ticksSinceBoot(subject, subject.network.nowMs), TAG.timeTicks),
  4: (out) => out.text("noc@aurora.example"),
  5: (out, subject) => out.text(routerOf(subject).name),
  6: (out, subject) => out.text(subject.network.isp.sites[routerOf(subject).site]!.name),
  7: (out) => out.integer(78),
})

const CPUS = 4
const ALLOCATION_UNIT = 1024
/** The flash of a RouterBOARD, the same by SNMP and by API; and a small server's disk. */
export const ROUTEROS_DISK = { bytes: 128 * 2 ** 20, usedBytes: 24 * 2 ** 20 } as const
const LINUX_DISK = { bytes: 512 * 2 ** 20, usedBytes: 110_100 * 2 ** 10 } as const
const HR_STORAGE_RAM = parseOid("1.3.6.1.2.1.25.2.1.2")
const HR_STORAGE_FIXED_DISK = parseOid("1.3.6.1.2.1.25.2.1.4")

/** Keys of hrStorageTable rows. */
const MEMORY = 0
const DISK = 1
/** RouterOS numbers its storages like this; net-snmp calls memory 1 and the root file system 31. */
const ROUTEROS_STORAGE: readonly Row[] = [row([65536], MEMORY), row([131072], DISK)]
const LINUX_STORAGE: readonly Row[] = [row([1], MEMORY), row([31], DISK)]

const storageName = (subject: Subject, key: number): string => {
  if (routerOf(subject).persona === "frr") return key === MEMORY ? "Physical memory" : "/"
  return key === MEMORY ? "main memory" : "system disk"
}
const diskOf = (subject: Subject) => (isFrr(subject) ? LINUX_DISK : ROUTEROS_DISK)
const storageBytes = (subject: Subject, key: number): number =>
  key === MEMORY ? routerOf(subject).memoryBytes : diskOf(subject).bytes
const storageUsed = (subject: Subject, key: number): number =>
  key === MEMORY ? subject.network.memoryUsed(subject.router) : diskOf(subject).usedBytes

const ROUTEROS_CPUS: readonly Row[] = Array.from({ length: CPUS }, (_, cpu) => row([cpu + 1], cpu))
const LINUX_CPUS: readonly Row[] = Array.from({ length: CPUS }, (_, cpu) => row([196608 + cpu], cpu))

const isFrr = (subject: Subject): boolean => routerOf(subject).persona === "frr"

export const systemTables: readonly Table[] = [
  systemGroup,
  scalars("1.3.6.1.2.1.25.1", {
    1: (out, subject) => out.unsigned(ticksSinceBoot(subject, subject.network.nowMs), TAG.timeTicks),
  }),
  // SNMP-FRAMEWORK-MIB (RFC 3411): snmpEngineBoots and snmpEngineTime.
  scalars("1.3.6.1.6.3.10.2.1", {
    2: (out, { network, router }) => out.integer(network.boots[router]!),
    3: (out, { network, router }) =>
      out.integer(Math.floor(Math.max(0, network.nowMs - network.bootedMs[router]!) / 1000)),
  }),
  scalars("1.3.6.1.2.1.25.2", { 2: (out, subject) => out.integer(routerOf(subject).memoryBytes / 1024) }),
  table("1.3.6.1.2.1.25.2.3.1", (subject) => (isFrr(subject) ? LINUX_STORAGE : ROUTEROS_STORAGE), {
    1: (out, subject, key) => out.integer((isFrr(subject) ? LINUX_STORAGE : ROUTEROS_STORAGE)[key]!.index[0]!),
    2: (out, _, key) => out.oid(key === MEMORY ? HR_STORAGE_RAM : HR_STORAGE_FIXED_DISK),
    3: (out, subject, key) => out.text(storageName(subject, key)),
    4: (out) => out.integer(ALLOCATION_UNIT),
    5: (out, subject, key) => out.integer(storageBytes(subject, key) / ALLOCATION_UNIT),
    6: (out, subject, key) => out.integer(Math.floor(storageUsed(subject, key) / ALLOCATION_UNIT)),
  }),
  table("1.3.6.1.2.1.25.3.3.1", (subject) => (isFrr(subject) ? LINUX_CPUS : ROUTEROS_CPUS), {
    1: (out) => out.oid([0, 0]),
    2: (out, subject) => out.integer(subject.network.cpuPercent(subject.router)),
  }),
]
