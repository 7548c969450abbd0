/**
 * What is no RouterOS in the reference lab: the upstreams (FRRouting, one default route and one prefix each) and two
 * plain Linux hosts, TOOLS (where Heliograph is, or the way to it) and TARGETS (what probes reach for on the Internet).
 */
import type { KitNode, ReferenceLab } from "#lab/kits/reference.ts"
import { farEnd, hostOf } from "#lab/kits/reference.ts"

/** frr.conf of an upstream (docs.frrouting.org, BGP). */
export const frrConfig = (lab: ReferenceLab, node: KitNode): string => {
  const neighbours = node.ports
    .filter(({ network }) => network.kind === "link")
    .map((port) => farEnd(lab, node, port))
    .map(({ node: far, port }) => ({ address: hostOf(port.address), asn: far.asn! }))
  const lans = node.ports.filter(({ network }) => network.kind === "lan").map(({ network }) => network.prefix)
  return [
    "frr defaults traditional",
    `hostname ${node.name}`,
    "!",
    "interface lo",
    ` ip address ${node.loopback}/32`,
    "!",
    ...node.ports.flatMap(({ name, address }) => [`interface ${name}`, ` ip address ${address}`, "!"]),
    `router bgp ${node.asn}`,
    ` bgp router-id ${node.loopback}`,
    " no bgp ebgp-requires-policy",
    ...neighbours.map(({ address, asn }) => ` neighbor ${address} remote-as ${asn}`),
    " address-family ipv4 unicast",
    ...lans.map((prefix) => `  network ${prefix}`),
    ...neighbours.map(({ address }) => `  neighbor ${address} default-originate`),
    " exit-address-family",
    "!",
    "",
  ].join("\n")
}

/** /etc/frr/daemons: BGP, and no more than it needs. */
export const FRR_DAEMONS = `bgpd=yes
ospfd=no
vtysh_enable=yes
zebra_options="  -A 127.0.0.1"
bgpd_options="   -A 127.0.0.1"
`

/** Commands that a Linux host runs as root when its ports are there. */
export const hostCommands = (lab: ReferenceLab, node: KitNode): readonly string[] => {
  const gateways = node.ports.map(({ network }) => {
    const router = lab.nodes.find((one) => one.kind !== "linux" && one.ports.some((port) => port.network === network))!
    return hostOf(router.ports.find((port) => port.network === network)!.address)
  })
  const addresses = node.ports.map(({ name, address }) => `ip address add ${address} dev ${name}`)
  const ups = node.ports.map(({ name }) => `ip link set ${name} up`)
  // One port: the way into the lab. Several: each address answers by the way on which it was asked.
  const routes =
    node.ports.length === 1
      ? [
          "sysctl -w net.ipv4.ip_forward=1",
          ...LAB_PREFIXES.map((prefix) => `ip route add ${prefix} via ${gateways[0]}`),
        ]
      : node.ports.flatMap(({ address }, nth) => [
          `ip route add ${LAB_PREFIXES[1]} via ${gateways[nth]} metric ${10 * (nth + 1)}`,
          `ip route add default via ${gateways[nth]} table ${100 + nth}`,
          `ip rule add from ${hostOf(address)} table ${100 + nth}`,
        ])
  return [...addresses, ...ups, ...routes]
}

/** Everything inside the lab: links and loopbacks, LANs, and what stands for the Internet. */
export const LAB_PREFIXES = [
  "10.255.0.0/16",
  "10.10.0.0/16",
  "10.0.1.0/24",
  "198.51.100.0/24",
  "203.0.113.0/24",
] as const
