/**
 * Whom a bridge hears on a port, as a text fact: `00:1a:2b:3c:4d:5e 00:1a:2b:3c:4d:5f others`. Only MACs of interfaces of the
 * tenant's own devices stand in it (engine/privacy/bridge-hosts.ts); of everybody else it says that there are some, and no
 * more. Source of the tables: BRIDGE-MIB (RFC 4188), Q-BRIDGE-MIB (RFC 4363), RouterOS /interface/bridge/host.
 */

export interface BridgeHosts {
  /** `00:1a:2b:3c:4d:5e`, ascending. */
  readonly macs: readonly string[]
  /** Hosts that are none of ours are heard there too. */
  readonly others: boolean
  /** There may be more of ours than these: they were too many, or the table was not read to its end. */
  readonly more: boolean
}

/** MACs of one port that are told: as many managed devices as one broadcast domain may hold behind it and still be told apart. */
export const HOSTS_MAX = 256
const MAC_CHARS = 17
const OTHERS = "others"
const MORE = "more"
export const HOSTS_TEXT_MAX = HOSTS_MAX * (MAC_CHARS + 1) + OTHERS.length + 1 + MORE.length

/** "" when nobody is heard. */
export const hostsText = ({ macs, others, more }: BridgeHosts): string =>
  [...macs.slice(0, HOSTS_MAX), ...(others ? [OTHERS] : []), ...(more || macs.length > HOSTS_MAX ? [MORE] : [])].join(
    " ",
  )

/** What is no MAC in the text is left out. */
export const readHosts = (text: string): BridgeHosts => {
  const words = text.slice(0, HOSTS_TEXT_MAX).split(" ")
  return { macs: words.filter(isMac), others: words.includes(OTHERS), more: words.includes(MORE) }
}

const MAC = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/
export const isMac = (text: string): boolean => MAC.test(text)

/** Six octets as one exact number: ten thousand rows of a table are kept and compared as such. Null = no six octets. */
export const macNumber = (octets: ArrayLike<number>, from = 0): number | null => {
  if (octets.length - from !== 6) return null
  let mac = 0
  for (let i = from; i < octets.length; i++) {
    const octet = octets[i] as number
    if (!Number.isInteger(octet) || octet < 0 || octet > 255) return null
    mac = mac * 256 + octet
  }
  return mac
}

/** `00:1A:2b:3c:4d:5e` in either case; null for anything else. */
export const readMac = (text: string): number | null => {
  const lower = text.toLowerCase()
  return isMac(lower) ? Number.parseInt(lower.replaceAll(":", ""), 16) : null
}

export const macText = (mac: number): string =>
  mac
    .toString(16)
    .padStart(12, "0")
    .replaceAll(/..(?=.)/g, "$&:")

/** Of one interface: no group address (IEEE 802 s8.2.2), not all zeros. Only such a MAC tells who sent a frame. */
export const isOwnable = (mac: number): boolean => mac > 0 && Math.floor(mac / 2 ** 40) % 2 === 0
