/**
 * Lines of a log that tell of subscribers (PRODUCT.md S11): who connected, from which MAC, with which address. Of such a
 * line only words that we know are kept, because what a name looks like is anybody's guess: everything else is withheld.
 * Which lines are such: by RouterOS' topics, by the daemon or the mnemonic that wrote them, or by what they say. Linear
 * in the line's length; pure.
 */
import { isIP } from "node:net"

/** What stands for an identity (a user name, a MAC, an address) where the line had it. */
export type Naming = (identity: string) => string
/** Without the tenant's opt-in nobody is told apart. */
export const WITHHELD = "<subscriber>"
export const nobody: Naming = () => WITHHELD

const SERVICES = "pppoe|pptp|l2tp|sstp|ovpn|ppp|hotspot|dhcp"
/** RouterOS names the interface of a session after its user: `<pppoe-maria>`. The user may hold anything but a line's end. */
const SESSION = new RegExp(`<(${SERVICES})-([^>]{1,256})>`, "gi")
const SESSION_OPENS = new RegExp(`^<(?:${SERVICES})-`, "i")
const MAC =
  /(?<![0-9a-f:.-])(?:[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}|[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4})(?![0-9a-f:.-])/gi
/** The same for one look only: a global pattern remembers where it was. */
const HAS_MAC = new RegExp(MAC.source, "i")

export const isSubscriberInterface = (ifName: string): boolean => SESSION_OPENS.test(ifName)

/** Our own uplinks, as RouterOS calls a client's interface unless told otherwise: no subscriber's. */
const OWN_CLIENT = /^(?:pppoe|pptp|l2tp|sstp|ovpn|ppp)-(?:out|client)\d*$/i

const TOPICS: ReadonlySet<string> = new Set(
  "ppp pppoe pptp l2tp sstp ovpn hotspot radius dhcp wireless wifi caps firewall web-proxy dns tr069 upnp".split(" "),
)
/** Daemons of access servers, where a header or a tag names them. */
const DAEMON =
  /\b(?:pppd|accel-pppd?|xl2tpd|openvpn|ocserv|dhcpd6?|kea-dhcp[46]|dnsmasq-dhcp|radiusd|freeradius|hostapd|jpppd|jdhcpd|authd|bbe-smgd)\b/i
/** Cisco's facilities of subscriber services. */
const FACILITY = /%(?:PPP|PPPOE|DHCPV?6?D?|AAA|AAAA|RADIUS|SUBSCRIBER|SSS|ISG|L2TP|VPDN|DOT11|BRAS)[A-Z0-9]*[-_]/i
/** RouterOS' sentences, for lines that came without topics. */
const SENTENCES = [
  " logged in, ",
  " logged out, ",
  "PPPoE connection established",
  "assigned ",
  "authentication failed",
]
const HEAD = 200

export const tellsOfSubscribers = (topics: readonly string[], message: string, raw: string): boolean => {
  if (topics.some((topic) => TOPICS.has(topic))) return true
  if (message.search(SESSION) >= 0 || HAS_MAC.test(message)) return true
  const head = raw.slice(0, HEAD)
  if (DAEMON.test(head) || FACILITY.test(message.slice(0, HEAD))) return true
  return SENTENCES.some((sentence) => message.includes(sentence))
}

/** The line with only known words, and its user under the name that `naming` gives. */
export const withholdLine = (message: string, naming: Naming): string => {
  const user = userSpan(message)
  const kept =
    user === null
      ? words(message, naming)
      : [
          ...words(message.slice(0, user.from), naming),
          naming(message.slice(user.from, user.to)),
          ...words(message.slice(user.to), naming),
        ]
  return kept.filter((word, index) => word !== WITHHELD || kept[index - 1] !== WITHHELD).join(" ")
}

/** Session interfaces and MACs anywhere in a text that is no line of a subscriber's: a trap, a comment, a neighbour's port. */
export const withholdIn = (text: string, naming: Naming): string =>
  text
    .replace(SESSION, (_, service: string, user: string) => `<${service}-${naming(user)}>`)
    .replace(MAC, (mac) => naming(mac.toLowerCase()))

/** Where the user's own words stand, which may hold spaces. Null = nowhere that we know. */
const userSpan = (message: string): { readonly from: number; readonly to: number } | null => {
  for (const verb of [" logged in, ", " logged out, "]) {
    const at = message.lastIndexOf(verb)
    if (at > 0) return { from: 0, to: at }
  }
  const failed = message.indexOf(" authentication failed")
  const user = message.indexOf("user ")
  return user >= 0 && failed > user + 5 ? { from: user + 5, to: failed } : null
}

/** Sessions first, because a user's name may hold spaces; then word by word. */
const words = (text: string, naming: Naming): string[] => {
  const kept: string[] = []
  let from = 0
  for (const found of text.matchAll(SESSION)) {
    kept.push(...plainWords(text.slice(from, found.index), naming))
    from = found.index + found[0].length
    const colon = text[from] === ":" ? ":" : ""
    from += colon.length
    kept.push(`<${found[1]}-${naming(found[2]!)}>${colon}`)
  }
  return [...kept, ...plainWords(text.slice(from), naming)]
}

/** A line has at most 8 KiB; what comes behind this many words is left out. */
const WORDS_MAX = 512

const plainWords = (text: string, naming: Naming): string[] =>
  text
    .split(" ", WORDS_MAX)
    .filter((word) => word !== "")
    .map((word) => wordOf(word, naming))

const wordOf = (word: string, naming: Naming): string => {
  const [from, to] = bareSpan(word)
  const bare = word.slice(from, to)
  if (bare === "" || KNOWN.has(bare.toLowerCase()) || OWN_CLIENT.test(bare) || MNEMONIC.test(bare)) return word
  // `MAC@wlan1` says where, too: only the MAC is worth a name.
  const mac = HAS_MAC.exec(bare)?.[0] ?? null
  if (mac === null && isIP(bare) === 0) return WITHHELD
  return word.slice(0, from) + naming(mac?.toLowerCase() ?? bare) + word.slice(to)
}

const MNEMONIC = /^%[A-Z0-9_]{1,32}-\d-[A-Z0-9_]{1,32}$/
const MARKS = new Set("()[]{}<>\"',.:;!?")

/** The word without the marks around it. By hand: a pattern for this costs the square of a long word. */
const bareSpan = (word: string): readonly [from: number, to: number] => {
  let [from, to] = [0, word.length]
  while (from < to && MARKS.has(word[from]!)) from++
  while (to > from && MARKS.has(word[to - 1]!)) to--
  return [from, to]
}

/** All that such a line says besides who. Lower case. */
const KNOWN: ReadonlySet<string> = new Set(
  (
    "a account accept accepted access access-accept access-reject accounting ack active address after already an and " +
    "assigned at auth authenticated authenticating authentication authorization bad because been by bytes call cannot " +
    "challenge chap client closed closing code connect connected connecting connection control could deassigned deauth " +
    "deauthenticated denied detected dhcp dhcpack dhcpdiscover dhcpnak dhcpoffer dhcprelease dhcprequest dialing " +
    "disabled disconnect disconnected discover does done down dropped due duplicate during echo encoding enough error " +
    "established exceeded exist expired failed failure for forward framed free from got group handshake has have hotspot " +
    "hung idle ignored in initializing input invalid ip ipcp is key killed l2tp layer lcp lease left lifetime limit link " +
    "local logged login logout lost mac max maximum message mismatch missing more ms-chap ms-chapv2 mschap mschap2 name " +
    "nak negotiated no not of offer ok on only open opened out output ovpn padi pado padr pads padt packet packets pap " +
    "password peer ping pool port ppp pppoe pptp problem profile proto protocol radius received rejected rejoin released remote " +
    "removed renew reply request requested responding response retry router s same sec seconds secret send sent server " +
    "service session sessions setup shutdown signal sstp started state stopped strength succeeded success tcp terminate " +
    "terminated terminating there time timed timeout to too tunnel udp unable unknown up user using via waiting was " +
    "while with wrong - -- : = ..."
  ).split(" "),
)
