/**
 * Who made a device and what runs on it, from the enterprise number in sysObjectID (IANA Private Enterprise Numbers) and
 * from sysDescr, whose wording each vendor keeps over decades. A new vendor is one row of the table. A device that is
 * not in it is "generic SNMP": read just as completely, only without a name.
 */

export interface Fingerprint {
  readonly vendor: string
  readonly model: string | null
  readonly osVersion: string | null
}

interface Vendor {
  /** The arc behind 1.3.6.1.4.1. */
  readonly enterprise: number
  readonly name: string
  /** Put before the version, when version and model are found by the patterns. */
  readonly os: string
  /** First group of the first pattern that fits sysDescr. All are linear: literals and single classes with an end. */
  readonly version: readonly RegExp[]
  readonly model: readonly RegExp[]
}

/** Longest sysDescr that is looked at, UTF-16 units; RFC 3418 allows 255 octets, some agents send more. */
export const SYS_DESCR_MAX = 1_024

const VENDORS: readonly Vendor[] = [
  {
    enterprise: 14988,
    name: "MikroTik",
    os: "RouterOS",
    version: [/SwOS v([\w.]{1,20})/],
    model: [/^RouterOS (\S{1,40})/, /^(\S{1,40}) SwOS/],
  },
  {
    enterprise: 9,
    name: "Cisco",
    os: "IOS",
    version: [/Version ([\w.()-]{1,40})/],
    model: [/Cisco IOS XR Software \(Cisco ([^)]{1,40})\)/, /, (\S{1,40}) Software \(/],
  },
  {
    enterprise: 2636,
    name: "Juniper",
    os: "Junos",
    version: [/JUNOS ([\w.-]{1,40})/],
    model: [/Juniper Networks, Inc\. (\S{1,40}) /],
  },
  {
    enterprise: 2011,
    name: "Huawei",
    os: "VRP",
    version: [/Version ([\w.]{1,20} \([^)]{1,40}\))/, /Version ([\w.]{1,20})/],
    model: [/HUAWEI ([A-Z][\w-]{1,40})/, /Huawei ([A-Z]\w{1,20}\d[\w-]{0,20})/],
  },
  {
    enterprise: 6527,
    name: "Nokia",
    os: "TiMOS",
    version: [/TiMOS-[A-Z]{1,4}-([\w.-]{1,40})/],
    model: [/Nokia (\d{4} [\w-]{1,20})/, /ALCATEL (\S{1,20} \d{4})/],
  },
  { enterprise: 41112, name: "Ubiquiti", os: "EdgeOS", version: [/EdgeOS v(\d{1,3}\.\d{1,3}\.\d{1,3})\b/], model: [] },
  { enterprise: 10002, name: "Ubiquiti", os: "airOS", version: [], model: [] },
  { enterprise: 8072, name: "net-snmp", os: "Linux", version: [/^Linux \S{1,64} (\S{1,60})/], model: [] },
  {
    enterprise: 30065,
    name: "Arista",
    os: "EOS",
    version: [/EOS version ([\w.-]{1,40})/],
    model: [/running on an Arista Networks (\S{1,40})/],
  },
  {
    enterprise: 12356,
    name: "Fortinet",
    os: "FortiOS",
    version: [/v(\d{1,2}\.\d{1,2}\.\d{1,3})/],
    model: [/(Forti[A-Z][\w-]{1,40})/],
  },
  { enterprise: 3709, name: "DATACOM", os: "DmOS", version: [], model: [/^(\S{1,60})/] },
  { enterprise: 25506, name: "H3C", os: "Comware", version: [/Version ([\w.]{1,20})/], model: [/H3C (\S{1,40})/] },
  { enterprise: 11, name: "HPE", os: "ProCurve", version: [/revision ([\w.]{1,30})/], model: [/(J\w{4,6}A?)/] },
  { enterprise: 3902, name: "ZTE", os: "ZXROS", version: [/Version:? ([\w.]{1,30})/], model: [/(ZX\w{1,30})/] },
  {
    enterprise: 1916,
    name: "Extreme",
    os: "ExtremeXOS",
    version: [/version ([\d.]{1,20})/],
    model: [/\((\S{1,30})\)/],
  },
  { enterprise: 1991, name: "Brocade", os: "NetIron", version: [/Version V?([\w.]{1,30})/], model: [] },
  { enterprise: 2352, name: "Ericsson", os: "SEOS", version: [/SEOS-([\w.-]{1,30})/], model: [] },
  { enterprise: 890, name: "Zyxel", os: "ZyNOS", version: [], model: [/^(\S{1,40})/] },
  { enterprise: 17713, name: "Cambium", os: "cnMaestro", version: [], model: [] },
  { enterprise: 311, name: "Microsoft", os: "Windows", version: [/Windows Version (\S{1,20})/], model: [] },
]

export const GENERIC = "generic SNMP"

/** Names of operating systems that one vendor has several of, where sysDescr says which. */
const OTHER_SYSTEMS: ReadonlyArray<readonly [RegExp, string]> = [
  [/\bIOS XR\b/, "IOS XR"],
  [/\bIOS-XE\b|\bIOS XE\b|Linux_IOSD|LINUX_IOSD/, "IOS XE"],
  [/\bNX-OS\b/, "NX-OS"],
  [/\bSwOS\b/, "SwOS"],
  [/\bFreeBSD\b/, "FreeBSD"],
  [/\bpfSense\b/, "pfSense"],
]

/** `sysObjectID` as dotted text, either may be null or nonsense. */
export const fingerprint = (sysObjectID: string | null, sysDescr: string | null): Fingerprint => {
  const enterprise = enterpriseOf(sysObjectID)
  const vendor = VENDORS.find((one) => one.enterprise === enterprise)
  if (vendor === undefined) return { vendor: GENERIC, model: null, osVersion: null }
  const text = (sysDescr ?? "").slice(0, SYS_DESCR_MAX)
  const other = OTHER_SYSTEMS.find(([pattern]) => pattern.test(text))
  const version = firstGroup(vendor.version, text)
  const osVersion = version === null ? null : `${other?.[1] ?? vendor.os} ${version}`
  return { vendor: vendor.name, model: firstGroup(vendor.model, text), osVersion }
}

const PRIVATE = "1.3.6.1.4.1."

const enterpriseOf = (sysObjectID: string | null): number | null => {
  if (sysObjectID === null || !sysObjectID.startsWith(PRIVATE)) return null
  return Number(sysObjectID.slice(PRIVATE.length).split(".", 1)[0])
}

const firstGroup = (patterns: readonly RegExp[], text: string): string | null => {
  for (const pattern of patterns) {
    const found = pattern.exec(text)?.[1]
    if (found !== undefined) return found
  }
  return null
}
