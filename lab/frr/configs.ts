/**
 * Configuration files of one router of the real-router lab: FRRouting (zebra, ospfd, bgpd), net-snmp, lldpd, and the
 * script that powers it on inside its namespaces. Pure text from the description in isp.ts, tested without root.
 * Sources: FRR 8.4 user guide, snmpd.conf(5), lldpcli(8); the traps of these versions are named where they bite.
 */
import type { FrrIsp, FrrRouter } from "#lab/frr/isp.ts"
import { bgpPeers, ISP_ASN, MANAGEMENT, portsOf } from "#lab/frr/isp.ts"

/** Made anew at each `up`; nothing in the repository opens a router. */
export interface FrrSecrets {
  readonly community: string
  readonly user: string
  readonly authPassword: string
  readonly privPassword: string
}

export interface FrrReceivers {
  /** ADDRESS:PORT of the engine. */
  readonly trap: string
  readonly syslog: string
}

export interface ConfigOptions {
  readonly isp: FrrIsp
  readonly secrets: FrrSecrets
  readonly receivers: FrrReceivers
  /** Directory of this router on the host; it holds the files and the sockets. */
  readonly directory: string
  /** True: the router loses power when its standard input closes, so that it never outlives the process that owns it. */
  readonly isTied: boolean
}

/** Seconds. Short, so that faults show within a test; a production network would use 10/40 and 60/180. */
export const TIMERS = { ospfHello: 1, ospfDead: 4, bgpKeepalive: 3, bgpHold: 9, bgpConnect: 5, lldp: 2 } as const

/** Contents by file name. */
export const configFiles = (router: FrrRouter, options: ConfigOptions): Readonly<Record<string, string>> => ({
  "zebra.conf": zebraConf(router, options),
  ...(isInIsp(router) ? { "ospfd.conf": ospfdConf(router, options) } : {}),
  "bgpd.conf": bgpdConf(router, options),
  "frr.conf": `agentXSocket ${agentx(options)}\n`,
  "snmpd.conf": snmpdConf(router, options),
  "lldpd.conf": lldpdConf(router),
  "power-on.sh": powerOn(router, options),
})

const isInIsp = (router: FrrRouter): boolean => router.asn === ISP_ASN

const lines = (...parts: ReadonlyArray<string | readonly string[]>): string => `${parts.flat().join("\n")}\n`

const agentx = ({ directory }: ConfigOptions): string => `unix:${directory}/agentx`

/**
 * RFC 5424 to a Unix socket, which socat forwards (FRR has no remote syslog of its own). FRR 8.4 refuses a `format` word
 * here, and its staticd crashes on this block, hence no staticd in this lab.
 */
const frrLog = (daemon: string, { directory }: ConfigOptions): readonly string[] => [
  `log extended ${daemon}`,
  ` destination unix ${directory}/log`,
  " priority informational",
  "exit",
]

const zebraConf = (router: FrrRouter, options: ConfigOptions): string =>
  lines(
    `hostname ${router.name}`,
    frrLog("zebra", options),
    // With kernel nexthop objects, zebra 8.4 may refer to one that went with a dark port: the route is then rejected for
    // ever (`O>r`) and the router is a black hole. Seen here after the third power failure in a row.
    "no zebra nexthop kernel enable",
    ["interface lo", ` ip address ${router.loopback}/32`, "exit"],
    portsOf(options.isp, router.name).flatMap(({ own, far }) => [
      `interface ${own.interface}`,
      ` description to ${far.router} ${far.interface}`,
      ` ip address ${own.address}/30`,
      "exit",
    ]),
  )

const ospfdConf = (router: FrrRouter, options: ConfigOptions): string =>
  lines(
    `hostname ${router.name}`,
    "agentx",
    frrLog("ospfd", options),
    portsOf(options.isp, router.name).flatMap(({ link, own }) =>
      link.cost === null
        ? []
        : [
            `interface ${own.interface}`,
            " ip ospf network point-to-point",
            ` ip ospf hello-interval ${TIMERS.ospfHello}`,
            ` ip ospf dead-interval ${TIMERS.ospfDead}`,
            ` ip ospf cost ${link.cost}`,
            " ip ospf area 0",
            "exit",
          ],
    ),
    ["interface lo", " ip ospf area 0", "exit"],
    [
      "router ospf",
      ` ospf router-id ${router.loopback}`,
      " log-adjacency-changes detail",
      " passive-interface lo",
      "exit",
    ],
  )

const bgpdConf = (router: FrrRouter, options: ConfigOptions): string => {
  const peers = bgpPeers(options.isp, router.name)
  const isInternal = (asn: number): boolean => asn === router.asn
  return lines(
    `hostname ${router.name}`,
    "agentx",
    frrLog("bgpd", options),
    `router bgp ${router.asn}`,
    ` bgp router-id ${router.loopback}`,
    " bgp log-neighbor-changes",
    " no bgp ebgp-requires-policy",
    // Announced prefixes stand for networks behind the router; there is no route to check them against.
    " no bgp network import-check",
    ` timers bgp ${TIMERS.bgpKeepalive} ${TIMERS.bgpHold}`,
    peers.flatMap(({ remote, remoteAddress, remoteAsn }) => [
      ` neighbor ${remoteAddress} remote-as ${remoteAsn}`,
      ` neighbor ${remoteAddress} description ${remote}`,
      ` neighbor ${remoteAddress} timers connect ${TIMERS.bgpConnect}`,
      ...(isInternal(remoteAsn) ? [` neighbor ${remoteAddress} update-source ${router.loopback}`] : []),
    ]),
    " address-family ipv4 unicast",
    router.prefixes.map((prefix) => `  network ${prefix}`),
    peers.flatMap(({ remote, remoteAddress, remoteAsn }) => {
      if (!isInternal(remoteAsn)) return isInIsp(router) ? [] : [`  neighbor ${remoteAddress} default-originate`]
      const far = options.isp.routers.find(({ name }) => name === remote)
      return [
        `  neighbor ${remoteAddress} next-hop-self`,
        ...(router.isReflector && far?.isReflector === false
          ? [`  neighbor ${remoteAddress} route-reflector-client`]
          : []),
      ]
    }),
    [" exit-address-family", "exit"],
  )
}

/**
 * Debian ships no MIB files, so every object is a number. `monitor -r 1` looks at ifOperStatus each second (net-snmp's
 * own linkUpDownNotifications wait for 60 s); the same walk tells up from down.
 */
const snmpdConf = (router: FrrRouter, options: ConfigOptions): string => {
  const { secrets, receivers, isp } = options
  const site = isp.sites.find(({ id }) => id === router.site)
  const sink =
    router.snmp === "3"
      ? `trapsess -v 3 -u ${secrets.user} -a SHA-256 -A ${secrets.authPassword} -x AES -X ${secrets.privPassword} -l authPriv ${receivers.trap}`
      : `trapsess -v 2c -c ${secrets.community} ${receivers.trap}`
  return lines(
    `agentAddress udp:${router.management}:161`,
    "master agentx",
    `agentXSocket ${agentx(options)}`,
    "agentXPerms 0777 0777",
    `sysName ${router.name}`,
    `sysLocation ${site?.name ?? router.site}`,
    "sysContact noc@example.net",
    router.snmp === "3"
      ? [
          `createUser ${secrets.user} SHA-256 "${secrets.authPassword}" AES "${secrets.privPassword}"`,
          `rouser ${secrets.user} authPriv`,
        ]
      : [`rocommunity ${secrets.community} ${MANAGEMENT.host}`],
    // The monitors read the agent's own tables as this local user.
    ["createUser monitor", "rouser monitor noauth", "agentSecName monitor"],
    sink,
    // Cold starts and refused questions are told too.
    "authtrapenable 1",
    "notificationEvent linkUpTrap .1.3.6.1.6.3.1.1.5.4 .1.3.6.1.2.1.2.2.1.1 .1.3.6.1.2.1.2.2.1.7 .1.3.6.1.2.1.2.2.1.8",
    "notificationEvent linkDownTrap .1.3.6.1.6.3.1.1.5.3 .1.3.6.1.2.1.2.2.1.1 .1.3.6.1.2.1.2.2.1.7 .1.3.6.1.2.1.2.2.1.8",
    'monitor -r 1 -e linkUpTrap "linkUp" .1.3.6.1.2.1.2.2.1.8 != 2',
    'monitor -r 1 -e linkDownTrap "linkDown" .1.3.6.1.2.1.2.2.1.8 == 2',
  )
}

/** The name is said outright: lldpd else looks it up, and no resolver knows it. */
const lldpdConf = (router: FrrRouter): string =>
  lines(
    `configure system hostname ${router.name}`,
    `configure lldp tx-interval ${TIMERS.lldp}`,
    "configure lldp portidsubtype ifname",
    "configure system interface pattern eth*",
  )

/**
 * Runs as process 1 of the router's own PID namespace: when it ends, everything does. /run and /var/tmp are the router's
 * own memory; only SNMP's engine id and boots outlive a loss of power, as on a real router.
 */
const powerOn = (router: FrrRouter, options: ConfigOptions): string => {
  const { directory, receivers, isTied } = options
  const daemon = (name: string, more = ""): string =>
    `/usr/lib/frr/${name} -d -u frr -g frr -A 127.0.0.1 -P 0 ${more}-f ${directory}/${name}.conf`
  return lines(
    "#!/bin/bash",
    "set -e",
    `hostname ${router.name}`,
    "mount -t tmpfs -o mode=755 tmpfs /run",
    "mount -t tmpfs -o mode=1777 tmpfs /var/tmp",
    "mkdir -p /run/lldpd /run/frr /var/tmp/frr",
    "chown frr:frr /run/frr /var/tmp/frr",
    "echo 1 > /proc/sys/net/ipv4/ip_forward",
    "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6 2>/dev/null || true",
    `export SNMPCONFPATH=${directory} SNMP_PERSISTENT_DIR=${directory}/snmp MIBS=`,
    `rm -f ${directory}/agentx ${directory}/log`,
    `socat -u UNIX-RECV:${directory}/log,mode=0666 UDP-SENDTO:${receivers.syslog} &`,
    `until [ -S ${directory}/log ]; do sleep 0.02; done`,
    `/usr/sbin/snmpd -f -Lf /dev/null -C -c ${directory}/snmpd.conf &`,
    `until [ -S ${directory}/agentx ]; do sleep 0.02; done`,
    daemon("zebra"),
    isInIsp(router) ? [daemon("ospfd", "-M snmp ")] : [],
    daemon("bgpd", "-M snmp "),
    `/usr/sbin/lldpd -d -x -X ${directory}/agentx -O ${directory}/lldpd.conf &`,
    isTied ? "cat > /dev/null" : "wait",
  )
}
