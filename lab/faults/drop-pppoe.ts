/** Subscribers fall off a BNG (a RADIUS hiccup, a bad OLT card) and dial in again over the next minute. */
import type { FaultKind } from "#lab/faults/fault.ts"
import { FaultRefused, findRouter, readNumber } from "#lab/faults/names.ts"

export const dropPppoe: FaultKind = {
  kind: "drop-pppoe",
  undo: null,
  usage: "BNG [PERCENT]",
  about: "drop PPPoE sessions of a BNG (default all); they come back within a minute",
  read: (network, [name, percent]) => {
    const router = findRouter(network.isp, name)
    const share = readNumber(percent, "the percentage", 1, 100, 100) / 100
    if (network.households.sessionsOn(router.index) === null)
      throw new FaultRefused(`${router.name} has no PPPoE server: name a BNG`)
    return {
      key: String(router.index),
      text: `${router.name}, ${Math.round(share * 100)} %`,
      strike: () => network.dropSessions(router.index, share),
      heal: () => {},
    }
  },
}
