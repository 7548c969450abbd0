/** Whether a TCP port takes connections, and how fast: one connection, closed as soon as it stands. */
import { connect } from "node:net"
import type { Literal } from "#engine/probes/address.ts"

export interface TcpResult {
  readonly up: boolean
  /** From the first SYN to the connection; null when there was none. */
  readonly connectMs: number | null
  /** Why not, in words; null when up. */
  readonly error: string | null
}

/** Ends within `deadlineMs`; never rejects. */
export const tcpProbe = (to: Literal, port: number, deadlineMs: number, signal?: AbortSignal): Promise<TcpResult> =>
  new Promise((settle) => {
    const startedMs = performance.now()
    const socket = connect({ host: to.text, port, family: to.family, noDelay: true })
    const end = (result: TcpResult): void => {
      clearTimeout(deadline)
      signal?.removeEventListener("abort", stop)
      socket.destroy()
      settle(result)
    }
    const stop = (): void => end({ up: false, connectMs: null, error: "stopped" })
    const late = (): void => end({ up: false, connectMs: null, error: `no connection within ${deadlineMs} ms` })
    const deadline = setTimeout(late, deadlineMs)
    signal?.addEventListener("abort", stop, { once: true })
    if (signal?.aborted === true) stop()
    socket.once("connect", () => end({ up: true, connectMs: performance.now() - startedMs, error: null }))
    // Stays: an error after the end must find a listener.
    socket.on("error", (cause: NodeJS.ErrnoException) => end({ up: false, connectMs: null, error: reasonOf(cause) }))
  })

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the port is closed",
  ECONNRESET: "the connection was reset",
  EHOSTUNREACH: "there is no route to the host",
  ENETUNREACH: "there is no route to the network",
  ETIMEDOUT: "no answer",
}

/** A socket error in words. */
export const reasonOf = ({ code, message }: NodeJS.ErrnoException): string =>
  (code === undefined ? undefined : REASONS[code]) ?? code ?? message.slice(0, 200)
