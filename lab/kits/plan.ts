/** The reference lab on paper (Markdown), and as the document that `heliograph import` takes. */
import type { ReferenceLab } from "#lab/kits/reference.ts"
import type { KitSecrets } from "#lab/kits/secrets.ts"
import { hostOf, membersOf } from "#lab/kits/reference.ts"
import { MONITOR } from "#lab/kits/rsc.ts"

export const addressingPlan = (lab: ReferenceLab): string => {
  const table = (head: readonly string[], rows: ReadonlyArray<readonly (string | number)[]>): readonly string[] =>
    [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`)
  const routers = lab.nodes.filter(({ loopback }) => loopback !== null)
  const links = lab.networks.filter(({ kind }) => kind === "link")
  const lans = lab.networks.filter(({ kind }) => kind === "lan")
  return [
    `# Addressing plan of ${lab.name}`,
    "",
    `AS ${lab.asn}. Loopbacks 10.255/16, links /31 out of 10.0/16, LANs of POP X 10.10.X/24; OSPF area 0 inside, iBGP through the`,
    "reflector, eBGP to the upstreams. ether1 of every RouterOS is left for management.",
    "",
    "## Nodes",
    "",
    ...table(
      ["node", "role", "POP", "AS", "loopback"],
      routers.map(({ name, role, site, asn, loopback }) => [name, role ?? "", site, asn ?? "", loopback ?? ""]),
    ),
    "",
    "## Links",
    "",
    ...table(
      ["prefix", "A", "port", "address", "B", "port", "address"],
      links.map((link) => [
        link.prefix,
        ...membersOf(lab, link).flatMap(({ node, port }) => [node.name, port.name, hostOf(port.address)]),
      ]),
    ),
    "",
    "## LANs",
    "",
    ...table(
      ["prefix", "name", "members"],
      lans.map((lan) => [
        lan.prefix,
        lan.name,
        membersOf(lab, lan)
          .map(({ node, port }) => `${node.name} ${port.name} ${hostOf(port.address)}`)
          .join(", "),
      ]),
    ),
    "",
    "## BGP sessions",
    "",
    ...table(
      ["kind", "A", "B"],
      lab.sessions.map(({ kind, a, b }) => [kind, `${a.name} (AS ${a.asn})`, `${b.name} (AS ${b.asn})`]),
    ),
    "",
  ].join("\n")
}

/** Routers are reached at their loopbacks. The upstreams are somebody else's: drawn, not polled. */
export const importText = (lab: ReferenceLab, secrets: KitSecrets): string => {
  const devices = lab.nodes
    .filter(({ role }) => role !== null)
    .map(({ name, loopback, site, role, kind }) => ({
      name,
      address: loopback,
      site,
      roles: [role],
      ...(kind === "routeros" ? credentials(secrets) : {}),
    }))
  const names = new Set(devices.map(({ name }) => name))
  const links = lab.networks
    .filter(({ kind }) => kind === "link")
    .map((link) => ({ ends: membersOf(lab, link), capacityBps: link.capacityBps }))
    .filter(({ ends }) => ends.every(({ node }) => names.has(node.name)))
    .map(({ ends, capacityBps }) => {
      const [a, b] = ends.map(({ node, port }) => ({ device: node.name, interface: port.name }))
      return { a, b, capacityBps }
    })
  return `${JSON.stringify({ sites: lab.sites, devices, links }, null, 2)}\n`
}

const credentials = ({ apiPassword, snmpAuthPassword, snmpPrivPassword }: KitSecrets) => ({
  snmp: {
    version: "3",
    user: MONITOR,
    authProtocol: "sha256",
    authPassword: snmpAuthPassword,
    privProtocol: "aes",
    privPassword: snmpPrivPassword,
  },
  routeros: { port: 8729, user: MONITOR, password: apiPassword, tls: true },
})
