/**
 * Whether a device's syslog arrives on this machine: listens on the port for the first datagram from its address. Nothing
 * is asked of the device, because no protocol lets a reader make it speak; a quiet router proves nothing, and the answer
 * says so. UDP only: that a TCP session could be opened says no more.
 */
import * as dgram from "node:dgram"
import { isIPv6 } from "node:net"
import { deviceText } from "#engine/collectors/device-text.ts"
import { eventOf } from "#engine/collectors/syslog/event.ts"
import { parseSyslog } from "#engine/collectors/syslog/header.ts"
import { literal } from "#engine/probes/address.ts"

export interface Heard {
  /** Null = could not listen. */
  readonly heard: boolean | null
  readonly detail: string
}

/** Longest part of a line that is shown. */
const SHOWN_MAX = 120

/** `address` is an IP literal. Ends at the first line from it, or after `listenMs`. */
export const listenForSyslog = (address: string, port: number, listenMs: number): Promise<Heard> =>
  new Promise((settle) => {
    const socket = dgram.createSocket(isIPv6(address) ? "udp6" : "udp4")
    let others = 0
    const end = (result: Heard): void => {
      clearTimeout(timer)
      socket.close()
      settle(result)
    }
    const timer = setTimeout(() => end({ heard: false, detail: silence(port, listenMs, others) }), listenMs)
    socket.once("error", (error: NodeJS.ErrnoException) => end({ heard: null, detail: cannot(port, error.code) }))
    socket.on("message", (bytes, from) => {
      if (spelled(from.address) === spelled(address)) end({ heard: true, detail: described(bytes) })
      else others++
    })
    socket.bind(port)
  })

/** One spelling of an address: an IPv6 address has many, and a link-local one carries the name of our interface. */
const spelled = (address: string): string => {
  const [bare = address] = address.split("%")
  return literal(bare)?.text ?? bare
}

const described = (bytes: Buffer): string => {
  const line = parseSyslog(bytes)
  if (line === null) return `a datagram of ${bytes.length} bytes came, but it is no text`
  const shown = deviceText(line.message).slice(0, SHOWN_MAX)
  const event = eventOf(line)
  const means = event === null ? "which the twin keeps as it is" : `which means: ${event.type}`
  return `heard ${JSON.stringify(shown)}, ${means}`
}

const silence = (port: number, listenMs: number, others: number): string => {
  const strangers = others === 0 ? "" : ` (${others} came from other addresses: is it sent from another one?)`
  const seconds = (listenMs / 1_000).toFixed(1)
  return `no line on UDP ${port} in ${seconds} s${strangers}: let it log something now (log in to it), and check its remote logging`
}

const cannot = (port: number, code: string | undefined): string => {
  if (code === "EADDRINUSE")
    return `not tried: another program listens on UDP ${port}; if it is Heliograph, its event list shows what came`
  if (code === "EACCES") return `not tried: UDP ${port} may not be opened by this user; choose a port above 1023`
  return `not tried: UDP ${port} cannot be opened (${code ?? "?"})`
}
