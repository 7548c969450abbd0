/** A router loses power. It comes back after a boot, with new counters, and says coldStart. */
import type { FaultKind } from "#lab/faults/fault.ts"
import { findRouter } from "#lab/faults/names.ts"

export const kill: FaultKind = {
  kind: "kill",
  undo: "revive",
  usage: "ROUTER",
  about: "power a router off",
  read: (network, [name]) => {
    const router = findRouter(network.isp, name)
    return {
      key: String(router.index),
      text: router.name,
      strike: () => network.kill(router.index),
      heal: () => network.revive(router.index),
    }
  },
}
