/** Asks an agent in the tests: builds requests and takes answers apart with the lab's BER, without sockets. */
import assert from "node:assert/strict"
import { generate } from "#lab/isp/generate.ts"
import type { Isp, Router, SnmpV3 } from "#lab/isp/model.ts"
import { Network } from "#lab/isp/network.ts"
import { SnmpAgent } from "#lab/snmp/agent.ts"
import { Reader, TAG, Writer } from "#lab/snmp/ber.ts"
import type { Oid } from "#lab/snmp/ber.ts"
import { parseOid } from "#lab/snmp/mib.ts"

export const START = Date.UTC(2026, 0, 2, 0, 0, 0)
export const COMMUNITY = "aurora-demo"

export interface Bench {
  readonly isp: Isp
  readonly network: Network
  readonly router: Router
  readonly agent: SnmpAgent
}

/** An agent of the wanted kind in an ISP of 40; its credential is replaced when one is given. */
export const benchOf = (
  wanted: (router: Router) => boolean,
  snmp: Router["snmp"] = { version: "2c", community: COMMUNITY },
): Bench => {
  const drawn = generate({ routers: 40, seed: 4 })
  const isp: Isp = { ...drawn, routers: drawn.routers.map((router) => ({ ...router, snmp })) }
  const network = new Network(isp, START)
  const router = isp.routers.find(wanted)!
  return { isp, network, router, agent: new SnmpAgent(network, router.index) }
}

export interface Varbind {
  readonly oid: string
  readonly tag: number
  readonly value: Buffer
}
export interface Answer {
  readonly requestId: number
  readonly errorStatus: number
  readonly errorIndex: number
  readonly varbinds: readonly Varbind[]
}

export const requestBytes = (
  type: number,
  oids: readonly (string | Oid)[],
  first = 0,
  second = 0,
  requestId = 42,
): Buffer => {
  const out = new Writer(65_000)
  const message = out.open(TAG.sequence)
  out.integer(1)
  out.text(COMMUNITY)
  const pdu = out.open(type)
  out.integer(requestId)
  out.integer(first)
  out.integer(second)
  const list = out.open(TAG.sequence)
  for (const oid of oids) {
    const varbind = out.open(TAG.sequence)
    out.oid(typeof oid === "string" ? parseOid(oid) : oid)
    out.empty(TAG.null)
    out.close(varbind)
  }
  out.close(list)
  out.close(pdu)
  out.close(message)
  return out.take()
}

export const parseAnswer = (bytes: Buffer): Answer => {
  const message = new Reader(bytes).into(TAG.sequence)
  assert.equal(message.integer(), 1)
  assert.equal(message.octets().toString(), COMMUNITY)
  const pdu = message.into(0xa2)
  const [requestId, errorStatus, errorIndex] = [pdu.integer(), pdu.integer(), pdu.integer()]
  const list = pdu.into(TAG.sequence)
  const varbinds: Varbind[] = []
  while (!list.done) {
    const varbind = list.into(TAG.sequence)
    const oid = varbind.oid().join(".")
    const tag = varbind.peek()
    const inner = varbind.into(tag)
    assert.ok(varbind.done)
    varbinds.push({ oid, tag, value: inner.bytes.subarray(inner.at, inner.end) })
  }
  assert.ok(pdu.done && message.done)
  return { requestId, errorStatus, errorIndex, varbinds }
}

/** The answer, which must be there. */
export const ask = ({ agent }: Bench, type: number, oids: readonly string[], first = 0, second = 0): Answer => {
  const bytes = agent.answer(requestBytes(type, oids, first, second))
  assert.ok(bytes !== null)
  return parseAnswer(Buffer.from(bytes))
}

export const numberOf = ({ value }: Varbind): number => Number(BigInt(`0x${value.toString("hex")}`))

export const v3User = (authProtocol: SnmpV3["authProtocol"], privProtocol: SnmpV3["privProtocol"]): SnmpV3 => ({
  version: "3",
  user: "heliograph",
  authProtocol,
  authPassword: "auth-password-1",
  privProtocol,
  privPassword: "priv-password-1",
})
