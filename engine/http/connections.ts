/**
 * How many connections one address may hold, so that a single machine that opens thousands and says nothing (slowloris)
 * leaves room for everybody else. Connections of a declared proxy count as many sources and are not bounded here: the
 * proxy bounds its own.
 */
import type { Socket } from "node:net"

export const CONNECTIONS_PER_SOURCE_MAX = 2_000

export interface Connections {
  /** False = too many of this address: the socket was closed. */
  readonly admit: (socket: Socket) => boolean
  /** Addresses that hold any. */
  readonly sources: () => number
}

export const makeConnections = (
  isProxy: (address: string) => boolean,
  max = CONNECTIONS_PER_SOURCE_MAX,
): Connections => {
  const open = new Map<string, number>()
  return {
    admit: (socket) => {
      const { remoteAddress } = socket
      if (remoteAddress === undefined || isProxy(remoteAddress)) return true
      const count = (open.get(remoteAddress) ?? 0) + 1
      if (count > max) {
        socket.destroy()
        return false
      }
      open.set(remoteAddress, count)
      socket.once("close", () => {
        const left = (open.get(remoteAddress) ?? 1) - 1
        if (left > 0) open.set(remoteAddress, left)
        else open.delete(remoteAddress)
      })
      return true
    },
    sources: () => open.size,
  }
}
