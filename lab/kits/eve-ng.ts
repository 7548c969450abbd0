/**
 * The reference lab as an EVE-NG lab file (.unl): XML of nodes, bridges and start-up configurations. The format has no
 * specification; this follows files that EVE-NG Community wrote. RouterOS' interface id 0 is ether1 and stays free;
 * TOOLS is the cloud `pnet1`, a port of the EVE-NG machine behind which Heliograph stands. Never imported by its authors.
 */
import { createHash } from "node:crypto"
import type { KitNode, ReferenceLab } from "#lab/kits/reference.ts"
import type { KitOptions } from "#lab/kits/rsc.ts"
import { frrConfig, hostCommands } from "#lab/kits/hosts.ts"
import { routerScript } from "#lab/kits/rsc.ts"

/** Attributes of a node by its kind; the image is the folder's name under /opt/unetlab/addons/qemu. */
const TEMPLATES = {
  routeros: { template: "mikrotik", ram: "256", icon: "Router.png", nic: "e1000" },
  frr: { template: "linux", ram: "512", icon: "Router.png", nic: "virtio-net-pci" },
  linux: { template: "linux", ram: "512", icon: "Server.png", nic: "virtio-net-pci" },
} as const

export const eveFiles = (lab: ReferenceLab, options: KitOptions): ReadonlyMap<string, string> => {
  const files = new Map<string, string>([[`${lab.name}.unl`, unl(lab, options)]])
  // Linux nodes have no start-up configuration in EVE-NG: it is typed, or copied, once.
  for (const node of lab.nodes) {
    if (node.kind === "frr") files.set(`${node.name}.frr.conf`, frrConfig(lab, node))
    if (node.name === "TARGETS") files.set(`${node.name}.sh`, `#!/bin/sh\n${hostCommands(lab, node).join("\n")}\n`)
  }
  return files
}

const unl = (lab: ReferenceLab, options: KitOptions): string => {
  // TOOLS is not a node here but the cloud on its LAN.
  const nodes = lab.nodes.filter(({ name }) => name !== "TOOLS")
  const routers = nodes.map((node, nth) => ({ node, id: nth + 1 })).filter(({ node }) => node.kind === "routeros")
  const tools = lab.nodes.find(({ name }) => name === "TOOLS")!.ports[0]!.network
  return [
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>',
    `<lab${attributes({ name: lab.name, id: uuid(lab.name), version: "1", scripttimeout: "300", lock: "0", author: "Heliograph" })}>`,
    "  <topology>",
    "    <nodes>",
    ...nodes.flatMap((node, nth) => nodeElement(lab, node, nth + 1, options)),
    "    </nodes>",
    "    <networks>",
    ...lab.networks.map((network, nth) => {
      const type = network === tools ? "pnet1" : "bridge"
      const visibility = network.kind === "lan" ? "1" : "0"
      const place = { left: String(80 + 150 * (nth % 6)), top: String(560 + 80 * Math.floor(nth / 6)) }
      return `      <network${attributes({ id: String(nth + 1), type, name: network.name, ...place, visibility })}/>`
    }),
    "    </networks>",
    "  </topology>",
    "  <objects>",
    "    <configs>",
    ...routers.map(({ node, id }) => {
      const script = Buffer.from(routerScript(lab, node, options)).toString("base64")
      return `      <config id="${id}">${script}</config>`
    }),
    "    </configs>",
    "  </objects>",
    "</lab>",
    "",
  ].join("\n")
}

const nodeElement = (lab: ReferenceLab, node: KitNode, id: number, { dialect }: KitOptions): readonly string[] => {
  const { template, ram, icon, nic } = TEMPLATES[node.kind]
  const image = node.kind === "routeros" ? `mikrotik-${dialect}` : node.kind === "frr" ? "linux-frr" : "linux-tools"
  const first = node.kind === "routeros" ? 1 : 0
  const place = { left: String(80 + 200 * ((id - 1) % 4)), top: String(60 + 130 * Math.floor((id - 1) / 4)) }
  const head = {
    id: String(id),
    name: node.name,
    type: "qemu",
    template,
    image,
    console: "telnet",
    cpu: "1",
    cpulimit: "0",
    ram,
    // Ports before the first one used are there as well.
    ethernet: String(node.ports.length + first),
    uuid: uuid(`${lab.name} ${node.name}`),
    qemu_nic: nic,
    delay: "0",
    icon,
    config: node.kind === "routeros" ? "1" : "0",
    ...place,
  }
  const interfaces = node.ports.map((port, nth) => {
    const wire = {
      id: String(nth + first),
      name: port.name,
      type: "ethernet",
      network_id: String(lab.networks.indexOf(port.network) + 1),
    }
    return `        <interface${attributes(wire)}/>`
  })
  return [`      <node${attributes(head)}>`, ...interfaces, "      </node>"]
}

const attributes = (all: Readonly<Record<string, string>>): string =>
  Object.entries(all)
    .map(([name, value]) => ` ${name}="${escaped(value)}"`)
    .join("")

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")

/** The same name gives the same id: a lab that is generated again replaces itself. Shaped as a version 8 UUID (RFC 9562). */
const uuid = (name: string): string => {
  const hex = createHash("sha256").update(name).digest("hex")
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
