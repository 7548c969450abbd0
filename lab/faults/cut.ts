/** A fibre is cut: both ports lose light at once, whatever transport equipment is in between. */
import type { FaultKind } from "#lab/faults/fault.ts"
import { findLink, linkName } from "#lab/faults/names.ts"

export const cut: FaultKind = {
  kind: "cut",
  undo: "mend",
  usage: "A B [INTERFACE]",
  about: "cut the link between routers A and B",
  read: (network, [a, b, port]) => {
    const link = findLink(network.isp, a, b, port)
    return {
      key: String(link.index),
      text: linkName(network.isp, link),
      strike: () => network.setCut(link.index, true),
      heal: () => network.setCut(link.index, false),
    }
  },
}
