/** A trap listener on a free port, a sender, and what arrived: for the tests of trap.ts. */
import assert from "node:assert/strict"
import { createSocket } from "node:dgram"
import { once } from "node:events"
import type { TestContext } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { deviceId } from "#protocol/id.ts"
import type { TrapInput } from "#twin/input.ts"
import type { SnmpCredential, SnmpV3Credential } from "#engine/collectors/target.ts"
import { PDU } from "#engine/collectors/snmp/ber.ts"
import { encodeMessage } from "#engine/collectors/snmp/encode.ts"
import { oid } from "#engine/collectors/snmp/oid.ts"
import { TAG } from "#engine/collectors/snmp/varbinds.ts"
import type { TrapListener, TrapOptions, TrapStats } from "#engine/collectors/trap.ts"
import { makeTrapStats, trapListener } from "#engine/collectors/trap.ts"

export const DEVICE = deviceId("01890000-0000-7000-8000-000000000001")
export const V2C: SnmpCredential = { version: "2c", port: 161, community: "s3cret" }
export const V3: SnmpV3Credential = {
  version: "3",
  port: 161,
  user: "noc",
  authProtocol: "sha256",
  authPassword: "auth-password-1",
  privProtocol: "aes",
  privPassword: "priv-password-2",
}

export interface Bench {
  readonly port: number
  readonly stats: TrapStats
  readonly traps: TrapInput[]
  readonly listener: TrapListener
  /** Sends from 127.0.0.1 and waits until the listener has counted it. */
  readonly send: (...datagrams: readonly Buffer[]) => Promise<void>
  readonly until: (condition: () => boolean) => Promise<void>
  /** Datagrams that came back to our sender. */
  readonly replies: Buffer[]
}

export const open = async (
  t: TestContext,
  credential: SnmpCredential | null,
  changes: Partial<TrapOptions> = {},
): Promise<Bench> => {
  const stats = makeTrapStats()
  const traps: TrapInput[] = []
  const scope = Scope.makeUnsafe()
  const listener = await Effect.runPromise(
    Scope.provide(
      trapListener({
        host: "127.0.0.1",
        port: 0,
        resolve: (address) => (address === "127.0.0.1" ? { device: DEVICE, snmp: credential } : null),
        sink: {
          submit: (input, durable) => {
            traps.push(input as TrapInput)
            durable?.()
            return true
          },
        },
        stats,
        ...changes,
      }),
      scope,
    ),
  )
  const sender = createSocket("udp4")
  sender.bind(0, "127.0.0.1")
  await once(sender, "listening")
  const replies: Buffer[] = []
  sender.on("message", (bytes) => replies.push(bytes))
  t.after(async () => {
    sender.close()
    await Effect.runPromise(Scope.close(scope, Exit.void))
  })
  const until = async (condition: () => boolean): Promise<void> => {
    for (let i = 0; i < 500 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.ok(condition(), `stats: ${JSON.stringify(stats)}`)
  }
  const send = async (...datagrams: readonly Buffer[]): Promise<void> => {
    const target = stats.received + datagrams.length
    for (const datagram of datagrams) sender.send(datagram, listener.port, "127.0.0.1")
    await until(() => stats.received >= target)
  }
  return { port: listener.port, stats, traps, listener, send, until, replies }
}

export const hex = (text: string): Buffer => Buffer.from(text, "hex")

export const linkDown = (ifIndex = 7, community = "s3cret", type: number = PDU.trapV2): Buffer =>
  encodeMessage(Buffer.from(community), type, 99, 0, 0, [
    { oid: oid("1.3.6.1.2.1.1.3.0"), tag: TAG.timeTicks, value: 1_000 },
    { oid: oid("1.3.6.1.6.3.1.1.4.1.0"), tag: TAG.oid, value: "1.3.6.1.6.3.1.1.5.3" },
    { oid: oid(`1.3.6.1.2.1.2.2.1.1.${ifIndex}`), tag: TAG.integer, value: ifIndex },
    { oid: oid(`1.3.6.1.2.1.2.2.1.7.${ifIndex}`), tag: TAG.integer, value: 1 },
    { oid: oid(`1.3.6.1.2.1.2.2.1.8.${ifIndex}`), tag: TAG.integer, value: 2 },
  ])

/** Everything that was received is accounted for exactly once. */
export const assertBalanced = ({ stats, listener }: Bench): void => {
  const dropped = Object.values(stats.dropped).reduce((sum, count) => sum + count, 0)
  assert.equal(stats.received, dropped + stats.reports + stats.accepted + stats.defects)
  assert.equal(stats.accepted, stats.submitted + listener.waiting() + stats.lost)
  assert.equal(stats.defects, 0)
}
