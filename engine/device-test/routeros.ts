/**
 * Reads one MikroTik router by its API, once, into the same snapshot as SNMP would give (report.ts). What the router
 * does not have (no OSPF, no health) is left empty; its words become the MIBs' words where they mean the same.
 */
import * as Effect from "effect/Effect"
import { deviceText } from "#engine/collectors/device-text.ts"
import { connectScoped } from "#engine/collectors/routeros/client.ts"
import type { RouterOsError, RouterOsSession } from "#engine/collectors/routeros/session.ts"
import type { Row } from "#engine/collectors/routeros/reply.ts"
import { protocolOf } from "#engine/collectors/routeros/surroundings.ts"
import { parseCount, parseDecimal, parseDuration, parseFlag, parseMajor } from "#engine/collectors/routeros/values.ts"
import type { Sentence } from "#engine/collectors/routeros/words.ts"
import type { RouterOsCredential } from "#engine/collectors/target.ts"
import { BGP_PEER_STATE, OSPF_NBR_STATE } from "#engine/device-test/enumerations.ts"
import { NO_FACTS } from "#engine/device-test/report.ts"
import type { Address, Adjacency, Interface, Sensor, Session, Snapshot } from "#engine/device-test/report.ts"
import type { Asked } from "#engine/device-test/snmp.ts"

/** Of the time that is left, for each command: the next one must have some too. */
const SHARE = 0.8
/** Policies that a user who only looks should not have. */
const EXCESS_POLICIES = ["write", "policy", "sensitive", "reboot"]

/** `address` is an IP literal. Always settles, soon after `deadlineMs` at the latest. */
export const askRouterOs = async (
  address: string,
  credential: RouterOsCredential,
  deadlineMs: number,
): Promise<Asked> => {
  const untilMs = performance.now() + deadlineMs
  const program = Effect.gen(function* () {
    const session = yield* connectScoped({ address, credential, deadlineMs })
    const snapshot = yield* readSnapshot(session, credential, untilMs)
    const pin = session.fingerprint === null ? "" : `, certificate ${session.fingerprint}`
    const how = credential.tls ? "TLS" : "no encryption"
    return { snapshot, detail: `answers (${how}, TCP port ${credential.port}${pin})` }
  })
  const failed = (error: RouterOsError): Asked => ({ failed: redact(whyNot(error), credential) })
  return Effect.runPromise(
    Effect.scoped(program).pipe(Effect.catch((error) => Effect.sync((): Asked => failed(error)))),
  )
}

const whyNot = (error: RouterOsError): string => {
  switch (error._tag) {
    case "RouterOsTimeout":
      return `no answer to ${error.command} within ${error.deadlineMs} ms; check the port and the service's allowed addresses`
    case "RouterOsTrap":
      return deviceText(`${error.command}: ${error.detail}`)
    case "RouterOsAuthFailed":
      return deviceText(`${error.detail}; check user and password, and that the user's group may use the API`)
    default:
      return deviceText(error.detail)
  }
}

/** A device's own words may repeat what it was sent. */
const redact = (text: string, { password }: RouterOsCredential): string =>
  password === "" ? text : text.replaceAll(password, "***")

const readSnapshot = (
  session: RouterOsSession,
  credential: RouterOsCredential,
  untilMs: number,
): Effect.Effect<Snapshot, RouterOsError> =>
  Effect.gen(function* () {
    const warnings: string[] = []
    const rowsOf = (...words: Sentence): Effect.Effect<readonly Row[], RouterOsError> =>
      Effect.suspend(() => {
        const left = Math.max(1, Math.floor((untilMs - performance.now()) * SHARE))
        const without = (why: string) =>
          Effect.sync((): readonly Row[] => {
            warnings.push(`${words[0] ?? ""} by the API: ${why}`)
            return []
          })
        return Effect.map(session.command(words, left), ({ rows }) => rows).pipe(
          Effect.catchTags({
            // The router has no such menu: said nothing about it, like SNMP of a table that is not there.
            RouterOsTrap: () => Effect.succeed([] as readonly Row[]),
            RouterOsTimeout: () => without("no answer in time"),
          }),
        )
      })
    const resource = (yield* rowsOf("/system/resource/print"))[0] ?? new Map<string, string>()
    const bgpMenu = parseMajor(resource.get("version")) === 6 ? "/routing/bgp/peer/print" : "/routing/bgp/session/print"
    const rows = yield* Effect.all(
      {
        identity: rowsOf("/system/identity/print"),
        interfaces: rowsOf("/interface/print", "=stats=detail"),
        addresses: rowsOf("/ip/address/print"),
        ospf: rowsOf("/routing/ospf/neighbor/print"),
        bgp: rowsOf(bgpMenu),
        neighbors: rowsOf("/ip/neighbor/print"),
        health: rowsOf("/system/health/print"),
        users: rowsOf("/user/print", "=.proplist=name,group", `?name=${credential.user}`),
        groups: rowsOf("/user/group/print", "=.proplist=name,policy"),
      },
      { concurrency: "unbounded" },
    )
    const excess = excessPolicies(rows.users, rows.groups, credential.user)
    if (excess.length > 0)
      warnings.push(
        `the API user may also ${excess.join(", ")}; monitoring needs only read and api: give it a group of its own`,
      )
    if (!credential.tls) warnings.push("the API was asked without TLS: the password crossed the network in clear")
    const text = (row: Row | undefined, name: string): string | null => deviceText(row?.get(name) ?? "") || null
    const version = text(resource, "version")?.split(" ", 1)[0]
    return {
      device: {
        ...NO_FACTS,
        sysName: text(rows.identity[0], "name"),
        vendor: "MikroTik",
        model: text(resource, "board-name"),
        osVersion: version === undefined ? null : `RouterOS ${version}`,
        uptimeSeconds: parseDuration(resource.get("uptime") ?? ""),
      },
      interfaces: rows.interfaces.map(interfaceOf),
      addresses: rows.addresses.flatMap(addressOf),
      adjacencies: [...rows.ospf.map(ospfOf), ...rows.neighbors.map(neighborOf)],
      sessions: rows.bgp.flatMap(bgpOf),
      sensors: sensorsOf(rows.health),
      warnings,
    }
  })

const excessPolicies = (users: readonly Row[], groups: readonly Row[], user: string): readonly string[] => {
  const group = users.find((row) => row.get("name") === user)?.get("group")
  const policy = groups.find((row) => row.get("name") === group)?.get("policy") ?? ""
  return policy.split(",").filter((one) => EXCESS_POLICIES.includes(one))
}

// --- rows

/** IANAifType words of RouterOS' interface types; the others keep RouterOS' own. */
const IF_TYPES: Readonly<Record<string, string>> = {
  ether: "ethernetCsmacd",
  vlan: "l2vlan",
  bridge: "bridge",
  loopback: "softwareLoopback",
  bond: "ieee8023adLag",
  wlan: "ieee80211",
  wifi: "ieee80211",
  "pppoe-out": "ppp",
  "pppoe-in": "ppp",
  "gre-tunnel": "tunnel",
  "ipip-tunnel": "tunnel",
  eoip: "tunnel",
}

const said = (row: Row, name: string): string | null => deviceText(row.get(name) ?? "") || null

/** Exact digits of a counter. */
const counter = (row: Row, name: string): string | null => {
  const digits = row.get(name) ?? ""
  return /^\d{1,20}$/.test(digits) ? BigInt(digits).toString() : null
}

const interfaceOf = (row: Row): Interface => {
  const disabled = parseFlag(row.get("disabled"))
  const running = parseFlag(row.get("running"))
  const type = said(row, "type")
  const name = said(row, "name")
  return {
    ifIndex: null,
    ifName: name,
    ifDescr: name,
    ifAlias: said(row, "comment") ?? "",
    ifType: type === null ? null : Object.hasOwn(IF_TYPES, type) ? (IF_TYPES[type] as string) : type,
    ifMtu: parseCount(row.get("actual-mtu") ?? row.get("mtu")),
    ifPhysAddress: said(row, "mac-address")?.toLowerCase() ?? null,
    ifAdminStatus: disabled === null ? null : disabled ? "down" : "up",
    ifOperStatus: running === null ? null : running && disabled !== true ? "up" : "down",
    ifLastChange: null,
    ifHighSpeed: null,
    ifSpeed: null,
    ifHCInOctets: counter(row, "rx-byte"),
    ifHCOutOctets: counter(row, "tx-byte"),
    // rx-packet counts broadcast and multicast too: none of the three columns is that.
    ifHCInUcastPkts: null,
    ifHCInMulticastPkts: null,
    ifHCInBroadcastPkts: null,
    ifHCOutUcastPkts: null,
    ifHCOutMulticastPkts: null,
    ifHCOutBroadcastPkts: null,
    ifInOctets: null,
    ifOutOctets: null,
    ifInUcastPkts: null,
    ifOutUcastPkts: null,
    ifInErrors: counter(row, "rx-error"),
    ifOutErrors: counter(row, "tx-error"),
    ifInDiscards: counter(row, "rx-drop"),
    ifOutDiscards: counter(row, "tx-drop"),
    ifCounterDiscontinuityTime: null,
  }
}

const addressOf = (row: Row): readonly Address[] => {
  const [address, length] = (said(row, "address") ?? "").split("/")
  if (!address || parseFlag(row.get("disabled")) === true) return []
  return [{ address, prefixLength: parseCount(length), ifIndex: null, interface: said(row, "interface") }]
}

const OSPF_WORDS: Readonly<Record<string, string>> = { "2-way": "twoWay", twoway: "twoWay", exstart: "exchangeStart" }

const ospfOf = (row: Row): Adjacency => {
  const state = (said(row, "state") ?? "").toLowerCase()
  const known = (OSPF_NBR_STATE as readonly string[]).includes(state) ? state : (OSPF_WORDS[state] ?? null)
  return {
    protocol: "ospf",
    ifIndex: null,
    interface: said(row, "interface"),
    address: said(row, "address"),
    routerId: said(row, "router-id"),
    state: known,
    chassisId: null,
    portId: null,
    sysName: null,
    sysDescr: null,
  }
}

/** What the router's own discovery (MNDP, CDP, LLDP together) heard. */
const neighborOf = (row: Row): Adjacency => ({
  protocol: protocolOf(row),
  ifIndex: null,
  interface: said(row, "interface"),
  address: said(row, "address") ?? said(row, "address4"),
  routerId: null,
  state: null,
  chassisId: said(row, "mac-address")?.toLowerCase() ?? null,
  portId: said(row, "interface-name"),
  sysName: said(row, "identity"),
  sysDescr:
    ["platform", "version", "board"]
      .map((name) => said(row, name))
      .filter(Boolean)
      .join(" ") || null,
})

/** v7 only says of a session whether it is established. */
const bgpOf = (row: Row): readonly Session[] => {
  const remote = said(row, "remote.address") ?? said(row, "remote-address")
  if (remote === null) return []
  const state = (said(row, "state") ?? "").toLowerCase()
  const established = parseFlag(row.get("established")) === true
  const known = (BGP_PEER_STATE as readonly string[]).includes(state) ? state : null
  const uptime = parseDuration(row.get("uptime") ?? "")
  return [
    {
      protocol: "bgp",
      remoteAddress: remote.split("@", 1)[0]!.split("/", 1)[0]!,
      remoteAs: parseCount(row.get("remote.as") ?? row.get("remote-as")),
      state: established ? "established" : known,
      adminStatus: parseFlag(row.get("disabled")) === true ? "stop" : "start",
      establishedSeconds: uptime,
      transitions: null,
    },
  ]
}

/** Units of v7's health rows. */
const UNITS: Readonly<Record<string, string>> = { C: "celsius", V: "voltsDC", RPM: "rpm", W: "watts", A: "amperes" }
/** v6 has one row whose names are the sensors. */
const BY_NAME: ReadonlyArray<readonly [RegExp, string]> = [
  [/temperature/, "celsius"],
  [/voltage/, "voltsDC"],
  [/fan\d?-speed/, "rpm"],
  [/power-consumption/, "watts"],
  [/current/, "amperes"],
]

const sensorsOf = (rows: readonly Row[]): readonly Sensor[] =>
  rows.flatMap((row) => {
    const readings: ReadonlyArray<readonly [string | null, string | undefined, string | undefined]> = row.has("value")
      ? [[said(row, "name"), row.get("value"), row.get("type")]]
      : [...row].map(([name, value]) => [deviceText(name), value, undefined])
    return readings.flatMap(([name, value, unit]): readonly Sensor[] => {
      const number = parseDecimal(value)
      if (name === null || number === null) return []
      const type = UNITS[unit ?? ""] ?? BY_NAME.find(([pattern]) => pattern.test(name))?.[1] ?? "status"
      return [{ name, type, value: number, status: null, source: "RouterOS API" }]
    })
  })
