/**
 * A test agent: answers v2c GET, GETNEXT and GETBULK from a table of values, such as a LibreNMS .snmprec recording. It
 * uses our own encoder, but keeps its order of OIDs by text, so that a mistake in compareOid cannot hide in both.
 * `misbehave` lets a test change or replace its answers.
 */
import type { Socket } from "node:dgram"
import { createSocket } from "node:dgram"
import { readFileSync } from "node:fs"
import { once } from "node:events"
import { isIPv6 } from "node:net"
import { decodeMessage, PDU } from "#engine/collectors/snmp/ber.ts"
import type { OutVarbind } from "#engine/collectors/snmp/encode.ts"
import { encodeMessage } from "#engine/collectors/snmp/encode.ts"
import { oid } from "#engine/collectors/snmp/oid.ts"
import type { VarbindValue } from "#engine/collectors/snmp/varbinds.ts"
import { TAG } from "#engine/collectors/snmp/varbinds.ts"

export interface Cell {
  readonly oid: string
  readonly tag: number
  readonly value: VarbindValue
}

export interface AgentRequest {
  readonly type: number
  readonly requestId: number
  readonly nonRepeaters: number
  readonly maxRepetitions: number
  readonly oids: readonly string[]
}

export interface Agent {
  readonly port: number
  readonly address: string
  /** Requests so far, oldest first. */
  readonly requests: readonly AgentRequest[]
  readonly set: (cells: readonly Cell[]) => void
  /** Replaces the answer: bytes to send, one or many, or null for none; undefined = the honest one. */
  misbehave: (request: AgentRequest, honest: Buffer) => Buffer | readonly Buffer[] | null | undefined
  readonly close: () => void
}

/** Largest answer; more is cut for GETBULK and is tooBig for GET, as agents do. */
const MAX_ANSWER_BYTES = 1_400

export const startAgent = async (
  cells: readonly Cell[],
  options: { address?: string; port?: number; community?: string } = {},
): Promise<Agent> => {
  const address = options.address ?? "127.0.0.1"
  const community = Buffer.from(options.community ?? "public")
  const socket: Socket = createSocket({ type: isIPv6(address) ? "udp6" : "udp4", recvBufferSize: 1 << 20 })
  const requests: AgentRequest[] = []
  let table = sorted(cells)
  socket.on("message", (bytes, from) => {
    const message = decodeMessage(bytes)
    if (typeof message === "string" || message.pdu === null || !community.equals(message.community)) return
    const { type, requestId, errorStatus, errorIndex, varbinds } = message.pdu
    const oids = varbinds.all().map((varbind) => varbind.oid)
    const request: AgentRequest = { type, requestId, nonRepeaters: errorStatus, maxRepetitions: errorIndex, oids }
    requests.push(request)
    const honest = answer(table, community, request)
    const sent = agent.misbehave(request, honest)
    const list = sent === null ? [] : sent === undefined ? [honest] : Buffer.isBuffer(sent) ? [sent] : sent
    for (const one of list as readonly Buffer[]) socket.send(one, from.port, from.address)
  })
  socket.bind(options.port ?? 0, address)
  await once(socket, "listening")
  const agent: Agent = {
    port: socket.address().port,
    address,
    requests,
    set: (next) => {
      table = sorted(next)
    },
    misbehave: () => undefined,
    close: () => socket.close(),
  }
  return agent
}

interface Table {
  readonly arcs: readonly (readonly number[])[]
  readonly cells: readonly Cell[]
  readonly exact: ReadonlyMap<string, Cell>
}

const sorted = (cells: readonly Cell[]): Table => {
  const exact = new Map(cells.map((cell) => [cell.oid, cell]))
  const pairs = [...exact.values()].map((cell) => ({ cell, arcs: cell.oid.split(".").map(Number) }))
  pairs.sort((a, b) => compareArcs(a.arcs, b.arcs))
  return { arcs: pairs.map((pair) => pair.arcs), cells: pairs.map((pair) => pair.cell), exact }
}

const compareArcs = (a: readonly number[], b: readonly number[]): number => {
  for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return (a[i] as number) - (b[i] as number)
  return a.length - b.length
}

/** First cell after the OID. */
const after = (table: Table, name: string): Cell | undefined => {
  const arcs = name.split(".").map(Number)
  let [low, high] = [0, table.arcs.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareArcs(table.arcs[middle] as number[], arcs) <= 0) low = middle + 1
    else high = middle
  }
  return table.cells[low]
}

const out = (cell: Cell): OutVarbind => ({ oid: oid(cell.oid), tag: cell.tag, value: cell.value })
const exception = (name: string, tag: number): OutVarbind => ({ oid: oid(name), tag, value: null })

const answer = (table: Table, community: Buffer, request: AgentRequest): Buffer => {
  const reply = (varbinds: readonly OutVarbind[], status = 0): Buffer =>
    encodeMessage(community, PDU.response, request.requestId, status, 0, varbinds)
  if (request.type === PDU.get) {
    const got = request.oids.map((name) => {
      const cell = table.exact.get(name)
      return cell === undefined ? exception(name, TAG.noSuchInstance) : out(cell)
    })
    const bytes = reply(got)
    return bytes.length > MAX_ANSWER_BYTES ? reply([], 1) : bytes
  }
  const isBulk = request.type === PDU.getBulk
  const nonRepeaters = isBulk ? Math.min(request.nonRepeaters, request.oids.length) : request.oids.length
  const repetitions = isBulk ? Math.min(request.maxRepetitions, 200) : 0
  const varbinds: OutVarbind[] = []
  let bytes = 60
  const step = (name: string): string => {
    const cell = after(table, name)
    const varbind = cell === undefined ? exception(name, TAG.endOfMibView) : out(cell)
    varbinds.push(varbind)
    bytes += varbind.oid.length + (varbind.value instanceof Uint8Array ? varbind.value.length : 8) + 8
    return cell?.oid ?? name
  }
  for (const name of request.oids.slice(0, nonRepeaters)) step(name)
  const cursors = request.oids.slice(nonRepeaters)
  for (let cell = 0; cell < repetitions * cursors.length; cell++) {
    const column = cell % cursors.length
    cursors[column] = step(cursors[column] as string)
    if (bytes > MAX_ANSWER_BYTES - 100) break
  }
  return reply(varbinds)
}

/** LibreNMS/snmpsim format: `oid|tag|value`, tag in decimal, `x` = hexadecimal. Lines that are no values are left out. */
export const readRecording = (file: string): Cell[] => {
  const cells: Cell[] = []
  // Latin-1 keeps every byte of the recorded strings.
  for (const line of readFileSync(file, "latin1").split("\n")) {
    const [name = "", kind = "", ...rest] = line.replace(/\r$/, "").split("|")
    const text = rest.join("|")
    const tag = Number.parseInt(kind, 10)
    const value = recordedValue(tag, kind.endsWith("x"), text)
    if (/^\d+(\.\d+)+$/.test(name) && value !== undefined) cells.push({ oid: name, tag, value })
  }
  return cells
}

const recordedValue = (tag: number, isHex: boolean, text: string): VarbindValue | undefined => {
  switch (tag) {
    case TAG.octetString:
    case TAG.opaque:
      return Buffer.from(text, isHex ? "hex" : "latin1")
    case TAG.oid:
      return text.replace(/^\./, "") || "0.0"
    case TAG.ipAddress:
      return isHex ? Buffer.from(text, "hex").join(".") : text
    case TAG.integer:
      return Number.parseInt(text, 10) | 0
    case TAG.counter64:
      return BigInt(text)
    case TAG.counter32:
    case TAG.gauge32:
    case TAG.timeTicks:
      return Number(text) >>> 0
    default:
      return undefined
  }
}
