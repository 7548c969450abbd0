/**
 * A forwarding loop: packets circle between two routers until the link is full in both directions, and what belongs
 * there is dropped. The octets are real on both ports, so that nothing but the link is overloaded.
 */
import type { FaultKind } from "#lab/faults/fault.ts"
import { findLink, linkName, readNumber } from "#lab/faults/names.ts"

const FACTOR = 1.2

export const congest: FaultKind = {
  kind: "congest",
  undo: "relieve",
  usage: "A B [FACTOR]",
  about: `offer the link between A and B FACTOR times its capacity (default ${FACTOR}) by a forwarding loop`,
  read: (network, [a, b, times]) => {
    const link = findLink(network.isp, a, b)
    const factor = readNumber(times, "the factor", 0.1, 10, FACTOR)
    return {
      key: String(link.index),
      text: `${linkName(network.isp, link)}, ${factor} times its capacity`,
      strike: () => {
        const busiest = Math.max(network.outBps(link.a), network.outBps(link.b)) - network.loopBps[link.index]!
        network.setLoop(link.index, Math.max(0, factor * link.capacityBps - Math.max(0, busiest)))
      },
      heal: () => network.setLoop(link.index, 0),
    }
  },
}
