/**
 * Typed events in the words of routers: RouterOS topics, FRR, Cisco IOS and IOS XR mnemonics, Junos event names. Each
 * reader looks for fixed words with indexOf, so that no message, however made, costs more than its length. A line that
 * is not surely one of these is no event: it is kept as text.
 */
import { isIP } from "node:net"
import type { SyslogInput } from "#twin/input.ts"
import type { SyslogLine } from "#engine/collectors/syslog/header.ts"
import { OSPF_STATES } from "#protocol/metric.ts"

export type SyslogEvent = NonNullable<SyslogInput["event"]>

/** Null when the line means nothing to the twin. */
export const eventOf = ({ topics, message }: Pick<SyslogLine, "topics" | "message">): SyslogEvent | null =>
  mnemonicEvent(message) ?? frrEvent(message) ?? junosEvent(message) ?? routerOsEvent(topics, message)

// --- RouterOS

/** Topics of tunnels whose lines name a session's interface. */
const TUNNELS = ["pppoe", "pptp", "l2tp", "sstp", "ovpn"]

const routerOsEvent = (topics: readonly string[], message: string): SyslogEvent | null => {
  const failed = loginFailure(message)
  if (failed !== null) return failed
  if (/^router (?:was )?rebooted\b/.test(message.slice(0, 32))) return { type: "rebooted" }
  if (topics.length === 0 || topics.includes("interface")) {
    const link = routerOsLink(message)
    if (link !== null) return link
  }
  if (message.includes("state change")) {
    const ospf = routerOsOspf(message)
    if (ospf !== null) return ospf
  }
  if (topics.includes("bgp")) return routerOsBgp(message)
  if (topics.includes("ppp") || topics.some((topic) => TUNNELS.includes(topic)) || message.startsWith("<pppoe-"))
    return routerOsPpp(topics, message)
  return null
}

/** `ether1 link down`, `ether1 link up (speed 1G, full duplex)`; the name may contain spaces. */
const routerOsLink = (message: string): SyslogEvent | null => {
  for (const [words, up] of [
    [" link down", false],
    [" link up", true],
  ] as const) {
    const at = message.lastIndexOf(words)
    if (at <= 0) continue
    const rest = message.slice(at + words.length)
    const ifName = withoutColon(message.slice(0, at))
    if ((rest === "" || rest.startsWith(" (")) && ifName !== "") return { type: "interface", ifName, up }
  }
  return null
}

/** v6 `OSPFv2 neighbor A: state change from X to Y`; v7 `... neighbor { router-id: A state: X } state change to Y`. */
const routerOsOspf = (message: string): SyslogEvent | null => {
  const change = message.lastIndexOf("state change ")
  const neighbour = message.indexOf("neighbor ")
  if (change < 0 || neighbour < 0) return null
  const inBraces = message.indexOf("router-id: ", neighbour)
  const remote = inBraces < 0 ? wordAfter(message, "neighbor ") : wordAt(message, inBraces + "router-id: ".length)
  const to = message.indexOf(" to ", change - 1 + "state change".length)
  return to < 0 ? null : ospfEvent(remote, wordAt(message, to + 4))
}

/** Words before the remote address, in the order in which they are believed. */
const BGP_REMOTE = [
  "peer: ",
  "r_addr: ",
  "remote: ",
  "remote.address=",
  "RemoteAddress=",
  "neighbor ",
  "peer ",
  "Peer ",
  "session ",
]
const BGP_DOWN = ["closed", "down", "expired", "terminated", "reset", "lost", "disconnected", "to idle", "to active"]

/** RouterOS has no one sentence for BGP; an address and a word of up or down make an event, anything less does not. */
const routerOsBgp = (message: string): SyslogEvent | null => {
  const remote =
    BGP_REMOTE.map((key) => addressIn(wordAfter(message, key))).find((found) => found !== null) ?? firstAddress(message)
  if (remote === null) return null
  const lower = message.toLowerCase()
  // "TCP connection established" is not yet a session.
  const established = lower.includes("established") && !lower.includes("tcp connection established")
  const down = BGP_DOWN.some((word) => lower.includes(word))
  if (down) return { type: "bgp", remote, up: false }
  return established ? { type: "bgp", remote, up: true } : null
}

/**
 * `<pppoe-USER>: connected`, `pppoe-out1: terminating... - reason`: the name before the colon is the interface.
 * `USER logged in, ADDRESS from MAC` (topic account): RouterOS names the session's interface `<service-USER>`.
 */
const routerOsPpp = (topics: readonly string[], message: string): SyslogEvent | null => {
  const failed = message.indexOf("authentication failed")
  if (failed >= 0) return pppAuthFailed(message, failed)
  const service = topics.find((topic) => TUNNELS.includes(topic))
  if (topics.includes("account") && service !== undefined) {
    for (const [words, up] of [
      [" logged in,", true],
      [" logged out,", false],
    ] as const) {
      const at = message.indexOf(words)
      if (at > 0) return { type: "interface", ifName: `<${service}-${message.slice(0, at)}>`, up }
    }
    return null
  }
  const colon = message.indexOf(": ")
  if (colon <= 0) return null
  const ifName = message.slice(0, colon)
  const state = message.slice(colon + 2)
  if (state === "connected" || state.startsWith("connected ")) return { type: "interface", ifName, up: true }
  if (state.startsWith("disconnected") || state.startsWith("terminating"))
    return { type: "interface", ifName, up: false }
  return null
}

/** `<0010>: user USER authentication failed - reason`, `<pppoe-USER>: authentication failed`. */
const pppAuthFailed = (message: string, at: number): SyslogEvent | null => {
  const named = message.indexOf("user ")
  if (named >= 0 && named < at) return { type: "auth-failed", user: message.slice(named + 5, at).trim(), from: "" }
  const colon = message.indexOf(": ")
  const name = colon > 0 && colon < at ? message.slice(0, colon) : ""
  const dash = name.startsWith("<") && name.endsWith(">") ? name.indexOf("-") : -1
  return name === "" ? null : { type: "auth-failed", user: dash < 0 ? name : name.slice(dash + 1, -1), from: "" }
}

/** `login failure for user USER from ADDRESS via SERVICE`; `from` is absent on the console. */
const loginFailure = (message: string): SyslogEvent | null => {
  const words = "login failure for user "
  const start = message.indexOf(words)
  if (start < 0) return null
  const rest = message.slice(start + words.length)
  const via = rest.lastIndexOf(" via ")
  const end = via < 0 ? rest.length : via
  const from = rest.lastIndexOf(" from ", end)
  // A user may be called anything: the last " from " and " via " are the router's own.
  if (from < 0) return { type: "auth-failed", user: rest.slice(0, end), from: "" }
  return { type: "auth-failed", user: rest.slice(0, from), from: rest.slice(from + 6, end) }
}

// --- FRR and the Linux under it

/** ospfd `AdjChg: Nbr A(vrf) on IF:ADDRESS: Full -> Deleted (KillNbr)`. bgpd writes a mnemonic. */
const frrEvent = (message: string): SyslogEvent | null => {
  const remote = wordAfter(message, "AdjChg: Nbr ")
  const arrow = message.indexOf(" -> ")
  if (remote !== "" && arrow >= 0) return ospfEvent(remote, wordAt(message, arrow + 4))
  return kernelLink(message)
}

/** `eth1: NIC Link is Down`, `igb 0000:01:00.0 eth1: igb: eth1 NIC Link is Up 1000 Mbps Full Duplex` */
const kernelLink = (message: string): SyslogEvent | null => {
  const words = " NIC Link is "
  const at = message.indexOf(words)
  if (at <= 0) return null
  const ifName = withoutColon(message.slice(message.lastIndexOf(" ", at - 1) + 1, at))
  const state = wordAt(message, at + words.length)
  return ifName !== "" && (state === "Up" || state === "Down")
    ? { type: "interface", ifName, up: state === "Up" }
    : null
}

// --- Cisco (and FRR's bgpd): %FACILITY-SEVERITY-MNEMONIC: text

const mnemonicEvent = (message: string): SyslogEvent | null => {
  const percent = message.indexOf("%")
  const colon = percent < 0 ? -1 : message.indexOf(":", percent)
  if (colon < 0 || colon - percent > 64) return null
  const mnemonic = message.slice(percent + 1, colon).trim()
  const text = message.slice(colon + 1).trim()
  if (mnemonic.endsWith("UPDOWN") || mnemonic.endsWith("LINK-5-CHANGED")) return ciscoLink(text)
  if (mnemonic.endsWith("-ADJCHG")) return ciscoOspf(text)
  if (mnemonic === "ADJCHANGE" || mnemonic.endsWith("-ADJCHANGE")) return neighbourUpDown(text)
  if (mnemonic.endsWith("SYS-5-RESTART")) return { type: "rebooted" }
  if (mnemonic.endsWith("-LOGIN_FAILED")) return ciscoLoginFailed(text)
  return null
}

/** `[Line protocol on ]Interface NAME, changed state to [administratively ]down` */
const ciscoLink = (text: string): SyslogEvent | null => {
  const start = text.indexOf("Interface ")
  const comma = text.indexOf(", changed state to ", start)
  if (start < 0 || comma < 0) return null
  const ifName = text.slice(start + "Interface ".length, comma)
  const state = text.slice(comma + ", changed state to ".length).toLowerCase()
  if (state.startsWith("up")) return { type: "interface", ifName, up: true }
  if (state.startsWith("down") || state.startsWith("administratively down"))
    return { type: "interface", ifName, up: false }
  return null
}

/** `Process 1, Nbr A on IF [in area 0 ]from LOADING to FULL, Loading Done` */
const ciscoOspf = (text: string): SyslogEvent | null => {
  const from = text.indexOf(" from ")
  const to = text.indexOf(" to ", from)
  return from < 0 || to < 0 ? null : ospfEvent(wordAfter(text, "Nbr "), wordAt(text, to + 4))
}

/** `neighbor A [vpn vrf X ]Up`, `neighbor A(host) in vrf default Down Peer closed the session` */
const neighbourUpDown = (text: string): SyslogEvent | null => {
  const remote = addressIn(wordAfter(text, "neighbor "))
  if (remote === null) return null
  const up = wordPlace(text, "Up")
  const down = wordPlace(text, "Down")
  if (up < 0 && down < 0) return null
  return { type: "bgp", remote, up: down < 0 || (up >= 0 && up < down) }
}

/** `Login failed [user: U] [Source: A] [localport: 22] ...` */
const ciscoLoginFailed = (text: string): SyslogEvent | null => {
  const user = between(text, "[user: ", "]")
  return user === null ? null : { type: "auth-failed", user, from: between(text, "[Source: ", "]") ?? "" }
}

// --- Junos

const junosEvent = (message: string): SyslogEvent | null => {
  const link = message.indexOf("SNMP_TRAP_LINK_")
  if (link >= 0) {
    const ifName = wordAfter(message, "ifName ")
    return ifName === "" ? null : { type: "interface", ifName, up: message.startsWith("UP", link + 15) }
  }
  const to = message.lastIndexOf(" to ")
  if (message.includes("RPD_OSPF_NBR")) return ospfEvent(wordAfter(message, "OSPF neighbor "), wordAt(message, to + 4))
  if (!message.includes("RPD_BGP_NEIGHBOR_STATE_CHANGED")) return null
  const remote = addressIn(wordAfter(message, "BGP peer "))
  const state = message.indexOf(" changed state from ")
  if (remote === null || state < 0) return null
  const up = wordAfter(message.slice(state), " to ").toLowerCase() === "established"
  const wasUp = wordAfter(message, " changed state from ").toLowerCase() === "established"
  return up || wasUp ? { type: "bgp", remote, up } : null
}

// --- words

/** `2-way`, `2WAY`, `TwoWay`, `FULL/DR` to protocol/metric.ts's spelling; a neighbour that was deleted is down. */
const ospfEvent = (remoteText: string, stateText: string): SyslogEvent | null => {
  const word = stateText.split("/", 1)[0]?.toLowerCase().replaceAll("-", "") ?? ""
  const state = word === "twoway" ? "2way" : word === "deleted" ? "down" : word
  const remote = addressIn(remoteText)
  return remote !== null && (OSPF_STATES as readonly string[]).includes(state) ? { type: "ospf", remote, state } : null
}

/** The word at a place, up to a space or comma. */
const wordAt = (text: string, at: number): string => {
  let end = at
  while (end < text.length && text[end] !== " " && text[end] !== ",") end++
  return text.slice(at, end)
}

const wordAfter = (text: string, words: string): string => {
  const at = text.indexOf(words)
  return at < 0 ? "" : wordAt(text, at + words.length)
}

/** Where a whole word stands, or -1. */
const wordPlace = (text: string, word: string): number => {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    const after = text[at + word.length]
    if ((at === 0 || text[at - 1] === " ") && (after === undefined || after === " " || after === ",")) return at
  }
  return -1
}

const between = (text: string, before: string, after: string): string | null => {
  const start = text.indexOf(before)
  const end = start < 0 ? -1 : text.indexOf(after, start + before.length)
  return end < 0 ? null : text.slice(start + before.length, end)
}

/** Characters of an address, and what may follow one: `10.0.0.1(host)`, `10.0.0.1:`, `10.0.0.1}`, `10.0.0.1@vrf1`. */
const addressIn = (word: string): string | null => {
  let end = 0
  while (end < word.length && end < 64 && /[0-9A-Fa-f:.]/.test(word[end]!)) end++
  let text = word.slice(0, end)
  while (text.endsWith(":") || text.endsWith(".")) text = text.slice(0, -1)
  return isIP(text) === 0 ? null : text
}

/** At most this many words of a BGP line are looked at. */
const WORDS_MAX = 64

const firstAddress = (message: string): string | null => {
  for (const word of message.split(" ", WORDS_MAX)) {
    const address = addressIn(word.startsWith("(") || word.startsWith("{") ? word.slice(1) : word)
    if (address !== null) return address
  }
  return null
}

const withoutColon = (text: string): string => (text.endsWith(":") ? text.slice(0, -1) : text)
