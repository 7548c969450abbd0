/**
 * Inputs that are acknowledged: SNMPv2c informs (RFC 3416 s4.2.7) from the addresses of an inventory's own devices, each
 * about an interface of a name that only it has, sent again until it is answered. What was answered is a promise of the
 * engine, and this is the record to hold it against.
 */
import { createSocket, type Socket } from "node:dgram"
import { once } from "node:events"
import { TAG, Reader, Writer } from "#lab/snmp/ber.ts"
import { parseOid } from "#lab/snmp/mib.ts"

export interface Informed {
  /** ifName of the inform; an event names it. */
  readonly name: string
  readonly sentMs: number
  /** Datagrams. */
  sent: number
  /** Null = not answered yet. */
  answeredMs: number | null
}

export interface Informs {
  readonly all: () => readonly Informed[]
  /** Resolves with the time of an answer to the first one that was sent after `afterMs` and has one. */
  readonly answerAfter: (afterMs: number, timeoutMs: number) => Promise<number>
  /** No new ones; resolves when all are answered, or the time is up. */
  readonly finish: (timeoutMs: number) => Promise<void>
  readonly close: () => void
}

interface Device {
  readonly address: string
  readonly snmp: { readonly version: string; readonly community?: string }
}

const AGAIN_MS = 1_000
const INFORM = 0xa6
const V2C = 1
const SYS_UP_TIME = parseOid("1.3.6.1.2.1.1.3.0")
const SNMP_TRAP_OID = parseOid("1.3.6.1.6.3.1.1.4.1.0")
const LINK_DOWN = parseOid("1.3.6.1.6.3.1.1.5.3")
const IF_NAME = parseOid("1.3.6.1.2.1.31.1.1.1.1")

/** `document` is an import document; its devices with a community take turns. */
export const startInforms = async (
  document: Record<string, unknown>,
  trapPort: number,
  perSecond: number,
): Promise<Informs> => {
  const devices = (document["devices"] as readonly Device[]).filter(({ snmp }) => snmp.version === "2c")
  if (devices.length === 0) throw new Error("no device of the inventory has a community to send informs with")
  const record: Informed[] = []
  const open = new Map<number, { readonly inform: Informed; readonly send: () => void }>()
  const listeners = new Set<() => void>()
  const sockets = await Promise.all(devices.map(({ address }) => bound(address)))

  sockets.forEach((socket) =>
    socket.on("message", (bytes) => {
      const id = requestIdOf(bytes)
      const found = open.get(id)
      if (found === undefined) return
      open.delete(id)
      found.inform.answeredMs = Date.now()
      for (const heard of listeners) heard()
    }),
  )

  const sendNew = (): void => {
    const id = record.length + 1
    const at = id % devices.length
    const device = devices[at] as Device
    const inform: Informed = { name: `inform${id}`, sentMs: Date.now(), sent: 0, answeredMs: null }
    const bytes = encode(device.snmp.community ?? "", id, inform.name)
    const send = (): void => {
      inform.sent++
      sockets[at]?.send(bytes, trapPort, "127.0.0.1", () => undefined)
    }
    record.push(inform)
    open.set(id, { inform, send })
    send()
  }
  const sending = setInterval(sendNew, 1_000 / perSecond)
  const again = setInterval(() => {
    const dueMs = Date.now() - AGAIN_MS
    for (const { inform, send } of open.values()) if (inform.sentMs < dueMs) send()
  }, AGAIN_MS)

  const until = (done: () => boolean, timeoutMs: number, otherwise: string): Promise<void> =>
    new Promise((settle, reject) => {
      const end = (result: () => void): void => {
        clearTimeout(timer)
        listeners.delete(heard)
        result()
      }
      const heard = (): void => (done() ? end(settle) : undefined)
      const timer = setTimeout(() => end(() => reject(new Error(otherwise))), timeoutMs)
      listeners.add(heard)
      heard()
    })

  return {
    all: () => record,
    answerAfter: async (afterMs, timeoutMs) => {
      const firstOf = (): Informed | undefined =>
        record.find(({ sentMs, answeredMs }) => sentMs >= afterMs && answeredMs !== null)
      await until(() => firstOf() !== undefined, timeoutMs, `no inform was answered within ${timeoutMs} ms`)
      return firstOf()?.answeredMs as number
    },
    finish: async (timeoutMs) => {
      clearInterval(sending)
      await until(() => open.size === 0, timeoutMs, `${open.size} informs are still not answered`)
    },
    close: () => {
      clearInterval(sending)
      clearInterval(again)
      for (const socket of sockets) socket.close()
    },
  }
}

const bound = async (address: string): Promise<Socket> => {
  const socket = createSocket("udp4")
  socket.bind(0, address)
  await once(socket, "listening")
  // Nobody listens while the engine is down.
  socket.on("error", () => undefined)
  return socket
}

const encode = (community: string, id: number, name: string): Buffer => {
  const out = new Writer(1_024)
  const within = (tag: number, body: () => void): void => {
    const opened = out.open(tag)
    body()
    out.close(opened)
  }
  const varbind = (oid: readonly number[], value: () => void): void =>
    within(TAG.sequence, () => {
      out.oid(oid)
      value()
    })
  within(TAG.sequence, () => {
    out.integer(V2C)
    out.text(community)
    within(INFORM, () => {
      out.integer(id)
      out.integer(0)
      out.integer(0)
      within(TAG.sequence, () => {
        varbind(SYS_UP_TIME, () => out.unsigned(id, TAG.timeTicks))
        varbind(SNMP_TRAP_OID, () => out.oid(LINK_DOWN))
        // An instance that no poll of the device shows: reported as an event, and no state to argue about.
        varbind([...IF_NAME, 1_000_000 + id], () => out.text(name))
      })
    })
  })
  return out.take()
}

const requestIdOf = (bytes: Buffer): number => {
  try {
    const message = new Reader(bytes).into(TAG.sequence)
    message.integer()
    message.into(TAG.octetString)
    return message.into(0xa2).integer()
  } catch {
    return -1
  }
}
