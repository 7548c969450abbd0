/**
 * UDP sockets shared by all devices: a few per address family with large receive buffers, instead of one each.
 * A datagram goes to whoever opened its exact source address and port; everything else is counted and dropped, which
 * closes net-snmp's hole of taking answers from anywhere (notes/hostile.md s1) and its 208 KiB receive buffers.
 */
import type { RemoteInfo, Socket } from "node:dgram"
import { createSocket } from "node:dgram"
import { isIPv4, isIPv6 } from "node:net"

/** Linux cuts SO_RCVBUF to net.core.rmem_max, often 208 KiB: several sockets then still hold a burst of answers. */
const SOCKETS_PER_FAMILY = 4
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024

export interface UdpCounts {
  received: number
  /** From an address and port that nobody polls. */
  strangers: number
  /** From a peer, but nobody had asked: a late or invented answer. */
  unclaimed: number
  /** Source port 0 cannot be answered and crashes those who try (R8). */
  portZero: number
  /** A receiver threw: a defect of ours, contained here. */
  threw: number
  socketErrors: number
}

/** Looks at a datagram of its peer; true = it was an answer to this receiver's question. Must not keep `bytes` of others. */
export type Receive = (bytes: Buffer) => boolean

export interface UdpPeer {
  /** `failed` hears why the kernel refused to send, asynchronously. */
  readonly send: (bytes: Uint8Array, failed: (code: string) => void) => void
  readonly close: () => void
}

export interface UdpPool {
  /** Throws RangeError when the address is not an IP address. */
  readonly open: (address: string, port: number, receive: Receive) => UdpPeer
  readonly counts: UdpCounts
  /** Open sockets now; they close with their last peer. */
  readonly sockets: () => number
}

interface Shared {
  readonly socket: Socket
  readonly peers: Map<string, Receive[]>
  users: number
}

export const makeUdpPool = (): UdpPool => {
  const counts: UdpCounts = { received: 0, strangers: 0, unclaimed: 0, portZero: 0, threw: 0, socketErrors: 0 }
  const slots = new Map<string, Shared>()
  let turn = 0

  const join = (slot: string, family: "udp4" | "udp6"): Shared => {
    let shared = slots.get(slot)
    if (shared === undefined) slots.set(slot, (shared = openShared(family, counts)))
    shared.users++
    return shared
  }

  const leave = (slot: string, shared: Shared): void => {
    if (--shared.users > 0) return
    slots.delete(slot)
    shared.socket.close()
  }

  const open = (text: string, port: number, receive: Receive): UdpPeer => {
    const { address, family } = canonical(text)
    const slot = `${family}/${turn++ % SOCKETS_PER_FAMILY}`
    const shared = join(slot, family)
    const key = peerKey(address, port)
    const receivers = shared.peers.get(key)
    if (receivers === undefined) shared.peers.set(key, [receive])
    else receivers.push(receive)
    let isOpen = true
    return {
      send: (bytes, failed) => {
        if (!isOpen) return failed("ECLOSED")
        shared.socket.send(bytes, port, address, (error) => {
          if (error !== null) failed((error as NodeJS.ErrnoException).code ?? "EUNKNOWN")
        })
      },
      close: () => {
        if (!isOpen) return
        isOpen = false
        const rest = (shared.peers.get(key) ?? []).filter((other) => other !== receive)
        if (rest.length === 0) shared.peers.delete(key)
        else shared.peers.set(key, rest)
        leave(slot, shared)
      },
    }
  }
  return { open, counts, sockets: () => slots.size }
}

const openShared = (family: "udp4" | "udp6", counts: UdpCounts): Shared => {
  const socket = createSocket({
    type: family,
    ipv6Only: family === "udp6",
    recvBufferSize: RECEIVE_BUFFER_BYTES,
  })
  const shared: Shared = { socket, peers: new Map(), users: 0 }
  socket.on("error", () => {
    counts.socketErrors++
  })
  socket.on("message", (bytes, from) => deliver(shared.peers, counts, bytes, from))
  socket.bind(0)
  return shared
}

const deliver = (peers: Map<string, Receive[]>, counts: UdpCounts, bytes: Buffer, from: RemoteInfo): void => {
  counts.received++
  if (from.port === 0) {
    counts.portZero++
    return
  }
  const receivers = peers.get(peerKey(from.address, from.port))
  if (receivers === undefined) {
    counts.strangers++
    return
  }
  for (const receive of receivers) {
    try {
      if (receive(bytes)) return
    } catch {
      counts.threw++
    }
  }
  counts.unclaimed++
}

const peerKey = (address: string, port: number): string => `${address} ${port}`

/** The text that the kernel's answers will carry. IPv4-mapped IPv6 becomes IPv4. */
const canonical = (text: string): { address: string; family: "udp4" | "udp6" } => {
  if (isIPv4(text)) return { address: text, family: "udp4" }
  const [bare = "", zone] = text.split("%")
  if (!isIPv6(bare)) throw new RangeError(`not an IP address: ${JSON.stringify(text)}`)
  const compressed = new URL(`http://[${bare}]`).hostname.slice(1, -1)
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(compressed)
  if (mapped !== null) {
    const [high, low] = [Number.parseInt(mapped[1] ?? "", 16), Number.parseInt(mapped[2] ?? "", 16)]
    return { address: [high >> 8, high & 255, low >> 8, low & 255].join("."), family: "udp4" }
  }
  return { address: zone === undefined ? compressed : `${compressed}%${zone}`, family: "udp6" }
}
