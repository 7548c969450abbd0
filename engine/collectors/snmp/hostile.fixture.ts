/**
 * The engine's side of the hostile benchmark, a child process of it: `node hostile.fixture.ts TARGET INPUTS SEED` throws
 * mutated messages at one eater of network bytes and prints one line of JSON (HostileReport). It lives here because a
 * benchmark imports nothing of the engine. Half of what a v3 victim gets is mutated before it is encrypted and signed:
 * an enemy who holds the keys gets past the digest, and that is where a parser meets him.
 */
import dgram from "node:dgram"
import { syncBuiltinESMExports } from "node:module"
import { performance } from "node:perf_hooks"
import process from "node:process"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { deviceId } from "#protocol/id.ts"
import { decodeMessage, decodeScopedPdu, PDU } from "#engine/collectors/snmp/ber.ts"
import { encodeMessage, encodeScopedPdu, encodeV3 } from "#engine/collectors/snmp/encode.ts"
import { admitV2c, admitV3, makeGateCounts } from "#engine/collectors/snmp/gate.ts"
import type { Victim } from "#engine/collectors/snmp/hostile-meter.fixture.ts"
import { throwAll } from "#engine/collectors/snmp/hostile-meter.fixture.ts"
import { mutate } from "#engine/collectors/snmp/mutation.fixture.ts"
import { oid } from "#engine/collectors/snmp/oid.ts"
import type { Receive, UdpPool } from "#engine/collectors/snmp/udp.ts"
import { makeUdpPool } from "#engine/collectors/snmp/udp.ts"
import { makeSealer } from "#engine/collectors/snmp/sealer.fixture.ts"
import { v2cClient } from "#engine/collectors/snmp/v2c.ts"
import { v3Client } from "#engine/collectors/snmp/v3.ts"
import { TAG } from "#engine/collectors/snmp/varbinds.ts"
import type { SnmpV3Credential } from "#engine/collectors/target.ts"
import { makeTrapStats, trapListener } from "#engine/collectors/trap.ts"

const COMMUNITY = Buffer.from("public")
const ENGINE = Buffer.from("8000000001020304", "hex")
const AUTH_PRIV: Required<Omit<SnmpV3Credential, "lenient" | "others">> = {
  version: "3",
  port: 161,
  user: "noc",
  authProtocol: "sha256",
  authPassword: "auth-password-1",
  privProtocol: "aes",
  privPassword: "priv-password-2",
}
const OIDS = [oid("1.3.6.1.2.1.1.5.0"), oid("1.3.6.1.2.1.1.3.0"), oid("1.3.6.1.2.1.31.1.1.1.6.300")]
const VALUES = [
  { oid: OIDS[0] as Uint8Array, tag: TAG.octetString, value: Buffer.from("edge-1.example") },
  { oid: OIDS[1] as Uint8Array, tag: TAG.timeTicks, value: 123_456_789 },
  { oid: OIDS[2] as Uint8Array, tag: TAG.counter64, value: 2n ** 50n },
]
const NOTIFICATION = [
  { oid: oid("1.3.6.1.2.1.1.3.0"), tag: TAG.timeTicks, value: 1_000 },
  { oid: oid("1.3.6.1.6.3.1.1.4.1.0"), tag: TAG.oid, value: "1.3.6.1.6.3.1.1.5.3" },
  { oid: oid("1.3.6.1.2.1.2.2.1.1.7"), tag: TAG.integer, value: 7 },
  { oid: oid("1.3.6.1.2.1.31.1.1.1.1.7"), tag: TAG.octetString, value: Buffer.from("ether7") },
]
const UNKNOWN_ENGINES = [{ oid: oid("1.3.6.1.6.3.15.1.1.4.0"), tag: TAG.counter32, value: 1 }]
const NONE = Buffer.alloc(0)
const HOUR_MS = 3_600_000

const clear = (msgId: number, flags: number, user: string, scoped: Buffer): Buffer =>
  encodeV3({ msgId, flags, engineId: ENGINE, boots: 1, time: 1, user, authParams: NONE, privParams: NONE, scoped })
    .bytes

/** Gate and decoder: every message through both, and every value of what they let pass. */
const decoder = (): Victim => {
  const honest = [
    encodeMessage(COMMUNITY, PDU.response, 9, 0, 0, VALUES),
    encodeMessage(COMMUNITY, PDU.trapV2, 9, 0, 0, VALUES),
    clear(5, 0, "noc", encodeScopedPdu(ENGINE, PDU.response, 9, 0, 0, VALUES)),
    encodeScopedPdu(ENGINE, PDU.response, 9, 0, 0, VALUES),
  ]
  let taken = 0
  let turn = 0
  return {
    next: (dice) => mutate(honest[turn++ % honest.length] as Buffer, dice),
    take: (input) => {
      const lenient = turn % 3 === 0
      const scoped = decodeScopedPdu(input)
      const messages = [
        decodeMessage(input, lenient),
        admitV2c(input, COMMUNITY, lenient),
        admitV3(input, { level: 0, user: "noc", engineId: ENGINE, lenient }),
      ].filter((message) => typeof message !== "string")
      for (const message of messages) message.pdu?.varbinds.all()
      if (typeof scoped !== "string") scoped.varbinds.all()
      if (messages.length > 0 || typeof scoped !== "string") taken++
    },
    taken: () => taken,
    contained: () => 0,
    close: () => undefined,
  }
}

/** A pool without sockets: what is sent is kept, what arrives is injected, and nothing catches for the receiver. */
const fakePool = (): { pool: UdpPool; sent: () => Buffer; receive: () => Receive } => {
  let last: Uint8Array = NONE
  let receiver: Receive = () => false
  const pool: UdpPool = {
    ...makeUdpPool(),
    open: (_address, _port, receive) => {
      receiver = receive
      return { send: (bytes) => (last = bytes), close: () => undefined }
    },
  }
  return { pool, sent: () => Buffer.from(last), receive: () => receiver }
}

const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await Promise.resolve()
}

const v2c = (): Victim => {
  const { pool, sent, receive } = fakePool()
  const counts = makeGateCounts()
  const client = v2cClient({ pool, address: "192.0.2.1", port: 161, community: "public", counts })
  let isAsking = false
  const ask = async (): Promise<void> => {
    isAsking = true
    try {
      ;(await client.get(OIDS, performance.now() + HOUR_MS)).all()
    } catch {
      // A refusal in the answer, or silence: the client's verdict, and the next request follows.
    }
    isAsking = false
  }
  return {
    next: (dice) => {
      if (!isAsking) void ask()
      const request = decodeMessage(sent())
      const id = typeof request === "string" ? 0 : (request.pdu?.requestId ?? 0)
      return mutate(encodeMessage(COMMUNITY, PDU.response, id, 0, 0, VALUES), dice)
    },
    take: async (input) => {
      receive()(input)
      await turns(4)
    },
    taken: () => counts.accepted,
    contained: () => 0,
    close: client.close,
  }
}

/** Inputs that one v3 request gets before its deadline "comes". */
const PATIENCE = 30

const v3 = async (): Promise<Victim> => {
  const { pool, sent, receive } = fakePool()
  const counts = makeGateCounts()
  const sealer = await makeSealer(AUTH_PRIV, ENGINE)
  const client = v3Client({ pool, address: "192.0.2.1", port: 161, credential: AUTH_PRIV, counts })
  let isAsking = false
  let answered = 0
  let patience = PATIENCE
  const ask = async (): Promise<void> => {
    isAsking = true
    try {
      ;(await client.get(OIDS, performance.now() + HOUR_MS)).all()
      answered++
    } catch {
      // As above.
    }
    isAsking = false
  }
  void ask()
  while (sent().length === 0) await new Promise((turn) => setTimeout(turn, 1))
  return {
    next: async (dice) => {
      // A forged Report names an engine that nobody is (discovery cannot be authenticated): the deadline ends that.
      if (isAsking && patience-- === 0) {
        client.cancel()
        await turns(16)
      }
      if (!isAsking) {
        patience = PATIENCE
        void ask()
        await turns(16)
      }
      const request = decodeMessage(sent())
      if (typeof request === "string" || request.v3 === null) throw new Error("the client sent no v3 message")
      const { msgId, engineId } = request.v3
      if (engineId.length === 0)
        return mutate(clear(msgId, 0, "", encodeScopedPdu(ENGINE, PDU.report, 0, 0, 0, UNKNOWN_ENGINES)), dice)
      const id = sealer.open(request)?.requestId ?? 0
      const scoped = encodeScopedPdu(ENGINE, PDU.response, id, 0, 0, VALUES)
      const isInsider = dice(2) === 0
      const message = sealer.seal(msgId, 3, 1, 1, isInsider ? mutate(scoped, dice) : scoped)
      return isInsider ? message : mutate(message, dice)
    },
    take: async (input) => {
      receive()(input)
      await turns(16)
    },
    taken: () => answered,
    contained: () => 0,
    close: client.close,
  }
}

const LISTENED = { v2c: "192.0.2.1", v3: "192.0.2.2" }

/** The listener with its own socket, into which datagrams are put by hand: a kernel between would hide what each costs. */
const trap = async (): Promise<Victim> => {
  const real = dgram.createSocket
  let inject: (bytes: Buffer, address: string) => void = () => undefined
  dgram.createSocket = ((...args: Parameters<typeof real>) => {
    const socket = real(...args)
    socket.send = (() => undefined) as typeof socket.send
    inject = (bytes, address) =>
      socket.emit("message", bytes, { address, port: 5000, family: "IPv4", size: bytes.length })
    return socket
  }) as typeof real
  syncBuiltinESMExports()
  const stats = makeTrapStats()
  const scope = Scope.makeUnsafe()
  const v2cCredential = { version: "2c", port: 161, community: "public" } as const
  const listening = trapListener({
    host: "127.0.0.1",
    port: 0,
    resolve: (address) => ({
      device: deviceId(`01890000-0000-7000-8000-00000000000${address.at(-1)}`),
      snmp: address === LISTENED.v3 ? AUTH_PRIV : v2cCredential,
    }),
    sink: { submit: () => true },
    stats,
    quota: { linesPerSecond: 0, burst: Number.MAX_SAFE_INTEGER, sources: 10 },
  })
  await Effect.runPromise(Scope.provide(listening, scope))
  const sealer = await makeSealer(AUTH_PRIV, ENGINE)
  let source = LISTENED.v2c
  const types = [PDU.trapV2, PDU.inform]
  return {
    next: (dice) => {
      const type = types[dice(2)] as number
      source = dice(2) === 0 ? LISTENED.v2c : LISTENED.v3
      if (source === LISTENED.v2c) return mutate(encodeMessage(COMMUNITY, type, 9, 0, 0, NOTIFICATION), dice)
      const scoped = encodeScopedPdu(ENGINE, type, 9, 0, 0, NOTIFICATION)
      if (dice(8) === 0) return mutate(clear(5, 4, "", scoped), dice)
      const isInsider = dice(2) === 0
      const message = sealer.seal(5, 3, 1, 1, isInsider ? mutate(scoped, dice) : scoped)
      return isInsider ? message : mutate(message, dice)
    },
    take: async (input) => {
      inject(input, source)
      await turns(4)
    },
    taken: () => stats.accepted,
    contained: () => stats.defects,
    close: () => Effect.runPromise(Scope.close(scope, Exit.void)),
  }
}

const VICTIMS: Readonly<Record<string, () => Victim | Promise<Victim>>> = { decoder, v2c, v3, trap }

const [name = "", inputs = "10000", seed = "1"] = process.argv.slice(2)
const make = VICTIMS[name]
if (make === undefined) throw new Error(`no such target: ${name}; there are ${Object.keys(VICTIMS).join(", ")}`)
const victim = await make()
console.log(JSON.stringify(await throwAll(victim, Number(inputs), Number(seed))))
await victim.close()
process.exit(0)
