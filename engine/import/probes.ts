/** The `ping` and `probes` fields of a device in an import document (read.ts, parse.ts). */
import { isIP } from "node:net"
import {
  asNumber,
  join,
  note,
  openObject,
  optional,
  readFlag,
  readNumber,
  readOptionalNumber,
} from "#engine/import/read.ts"
import { readOptionalText, readOptionalWord, readText, required, asWord } from "#engine/import/read.ts"
import type { Fields } from "#engine/import/read.ts"
import {
  DNS_TYPES,
  PROBE_KINDS,
  SERVICE_SECONDS,
  SERVICE_SECONDS_MAX,
  SERVICE_SECONDS_MIN,
} from "#engine/probes/plan.ts"
import type { ServiceProbe } from "#engine/probes/plan.ts"

/** Fields of each; schema.json lists the same. */
export const PROBE_FIELDS = {
  ping: ["intervalSeconds"],
  tcpProbe: ["kind", "port", "intervalSeconds"],
  httpProbe: ["kind", "tls", "port", "path", "host", "status", "intervalSeconds"],
  dnsProbe: ["kind", "port", "name", "type", "intervalSeconds"],
} as const

/** Seconds between pings, 0 = never, undefined = by role. */
export const readPing = (device: Fields): number | undefined => {
  const node = optional(device, "ping")
  if (node === undefined) return undefined
  if (node.type === "boolean") return node.value ? undefined : 0
  const path = join(device.path, "ping")
  if (node.type !== "object") {
    note(device.mistakes, node.at, path, "must be true, false or an object with intervalSeconds")
    return undefined
  }
  const fields = openObject(node, path, PROBE_FIELDS.ping, device.mistakes)
  const interval = fields === null ? undefined : required(fields, "intervalSeconds")
  if (fields === null || interval === undefined) return undefined
  const rules = { min: 1, max: 60, whole: true, unit: "s" }
  return asNumber(interval, join(path, "intervalSeconds"), rules, device.mistakes)
}

/** At most one probe of each kind. */
export const readProbes = (device: Fields): readonly ServiceProbe[] => {
  const node = optional(device, "probes")
  if (node === undefined) return []
  const path = join(device.path, "probes")
  if (node.type !== "array") {
    note(device.mistakes, node.at, path, "must be a list [...]")
    return []
  }
  const probes: ServiceProbe[] = []
  // Each kind once: whatever stands beyond is a mistake, and a long list of it is told shortly.
  for (const [index, item] of node.items.slice(0, 2 * PROBE_KINDS.length).entries()) {
    const at = `${path}[${index}]`
    const kindNode = item.type === "object" ? item.members.get("kind")?.node : undefined
    const kind = kindNode === undefined ? undefined : asWord(kindNode, join(at, "kind"), PROBE_KINDS, device.mistakes)
    if (kindNode === undefined)
      note(device.mistakes, item.at, at, `must be an object {...} with a kind (${PROBE_KINDS.join(", ")})`)
    if (kind === undefined) continue
    const fields = openObject(item, at, PROBE_FIELDS[`${kind}Probe`], device.mistakes)
    const probe = fields === null ? null : READERS[kind](fields)
    if (probe === null) continue
    if (probes.some((other) => other.kind === kind))
      note(device.mistakes, item.at, at, `a device has one ${kind} probe`)
    else probes.push(probe)
  }
  return probes
}

const PORT = { min: 1, max: 65535, whole: true, unit: "" } as const

const intervalOf = (fields: Fields): number =>
  readOptionalNumber(fields, "intervalSeconds", {
    min: SERVICE_SECONDS_MIN,
    max: SERVICE_SECONDS_MAX,
    whole: true,
    unit: "s",
  }) ?? SERVICE_SECONDS

const READERS: Record<ServiceProbe["kind"], (fields: Fields) => ServiceProbe | null> = {
  tcp: (fields) => {
    const port = readNumber(fields, "port", PORT)
    return port === undefined ? null : { kind: "tcp", port, intervalSeconds: intervalOf(fields) }
  },
  http: (fields) => {
    const tls = readFlag(fields, "tls") ?? false
    const port = readOptionalNumber(fields, "port", PORT) ?? (tls ? 443 : 80)
    const path = readOptionalText(fields, "path", { max: 1_000 }) ?? "/"
    const host = readOptionalText(fields, "host", { max: 253 }) ?? null
    const status = readOptionalNumber(fields, "status", { min: 100, max: 599, whole: true, unit: "" }) ?? null
    if (!/^\/[!-~]*$/.test(path)) refuse(fields, "path", "must begin with / and hold no space or accent (write %20)")
    if (host !== null && !isHostName(host)) refuse(fields, "host", "must be a host name like www.example.net")
    return { kind: "http", tls, port, path, host, status, intervalSeconds: intervalOf(fields) }
  },
  dns: (fields) => {
    const port = readOptionalNumber(fields, "port", PORT) ?? 53
    const name = readText(fields, "name", { max: 253 })
    const type = readOptionalWord(fields, "type", DNS_TYPES) ?? "A"
    if (name !== undefined && !isHostName(name)) refuse(fields, "name", "must be a domain name like www.example.net")
    return name === undefined ? null : { kind: "dns", port, name, type, intervalSeconds: intervalOf(fields) }
  },
}

/** Letters, digits, `-` and `_` between dots (RFC 1123, and the underscores that DNS has in practice). */
const isHostName = (text: string): boolean =>
  text.length <= 253 && isIP(text) === 0 && text.replace(/\.$/, "").split(".").every(isLabel)
const isLabel = (label: string): boolean => /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label)

const refuse = (fields: Fields, key: string, message: string): void =>
  note(fields.mistakes, fields.members.get(key)?.node.at ?? fields.at, join(fields.path, key), message)
