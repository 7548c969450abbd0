/**
 * Reads RouterOS scripts as far as the kit writes them: comments, `:delay`, and one command a line of menu, verb,
 * selector and properties. It knows the menus and their properties from MikroTik's documentation (help.mikrotik.com and
 * manual.mikrotik.com, CLI reference), so that a misspelt property is found without a router.
 */

export interface RscCommand {
  readonly line: number
  readonly menu: string
  readonly verb: string
  /** Words without `=`: flags, and what `set` and `sign` are about. */
  readonly words: readonly string[]
  readonly properties: ReadonlyMap<string, string>
}

const KNOWN: Readonly<Record<string, string>> = {
  "/system/identity": "name",
  "/interface/ethernet": "comment",
  "/interface/bridge": "name protocol-mode",
  "/ip/address": "address network interface",
  "/ip/route": "dst-address gateway comment",
  "/ip/firewall/address-list": "list address",
  "/ip/pool": "name ranges",
  "/ip/service": "certificate address disabled",
  "/routing/ospf/instance": "name version router-id redistribute",
  "/routing/ospf/area": "name instance area-id",
  "/routing/ospf/interface-template": "area interfaces type passive",
  "/routing/bgp/instance": "name as router-id",
  "/routing/bgp/template": "as router-id",
  "/routing/bgp/connection":
    "name instance templates remote.as remote.address local.address local.role nexthop-choice output.network",
  "/ppp/profile": "name local-address remote-address",
  "/ppp/secret": "name password service profile",
  "/interface/pppoe-server/server": "service-name interface default-profile disabled",
  "/certificate": "name common-name days-valid key-usage",
  "/user": "name group password address",
  "/user/group": "name policy",
  "/snmp": "enabled src-address trap-version trap-community trap-target trap-generators trap-interfaces",
  "/snmp/community":
    "name addresses security read-access write-access authentication-protocol authentication-password encryption-protocol encryption-password disabled",
  "/system/logging": "topics action",
  "/system/logging/action": "name target remote remote-port src-address",
}
const VERBS = ["add", "set", "sign"]
const FLAGS = ["passive"]

/** Throws an Error that names the line and what is wrong with it. */
export const parseRsc = (text: string): readonly RscCommand[] =>
  text.split("\n").flatMap((source, index) => {
    const line = index + 1
    if (source === "" || source.startsWith("#") || /^:delay \d+s$/.test(source)) return []
    const [menu = "", verb = "", ...rest] = wordsOf(source, line)
    const known = KNOWN[menu]?.split(" ")
    if (known === undefined) throw new Error(`line ${line}: unknown menu ${menu}`)
    if (!VERBS.includes(verb)) throw new Error(`line ${line}: unknown verb ${verb}`)
    const words: string[] = []
    const properties = new Map<string, string>()
    for (const word of rest) {
      const equals = word.startsWith("[") ? -1 : word.indexOf("=")
      const name = equals < 0 ? word : word.slice(0, equals)
      if (equals < 0 && !FLAGS.includes(word) && verb === "add") throw new Error(`line ${line}: stray word ${word}`)
      if (equals >= 0 && !known.includes(name)) throw new Error(`line ${line}: ${menu} has no property ${name}`)
      if (equals === word.length - 1) throw new Error(`line ${line}: ${name} has no value`)
      if (properties.has(name)) throw new Error(`line ${line}: ${name} twice`)
      if (equals < 0) words.push(word)
      else properties.set(name, word.slice(equals + 1))
    }
    return [{ line, menu, verb, words, properties }]
  })

/** Words at spaces outside quotes and brackets; quotes are taken off, escapes resolved. */
const wordsOf = (source: string, line: number): readonly string[] => {
  const words: string[] = []
  let word = ""
  let quoted = false
  let depth = 0
  for (let at = 0; at < source.length; at++) {
    const char = source[at]!
    if (char === "\\") {
      const escaped = source[++at]
      if (!quoted || escaped === undefined || !'"\\$?nrt'.includes(escaped)) throw new Error(`line ${line}: bad escape`)
      word += escaped
    } else if (char === '"') quoted = !quoted
    else if (quoted) word += char
    else if (char === "$" || char === ";" || char === "{" || char === "}")
      throw new Error(`line ${line}: ${char} outside quotes`)
    else if (char === " " && depth === 0) {
      if (word === "") throw new Error(`line ${line}: two spaces`)
      words.push(word)
      word = ""
    } else {
      depth += char === "[" ? 1 : char === "]" ? -1 : 0
      if (depth < 0 || depth > 1) throw new Error(`line ${line}: unbalanced brackets`)
      word += char
    }
  }
  if (quoted) throw new Error(`line ${line}: unbalanced quotes`)
  if (depth !== 0) throw new Error(`line ${line}: unbalanced brackets`)
  return [...words, word]
}
